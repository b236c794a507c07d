//! Why a request is not answered: one closed set of causes, mapped once onto each protocol's codes.

use std::time::Duration;

/// What kind of refusal it is, and so whose move is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalKind {
    /// The caller's input is wrong; `field` is its path in the request.
    InvalidArgument { field: String },
    /// Nobody knows who asks: a token is missing or wrong.
    Unauthenticated,
    /// Who asks may not do this.
    Denied,
    /// The named thing does not exist.
    NotFound,
    /// It exists, but cannot serve now.
    Unavailable,
    /// It is not as the caller expected: the message says how it stands.
    Aborted,
    /// Too much work is waiting; the caller may come back after `retry_after`.
    Overloaded { retry_after: Duration },
    /// The deadline passed, or cannot be met; where it cannot, who comes back after `retry_after` finds less work waiting.
    DeadlineExceeded { retry_after: Option<Duration> },
    /// The caller left.
    Cancelled,
    /// The operation is switched off or not offered.
    Unsupported,
    /// The model cannot run on this input: whose mistake it is, the caller's or the model's, cannot be told.
    Failed,
    /// Our mistake.
    Internal,
}

/// A refusal: its kind and a sentence that is safe to show to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub kind: RefusalKind,
    pub message: String,
}

impl Refusal {
    /// A wrong input: names the field and says what was expected.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let field = field.into();
        let message = format!("{field}: {}", message.into());
        Self {
            kind: RefusalKind::InvalidArgument { field },
            message,
        }
    }

    /// A token that is missing or wrong.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Unauthenticated,
            message: message.into(),
        }
    }

    /// Not this account's to do.
    pub fn denied(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Denied,
            message: message.into(),
        }
    }

    /// A thing that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::NotFound,
            message: message.into(),
        }
    }

    /// A thing that cannot serve now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Unavailable,
            message: message.into(),
        }
    }

    /// A thing that is not as the caller expected; `message` says how it stands.
    pub fn aborted(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Aborted,
            message: message.into(),
        }
    }

    /// Too much work is waiting.
    pub fn overloaded(retry_after: Duration, message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Overloaded { retry_after },
            message: message.into(),
        }
    }

    /// The deadline passed or cannot be met.
    pub fn deadline() -> Self {
        Self {
            kind: RefusalKind::DeadlineExceeded { retry_after: None },
            message: "the deadline has passed".into(),
        }
    }

    /// The deadline has not passed, but cannot be met.
    pub fn too_late(retry_after: Duration) -> Self {
        Self {
            kind: RefusalKind::DeadlineExceeded {
                retry_after: Some(retry_after),
            },
            message: "the deadline cannot be met: too much work is waiting, or the work itself takes longer".into(),
        }
    }

    /// The caller left.
    pub fn cancelled() -> Self {
        Self {
            kind: RefusalKind::Cancelled,
            message: "the caller has left".into(),
        }
    }

    /// Switched off or not offered.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Unsupported,
            message: message.into(),
        }
    }

    /// The model cannot run on this input.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Failed,
            message: message.into(),
        }
    }

    /// Our mistake. The message must not tell what the caller need not know.
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Internal,
            message: message.into(),
        }
    }
}
