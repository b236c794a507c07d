//! The admin port: is it alive, is it ready, what does it count, how is it configured, where did the time go.
//!
//! Served by a thread and a runtime of its own, so that it answers while every other thread is busy: that is when people ask. It changes
//! nothing, has no passwords and no scripts, and knows the planes only by the values handed to it.

mod pages;
mod readiness;
mod server;
mod trace_pages;
mod waterfall;

pub use readiness::{Missing, Readiness};
pub use server::{Admin, AdminState};
