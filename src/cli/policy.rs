//! `vigie policy`: what is wrong with a policy, whether it judges its own examples as they say, and what its rules are in words.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use comfy_table::{Cell, Color};
use serde_json::json;

use super::arguments::PolicyFiles;
use super::{Outcome, show};
use crate::base::Label;
use crate::policy::{ExampleOutcome, Finding, Policy, PolicyError, RuleView, Severity};

/// What is wrong with policies.
pub(super) fn check(files: &PolicyFiles) -> anyhow::Result<Outcome> {
    of_each(files, check_one)
}

/// Whether policies judge their own examples as those say.
pub(super) fn test(files: &PolicyFiles) -> anyhow::Result<Outcome> {
    of_each(files, test_one)
}

/// The rules in words.
pub(super) fn show(files: &PolicyFiles) -> anyhow::Result<Outcome> {
    of_each(files, show_one)
}

type OfOne = fn(&Path, &Policy, bool) -> anyhow::Result<Outcome>;

fn of_each(files: &PolicyFiles, of_one: OfOne) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Done;
    for file in named_or_shipped(&files.files)? {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        outcome = outcome.max(match Policy::parse(&text) {
            Ok(policy) => of_one(&file, &policy, files.json)?,
            Err(error) => {
                mistakes(&file, &error, files.json)?;
                Outcome::Objection
            }
        });
    }
    Ok(outcome)
}

/// The files that were named, else every model's policy.
fn named_or_shipped(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let models = fs::read_dir("models").context("no file is named, and there is no folder models here")?;
    let mut found: Vec<PathBuf> = models
        .filter_map(|model| Some(model.ok()?.path().join("policy.toml")))
        .filter(|file| file.is_file())
        .collect();
    found.sort();
    anyhow::ensure!(
        !found.is_empty(),
        "no file is named, and no model of ./models has a policy.toml"
    );
    Ok(found)
}

fn mistakes(file: &Path, error: &PolicyError, as_json: bool) -> anyhow::Result<()> {
    for mistake in &error.mistakes {
        if as_json {
            let mistake = json!({
                "file": file, "severity": "mistake", "line": mistake.line, "column": mistake.column,
                "key": mistake.key, "sentence": mistake.problem,
            });
            show::line(&mistake.to_string())?;
        } else {
            show::line(&format!("mistake  {}: {mistake}", file.display()))?;
        }
    }
    if !as_json {
        show::line("\nit is not in force, and will not be: the policy in force stays until these are mended")?;
    }
    Ok(())
}

fn check_one(file: &Path, policy: &Policy, as_json: bool) -> anyhow::Result<Outcome> {
    let labels = labels_beside(file);
    let findings = policy.check(labels.as_deref(), SystemTime::now().into());
    for finding in &findings {
        let Finding {
            kind,
            severity,
            rule,
            line,
            sentence,
        } = finding;
        if as_json {
            let finding = json!({
                "file": file, "severity": severity.as_str(), "kind": kind.as_str(), "rule": rule, "line": line,
                "sentence": sentence,
            });
            show::line(&finding.to_string())?;
        } else {
            show::line(&format!(
                "{:<8} {}:{line} {rule}: {sentence} ({})",
                severity.as_str(),
                file.display(),
                kind.as_str()
            ))?;
        }
    }
    let is_bad = findings.iter().any(|finding| finding.severity > Severity::Note);
    if !as_json {
        let rules = policy.rules().count();
        let objections = findings
            .iter()
            .filter(|finding| finding.severity > Severity::Note)
            .count();
        let against = match &labels {
            Some(labels) => format!("held against the {} labels of its model", labels.len()),
            None => "no model beside it to hold it against".to_owned(),
        };
        show::line(&format!(
            "{}: {rules} rules, {objections} to be mended; {against}",
            file.display()
        ))?;
    }
    Ok(if is_bad { Outcome::Objection } else { Outcome::Done })
}

/// The labels of the model that the policy lies beside: those that any of its versions gives.
fn labels_beside(file: &Path) -> Option<Vec<Label>> {
    let model = file.parent().filter(|parent| !parent.as_os_str().is_empty())?;
    let mut labels = Vec::new();
    for version in fs::read_dir(model).ok()?.filter_map(Result::ok) {
        let Ok(text) = fs::read_to_string(version.path().join("labels")) else {
            continue;
        };
        labels.extend(text.lines().filter_map(|line| line.trim().parse::<Label>().ok()));
    }
    labels.sort();
    labels.dedup();
    (!labels.is_empty()).then_some(labels)
}

fn test_one(file: &Path, policy: &Policy, as_json: bool) -> anyhow::Result<Outcome> {
    let outcomes = policy.run_examples();
    for outcome in &outcomes {
        let ExampleOutcome {
            name,
            line,
            passed,
            sentence,
        } = outcome;
        if as_json {
            let outcome =
                json!({ "file": file, "example": name, "line": line, "passed": passed, "sentence": sentence });
            show::line(&outcome.to_string())?;
        } else if !passed {
            show::line(&format!("failed   {}:{line} {name}: {sentence}", file.display()))?;
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    if !as_json {
        show::line(&match (outcomes.len(), failed) {
            (0, _) => format!("{}: no [[example]] stands beside its rules", file.display()),
            (all, 0) => format!("{}: all {all} examples are judged as they say", file.display()),
            (all, failed) => format!("{}: {failed} of {all} examples are judged otherwise", file.display()),
        })?;
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Objection })
}

fn show_one(file: &Path, policy: &Policy, as_json: bool) -> anyhow::Result<Outcome> {
    if as_json {
        for rule in policy.rules() {
            show::line(&as_object(file, &rule).to_string())?;
        }
        return Ok(Outcome::Done);
    }
    let mut table = show::table(&["RULE", "ABOUT", "WHERE", "IF", "THEN", "FROM", "UNTIL", "OWNER"]);
    for rule in policy.rules() {
        table.add_row(vec![
            Cell::new(rule.id).fg(Color::Cyan),
            Cell::new(&rule.subject),
            Cell::new(&rule.places),
            Cell::new(&rule.conditions),
            Cell::new(&rule.effect),
            Cell::new(rule.starts.as_deref().unwrap_or_default()),
            Cell::new(rule.ends.as_deref().unwrap_or_default()),
            Cell::new(rule.owner.unwrap_or_default()),
        ]);
    }
    show::print_table(&table)?;
    Ok(Outcome::Done)
}

fn as_object(file: &Path, rule: &RuleView<'_>) -> serde_json::Value {
    json!({
        "file": file, "rule": rule.id, "line": rule.line, "subject": rule.subject, "places": rule.places,
        "conditions": rule.conditions, "effect": rule.effect, "text": rule.text, "owner": rule.owner,
        "source": rule.source, "review_by": rule.review_by, "starts": rule.starts, "ends": rule.ends,
    })
}
