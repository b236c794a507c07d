//! What a sound policy may still have wrong with it: rules that never speak, that contradict each other, that nobody answers for.

use std::collections::HashMap;

use crate::base::{Label, Moment};

use super::Policy;
use super::place::Standing;
use super::rule::Rule;
use super::zones::day_of;

/// One thing that the author of a policy wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    pub severity: Severity,
    /// The id of the rule; `group.NAME`, `severe` or `costs` where it is about one of these.
    pub rule: String,
    /// Where it stands in the file, from 1.
    pub line: usize,
    /// What was found and what to do.
    pub sentence: String,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// Whatever the model says, it is allowed.
    AllowsEverything,
    /// As specific as another and on the same conditions, with another effect.
    Contradictory,
    /// Outranked by another wherever it applies.
    Unreachable,
    /// About what the model does not give or no rule uses.
    Inert,
    /// Its last day is over.
    Expired,
    /// Somebody should have looked at it again.
    Overdue,
    /// Its first day is yet to come.
    NotYetBegun,
    /// It lacks what people want to know of a rule.
    Unaccountable,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be known.
    Note,
    /// To be mended.
    Warning,
    /// The policy must not judge.
    Error,
}

impl FindingKind {
    /// The name for tables and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowsEverything => "allows-everything",
            Self::Contradictory => "contradictory",
            Self::Unreachable => "unreachable",
            Self::Inert => "inert",
            Self::Expired => "expired",
            Self::Overdue => "overdue",
            Self::NotYetBegun => "not-yet-begun",
            Self::Unaccountable => "unaccountable",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::AllowsEverything => Severity::Error,
            Self::Contradictory | Self::Unreachable | Self::Inert | Self::Expired | Self::Overdue => Severity::Warning,
            Self::NotYetBegun | Self::Unaccountable => Severity::Note,
        }
    }
}

impl Severity {
    /// The name for tables and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Policy {
    /// Everything worth knowing of the policy at a moment, in the order of the file. `labels` are those of the model that it is for, where
    /// they are known.
    pub fn check(&self, labels: Option<&[Label]>, today: Moment) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(labels) = labels {
            self.check_labels(labels, &mut findings);
        }
        self.check_precedence(&mut findings);
        self.check_groups(&mut findings);
        self.check_dates(today, &mut findings);
        findings.extend(self.rules.iter().filter_map(unaccountable));
        findings.sort_by(|a, b| (a.line, a.kind, &a.sentence).cmp(&(b.line, b.kind, &b.sentence)));
        findings
    }

    fn check_labels(&self, given: &[Label], findings: &mut Vec<Finding>) {
        if let Some(sentence) = self.allows_everything(given) {
            let line = self.rules.first().map_or(1, |rule| rule.line);
            findings.push(finding(FindingKind::AllowsEverything, ("policy", line), sentence));
        }
        for rule in &self.rules {
            let label = rule.label().map(|number| &self.labels[number]);
            if let Some(label) = label.filter(|label| !given.contains(label)) {
                let sentence = format!(
                    "it is about {label}, which the model does not give: it never speaks; correct the label or remove it"
                );
                findings.push(finding(FindingKind::Inert, (&rule.id, rule.line), sentence));
            }
        }
        let severe = self
            .severe
            .labels
            .iter()
            .map(|label| (label, "severe", self.severe.line));
        let costs = self
            .costs
            .iter()
            .flat_map(|costs| costs.by_label.keys().map(|label| (label, "costs", costs.line)));
        for (label, place, line) in severe.chain(costs).filter(|(label, ..)| !given.contains(label)) {
            let sentence = format!("it names {label}, which the model does not give; correct the label or remove it");
            findings.push(finding(FindingKind::Inert, (place, line), sentence));
        }
    }

    fn check_groups(&self, findings: &mut Vec<Finding>) {
        for (number, group) in self.groups.iter().enumerate() {
            let by_rule = self.rules.iter().any(|rule| rule.scope.groups.contains(&number));
            let by_group = self.groups.iter().any(|other| other.within.contains(&group.name));
            if !by_rule && !by_group {
                let sentence = "no rule and no other group names it; use it or remove it".to_owned();
                findings.push(finding(
                    FindingKind::Inert,
                    (&format!("group.{}", group.name), group.line),
                    sentence,
                ));
            }
        }
    }

    /// Rules on labels that others outrank wherever they apply, or that contradict each other somewhere.
    fn check_precedence(&self, findings: &mut Vec<Finding>) {
        let mut fates = vec![Fate::Absent; self.rules.len()];
        let mut contradicts: Vec<Option<u16>> = vec![None; self.rules.len()];
        let askers = self.askers();
        for standings in self.places.all().iter().flat_map(|place| &place.labels) {
            self.find_contradictions(standings, &askers, &mut contradicts);
            for standing in standings {
                let fate = &mut fates[usize::from(standing.rule)];
                if *fate != Fate::Speaks {
                    *fate = self
                        .outranking(standing, standings)
                        .map_or(Fate::Speaks, Fate::Outranked);
                }
            }
        }
        for (rule, (fate, contradicted)) in self.rules.iter().zip(fates.into_iter().zip(contradicts)) {
            let place = (rule.id.as_str(), rule.line);
            if let Some(other) = contradicted.map(|other| &self.rules[usize::from(other)]) {
                let sentence = format!(
                    "it says otherwise than {} in line {}, which is as specific and asks the same: the stricter holds on each score; remove one",
                    other.id, other.line
                );
                findings.push(finding(FindingKind::Contradictory, place, sentence));
            }
            if let Fate::Outranked(by) = fate {
                let by = &self.rules[usize::from(by)];
                let sentence = format!(
                    "it never speaks: {} in line {} outranks it wherever it applies; remove it",
                    by.id, by.line
                );
                findings.push(finding(FindingKind::Unreachable, place, sentence));
            }
        }
    }

    /// A number for each rule: the same for those that are on the same label and ask the same.
    fn askers(&self) -> Vec<usize> {
        let mut numbers = HashMap::new();
        let asked = self.rules.iter().map(|rule| (rule.label(), format!("{:?}", rule.when)));
        asked
            .map(|asked| {
                let next = numbers.len();
                *numbers.entry(asked).or_insert(next)
            })
            .collect()
    }

    /// For each rule an earlier one that is as specific here, on the same conditions, at the same time, with another effect.
    fn find_contradictions(&self, standings: &[Standing], askers: &[usize], contradicts: &mut [Option<u16>]) {
        let mut alike: HashMap<(u16, usize), Vec<&Standing>> = HashMap::new();
        let mut in_file_order: Vec<&Standing> = standings.iter().collect();
        in_file_order.sort_by_key(|standing| standing.rule);
        for standing in in_file_order {
            let number = usize::from(standing.rule);
            let earlier = alike.entry((standing.class, askers[number])).or_default();
            if contradicts[number].is_none() {
                let effect = self.rules[number].effect();
                let mut at_once = earlier
                    .iter()
                    .filter(|other| other.begins < standing.ends && standing.begins < other.ends);
                let other = at_once.find(|other| self.rules[usize::from(other.rule)].effect() != effect);
                contradicts[number] = other.map(|other| other.rule);
            }
            earlier.push(standing);
        }
    }

    /// Another rule that applies here whenever this one does, and then speaks in its stead.
    fn outranking(&self, standing: &Standing, standings: &[Standing]) -> Option<u16> {
        let rule = &self.rules[usize::from(standing.rule)];
        let rivals = standings.iter().take_while(|other| other.class <= standing.class);
        let mut outranking = rivals.filter(|other| {
            let rival = &self.rules[usize::from(other.rule)];
            let in_time = other.begins <= standing.begins && standing.ends <= other.ends;
            other.rule != standing.rule
                && in_time
                && (other.class < standing.class || is_stricter_equal(rival, rule))
                && rival.when.cover(&rule.when)
        });
        outranking.next().map(|other| other.rule)
    }

    fn check_dates(&self, today: Moment, findings: &mut Vec<Finding>) {
        let mut spans: Vec<Option<(Moment, Moment)>> = vec![None; self.rules.len()];
        let places = self.places.all();
        for standing in places
            .iter()
            .flat_map(|place| place.labels.iter().flatten().chain(&place.others))
        {
            let span = &mut spans[usize::from(standing.rule)];
            let (begins, ends) = span.unwrap_or((standing.begins, standing.ends));
            *span = Some((begins.min(standing.begins), ends.max(standing.ends)));
        }
        for (rule, span) in self.rules.iter().zip(spans) {
            let place = (rule.id.as_str(), rule.line);
            if let (Some((_, ends)), Some(day)) = (span, rule.dates.ends)
                && ends <= today
            {
                let sentence =
                    format!("its last day was {day}: it does not speak any more; remove it or set another day");
                findings.push(finding(FindingKind::Expired, place, sentence));
            }
            if let (Some((begins, _)), Some(day)) = (span, rule.dates.starts)
                && begins > today
            {
                findings.push(finding(
                    FindingKind::NotYetBegun,
                    place,
                    format!("it comes into force on {day}"),
                ));
            }
            if let Some(day) = rule.about.review_by.filter(|&day| day < day_of(today)) {
                let sentence = format!("somebody should have looked at it by {day}; look at it and set another day");
                findings.push(finding(FindingKind::Overdue, place, sentence));
            }
        }
    }
}

/// Whether a rule ever speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It was not met yet, or is not about a label.
    Absent,
    Speaks,
    /// So far it was outranked everywhere; the last time by this rule.
    Outranked(u16),
}

/// Whether an equally specific rule makes another superfluous: stricter on some score and never less strict, on wider conditions; or the
/// same, and earlier in the file.
fn is_stricter_equal(rival: &Rule, rule: &Rule) -> bool {
    let (Some(its), Some(own)) = (rival.effect(), rule.effect()) else {
        return false;
    };
    let same = rival.when == rule.when;
    // What differs on the same conditions is told as a contradiction.
    let is_contradiction = same && its != own;
    let is_twin = its == own && rival.when.cover(&rule.when) && rule.when.cover(&rival.when);
    its.is_as_strict_as(own) && !is_contradiction && (!is_twin || rival.line < rule.line)
}

fn unaccountable(rule: &Rule) -> Option<Finding> {
    let about = &rule.about;
    let lacking = [
        ("text", about.text.is_none()),
        ("owner", about.owner.is_none()),
        ("source", about.source.is_none()),
        ("review_by", about.review_by.is_none()),
    ];
    let lacking: Vec<&str> = lacking
        .iter()
        .filter(|(_, is_lacking)| *is_lacking)
        .map(|(name, _)| *name)
        .collect();
    let sentence = format!("it has no {}", lacking.join(", no "));
    (!lacking.is_empty()).then(|| finding(FindingKind::Unaccountable, (&rule.id, rule.line), sentence))
}

fn finding(kind: FindingKind, (rule, line): (&str, usize), sentence: String) -> Finding {
    Finding {
        kind,
        severity: kind.severity(),
        rule: rule.to_owned(),
        line,
        sentence,
    }
}
