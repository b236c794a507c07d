//! The handle of the control plane: what it shows, and the few things that it can be asked to do.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::view::RepositoryView;
use crate::base::{ModelName, Refusal};

/// What the controller can be asked.
pub(super) enum Command {
    Load {
        model: ModelName,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    Unload {
        model: ModelName,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
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
        self.ask(|answer| Command::Load {
            model: model.clone(),
            answer,
        })
        .await
    }

    /// Takes a model out of service until it is loaded again or the server restarts.
    ///
    /// # Errors
    /// `NotFound` for an unknown model.
    pub async fn unload(&self, model: &ModelName) -> Result<(), Refusal> {
        self.ask(|answer| Command::Unload {
            model: model.clone(),
            answer,
        })
        .await
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Command) -> Result<(), Refusal> {
        let stopping = || Refusal::unavailable("the server is stopping");
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }
}
