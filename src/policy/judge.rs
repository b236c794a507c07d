//! Scores to verdicts: which rule speaks on each label, the strictest over all labels, and the reasons in their order.
//!
//! Every rule that had something to say is a reason: those that made the verdict first, then those that lost, because a more
//! specific rule or a stricter label outranked them. An ALLOW has reasons too: the rules that allowed by name, and how near
//! the nearest label came.

use std::cmp::Ordering;

use crate::base::{CountryCode, CountryVerdict, Label, LabelScore, Probability, Reason, Source, Verdict};

use super::rule::{Effect, Outcome, Rule};
use super::{Case, Policy, words};

/// One thing said of one label, before it is known what the verdict is.
struct Statement {
    verdict: Verdict,
    outranked: bool,
    reason: Reason,
}

impl Policy {
    /// The verdict of each country asked for, in the order asked, never without a reason.
    ///
    /// A case without any score is a REVIEW with source FALLBACK: nothing is known that could allow it.
    pub fn judge(&self, case: &Case<'_>) -> Vec<CountryVerdict> {
        asked(case.countries)
            .iter()
            .map(|&country| self.judge_in(country, case.scores))
            .collect()
    }

    /// The verdicts on a product whose picture is missing or unreadable; `cause` says in words what is wrong with it.
    pub fn unreadable(&self, cause: &str, countries: &[CountryCode]) -> Vec<CountryVerdict> {
        let text = format!("the picture cannot be judged: {cause}");
        let reason = bare_reason(Source::Quality, "on_unreadable_picture", text);
        asked(countries)
            .iter()
            .map(|&country| CountryVerdict {
                country,
                verdict: self.on_unreadable_picture,
                reasons: vec![reason.clone()],
            })
            .collect()
    }

    fn judge_in(&self, country: CountryCode, scores: &[LabelScore]) -> CountryVerdict {
        if scores.is_empty() {
            return unscored(country);
        }
        let mut statements: Vec<Statement> = scores
            .iter()
            .flat_map(|score| self.statements(country, score))
            .collect();
        let in_force = statements.iter().filter(|statement| !statement.outranked);
        let verdict = in_force
            .map(|statement| statement.verdict)
            .max()
            .unwrap_or(Verdict::Allow);
        if verdict == Verdict::Allow {
            statements.extend(self.nearest(country, scores));
        }
        for statement in &mut statements {
            statement.reason.losing = statement.outranked || statement.verdict != verdict;
        }
        statements.sort_by(in_order);
        let reasons = statements.into_iter().map(|statement| statement.reason).collect();
        CountryVerdict {
            country,
            verdict,
            reasons,
        }
    }

    /// What is worth saying of one label: the rule that speaks, unless it merely lets a score pass that the default would let pass too,
    /// and the rule that it outranks where that would have decided otherwise.
    fn statements(&self, country: CountryCode, score: &LabelScore) -> Vec<Statement> {
        let (rule, outranked) = self.rules_on(country, &score.label);
        let outcome = rule.effect.on(score.probability);
        let beaten = outranked
            .map(|weaker| (weaker, weaker.effect.on(score.probability)))
            .filter(|(_, would_be)| would_be.verdict != outcome.verdict);
        let by_default = self.default.effect.on(score.probability).verdict;
        let allowed_by_name = rule.effect == Effect::Allow && by_default != Verdict::Allow;
        let mut statements = Vec::new();
        if outcome.verdict != Verdict::Allow || allowed_by_name || beaten.is_some() {
            let text = words::spoken(rule, &score.label, score.probability, outcome, country);
            statements.push(statement(rule, score, outcome, text));
        }
        if let Some((weaker, would_be)) = beaten {
            let text = words::outranked(rule, weaker, &score.label, would_be);
            let said = statement(weaker, score, would_be, text);
            statements.push(Statement {
                outranked: true,
                ..said
            });
        }
        statements
    }

    /// The rule that speaks on a label in a country, and the less specific one that it outranks. The default is for labels that no
    /// other rule names there, so a rest-of-world rule does not outrank it: it takes its place.
    fn rules_on(&self, country: CountryCode, label: &Label) -> (&Rule, Option<&Rule>) {
        let world = self.labels.get(label).unwrap_or(&self.default);
        match self.countries.get(&country).and_then(|rules| rules.get(label)) {
            Some(own) => (own, Some(world)),
            None => (world, None),
        }
    }

    /// Of the labels held against a threshold, that which came closest to it, as a share of the threshold. Where every label is allowed
    /// by name, that with the highest score.
    fn nearest(&self, country: CountryCode, scores: &[LabelScore]) -> Option<Statement> {
        let closeness = |score: Probability, threshold: Probability| score.get() / threshold.get();
        let nearest = scores
            .iter()
            .filter_map(|score| {
                let (rule, _) = self.rules_on(country, &score.label);
                let (verdict, threshold) = rule.effect.first_step()?;
                Some((score, rule, verdict, threshold))
            })
            .max_by(|(a, _, _, a_threshold), (b, _, _, b_threshold)| {
                closeness(a.probability, *a_threshold)
                    .total_cmp(&closeness(b.probability, *b_threshold))
                    .then_with(|| b.label.cmp(&a.label))
            });
        let Some((score, rule, verdict, threshold)) = nearest else {
            return self.highest_allowed(country, scores);
        };
        let text = words::nothing_reached((&score.label, score.probability, verdict, threshold), country);
        let outcome = Outcome {
            verdict: Verdict::Allow,
            threshold: Some(threshold),
        };
        Some(statement(rule, score, outcome, text))
    }

    fn highest_allowed(&self, country: CountryCode, scores: &[LabelScore]) -> Option<Statement> {
        let higher = |a: &&LabelScore, b: &&LabelScore| {
            let by_score = a.probability.get().total_cmp(&b.probability.get());
            by_score.then_with(|| b.label.cmp(&a.label))
        };
        let score = scores.iter().max_by(higher)?;
        let (rule, _) = self.rules_on(country, &score.label);
        let outcome = rule.effect.on(score.probability);
        let text = words::spoken(rule, &score.label, score.probability, outcome, country);
        Some(statement(rule, score, outcome, text))
    }
}

/// The countries asked for; the rest of the world where none is.
fn asked(countries: &[CountryCode]) -> &[CountryCode] {
    if countries.is_empty() {
        &[CountryCode::REST_OF_WORLD]
    } else {
        countries
    }
}

fn statement(rule: &Rule, score: &LabelScore, outcome: Outcome, text: String) -> Statement {
    let reason = Reason {
        source: if outcome.threshold.is_some() {
            Source::Model
        } else {
            Source::Rule
        },
        label: Some(score.label.clone()),
        score: Some(score.probability),
        threshold: outcome.threshold,
        rule: rule.name.clone(),
        text,
        losing: false,
    };
    Statement {
        verdict: outcome.verdict,
        outranked: false,
        reason,
    }
}

fn unscored(country: CountryCode) -> CountryVerdict {
    let text = "there is no score to judge by".to_owned();
    CountryVerdict {
        country,
        verdict: Verdict::Review,
        reasons: vec![bare_reason(Source::Fallback, "default", text)],
    }
}

fn bare_reason(source: Source, rule: &str, text: String) -> Reason {
    Reason {
        source,
        label: None,
        score: None,
        threshold: None,
        rule: rule.to_owned(),
        text,
        losing: false,
    }
}

/// What made the verdict first; then the stricter, the label by name, and what spoke before what it outranked.
fn in_order(a: &Statement, b: &Statement) -> Ordering {
    a.reason
        .losing
        .cmp(&b.reason.losing)
        .then_with(|| b.verdict.cmp(&a.verdict))
        .then_with(|| a.reason.label.cmp(&b.reason.label))
        .then_with(|| a.outranked.cmp(&b.outranked))
        .then_with(|| b.reason.rule.cmp(&a.reason.rule))
}
