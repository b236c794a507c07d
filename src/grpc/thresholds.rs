//! Thresholds: the question out of its message, and what was found into messages.

use futures_util::{Stream, StreamExt, stream};
use tokio_stream::wrappers::ReceiverStream;

use super::policies::between;
use crate::base::{Label, ModelName, PolicyVersion, Refusal, Verdict};
use crate::control::{Basis, InForce, ThresholdQuestion, ThresholdStudy, ThresholdsFound};
use crate::policy::{Costs, Goal, Moved, Named, Point, Thresholds, Tradeoff};
use crate::stats::Proportion;
use crate::wire::vigie::thresholds_request::Goal as WireGoal;
use crate::wire::vigie::thresholds_response::Found;
use crate::wire::{self, timestamp, verdict_to_wire, vigie};

/// The most labels that one request may name.
const MOST_LABELS: usize = 1000;

/// The question in the words of the house.
pub(super) fn question(request: &vigie::ThresholdsRequest) -> Result<ThresholdQuestion, Refusal> {
    let (since, until) = between(request.since, request.until)?;
    Ok(ThresholdQuestion {
        labels: labels(&request.labels)?,
        country: wire::parsed("country", &request.country)?,
        moved: moved(request.moved)?,
        since,
        until,
        version: request
            .version
            .map(|version| wire::version("version", version))
            .transpose()?,
        goal: request.goal.as_ref().map(goal).transpose()?,
    })
}

fn labels(asked: &[String]) -> Result<Vec<Label>, Refusal> {
    if asked.len() > MOST_LABELS {
        let problem = format!("{} are given, at most {MOST_LABELS} are taken", asked.len());
        return Err(Refusal::invalid("labels", problem));
    }
    let mut labels: Vec<Label> = Vec::with_capacity(asked.len());
    for (at, text) in asked.iter().enumerate() {
        let field = format!("labels[{at}]");
        let label = wire::parsed(&field, text)?;
        if labels.contains(&label) {
            return Err(Refusal::invalid(field, format!("{label} is named twice: name it once")));
        }
        labels.push(label);
    }
    Ok(labels)
}

fn moved(verdict: i32) -> Result<Moved, Refusal> {
    match vigie::Verdict::try_from(verdict) {
        Ok(vigie::Verdict::Unspecified | vigie::Verdict::Block) => Ok(Moved::Block),
        Ok(vigie::Verdict::Review) => Ok(Moved::Review),
        Ok(vigie::Verdict::Allow) | Err(_) => Err(Refusal::invalid(
            "moved",
            "no threshold leads to that: BLOCK (2) or REVIEW (3) is expected",
        )),
    }
}

fn goal(goal: &WireGoal) -> Result<Goal, Refusal> {
    let share = |field, share: f64| {
        let problem = format!("{share} is no share that can be kept: a number above 0 and below 1 is expected");
        let is_one = share > 0.0 && share < 1.0;
        is_one.then_some(share).ok_or_else(|| Refusal::invalid(field, problem))
    };
    match *goal {
        WireGoal::AtMostBlocked(most) => share("at_most_blocked", most).map(Goal::AtMostBlocked),
        WireGoal::AtMostMissed(most) => share("at_most_missed", most).map(Goal::AtMostMissed),
        WireGoal::AtMostReviews(most) if (0.0..=1e9).contains(&most) => Ok(Goal::AtMostReviews(most)),
        WireGoal::AtMostReviews(most) => Err(Refusal::invalid(
            "at_most_reviews",
            format!("{most} is no number of reviews a day: 0 to 1000000000 is expected"),
        )),
        WireGoal::LeastCost(true) => Ok(Goal::LeastCost),
        WireGoal::LeastCost(false) => Err(Refusal::invalid(
            "least_cost",
            "is false: leave it out, or state another goal",
        )),
    }
}

/// What is told beside what was found.
pub(super) struct About {
    model: ModelName,
    policy_version: PolicyVersion,
    country: String,
    moved: Moved,
    costs: Option<Costs>,
}

impl About {
    pub(super) fn new(in_force: &InForce, question: &ThresholdQuestion) -> Self {
        Self {
            model: in_force.model.clone(),
            policy_version: in_force.policy.version(),
            country: question.country.as_str().to_owned(),
            moved: question.moved,
            costs: in_force.policy.costs().cloned(),
        }
    }
}

/// How far it is, again and again, then what was found.
pub(super) fn answers(
    study: ThresholdStudy,
    about: About,
) -> impl Stream<Item = Result<vigie::ThresholdsResponse, Refusal>> + Send {
    let progress = ReceiverStream::new(study.progress);
    let progress = progress.map(|read| Ok(vigie::ThresholdsResponse { read, found: None }));
    let found = async move {
        let broken = || Refusal::internal("the study broke off; ask again");
        let found = study.found.await.map_err(|_| broken()).flatten();
        let answers = match found {
            Ok(found) => told(found, &about).into_iter().map(Ok).collect(),
            Err(refusal) => vec![Err(refusal)],
        };
        stream::iter(answers)
    };
    progress.chain(stream::once(found).flatten())
}

fn told(found: ThresholdsFound, about: &About) -> Vec<vigie::ThresholdsResponse> {
    let read = found.basis.decisions;
    let basis = Found::Basis(basis(&found.basis, about));
    let curves = found.tradeoffs.into_iter().map(|(tradeoff, named)| {
        let show_unsafe = about.costs.as_ref().map(|costs| costs.show_unsafe(&tradeoff.label));
        Found::Curve(curve(&tradeoff, named, show_unsafe))
    });
    let all = std::iter::once(basis).chain(curves);
    all.map(|found| vigie::ThresholdsResponse {
        read,
        found: Some(found),
    })
    .collect()
}

fn basis(basis: &Basis, about: &About) -> vigie::ThresholdBasis {
    let moved = match about.moved {
        Moved::Block => Verdict::Block,
        Moved::Review => Verdict::Review,
    };
    let revisions = basis.revisions.iter().map(|share| vigie::ThresholdRevision {
        revision: share.revision.to_string(),
        version: share.version.get(),
        products: share.products,
    });
    vigie::ThresholdBasis {
        model: about.model.to_string(),
        policy_version: about.policy_version.to_string(),
        country: about.country.clone(),
        moved: verdict_to_wire(moved).into(),
        decisions: basis.decisions,
        products: basis.products,
        unscored: basis.unscored,
        without_displays: basis.without_displays,
        chance: basis.chance,
        first: Some(timestamp(basis.first.into())),
        last: Some(timestamp(basis.last.into())),
        days: basis.days,
        revisions: revisions.collect(),
        reviews_per_day: about.costs.as_ref().and_then(Costs::reviews_per_day),
        hide_safe_cost: about.costs.as_ref().map(Costs::hide_safe),
    }
}

fn curve(tradeoff: &Tradeoff, named: Option<Named>, show_unsafe_cost: Option<f64>) -> vigie::ThresholdCurve {
    let draws = |of: fn(&Point) -> Proportion| tradeoff.points.first().map_or(0, |point| of(point).draws);
    let now = |of: fn(Thresholds) -> Option<f32>| tradeoff.now.and_then(of).map(shortest);
    vigie::ThresholdCurve {
        label: tradeoff.label.to_string(),
        now_review: now(|now| Some(now.review.get())),
        now_block: now(|now| Some(now.block?.get())),
        products: tradeoff.products,
        present: draws(|point| point.missed),
        absent: draws(|point| point.wrongly_held),
        show_unsafe_cost,
        points: tradeoff.points.iter().map(point).collect(),
        named: named.map(|named| vigie::NamedThreshold {
            threshold: named.threshold.map(shortest),
            meets: named.meets,
            sentence: named.sentence,
        }),
    }
}

fn point(point: &Point) -> vigie::ThresholdPoint {
    vigie::ThresholdPoint {
        threshold: shortest(point.threshold),
        held: point.held,
        held_displays: point.held_displays,
        reviewed: point.reviewed,
        reviews_per_day: point.reviews_per_day,
        wrongly_held: Some(rate(&point.wrongly_held)),
        missed: Some(rate(&point.missed)),
        cost: point.cost,
        missed_reviewed: point.missed_reviewed,
    }
}

fn rate(proportion: &Proportion) -> vigie::ThresholdRate {
    vigie::ThresholdRate {
        hits: proportion.hits,
        draws: proportion.draws,
        low: proportion.low,
        high: proportion.high,
    }
}

/// The number that is written as this one is at its shortest: 0.7, and not 0.699999988079071.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}
