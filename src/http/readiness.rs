//! Whether the server is ready, and what is missing until it is.

use serde::Serialize;

/// One thing that the server waits for, or does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `model adsafety`.
    pub what: String,
    /// Why it is not there, and what mends it.
    pub why: String,
}

/// Whether requests may be sent here. The default is not ready, with nothing named yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Readiness {
    pub ready: bool,
    /// What must come before it is ready; empty where it is.
    pub missing: Vec<Missing>,
    /// What is out of order though requests are served.
    pub degraded: Vec<Missing>,
}

impl Readiness {
    /// Ready, with everything in order.
    pub fn ready() -> Self {
        Self {
            ready: true,
            ..Self::default()
        }
    }

    /// Not ready, for one reason.
    pub fn waiting_for(what: impl Into<String>, why: impl Into<String>) -> Self {
        let missing = Missing {
            what: what.into(),
            why: why.into(),
        };
        Self {
            missing: vec![missing],
            ..Self::default()
        }
    }
}
