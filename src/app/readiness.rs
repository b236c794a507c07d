//! Ready when every required model serves: one watched value, told to the admin port and to the health service.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::base::ModelName;
use crate::control::{Lack, RepositoryView};
use crate::http::{Missing, Readiness};

/// Follows the view until the token is cancelled; from then on the server is not ready, for good.
pub(super) async fn follow(
    mut view: watch::Receiver<Arc<RepositoryView>>,
    required: Vec<ModelName>,
    readiness: watch::Sender<Readiness>,
    stop: CancellationToken,
) {
    loop {
        let now = of_view(&view.borrow_and_update(), &required);
        readiness.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
        tokio::select! {
            changed = view.changed() => if changed.is_err() { break },
            () = stop.cancelled() => break,
        }
    }
    readiness.send_replace(Readiness::waiting_for("the server", "it is stopping"));
}

fn of_view(view: &RepositoryView, required: &[ModelName]) -> Readiness {
    let told = |lacks: Vec<Lack>| lacks.into_iter().map(|Lack { what, why }| Missing { what, why }).collect();
    let missing: Vec<Missing> = told(view.missing(required));
    Readiness { ready: missing.is_empty(), missing, degraded: told(view.degraded()) }
}

/// Says once on standard output, for whoever started the server by hand or from a script, that it is ready.
pub(super) async fn say_ready(mut readiness: watch::Receiver<Readiness>) {
    if readiness.wait_for(|readiness| readiness.ready).await.is_ok() {
        println!("ready");
        tracing::info!("ready: every required model serves");
    }
}
