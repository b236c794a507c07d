//! The service that judges: one product a call, or a stream of them; and that tells verdicts on known products, once or whenever they change.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::{Instrument, info_span};

use super::calls::{CallName, Counter, Told, reworded};
use super::deadline::asker_of;
use super::generated::vigie::ad_safety_server::AdSafety;
use super::status::{item_error, status};
use super::streams::{Answers, Item, Order, Streams, answer, tell};
use crate::base::{Asker, Classification, Deadline, Priority, Refusal, RefusalKind};
use crate::serving::{Judged, Serving};
use crate::wire::vigie::product::Picture;
use crate::wire::vigie::stream_result::Result as ItemResult;
use crate::wire::vigie::{
    ClassifyRequest, Decision, GetVerdictsRequest, GetVerdictsResponse, StreamRequest, StreamResult,
    WatchVerdictsRequest, WatchVerdictsResponse,
};
use crate::wire::{countries, optional};

/// Items that a stream may have read and not yet answered.
const READ_AHEAD: usize = 64;

const ITEM: CallName = CallName {
    service: "vigie.v1.AdSafety",
    method: "ClassifyStream",
};

/// See the module.
#[derive(Clone)]
pub struct AdSafetyService {
    pub serving: Serving,
    pub counter: Counter,
    pub streams: Streams,
    pub stop: CancellationToken,
}

#[tonic::async_trait]
impl AdSafety for AdSafetyService {
    async fn classify(&self, request: Request<ClassifyRequest>) -> Result<Response<Decision>, Status> {
        let asker = asker_of(&request);
        let judged = match request.into_inner().into_classification(Priority::Live) {
            Ok(classification) => self.serving.classify(classification, asker).await,
            Err(refusal) => Err(refusal),
        };
        let judged = judged.map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })?;
        self.counter.judged(&judged.decision);
        let told = told(&judged);
        let mut answer = Response::new(judged.decision.into());
        answer.extensions_mut().insert(told);
        Ok(answer)
    }

    async fn get_verdicts(
        &self,
        request: Request<GetVerdictsRequest>,
    ) -> Result<Response<GetVerdictsResponse>, Status> {
        let answered = match request.into_inner().into_ask() {
            Ok(ask) => self.serving.verdicts(ask).await,
            Err(refusal) => Err(refusal),
        };
        let results = answered.map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })?;
        Ok(Response::new(GetVerdictsResponse {
            results: results.into_iter().map(Into::into).collect(),
        }))
    }

    type WatchVerdictsStream = Answers<WatchVerdictsResponse>;

    async fn watch_verdicts(
        &self,
        request: Request<WatchVerdictsRequest>,
    ) -> Result<Response<Self::WatchVerdictsStream>, Status> {
        let deadline = asker_of(&request).deadline;
        let watched = self.watch(request.into_inner(), deadline).map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })?;
        Ok(Response::new(watched))
    }

    type ClassifyStreamStream = Answers<StreamResult>;

    async fn classify_stream(
        &self,
        request: Request<Streaming<StreamRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        let asker = asker_of(&request);
        let driving = self
            .streams
            .open(Order::AsReady, READ_AHEAD, asker.deadline, self.stop.clone())
            .map_err(|refusal| {
                self.counter.refused(&refusal);
                status(refusal)
            })?;
        let service = self.clone();
        let respond = move |item: StreamRequest| service.clone().item(item, asker);
        Ok(Response::new(answer(worded(request.into_inner()), respond, driving)))
    }
}

impl Item for StreamRequest {
    fn bytes(&self) -> usize {
        let product = self.request.as_ref().and_then(|request| request.product.as_ref());
        match product.and_then(|product| product.picture.as_ref()) {
            Some(Picture::Image(encoded)) => encoded.len(),
            Some(Picture::ImageUrl(_)) | None => 0,
        }
    }
}

/// The requests of a stream, the transport's own refusals in plain words.
fn worded(requests: Streaming<StreamRequest>) -> impl Stream<Item = Result<StreamRequest, Status>> + Send + 'static {
    requests.map(|request| request.map_err(|status| reworded(ITEM, &status).unwrap_or(status)))
}

fn told(judged: &Judged) -> Told {
    Told {
        model: judged.decision.model.clone(),
        version: judged.decision.version,
        trail: judged.trail.clone(),
    }
}

impl AdSafetyService {
    fn watch(
        &self,
        request: WatchVerdictsRequest,
        deadline: Deadline,
    ) -> Result<Answers<WatchVerdictsResponse>, Refusal> {
        let cursor = optional("cursor", &request.cursor)?;
        let countries = countries(&request.countries)?;
        let driving = self.streams.open(Order::AsReady, 1, deadline, self.stop.clone())?;
        Ok(tell(self.serving.watch(countries, cursor)?, driving))
    }

    /// Answers one item; whatever is wrong with it is in the answer.
    fn item(self, item: StreamRequest, of_stream: Asker) -> Pin<Box<dyn Future<Output = StreamResult> + Send>> {
        let span = info_span!("item", correlation_id = %shown(&item.correlation_id), otel.kind = "server");
        let correlation_id = item.correlation_id.clone();
        let answered = async move {
            let began = Instant::now();
            let judged = self.judge(item, began, of_stream).await;
            let result = match judged {
                Ok(judged) => {
                    self.counter.judged(&judged.decision);
                    self.counter.done(ITEM, Code::Ok, Some(&told(&judged)), began.elapsed());
                    ItemResult::Decision(Box::new(judged.decision.into()))
                }
                Err(refusal) => {
                    let code = self.counter.refused(&refusal);
                    self.counter.done(ITEM, code, None, began.elapsed());
                    ItemResult::Error(item_error(refusal))
                }
            };
            StreamResult {
                correlation_id,
                result: Some(result),
            }
        };
        Box::pin(answered.instrument(span))
    }

    async fn judge(&self, item: StreamRequest, began: Instant, of_stream: Asker) -> Result<Judged, Refusal> {
        let own = match item.timeout_ms {
            None => Deadline::NONE,
            Some(0) => {
                return Err(Refusal::invalid(
                    "timeout_ms",
                    "0 leaves no time: a number above 0 is expected",
                ));
            }
            Some(milliseconds) => Deadline::after(began, Duration::from_millis(milliseconds.into())),
        };
        let asker = of_stream.until(own);
        let request = item.request.ok_or_else(|| Refusal::invalid("request", "is missing"))?;
        let classification = request.into_classification(Priority::Bulk)?;
        let judged = self.when_there_is_room(classification, asker);
        match asker.deadline.moment() {
            None => judged.await,
            Some(moment) => tokio::time::timeout_at(moment.into(), judged)
                .await
                .unwrap_or(Err(Refusal::deadline())),
        }
    }

    /// A stream is never refused for load: it waits, and because it reads no further meanwhile, so does its caller.
    async fn when_there_is_room(&self, request: Classification, asker: Asker) -> Result<Judged, Refusal> {
        loop {
            match self.serving.classify(request.clone(), asker).await {
                Err(Refusal {
                    kind: RefusalKind::Overloaded { retry_after },
                    ..
                }) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(1))).await;
                }
                ended => return ended,
            }
        }
    }
}

/// The beginning of a text of the caller, for a span.
fn shown(correlation_id: &str) -> String {
    correlation_id.chars().take(64).collect()
}
