//! Up to capacity and past it: what arrives evenly, whatever becomes of it.

use std::time::Duration;

use tonic::Request;
use vigie::wire::vigie::ClassifyRequest;

use super::Effort;
use super::house::{self, CONNECTIONS};
use super::load::{Outcome, closed, open, quantile};
use super::pictures::jpegs;
use super::report::{Asked, Report};

/// What a caller gives an answer under overload.
const DEADLINE: Duration = Duration::from_millis(100);

/// Open load at 50, 80 and 95 % of what the server does at most, and at three times as much.
pub async fn measure(effort: Effort, report: &mut Report) {
    report.heading("Constant arrivals, JPEG of 800 x 800 pixels, time from the moment that each was due");
    let jpegs = jpegs(16, 800, 115_000);
    let (place, _) = house::judging_place(false);
    let server = house::served(&place).start_ready();
    let questions: Vec<ClassifyRequest> = jpegs.iter().map(|jpeg| house::question(jpeg)).collect();
    let clients = house::clients(server.grpc).await;
    house::settled(&server).await;
    let ask = |number: usize, deadline: Option<Duration>| {
        let mut client = clients[number % CONNECTIONS].clone();
        let mut request = Request::new(questions[number % questions.len()].clone());
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        async move { client.classify(request).await.map(drop) }
    };
    let most = closed(8, effort.span * 2, |caller, question| ask(caller + 8 * question, None)).await;
    let capacity = most.rate();
    report.note("capacity", capacity, "/s", Asked::Nothing, "");
    for share in [0.5, 0.8, 0.95] {
        let outcome = open(capacity * share, effort.span * 4, |number| ask(number, None)).await;
        below_capacity(share, &outcome, report);
    }
    let outcome = open(capacity * 3.0, effort.span * 4, |number| ask(number, Some(DEADLINE))).await;
    past_capacity(capacity, &outcome, report);
}

fn below_capacity(share: f64, outcome: &Outcome, report: &mut Report) {
    assert!(
        outcome.failed.is_empty() && outcome.refused.is_empty(),
        "{:?}",
        outcome.failed.first()
    );
    let (p99, count) = (quantile(&outcome.answered, 0.99), outcome.answered.len());
    report.note(
        format!("at {:.0} % of capacity: median", share * 100.0),
        quantile(&outcome.answered, 0.5),
        "ms",
        Asked::Nothing,
        format!("p99 {p99:.1} ms, n = {count}"),
    );
}

fn past_capacity(capacity: f64, outcome: &Outcome, report: &mut Report) {
    let limit = DEADLINE.as_secs_f64() * 1e3;
    let in_time = outcome.answered.iter().filter(|took| **took <= limit).count();
    let goodput = in_time as f64 / outcome.took.as_secs_f64();
    let (answered, refused, late) = (outcome.answered.len(), outcome.refused.len(), outcome.late);
    report.note(
        "at three times capacity: answers in time, of capacity",
        100.0 * goodput / capacity,
        "%",
        Asked::AtLeast(90.0),
        format!("deadline {DEADLINE:?}, {answered} answered, {refused} refused, {late} given up by the client"),
    );
    let middle = quantile(&outcome.refused, 0.5);
    report.note(
        "at three times capacity: a refusal, p99",
        quantile(&outcome.refused, 0.99),
        "ms",
        Asked::AtMost(5.0),
        format!("median {middle:.1} ms"),
    );
}
