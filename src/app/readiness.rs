//! Ready when every required model serves: one watched value, told to the admin port and to the health service.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::base::ModelName;
use crate::control::{Lack, RepositoryView};
use crate::http::{Missing, Readiness};
use crate::observe::Filled;

/// From what is seen of the repository to whether the server is ready.
pub(super) struct Follow {
    pub view: watch::Receiver<Arc<RepositoryView>>,
    /// How far the ledger is filled.
    pub filled: watch::Receiver<Filled>,
    /// Empty: the models that are found first. What comes later cannot take readiness away.
    pub required: Vec<ModelName>,
    /// Told in full to the admin port.
    pub readiness: watch::Sender<Readiness>,
    /// Told in a word to the health service.
    pub ready: watch::Sender<bool>,
}

impl Follow {
    /// Follows the view until the token is cancelled; from then on the server is not ready, for good.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let view = Arc::clone(&self.view.borrow_and_update());
            if self.required.is_empty() {
                self.required = view.models.iter().map(|model| model.name.clone()).collect();
            }
            let filled = *self.filled.borrow_and_update();
            self.tell(of_view(&view, &self.required, filled));
            tokio::select! {
                changed = self.view.changed() => if changed.is_err() { break },
                Ok(()) = self.filled.changed() => {}
                () = stop.cancelled() => break,
            }
        }
        self.tell(Readiness::waiting_for("the server", "it is stopping"));
    }

    fn tell(&self, now: Readiness) {
        self.ready.send_replace(now.ready);
        self.readiness.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}

fn of_view(view: &RepositoryView, required: &[ModelName], filled: Filled) -> Readiness {
    let told = |lacks: Vec<Lack>| {
        lacks
            .into_iter()
            .map(|Lack { what, why }| Missing { what, why })
            .collect()
    };
    let mut missing: Vec<Missing> = told(view.missing(required));
    if !filled.done {
        missing.push(Missing {
            what: "known products".to_owned(),
            why: format!("they are being read: {} so far", filled.products),
        });
    }
    Readiness {
        ready: missing.is_empty(),
        missing,
        degraded: told(view.degraded()),
    }
}

/// Says once on standard output, for whoever started the server by hand or from a script, that it is ready.
pub(super) async fn say_ready(mut readiness: watch::Receiver<Readiness>) {
    if readiness.wait_for(|readiness| readiness.ready).await.is_ok() {
        println!("ready");
        tracing::info!("ready: every required model serves");
    }
}
