//! Load on a server: so many at once, or so many a second whatever becomes of them.

use std::future::Future;
use std::time::{Duration, Instant};

use tonic::{Code, Status};

/// What came of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of the answers, in milliseconds. Under an open load from the moment that each was due, not sent: a server that stalls cannot hide it.
    pub answered: Vec<f64>,
    /// Of the refusals for load or time, in milliseconds from the moment of sending.
    pub refused: Vec<f64>,
    /// Answers that the caller gave up waiting for.
    pub late: usize,
    pub failed: Vec<String>,
    pub took: Duration,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64()
    }

    fn add(&mut self, answer: Result<(), Status>, due: Instant, sent: Instant) {
        let since = |moment: Instant| moment.elapsed().as_secs_f64() * 1e3;
        match answer {
            Ok(()) => self.answered.push(since(due)),
            Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::DeadlineExceeded) => {
                self.refused.push(since(sent));
            }
            // The client's own clock.
            Err(status) if status.code() == Code::Cancelled => self.late += 1,
            Err(status) => self.failed.push(status.to_string()),
        }
    }

    /// Both together.
    pub fn merge(mut self, other: Self) -> Self {
        self.answered.extend(other.answered);
        self.refused.extend(other.refused);
        self.late += other.late;
        self.failed.extend(other.failed);
        self
    }
}

/// Asks for so long, each of `callers` one question after another. `ask` gets the caller's number and the question's.
pub async fn closed<F: Future<Output = Result<(), Status>>>(
    callers: usize,
    span: Duration,
    ask: impl Fn(usize, usize) -> F,
) -> Outcome {
    let began = Instant::now();
    let caller = async |caller: usize| {
        let mut outcome = Outcome::default();
        for question in 0.. {
            if began.elapsed() > span {
                break;
            }
            let sent = Instant::now();
            outcome.add(ask(caller, question).await, sent, sent);
        }
        outcome
    };
    let outcomes = futures_util::future::join_all((0..callers).map(caller)).await;
    let mut whole = outcomes.into_iter().fold(Outcome::default(), Outcome::merge);
    whole.took = began.elapsed();
    whole
}

/// Asks `rate` times a second for so long, evenly, without waiting for answers; then waits for those that are missing.
pub async fn open<F: Future<Output = Result<(), Status>>>(
    rate: f64,
    span: Duration,
    ask: impl Fn(usize) -> F,
) -> Outcome {
    use futures_util::StreamExt as _;
    let began = Instant::now();
    let mut outcome = Outcome::default();
    let mut under_way = futures_util::stream::FuturesUnordered::new();
    let count = (rate * span.as_secs_f64()) as usize;
    for question in 0..count {
        let due = began + Duration::from_secs_f64(question as f64 / rate);
        let mut timer = std::pin::pin!(tokio::time::sleep_until(due.into()));
        loop {
            tokio::select! {
                biased;
                () = &mut timer => break,
                Some((answer, due, sent)) = under_way.next() => outcome.add(answer, due, sent),
            }
        }
        let asked = ask(question);
        under_way.push(async move {
            let sent = Instant::now();
            (asked.await, due, sent)
        });
    }
    while let Some((answer, due, sent)) = under_way.next().await {
        outcome.add(answer, due, sent);
    }
    outcome.took = span;
    outcome
}

/// The value at a share of the sorted figures.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(((sorted.len().max(1) - 1) as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The middle of the figures.
pub fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}
