//! The standard health service, driven by one watched value: every service of this server can be called, or none.
//!
//! Written here and not taken ready-made, because it must start with NOT_SERVING, answer a watch for an unknown service as the
//! specification has it, and end its watches when the server stops, so that they do not hold a stop up.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::wire;

/// The service for every name in the protocol files, and for `""`.
pub fn health(ready: watch::Receiver<bool>, stop: CancellationToken) -> HealthServer<impl Health> {
    let known = wire::service_names().chain([String::new()]).collect();
    HealthServer::new(Watched {
        ready,
        stop,
        known: Arc::new(known),
    })
}

struct Watched {
    ready: watch::Receiver<bool>,
    stop: CancellationToken,
    known: Arc<BTreeSet<String>>,
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

fn of(ready: bool) -> ServingStatus {
    if ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

#[tonic::async_trait]
impl Health for Watched {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !self.known.contains(&service) {
            return Err(Status::not_found(format!("{service:?} is no service of this server")));
        }
        Ok(Response::new(answer(of(*self.ready.borrow()))))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let known = self.known.contains(&request.into_inner().service);
        let states = WatchStream::new(self.ready.clone());
        let states = states.map(move |ready| {
            if known {
                of(ready)
            } else {
                ServingStatus::ServiceUnknown
            }
        });
        let mut last = None;
        let changes = states.filter(move |state| std::future::ready(last.replace(*state) != Some(*state)));
        let stopped = self.stop.clone().cancelled_owned();
        Ok(Response::new(Box::pin(
            changes.map(|state| Ok(answer(state))).take_until(stopped),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(ready: watch::Receiver<bool>, stop: CancellationToken) -> Watched {
        let known = wire::service_names().chain([String::new()]).collect();
        Watched {
            ready,
            stop,
            known: Arc::new(known),
        }
    }

    fn ask(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest {
            service: service.into(),
        })
    }

    #[tokio::test]
    async fn a_service_serves_when_the_server_is_ready() {
        let (set, ready) = watch::channel(false);
        let health = watched(ready, CancellationToken::new());
        for service in ["", "vigie.v1.AdSafety", "inference.GRPCInferenceService"] {
            let now = |answer: Response<HealthCheckResponse>| answer.into_inner().status();
            set.send_replace(false);
            assert_eq!(
                now(health.check(ask(service)).await.unwrap()),
                ServingStatus::NotServing
            );
            set.send_replace(true);
            assert_eq!(now(health.check(ask(service)).await.unwrap()), ServingStatus::Serving);
        }
        assert_eq!(
            health.check(ask("guess")).await.unwrap_err().code(),
            tonic::Code::NotFound
        );
    }

    #[tokio::test]
    async fn a_watch_tells_each_change_once_and_ends_with_the_server() {
        let (set, ready) = watch::channel(false);
        let stop = CancellationToken::new();
        let health = watched(ready, stop.clone());
        let mut states = health.watch(ask("")).await.unwrap().into_inner();
        assert_eq!(
            states.next().await.unwrap().unwrap().status(),
            ServingStatus::NotServing
        );
        set.send_replace(false);
        set.send_replace(true);
        assert_eq!(states.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
        let mut unknown = health.watch(ask("guess")).await.unwrap().into_inner();
        assert_eq!(
            unknown.next().await.unwrap().unwrap().status(),
            ServingStatus::ServiceUnknown
        );
        stop.cancel();
        assert!(states.next().await.is_none());
    }
}
