//! Who asks, and until when an answer is of use.

use super::Deadline;

/// Whom a request comes from, as far as sharing goes: callers share the machine fairly. It says nothing of what anybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Caller([u8; 16]);

impl Caller {
    /// A caller by what the transport knows of it, such as its address.
    pub fn new(identity: [u8; 16]) -> Self {
        Self(identity)
    }
}

/// Who asks, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    pub caller: Caller,
    pub deadline: Deadline,
}

impl Asker {
    /// The same, until no later than this.
    pub fn until(self, deadline: Deadline) -> Self {
        Self {
            deadline: self.deadline.earliest(deadline),
            ..self
        }
    }
}
