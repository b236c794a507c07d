//! What a catalogue's judgement comes to: verdicts by country, their causes, and the products behind them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use comfy_table::Cell;

use super::classify::{is_allowed, why};
use super::product::Entry;
use super::{Outcome, show};
use crate::wire::vigie::{Decision, Verdict};

/// Products listed without `--all`.
const FIRST: usize = 20;
/// Failures told one by one.
const FAILURES: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Summary {
    judged: u64,
    /// By country: how many of each verdict.
    verdicts: BTreeMap<String, Counts>,
    /// By country, label and verdict: how often it was a reason.
    causes: BTreeMap<(String, String, &'static str), u64>,
    objections: Vec<Objection>,
    failures: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    allow: u64,
    review: u64,
    block: u64,
}

/// One country's verdict on a product that is not allowed there.
#[derive(Debug)]
struct Objection {
    product: String,
    title: String,
    country: String,
    verdict: Verdict,
    why: String,
}

impl Summary {
    /// Takes in one product's answer.
    pub fn add(&mut self, entry: &Entry, answer: Result<Decision, String>) {
        let (product, title) = entry.name();
        let decision = match answer {
            Ok(decision) => decision,
            Err(error) => return self.failures.push((product, error)),
        };
        self.judged += 1;
        for verdict in &decision.verdicts {
            let counts = self.verdicts.entry(verdict.country.clone()).or_default();
            match verdict.verdict() {
                Verdict::Allow => counts.allow += 1,
                Verdict::Block => counts.block += 1,
                Verdict::Review | Verdict::Unspecified => counts.review += 1,
            }
            if verdict.verdict() == Verdict::Allow {
                continue;
            }
            for reason in verdict.reasons.iter().filter(|reason| !reason.losing) {
                let cause = if reason.label.is_empty() {
                    reason.rule.clone()
                } else {
                    reason.label.clone()
                };
                let key = (verdict.country.clone(), cause, show::verdict_name(verdict.verdict()));
                *self.causes.entry(key).or_default() += 1;
            }
        }
        if !is_allowed(&decision) {
            self.object(&product, title, &decision);
        }
    }

    fn object(&mut self, product: &str, title: &str, decision: &Decision) {
        let objections = decision
            .verdicts
            .iter()
            .filter(|verdict| verdict.verdict() != Verdict::Allow);
        self.objections.extend(objections.map(|verdict| Objection {
            product: product.to_owned(),
            title: title.to_owned(),
            country: verdict.country.clone(),
            verdict: verdict.verdict(),
            why: why(verdict).lines().next().unwrap_or_default().to_owned(),
        }));
    }

    /// Products answered, well or not.
    pub fn seen(&self) -> usize {
        usize::try_from(self.judged)
            .unwrap_or(usize::MAX)
            .saturating_add(self.failures.len())
    }

    /// What the command's exit code says.
    pub fn outcome(&self) -> Outcome {
        match (self.failures.is_empty(), self.objections.is_empty()) {
            (false, _) => Outcome::Trouble,
            (true, false) => Outcome::Objection,
            (true, true) => Outcome::Done,
        }
    }

    /// Prints it for people.
    pub fn show(&mut self, took: Duration, all: bool) -> io::Result<()> {
        self.objections
            .sort_by(|a, b| (&a.product, &a.country).cmp(&(&b.product, &b.country)));
        self.show_objections(if all { usize::MAX } else { FIRST })?;
        self.show_causes()?;
        self.show_verdicts()?;
        let rate = self.judged as f64 / took.as_secs_f64().max(1e-9);
        show::line(&show::quiet(&format!(
            "\n{} products in {:.1} s, {rate:.0} a second",
            self.judged,
            took.as_secs_f64()
        )))?;
        for (product, error) in self.failures.iter().take(FAILURES) {
            show::complain(&format!("{product}: {error}"));
        }
        if self.failures.len() > FAILURES {
            show::complain(&format!(
                "{} more products could not be judged",
                self.failures.len() - FAILURES
            ));
        }
        Ok(())
    }

    fn show_objections(&self, most: usize) -> io::Result<()> {
        if self.objections.is_empty() {
            return Ok(());
        }
        let mut table = show::table(&["PRODUCT", "TITLE", "COUNTRY", "VERDICT", "WHY"]);
        for objection in self.objections.iter().take(most) {
            table.add_row(vec![
                Cell::new(&objection.product),
                Cell::new(show::cut(&objection.title, 36)),
                Cell::new(show::country(&objection.country)),
                show::verdict(objection.verdict),
                Cell::new(&objection.why),
            ]);
        }
        show::print_table(&table)?;
        let left = self.objections.len().saturating_sub(most);
        if left > 0 {
            show::line(&show::quiet(&format!("and {left} more; --all lists them")))?;
        }
        show::line("")
    }

    fn show_causes(&self) -> io::Result<()> {
        if self.causes.is_empty() {
            return Ok(());
        }
        let mut table = show::table(&["COUNTRY", "CAUSE", "VERDICT", "PRODUCTS"]);
        for ((country, cause, verdict), count) in &self.causes {
            table.add_row(vec![
                Cell::new(show::country(country)),
                Cell::new(cause),
                Cell::new(verdict),
                show::number(count),
            ]);
        }
        show::print_table(&table)?;
        show::line("")
    }

    fn show_verdicts(&self) -> io::Result<()> {
        let mut table = show::table(&["COUNTRY", "ALLOW", "REVIEW", "BLOCK", "ALLOWED"]);
        for (country, Counts { allow, review, block }) in &self.verdicts {
            let allowed = show::share(*allow, allow + review + block);
            let numbers = [allow, review, block].map(show::number);
            let row = std::iter::once(Cell::new(show::country(country)))
                .chain(numbers)
                .chain([show::number(allowed)]);
            table.add_row(row.collect::<Vec<_>>());
        }
        show::print_table(&table)
    }
}
