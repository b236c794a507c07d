//! What differs between two states, part by part, in sentences that name the old and the new.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value};

use super::lab::Lab;
use super::part::{End, Part, Side};
use super::rules;
use super::states::History;
use crate::base::{Correction, CorrectionKind, CorrectionScope, Moment, Recorded};
use crate::policy::{Policy, RuleView};
use crate::repository::Manifest;

/// So many things of one kind are told.
const MOST_TOLD: usize = 3;
/// The longest value of a field that is shown, in characters.
const LONGEST: usize = 60;

/// One part at both ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub before: String,
    pub after: String,
    /// What changed.
    pub sentence: String,
}

/// Two states, and where to look things up.
pub(super) struct Words<'w, 'd> {
    pub lab: &'w mut Lab<'d>,
    pub history: &'w History<'d>,
    pub before: &'w End,
    pub after: &'w End,
    /// The rules that made the verdicts at either end.
    pub deciding: &'w [String],
}

impl Part {
    /// How it is called in a sentence.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Picture => "the picture",
            Self::Product => "what is known of the product",
            Self::Preprocessing => "the preprocessing",
            Self::Weights => "the weights",
            Self::Revision => "the revision",
            Self::Policy => "the policy",
            Self::Corrections => "the corrections",
            Self::Date => "the date",
        }
    }
}

impl Words<'_, '_> {
    /// The parts in which the two states differ. Of the date it is always said: time passes.
    pub fn differing(&mut self) -> Vec<Part> {
        let (before, after) = (self.before, self.after);
        let mut parts = Vec::new();
        if before.picture != after.picture {
            parts.push(Part::Picture);
        }
        if !fields_of(&before.seen, &after.seen).is_empty() {
            parts.push(Part::Product);
        }
        if before.weights.revision != after.weights.revision {
            parts.extend(self.of_revision());
        }
        if before.policy.version() != after.policy.version() {
            parts.push(Part::Policy);
        }
        let ids = |end: &End| {
            let ids = end
                .corrections
                .iter()
                .map(|correction| correction.correction_id.clone());
            ids.collect::<std::collections::BTreeSet<_>>()
        };
        if ids(before) != ids(after) {
            parts.push(Part::Corrections);
        }
        parts.push(Part::Date);
        parts
    }

    fn of_revision(&mut self) -> Vec<Part> {
        let Some((then, now)) = self.manifests() else {
            return vec![Part::Revision];
        };
        let mut parts = Vec::new();
        if then.preprocessing != now.preprocessing {
            parts.push(Part::Preprocessing);
        }
        // What no manifest tells apart, such as weights beside the model file, is told by the revision alone.
        if parts.is_empty() || !weights(&then, &now).is_empty() {
            parts.push(Part::Weights);
        }
        parts
    }

    fn manifests(&mut self) -> Option<(std::sync::Arc<Manifest>, std::sync::Arc<Manifest>)> {
        let then = self.lab.manifest(&self.before.weights.revision)?;
        let now = self.lab.manifest(&self.after.weights.revision)?;
        Some((then, now))
    }

    /// One part at both ends, and what changed of it.
    pub fn tell(&mut self, part: Part) -> Told {
        match part {
            Part::Picture => self.picture(),
            Part::Product => self.product(),
            Part::Preprocessing => self.preprocessing(),
            Part::Weights => self.weights(),
            Part::Revision => self.revision(),
            Part::Policy => self.policy(),
            Part::Corrections => self.corrections(),
            Part::Date => self.date(),
        }
    }

    fn picture(&self) -> Told {
        let name = |end: &End| end.picture.map_or("none".to_owned(), |sha| sha.short());
        let (before, after) = (name(self.before), name(self.after));
        let mut decisions = self.history.decisions.iter().rev().map(|seen| &seen.decision);
        let first = decisions.find(|decision| {
            decision.image_sha256 == self.after.picture && decision.decided_at > self.before.seen.decision.decided_at
        });
        let first = first
            .map(|decision| {
                format!(
                    ", first seen on {} by decision {}",
                    when(decision.decided_at),
                    decision.decision_id
                )
            })
            .unwrap_or_default();
        Told {
            sentence: format!("it changed from {before} to {after}{first}"),
            before,
            after,
        }
    }

    fn product(&self) -> Told {
        let fields = fields_of(&self.before.seen, &self.after.seen);
        told_fields(&fields)
    }

    fn preprocessing(&mut self) -> Told {
        let fields = self
            .manifests()
            .map(|(then, now)| changed_fields(&then.preprocessing, &now.preprocessing))
            .unwrap_or_default();
        let told = told_fields(&fields);
        let whole = self.of_revision() == [Part::Preprocessing];
        Told {
            sentence: format!(
                "{} {}{}",
                self.between(),
                told.sentence,
                if whole { "; the weights are the same" } else { "" }
            ),
            ..told
        }
    }

    fn weights(&mut self) -> Told {
        let fields = self
            .manifests()
            .map(|(then, now)| weights(&then, &now))
            .unwrap_or_default();
        let whole = self.of_revision() == [Part::Weights];
        let told = told_fields(&fields);
        let sentence = if fields.is_empty() {
            "the weights beside the model file changed".to_owned()
        } else {
            told.sentence.clone()
        };
        Told {
            before: or(told.before, &version(&self.before.weights)),
            after: or(told.after, &version(&self.after.weights)),
            sentence: format!(
                "{} {sentence}{}",
                self.between(),
                if whole { "; the preprocessing is the same" } else { "" }
            ),
        }
    }

    fn revision(&self) -> Told {
        Told {
            before: version(&self.before.weights),
            after: version(&self.after.weights),
            sentence: format!(
                "{} something changed that cannot be told any more: not both are kept here",
                self.between()
            ),
        }
    }

    fn between(&self) -> String {
        let (then, now) = (&self.before.weights, &self.after.weights);
        format!("between {} and {}", version(then), version(now))
    }

    fn policy(&self) -> Told {
        let (then, now) = (&self.before.policy, &self.after.policy);
        Told {
            before: then.version().0.short(),
            after: now.version().0.short(),
            sentence: format!(
                "{}. It is policy {} now, in place of {}",
                rules::changed(then, now, self.deciding),
                now.version().0.short(),
                then.version().0.short()
            ),
        }
    }

    fn corrections(&self) -> Told {
        let (then, now) = (&self.before.corrections, &self.after.corrections);
        let is_in =
            |list: &[Correction], one: &Correction| list.iter().any(|other| other.correction_id == one.correction_id);
        let lost = then.iter().filter(|one| !is_in(now, one)).map(|one| self.ended(one));
        let gained = now
            .iter()
            .filter(|one| !is_in(then, one))
            .map(|one| format!("{}{}", said(one), of_scope(one)));
        let count = |list: &[Correction]| match list.len() {
            0 => "none".to_owned(),
            many => format!("{many} in force"),
        };
        Told {
            before: count(then),
            after: count(now),
            sentence: some(lost.chain(gained).collect()),
        }
    }

    /// How a correction came to hold no more.
    fn ended(&self, one: &Correction) -> String {
        let all = &self.history.corrections;
        let stands = all
            .iter()
            .find(|other| other.correction_id == one.correction_id)
            .unwrap_or(one);
        let what = format!("what {}{}", said(one), of_scope(one));
        match (&stands.revoked, stands.expires_at) {
            (Some(revoked), _) if revoked.at <= self.after.at => {
                format!(
                    "{what} was revoked by {} on {}: {:?}",
                    revoked.by,
                    when(revoked.at),
                    revoked.reason
                )
            }
            (_, Some(end)) => format!("{what} expired on {}", when(end)),
            (_, None) => format!("{what} is in force no more"),
        }
    }

    fn date(&self) -> Told {
        let (before, after) = (when(self.before.at), when(self.after.at));
        let rules = dated(&self.after.policy, day(&before), day(&after));
        let sentence = match rules.as_slice() {
            [] => format!("time passed from {before} to {after}"),
            _ => some(rules),
        };
        Told {
            before,
            after,
            sentence,
        }
    }
}

/// The rules that begin or end between two days, both included.
fn dated(policy: &Policy, from: &str, to: &str) -> Vec<String> {
    let within = |day: &Option<String>| day.as_deref().is_some_and(|day| (from..=to).contains(&day));
    let told = |rule: RuleView<'_>| {
        let begins = within(&rule.starts).then(|| format!("began on {}", rule.starts.clone().unwrap_or_default()));
        let ends =
            within(&rule.ends).then(|| format!("was last in force on {}", rule.ends.clone().unwrap_or_default()));
        let both: Vec<String> = [begins, ends].into_iter().flatten().collect();
        (!both.is_empty()).then(|| {
            format!(
                "rule {} (line {}: {}) {}",
                rule.id,
                rule.line,
                rule.effect,
                both.join(" and ")
            )
        })
    };
    policy.rules().filter_map(told).collect()
}

/// A field with what it was and what it is.
type Field = (String, String, String);

fn told_fields(fields: &[Field]) -> Told {
    let side = |of: fn(&Field) -> &str| {
        let shown: Vec<String> = fields
            .iter()
            .map(|field| format!("{} {}", field.0, of(field)))
            .collect();
        some(shown)
    };
    let sentences = fields
        .iter()
        .map(|(name, then, now)| format!("{name} changed from {then} to {now}"));
    Told {
        before: side(|field| &field.1),
        after: side(|field| &field.2),
        sentence: some(sentences.collect()),
    }
}

/// The fields of two values in which they differ.
fn changed_fields<T: Serialize>(then: &T, now: &T) -> Vec<Field> {
    let object = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    };
    let (then, now) = (object(then), object(now));
    let names = then.keys().chain(now.keys().filter(|name| !then.contains_key(*name)));
    let differing = names.filter(|name| then.get(*name) != now.get(*name));
    differing
        .map(|name| (name.clone(), shown(then.get(name)), shown(now.get(name))))
        .collect()
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

/// What two sights of a product differ in, beside the picture and who asked when.
fn fields_of(then: &Recorded, now: &Recorded) -> Vec<Field> {
    let mut fields = changed_fields(&then.product, &now.product);
    fields.retain(|(name, _, _)| !["partner_id", "product_id", "displays"].contains(&name.as_str()));
    let facts = changed_fields(&then.facts, &now.facts);
    fields.extend(
        facts
            .into_iter()
            .map(|(name, then, now)| (format!("fact {name}"), then, now)),
    );
    if then.ad_type != now.ad_type {
        let text = |text: &str| shown(Some(&Value::String(text.to_owned())));
        fields.push(("ad type".to_owned(), text(&then.ad_type), text(&now.ad_type)));
    }
    fields
}

/// What two versions differ in beside the preprocessing, as far as it can change an answer.
fn weights(then: &Manifest, now: &Manifest) -> Vec<Field> {
    let is_golden = |manifest: &Manifest, name: &str| {
        let mut cases = manifest.golden.cases.iter();
        cases.any(|case| case.file.as_str() == name)
    };
    let files = |manifest: &Manifest| {
        let weighing = manifest
            .files
            .iter()
            .filter(|(name, _)| name.as_str() != "labels" && !is_golden(manifest, name.as_str()));
        let named = weighing.map(|(name, digest)| (name.as_str().to_owned(), Value::String(digest.short())));
        named.collect::<Map<_, _>>()
    };
    let mut fields = changed_fields(&files(then), &files(now));
    fields.extend(changed_fields(&then.head, &now.head));
    fields.extend(changed_fields(&then.runtime, &now.runtime));
    for (name, then, now) in [
        ("input", &then.input, &now.input),
        ("output", &then.output, &now.output),
    ] {
        if then != now {
            fields.push((name.to_owned(), then.clone(), now.clone()));
        }
    }
    fields
}

fn version(side: &Side) -> String {
    format!("version {} ({})", side.version, side.revision.0.short())
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

/// The first of some, and how many more there are.
fn some(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(MOST_TOLD);
    let told = all.into_iter().take(MOST_TOLD).collect::<Vec<_>>().join(", ");
    if more > 0 {
        format!("{told} and {more} more")
    } else {
        told
    }
}

/// What a person said, and when.
pub(super) fn said(correction: &Correction) -> String {
    let what = match &correction.kind {
        CorrectionKind::WrongLabel { label, present: true } => format!("that it is {label}"),
        CorrectionKind::WrongLabel { label, present: false } => format!("that it is not {label}"),
        CorrectionKind::Exception(verdict) => verdict.as_str().to_owned(),
    };
    let countries: Vec<String> = correction
        .countries
        .iter()
        .map(|country| super::again::place(*country))
        .collect();
    let places = if countries.is_empty() {
        String::new()
    } else {
        format!(" for {}", countries.join(", "))
    };
    format!(
        "{} said on {}, {what}{places} ({:?})",
        correction.author,
        when(correction.created_at),
        correction.reason
    )
}

/// Of what it was said, where that is more than this product.
pub(super) fn of_scope(correction: &Correction) -> &'static str {
    match correction.scope {
        CorrectionScope::Product(_) => "",
        CorrectionScope::Picture(_) => " of every product with this picture",
        CorrectionScope::Partner(_) => " of every product of the partner",
    }
}

/// A moment as people and machines read it.
pub(super) fn when(at: Moment) -> String {
    humantime::format_rfc3339_seconds(SystemTime::from(at)).to_string()
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::Preprocessing;

    #[test]
    fn a_changed_field_is_told_with_the_old_and_the_new() {
        let text = "width = 96\nheight = 96\nresize = \"bilinear\"\nfit = \"stretch\"\ncolor = \"rgb\"\nmean = [0.5, 0.5, 0.5]\n\
                    std = [0.5, 0.5, 0.5]\norientation = \"apply\"\nbackground = [255, 255, 255]\n";
        let then: Preprocessing = toml::from_str(text).unwrap();
        let now: Preprocessing = toml::from_str(&text.replace("stretch", "cover")).unwrap();
        let told = told_fields(&changed_fields(&then, &now));
        assert_eq!(told.sentence, "fit changed from stretch to cover");
        assert_eq!(
            (told.before.as_str(), told.after.as_str()),
            ("fit stretch", "fit cover")
        );
        assert_eq!(changed_fields(&then, &then), []);
    }

    #[test]
    fn long_lists_and_long_values_are_cut() {
        let all = (0..5).map(|number| number.to_string()).collect();
        assert_eq!(some(all), "0, 1, 2 and 2 more");
        let long = Value::String("x".repeat(100));
        assert_eq!(shown(Some(&long)).chars().count(), LONGEST);
        assert_eq!(shown(Some(&Value::Null)), "none");
    }
}
