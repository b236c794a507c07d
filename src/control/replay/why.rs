//! Why a verdict is what it is: two states of a product, one before and one after the verdict changed, and what made the difference.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::again::{Replayed, place, replay, rule};
use super::culprit::{Trials, judge};
use super::lab::Lab;
use super::part::{End, Occasion, Part};
use super::states::History;
use super::timeline::{Event, timeline};
use super::words::{Told, Words, when};
use super::{About, Desk, WhyAsk};
use crate::base::{
    CountryCode, CountryVerdict, Digest, ModelName, Moment, Origin, PolicyVersion, ProductKey, Recorded, Refusal,
    RevisionId, Verdict, Version,
};
use crate::store::DecisionQuery;

/// Moments that are looked at for the last one at which the verdict was another.
const MOMENTS: usize = 64;
/// Events that are told.
const EVENTS: usize = 100;

/// A state that was compared.
#[derive(Debug, Clone, PartialEq)]
pub struct EndTold {
    pub at: Moment,
    /// Where it is that of a decision.
    pub decision_id: Option<String>,
    pub model: ModelName,
    pub version: Version,
    pub revision: RevisionId,
    pub policy_version: PolicyVersion,
    pub image_sha256: Option<Digest>,
    pub verdicts: Vec<CountryVerdict>,
}

/// What made the difference in some countries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    pub countries: Vec<CountryCode>,
    /// The smallest sets of parts that, put back, undo the change. Where there are several, each of them does by itself.
    pub sets: Vec<Vec<Part>>,
    pub sentence: String,
}

/// One part, tried by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    pub part: Part,
    pub differs: bool,
    pub before: String,
    pub after: String,
    /// The verdicts of the state after, with this part as it was before; or why that cannot be tried. None where it does not differ.
    pub put_back: Option<Result<Vec<CountryVerdict>, String>>,
    /// The verdicts of the state before, with this part as it is after.
    pub put_in: Option<Result<Vec<CountryVerdict>, String>>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// Sentences, the answer first.
    pub answer: Vec<String>,
    /// None where no other state was found.
    pub before: Option<EndTold>,
    pub after: EndTold,
    pub culprits: Vec<Culprit>,
    pub tried: Vec<Tried>,
    pub replay: Replayed,
    /// The newest first.
    pub timeline: Vec<Event>,
}

/// Two states with their verdicts.
struct Ends {
    before: Option<(End, Vec<CountryVerdict>)>,
    after: (End, Vec<CountryVerdict>),
}

/// Answers the question.
pub(super) fn why(desk: &Desk, ask: &WhyAsk) -> Result<Why, Refusal> {
    let asked = Arc::new(match &ask.about {
        About::Decision(decision_id) => desk.decision(decision_id)?,
        About::Product(key) => last_of(desk, key)?,
    });
    if asked.origin == Origin::Imported {
        return taken_over(desk, &asked);
    }
    let history = History::of(desk, &asked)?;
    let countries = if ask.countries.is_empty() {
        asked.countries.as_slice()
    } else {
        ask.countries.as_slice()
    };
    let mut lab = Lab::new(desk);
    for seen in history.decisions.iter().chain([&asked]) {
        lab.remember(seen);
    }
    let mut finder = Finder {
        desk,
        history: &history,
        lab: &mut lab,
        countries,
    };
    let ends = finder.ends(ask, &asked)?;
    let (answer, culprits, tried) = match &ends.before {
        None => (alone(&ends.after), Vec::new(), Vec::new()),
        Some(before) => compare((desk, &mut lab), &history, before, &ends.after, countries)?,
    };
    desk.check()?;
    let mut events = timeline(&history, std::time::SystemTime::now().into());
    events.truncate(EVENTS);
    Ok(Why {
        answer,
        before: ends.before.map(told_end),
        after: told_end(ends.after),
        culprits,
        tried,
        replay: replay(desk, &asked)?,
        timeline: events,
    })
}

/// The newest decision that counts for a product.
fn last_of(desk: &Desk, key: &ProductKey) -> Result<Recorded, Refusal> {
    let query = DecisionQuery {
        product: Some(key.clone()),
        limit: super::states::DECISIONS,
        ..DecisionQuery::default()
    };
    let mut decisions = desk.wait(desk.records().decisions(&query))?.items;
    let counting = decisions.iter().position(|recorded| recorded.counts);
    if decisions.is_empty() {
        return Err(Refusal::not_found(format!(
            "nothing was decided on product {:?} {}: `vigie decisions list` tells what was; a decision just made is on record a moment later",
            key.product_id,
            if key.partner_id.is_empty() {
                "without a partner (name the one whose product it is)".to_owned()
            } else {
                format!("of partner {:?}", key.partner_id)
            }
        )));
    }
    Ok(decisions.swap_remove(counting.unwrap_or(0)))
}

/// Of what another system decided there is nothing but that it did.
fn taken_over(desk: &Desk, asked: &Arc<Recorded>) -> Result<Why, Refusal> {
    let replay = replay(desk, asked)?;
    let decision = &asked.decision;
    let history = History::of(desk, asked)?;
    Ok(Why {
        answer: vec![replay.sentence.clone()],
        before: None,
        after: EndTold {
            at: decision.decided_at,
            decision_id: Some(decision.decision_id.clone()),
            model: decision.model.clone(),
            version: decision.version,
            revision: decision.revision,
            policy_version: decision.policy_version,
            image_sha256: decision.image_sha256,
            verdicts: decision.verdicts.clone(),
        },
        culprits: Vec::new(),
        tried: Vec::new(),
        replay,
        timeline: timeline(&history, std::time::SystemTime::now().into()),
    })
}

/// Looks for the states to compare.
struct Finder<'f, 'd> {
    desk: &'d Desk,
    history: &'f History<'d>,
    lab: &'f mut Lab<'d>,
    countries: &'f [CountryCode],
}

type Judged = (End, Vec<CountryVerdict>);

impl Finder<'_, '_> {
    fn ends(&mut self, ask: &WhyAsk, asked: &Arc<Recorded>) -> Result<Ends, Refusal> {
        let is_decision = matches!(ask.about, About::Decision(_));
        if let Some(at) = ask.at {
            return self.ends_at(at, is_decision.then_some(asked));
        }
        let now = self.history.now().and_then(|end| self.judged(end));
        if !is_decision {
            let after = now.map_err(cannot)?;
            return Ok(Ends {
                before: self.last_other(&after, after.0.at)?,
                after,
            });
        }
        let decided = self
            .history
            .at_decision(asked)
            .and_then(|end| self.judged(end))
            .map_err(cannot)?;
        match now {
            Ok(now) if differs(&decided.1, &now.1) => Ok(Ends {
                before: Some(decided),
                after: now,
            }),
            Ok(_) | Err(_) => Ok(Ends {
                before: self.last_other(&decided, asked.decision.decided_at)?,
                after: decided,
            }),
        }
    }

    /// The state of a moment, and the decision or now, in their order.
    fn ends_at(&mut self, at: Moment, decision: Option<&Arc<Recorded>>) -> Result<Ends, Refusal> {
        let one = match decision {
            Some(asked) => self.history.at_decision(asked),
            None => self.history.now(),
        };
        let one = one.and_then(|end| self.judged(end)).map_err(cannot)?;
        let first = || {
            let first = self.history.decisions.last().map(|seen| when(seen.decision.decided_at));
            Refusal::not_found(format!(
                "nothing was known of the product at {}: it was first judged on {}",
                when(at),
                first.unwrap_or_default()
            ))
        };
        let then = self.history.at(at).ok_or_else(first)?;
        let then = then.and_then(|end| self.judged(end)).map_err(cannot)?;
        let (before, after) = if then.0.at <= one.0.at {
            (then, one)
        } else {
            (one, then)
        };
        Ok(Ends {
            before: Some(before),
            after,
        })
    }

    fn judged(&mut self, end: End) -> Result<Judged, String> {
        let verdicts = judge(self.lab, &end, self.countries)?;
        Ok((end, verdicts))
    }

    /// The last state before a moment with another verdict: things are otherwise before an event alone, so there it is looked for.
    fn last_other(&mut self, than: &Judged, before: Moment) -> Result<Option<Judged>, Refusal> {
        let mut moments: Vec<Moment> = timeline(self.history, before)
            .iter()
            .map(|event| Moment::from_micros(event.at.micros().saturating_sub(1)))
            .collect();
        // Before the first decision nothing was known; the first one itself is a state too.
        moments.extend(self.history.decisions.last().map(|seen| seen.decision.decided_at));
        moments.retain(|moment| *moment < before);
        moments.dedup();
        for moment in moments.into_iter().take(MOMENTS) {
            self.desk.check()?;
            // What cannot be judged any more says nothing.
            let Some(Ok(end)) = self.history.at(moment) else {
                continue;
            };
            if let Ok(found) = self.judged(end)
                && differs(&found.1, &than.1)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn cannot(why: String) -> Refusal {
    Refusal::unavailable(format!("this cannot be told: {why}"))
}

fn differs(a: &[CountryVerdict], b: &[CountryVerdict]) -> bool {
    a.iter().zip(b).any(|(a, b)| a.verdict != b.verdict)
}

/// What is said where there is nothing to compare with.
fn alone((end, verdicts): &Judged) -> Vec<String> {
    let mut told = each(verdicts, &moment(end));
    told.push("No other verdict is known of the product from before.".to_owned());
    told
}

/// A sentence for each verdict, with the reason that made it.
fn each(verdicts: &[CountryVerdict], moment: &str) -> Vec<String> {
    let told = verdicts.iter().map(|verdict| {
        let (name, place) = (verdict.verdict.as_str(), place(verdict.country));
        format!("{name} in {place} {moment}: {}", reason(verdict))
    });
    told.collect()
}

/// The first reason, as a sentence.
fn reason(verdict: &CountryVerdict) -> String {
    let text = verdict.reasons.first().map_or("", |reason| reason.text.as_str());
    format!("{}.", text.trim_end_matches('.'))
}

type Compared = (Vec<String>, Vec<Culprit>, Vec<Tried>);

fn compare<'d>(
    (desk, lab): (&'d Desk, &mut Lab<'d>),
    history: &History<'d>,
    (before, then): &Judged,
    (after, now): &Judged,
    countries: &[CountryCode],
) -> Result<Compared, Refusal> {
    let deciding: Vec<String> = now.iter().chain(then).map(|verdict| rule(verdict).to_owned()).collect();
    let mut words = Words {
        lab: &mut *lab,
        history,
        before,
        after,
        deciding: &deciding,
    };
    let parts = words.differing();
    let told: BTreeMap<Part, Told> = parts.iter().map(|part| (*part, words.tell(*part))).collect();
    let mut back = Trials::new((desk, &mut *lab), (after, before), &parts, countries);
    let mut groups: Vec<(Verdict, Verdict, Culprit)> = Vec::new();
    for (then, now) in then.iter().zip(now).filter(|(then, now)| then.verdict != now.verdict) {
        let sets = back.smallest(then.country, then.verdict)?;
        let same = |group: &&mut (Verdict, Verdict, Culprit)| {
            (group.0, group.1, &group.2.sets) == (then.verdict, now.verdict, &sets)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.2.countries.push(then.country),
            None => groups.push((
                then.verdict,
                now.verdict,
                Culprit {
                    countries: vec![then.country],
                    sets,
                    sentence: String::new(),
                },
            )),
        }
    }
    let mut put_back = Vec::new();
    for place in 0..parts.len() {
        put_back.push(back.with(1 << place)?.clone());
    }
    let mut forth = Trials::new((desk, lab), (before, after), &parts, countries);
    let mut put_in = Vec::new();
    for place in 0..parts.len() {
        put_in.push(forth.with(1 << place)?.clone());
    }
    let culprits = groups.into_iter().map(|(then, now, culprit)| Culprit {
        sentence: format!(
            "{} {}",
            changed(&culprit.countries, (then, before), (now, after)),
            cause(&culprit.sets, &told)
        ),
        ..culprit
    });
    let culprits: Vec<Culprit> = culprits.collect();
    let mut answer: Vec<String> = culprits.iter().map(|culprit| culprit.sentence.clone()).collect();
    answer.extend(reasons(then, now));
    if culprits.is_empty() {
        answer = unchanged((before, after), now);
    }
    Ok((answer, culprits, tried(&parts, told, (put_back, put_in))))
}

/// `FR, DE: BLOCK now, and ALLOW on 2026-03-01T12:00:00Z.`
fn changed(countries: &[CountryCode], (then, before): (Verdict, &End), (now, after): (Verdict, &End)) -> String {
    let places: Vec<String> = countries.iter().map(|country| place(*country)).collect();
    format!(
        "{} in {} {}, and {} {}.",
        now.as_str(),
        places.join(", "),
        moment(after),
        then.as_str(),
        moment(before)
    )
}

fn moment(end: &End) -> String {
    match end.of {
        Occasion::Now => "now".to_owned(),
        Occasion::Decision | Occasion::Moment => format!("on {}", when(end.at)),
    }
}

/// What made the difference, in a sentence.
fn cause(sets: &[Vec<Part>], told: &BTreeMap<Part, Told>) -> String {
    let detail = |part: &Part| told.get(part).map_or("", |told| told.sentence.as_str());
    let together = |set: &Vec<Part>| {
        let parts: Vec<String> = set
            .iter()
            .map(|part| format!("{} ({})", part.title(), detail(part)))
            .collect();
        parts.join(" together with ")
    };
    match sets {
        [] => "Nothing that is kept makes the difference; the replay below tells whether the decision can be reproduced at all.".to_owned(),
        [set] => match set.as_slice() {
            [part] => format!("{} made the difference: {}.", capital(part.title()), detail(part)),
            _ => format!("No part alone made the difference, but {} did.", together(set)),
        },
        [set, others @ ..] => {
            let others: Vec<String> = others.iter().map(together).collect();
            format!(
                "It took more than one change, and each of these put back undoes it: {}; or {}.",
                together(set),
                others.join("; or ")
            )
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What made the verdict at each end, in the first country that changed.
fn reasons(then: &[CountryVerdict], now: &[CountryVerdict]) -> Vec<String> {
    let changed = then.iter().zip(now).find(|(then, now)| then.verdict != now.verdict);
    let told = changed.map(|(then, now)| vec![format!("Before: {}", reason(then)), format!("After: {}", reason(now))]);
    told.unwrap_or_default()
}

fn unchanged((before, after): (&End, &End), verdicts: &[CountryVerdict]) -> Vec<String> {
    let same = format!("The verdict is the same {} and {}.", moment(before), moment(after));
    [vec![same], each(verdicts, &moment(after))].concat()
}

/// Every part in order, also those that are the same.
fn tried(
    parts: &[Part],
    mut told: BTreeMap<Part, Told>,
    (put_back, put_in): (Vec<super::culprit::Tried>, Vec<super::culprit::Tried>),
) -> Vec<Tried> {
    let is_split = !parts.contains(&Part::Revision);
    let all = [
        (Part::Picture, true),
        (Part::Product, true),
        (Part::Preprocessing, is_split),
        (Part::Weights, is_split),
        (Part::Revision, !is_split),
        (Part::Policy, true),
        (Part::Corrections, true),
        (Part::Date, true),
    ];
    let shown = all.into_iter().filter(|(_, is_shown)| *is_shown);
    shown
        .map(|(part, _)| {
            let at = parts.iter().position(|other| *other == part);
            let Told { before, after, .. } = told.remove(&part).unwrap_or_default();
            Tried {
                part,
                differs: at.is_some(),
                before,
                after,
                put_back: at.map(|at| put_back[at].clone()),
                put_in: at.map(|at| put_in[at].clone()),
            }
        })
        .collect()
}

fn told_end((end, verdicts): Judged) -> EndTold {
    EndTold {
        at: end.at,
        decision_id: (end.of == Occasion::Decision).then(|| end.seen.decision.decision_id.clone()),
        model: end.weights.model,
        version: end.weights.version,
        revision: end.weights.revision,
        policy_version: end.policy.version(),
        image_sha256: end.picture,
        verdicts,
    }
}
