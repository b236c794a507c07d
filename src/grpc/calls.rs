//! What is true of every call: a span under the caller's trace, a count and a duration when it ends, and plain words for what the
//! transport refuses by itself.
//!
//! A call whose caller leaves counts as CANCELLED. The items of a stream of requests are counted one by one, by whoever answers them, and
//! their stream only when it cannot begin.

use std::future::Future;
use std::time::{Duration, Instant};

use http::{Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Instrument, Span, field, info_span};

use super::around::{Answer, Around};
use super::status::{code, code_name, status};
use crate::base::{Decision, ModelName, Refusal, RefusalKind, Version};
use crate::serving::Trail;
use crate::telemetry::{self, Metrics, RefusalReason, RequestDone};
use crate::wire;

/// What a handler tells of its answer; left in the answer's extensions for [`CallLayer`].
#[derive(Debug, Clone)]
pub struct Told {
    pub model: ModelName,
    pub version: Version,
    pub trail: Trail,
}

/// The identity of a call in spans and metrics.
#[derive(Debug, Clone, Copy)]
pub struct CallName {
    pub service: &'static str,
    pub method: &'static str,
}

/// Counts what is answered.
#[derive(Clone)]
pub struct Counter {
    metrics: Metrics,
}

impl Counter {
    /// Counts into these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }

    /// Counts one call, or one item of a stream, as done.
    pub fn done(&self, name: CallName, answered: Code, told: Option<&Told>, duration: Duration) {
        let trace_id = telemetry::trace_id(&Span::current());
        self.metrics.request(&RequestDone {
            service: name.service,
            method: name.method,
            code: code_name(answered),
            model: told.map(|told| &told.model),
            version: told.map(|told| told.version),
            duration,
            trace_id: trace_id.as_deref(),
        });
        if let Some(pictures) = told.and_then(|told| told.trail.together()) {
            self.metrics.run_together(pictures);
        }
        for (stage, took) in told.into_iter().flat_map(|told| told.trail.stages()) {
            self.metrics.stage(*stage, *took);
        }
        tracing::debug!(
            service = name.service,
            method = name.method,
            code = code_name(answered),
            ?duration,
            "answered"
        );
    }

    /// Counts a decision's picture and verdicts.
    pub fn judged(&self, decision: &Decision) {
        if decision.image_sha256.is_some() {
            self.metrics
                .picture(&decision.model, decision.version, decision.known_picture);
        }
        for verdict in &decision.verdicts {
            self.metrics.verdict(&decision.model, decision.version, verdict.verdict);
        }
    }

    /// Counts a refusal by its cause, and says in the log what is the server's own mistake.
    pub fn refused(&self, refusal: &Refusal) -> Code {
        self.metrics.refused(RefusalReason::from(&refusal.kind));
        if refusal.kind == RefusalKind::Internal {
            tracing::error!(error = %refusal.message, "a request failed by a mistake of the server");
        }
        telemetry::mark_failed(&Span::current(), &refusal.message);
        code(&refusal.kind)
    }
}

/// See the module.
#[derive(Clone)]
pub struct CallLayer {
    counter: Counter,
}

impl CallLayer {
    /// Counts with this counter.
    pub fn new(counter: Counter) -> Self {
        Self { counter }
    }
}

impl Around for CallLayer {
    fn around<F, E>(&self, request: Request<Body>, inner: impl FnOnce(Request<Body>) -> F) -> Answer<E>
    where
        F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
        E: Send + 'static,
    {
        // Health and reflection are neither traced nor counted: they are asked every second by machines.
        let Some(method) = wire::method(request.uri().path()) else {
            return Box::pin(inner(request));
        };
        let name = CallName {
            service: &method.service,
            method: &method.name,
        };
        let span = span(name);
        telemetry::set_parent(&span, telemetry::parent_of(request.headers()));
        let mut ending = Ending {
            counter: self.counter.clone(),
            name,
            began: Instant::now(),
            open: true,
        };
        let answer = span.in_scope(|| inner(request));
        let counted_by_item = method.takes_stream;
        let call = async move {
            let answer = in_plain_words(name, answer.await?);
            let refused = Status::from_header_map(answer.headers()).filter(|status| status.code() != Code::Ok);
            Span::current().record(
                "rpc.grpc.status_code",
                refused.as_ref().map_or(0, |status| i32::from(status.code())),
            );
            match refused {
                Some(status) => {
                    telemetry::mark_failed(&Span::current(), status.message());
                    ending.close(status.code(), None);
                }
                None if counted_by_item => ending.leave_to_items(),
                None => ending.close(Code::Ok, answer.extensions().get::<Told>()),
            }
            Ok(answer)
        };
        Box::pin(call.instrument(span))
    }
}

fn span(name: CallName) -> Span {
    info_span!(
        "request",
        otel.name = format!("{}/{}", name.service, name.method),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.service = name.service,
        rpc.method = name.method,
        rpc.grpc.status_code = field::Empty,
    )
}

/// Counts a call when it ends, however it ends.
struct Ending {
    counter: Counter,
    name: CallName,
    began: Instant,
    open: bool,
}

impl Ending {
    fn leave_to_items(mut self) {
        self.open = false;
    }

    fn close(&mut self, answered: Code, told: Option<&Told>) {
        self.open = false;
        self.counter.done(self.name, answered, told, self.began.elapsed());
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.open {
            self.close(Code::Cancelled, None);
        }
    }
}

/// What the transport refuses before a handler sees it, said as a handler would.
fn in_plain_words(name: CallName, answer: Response<Body>) -> Response<Body> {
    match Status::from_header_map(answer.headers()).and_then(|refused| reworded(name, &refused)) {
        Some(status) => status.into_http(),
        None => answer,
    }
}

/// The same for a status inside a stream of requests; none where it needs no other words.
pub fn reworded(name: CallName, refused: &Status) -> Option<Status> {
    let field = match name.method {
        "Classify" | "ClassifyStream" => "product.image",
        "ModelInfer" | "ModelStreamInfer" => "raw_input_contents",
        _ => "request",
    };
    let undecodable = "failed to decode Protobuf message";
    match refused.code() {
        // The transport's word for a message beyond the limit; no handler answers so.
        Code::OutOfRange => Some(status(Refusal::invalid(
            field,
            format!(
                "the message is too large ({}); the limit is grpc.max_message",
                refused.message()
            ),
        ))),
        Code::Internal if refused.message().contains(undecodable) => {
            Some(status(Refusal::invalid("request", refused.message().to_owned())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSIFY: CallName = CallName {
        service: "vigie.v1.AdSafety",
        method: "Classify",
    };

    #[test]
    fn what_the_transport_refuses_is_said_with_the_field() {
        let large = Status::out_of_range("found 104857600 bytes, the limit is: 16777216 bytes");
        let answer = reworded(CLASSIFY, &large).unwrap();
        assert_eq!(answer.code(), Code::InvalidArgument);
        assert!(
            answer.message().contains("product.image") && answer.message().contains("16777216"),
            "{answer}"
        );
        let broken = Status::internal("failed to decode Protobuf message: buffer underflow");
        assert_eq!(reworded(CLASSIFY, &broken).unwrap().code(), Code::InvalidArgument);
        assert!(reworded(CLASSIFY, &Status::internal("our own")).is_none());
    }
}
