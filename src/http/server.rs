//! The thread that serves the admin port, its routes, and its end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::{oneshot, watch};

use super::readiness::Readiness;
use super::{pages, trace_pages};
use crate::telemetry::{Metrics, Traces};

const PLAIN: &str = "text/plain; charset=utf-8";
/// How long answers under way may take once the port closes.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// What the admin port shows.
#[derive(Debug, Clone)]
pub struct AdminState {
    pub readiness: watch::Receiver<Readiness>,
    pub metrics: Metrics,
    pub traces: Traces,
    /// The configuration in force, as TOML.
    pub config_toml: Arc<str>,
}

/// The admin port, being served. Dropping it closes the port.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    /// Taken when it is stopped.
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Admin {
    /// Serves on a port that is bound already.
    ///
    /// # Errors
    /// The thread or its runtime cannot be had.
    pub fn start(listener: TcpListener, state: AdminState) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            if let Err(error) = runtime.block_on(serve(listener, state, stopped)) {
                tracing::error!(%error, "the admin port has stopped");
            }
        };
        let thread = std::thread::Builder::new().name("admin".into()).spawn(serve)?;
        Ok(Self {
            address,
            running: Some((stop, thread)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port; answers under way have half a second.
    pub fn stop(mut self) {
        self.close();
    }

    fn close(&mut self) {
        let Some((stop, thread)) = self.running.take() else {
            return;
        };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the admin port's thread has panicked");
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.close();
    }
}

async fn serve(listener: TcpListener, state: AdminState, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (closing, mut closed) = watch::channel(false);
    // An error means that the sender was dropped, which is how it is told to stop.
    let stop = async move {
        let _ = stopped.await;
        closing.send_replace(true);
    };
    let server = axum::serve(listener, router(state)).with_graceful_shutdown(stop);
    let patience = async move {
        let _ = closed.wait_for(|closed| *closed).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        result = server => result,
        () = patience => Ok(()),
    }
}

fn router(state: AdminState) -> Router {
    Router::new()
        .route("/", get(async || pages::index()))
        .route("/live", get(async || ([(CONTENT_TYPE, PLAIN)], "alive\n")))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/config", get(config))
        .route("/traces", get(trace_pages::list))
        .route("/traces/{trace_id}", get(trace_pages::one))
        .fallback(async || (StatusCode::NOT_FOUND, pages::not_found("There is no such page.")))
        .layer(from_fn(guard))
        .with_state(state)
}

async fn ready(State(state): State<AdminState>) -> Response {
    let readiness = state.readiness.borrow().clone();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(readiness)).into_response()
}

/// In the format that the scraper asks for; the older one for everybody else, because people read it too.
async fn metrics(State(state): State<AdminState>, headers: HeaderMap) -> Response {
    let accepted = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accepted.contains("application/openmetrics-text") {
        let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return ([(CONTENT_TYPE, form)], state.metrics.encode_openmetrics()).into_response();
    }
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, form)], state.metrics.encode_plain()).into_response()
}

async fn config(State(state): State<AdminState>) -> Response {
    ([(CONTENT_TYPE, PLAIN)], state.config_toml.to_string()).into_response()
}

/// Nothing here is to be kept, framed, guessed at, or able to run a script.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
