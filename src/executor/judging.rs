//! Pictures on a computing thread: each is made the model's input, those taken together are run together, and each gets its own outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tracing::{Span, info_span};

use super::cores::NotRun;
use super::lane::Lane;
use super::loaded::{Executor, RunError};
use crate::base::LabelScore;

/// A run of the model, as one of its pictures sees it.
pub struct Run {
    pub began: Instant,
    /// Pictures that were run together.
    pub together: usize,
    pub scores: Result<Vec<LabelScore>, RunError>,
}

/// What is done with one picture before and after the model runs.
pub trait PictureWork: Send + 'static {
    /// What comes of it.
    type Outcome: Send + 'static;

    /// Makes the model's input: a tensor as [`crate::preprocess::to_tensor`] makes it.
    ///
    /// # Errors
    /// The outcome, where the model need not run.
    fn prepare(&mut self, lane: &Lane) -> Result<Vec<f32>, Self::Outcome>;

    /// Makes the outcome of the run. Gets the tensor back.
    fn finish(self, lane: &Lane, tensor: Vec<f32>, run: Run) -> Self::Outcome;
}

/// Work on a picture without its types.
pub(super) trait PictureJob: Send {
    fn executor(&self) -> &Arc<Executor>;
    /// Makes the model's input, or answers by itself.
    fn prepare(&mut self, lane: &Lane);
    /// The model's input; none where it has answered.
    fn tensor(&self) -> Option<&[f32]>;
    /// Tells that the model runs now, with so many pictures.
    fn begin(&mut self, together: usize);
    fn finish(self: Box<Self>, lane: &Lane, scores: Result<Vec<LabelScore>, RunError>);
    fn refuse(self: Box<Self>, why: NotRun);
}

/// Work on a picture with the model that judges it, the way back to its caller and the span that it belongs to.
pub(super) struct PictureCall<W: PictureWork> {
    executor: Arc<Executor>,
    work: W,
    tensor: Option<Vec<f32>>,
    /// When the run began, with how many, and its span.
    run: Option<(Instant, usize, Span)>,
    reply: Option<oneshot::Sender<Result<W::Outcome, NotRun>>>,
    span: Span,
}

impl<W: PictureWork> PictureCall<W> {
    pub(super) fn new(executor: Arc<Executor>, work: W, reply: oneshot::Sender<Result<W::Outcome, NotRun>>) -> Self {
        Self {
            executor,
            work,
            tensor: None,
            run: None,
            reply: Some(reply),
            span: Span::current(),
        }
    }

    fn answer(&mut self, outcome: Result<W::Outcome, NotRun>) {
        // Whoever gets the answer finds the spans closed on this side.
        drop(self.run.take());
        drop(std::mem::replace(&mut self.span, Span::none()));
        if let Some(reply) = self.reply.take() {
            // A caller that left does not want it.
            let _ = reply.send(outcome);
        }
    }
}

impl<W: PictureWork> PictureJob for PictureCall<W> {
    fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }

    fn prepare(&mut self, lane: &Lane) {
        let work = AssertUnwindSafe(|| self.work.prepare(lane));
        match self.span.in_scope(|| catch_unwind(work)) {
            Ok(Ok(tensor)) => self.tensor = Some(tensor),
            Ok(Err(outcome)) => self.answer(Ok(outcome)),
            Err(_) => self.answer(Err(NotRun::Panicked)),
        }
    }

    fn tensor(&self) -> Option<&[f32]> {
        self.tensor.as_deref()
    }

    fn begin(&mut self, together: usize) {
        let span = info_span!(parent: &self.span, "infer", together);
        self.run = Some((Instant::now(), together, span));
    }

    fn finish(self: Box<Self>, lane: &Lane, scores: Result<Vec<LabelScore>, RunError>) {
        let Self {
            work,
            tensor,
            run,
            reply,
            span,
            ..
        } = *self;
        let (began, together) = run.map_or_else(|| (Instant::now(), 1), |(began, together, _)| (began, together));
        let run = Run {
            began,
            together,
            scores,
        };
        let work = AssertUnwindSafe(|| work.finish(lane, tensor.unwrap_or_default(), run));
        let outcome = span.in_scope(|| catch_unwind(work));
        drop(span);
        if let Some(reply) = reply {
            let _ = reply.send(outcome.map_err(|_| NotRun::Panicked));
        }
    }

    fn refuse(mut self: Box<Self>, why: NotRun) {
        self.answer(Err(why));
    }
}

/// Carries pictures of one model from bytes to outcomes, each with the lane of its own work.
pub(super) fn judge_pictures(mut pictures: Vec<(Lane, Box<dyn PictureJob>)>) {
    for (lane, picture) in &mut pictures {
        picture.prepare(lane);
    }
    pictures.retain(|(_, picture)| picture.tensor().is_some());
    let together = pictures.len();
    pictures.iter_mut().for_each(|(_, picture)| picture.begin(together));
    let scores = {
        let tensors: Vec<(&Lane, &[f32])> = pictures
            .iter()
            .filter_map(|(lane, picture)| Some((lane, picture.tensor()?)))
            .collect();
        match pictures.first() {
            Some((_, picture)) => picture.executor().judge_together(&tensors),
            None => return,
        }
    };
    for ((lane, picture), scores) in pictures.into_iter().zip(scores) {
        picture.finish(&lane, scores);
    }
}
