//! Callers who asked for a model to be loaded and wait until its versions are decided.

use std::collections::BTreeMap;

use tracing::Span;

use super::handle::Ask;
use super::model::ModelState;
use super::view::RepositoryView;
use crate::base::{ModelName, Refusal};
use crate::telemetry;

/// See the module.
#[derive(Default)]
pub(super) struct Loads(Vec<Ask>);

impl Loads {
    /// One more who waits.
    pub fn add(&mut self, ask: Ask) {
        self.0.push(ask);
    }

    /// Puts work into the trace of the caller who asked for it, where there is one.
    pub fn under_asker(&self, span: &Span, is_it: impl Fn(&ModelName) -> bool) {
        if let Some(ask) = self.0.iter().find(|ask| is_it(&ask.model)) {
            telemetry::set_parent(span, ask.parent.clone());
        }
    }

    /// Answers those whose model has nothing on its way any more.
    pub fn answer(&mut self, models: &BTreeMap<ModelName, ModelState>, view: &RepositoryView) {
        for ask in std::mem::take(&mut self.0) {
            let answer = match models.get(&ask.model) {
                None => Err(unknown(&ask.model)),
                Some(state) if !state.versions.loading.is_empty() => {
                    self.0.push(ask);
                    continue;
                }
                Some(_) => match view.missing(std::slice::from_ref(&ask.model)).first() {
                    None => Ok(()),
                    Some(lack) => Err(Refusal::unavailable(format!("{}: {}", lack.what, lack.why))),
                },
            };
            let _caller_left = ask.answer.send(answer);
        }
    }
}

/// There is no such model, in the words that clients of the Open Inference Protocol know.
pub(super) fn unknown(model: &ModelName) -> Refusal {
    Refusal::not_found(format!("Request for unknown model: '{model}' is not found"))
}
