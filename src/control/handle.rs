//! The handle of the control plane: what it shows, and the few things that it can be asked to do.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::Span;

use super::view::RepositoryView;
use crate::base::{ModelName, PolicyVersion, Refusal};
use crate::telemetry::{self, Parent};

/// What the controller can be asked.
pub(super) enum Command {
    Load(Ask),
    Unload(Ask),
    /// Takes a policy that waits into force.
    ApplyPolicy {
        model: ModelName,
        version: PolicyVersion,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
}

/// One question about one model.
pub(super) struct Ask {
    pub model: ModelName,
    pub answer: oneshot::Sender<Result<(), Refusal>>,
    /// The caller's trace, which the work that it brings about belongs to.
    pub parent: Parent,
}

/// Asks and watches the control plane. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    view: watch::Receiver<Arc<RepositoryView>>,
}

/// The controller's ends.
pub(super) struct ControllerEnds {
    pub commands: mpsc::Receiver<Command>,
    pub view: watch::Sender<Arc<RepositoryView>>,
}

/// Makes a handle and the ends that belong to it. Callers wait where 16 commands are waiting already.
pub(super) fn control() -> (Control, ControllerEnds) {
    let (command_sender, commands) = mpsc::channel(16);
    let (view, viewed) = watch::channel(Arc::default());
    (
        Control {
            commands: command_sender,
            view: viewed,
        },
        ControllerEnds { commands, view },
    )
}

impl Control {
    /// What is known now.
    pub fn view(&self) -> Arc<RepositoryView> {
        Arc::clone(&self.view.borrow())
    }

    /// Tells of each change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<RepositoryView>> {
        self.view.clone()
    }

    /// Looks at the repository at once, takes a model back that was unloaded, and waits until its versions are decided.
    ///
    /// # Errors
    /// `NotFound` for an unknown model; `Unavailable` with the reasons where nothing of it could be loaded.
    pub async fn load(&self, model: &ModelName) -> Result<(), Refusal> {
        self.ask(model, Command::Load).await
    }

    /// Takes a model out of service until it is loaded again or the server restarts.
    ///
    /// # Errors
    /// `NotFound` for an unknown model.
    pub async fn unload(&self, model: &ModelName) -> Result<(), Refusal> {
        self.ask(model, Command::Unload).await
    }

    /// Takes the policy that waits into force, because a person wants it. When this is answered, it judges.
    ///
    /// # Errors
    /// `NotFound` for an unknown model; `Aborted` where another policy waits, or none.
    pub async fn apply_policy(&self, model: &ModelName, version: PolicyVersion) -> Result<(), Refusal> {
        let model = model.clone();
        self.tell(|answer| Command::ApplyPolicy { model, version, answer })
            .await
    }

    async fn ask(&self, model: &ModelName, command: fn(Ask) -> Command) -> Result<(), Refusal> {
        let parent = telemetry::as_parent(&Span::current());
        let model = model.clone();
        self.tell(|answer| command(Ask { model, answer, parent })).await
    }

    async fn tell(&self, command: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Command) -> Result<(), Refusal> {
        let stopping = || Refusal::unavailable("the server is stopping");
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }
}
