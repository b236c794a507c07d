//! `vigie check` and `vigie add`: what is wrong with a repository and how to mend it; new versions without pain.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use comfy_table::{Attribute, Cell, Color};
use indicatif::ProgressBar;
use serde_json::json;

use super::arguments::{AddArguments, CheckArguments};
use super::serve::settings_of;
use super::{Outcome, show};
use crate::app::Offline;
use crate::repository::{AddRequest, Added, CheckReport, Finding, GoldenSource, Severity, VersionCheck, check};

/// `vigie check`.
pub(super) fn run_check(arguments: &CheckArguments) -> anyhow::Result<Outcome> {
    let report = if arguments.skip_proof {
        check(&arguments.repository, None)?
    } else {
        let offline = Offline::new(&settings_of(arguments.config.clone())?)?;
        let progress = spinner(arguments.json);
        let report = offline.check(&arguments.repository, |model| {
            progress.set_message(format!("proving {model}"))
        });
        progress.finish_and_clear();
        report?
    };
    if arguments.json {
        show::line(&serde_json::to_string(&report)?)?;
    } else {
        show_report(&report)?;
    }
    Ok(if report.has_errors() {
        Outcome::Objection
    } else {
        Outcome::Done
    })
}

fn spinner(is_hidden: bool) -> ProgressBar {
    if is_hidden || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

fn show_report(report: &CheckReport) -> io::Result<()> {
    let mut table = show::table(&["VERSION", "RESULT", "REVISION", "SERVES", "GOLDEN SCORES"]);
    for (name, model) in &report.models {
        for (version, found) in &model.versions {
            table.add_row(vec![
                Cell::new(format!("{name}/{version}")),
                result(worst(&found.findings)),
                Cell::new(found.revision.map(|revision| revision.0.short()).unwrap_or_default()),
                Cell::new(serves(found)),
                Cell::new(golden(found)),
            ]);
        }
    }
    if !table.is_empty() {
        show::print_table(&table)?;
    }
    let mut counts = [0_usize; 3];
    for (about, finding) in report.findings() {
        counts[finding.severity as usize] += 1;
        let about = if about.is_empty() {
            report.repository.display().to_string()
        } else {
            about
        };
        show::line(&format!("\n{}  {about}: {}", severity(finding.severity), finding.text))?;
        if !finding.mend.is_empty() {
            show::line(&format!("  to mend it: {}", finding.mend))?;
        }
    }
    let versions: usize = report.models.values().map(|model| model.versions.len()).sum();
    let [notes, warnings, errors] = counts;
    show::line(&format!(
        "\n{} and {}: {}, {}, {}",
        many(report.models.len(), "model"),
        many(versions, "version"),
        many(errors, "error"),
        many(warnings, "warning"),
        many(notes, "note"),
    ))
}

fn worst(findings: &[Finding]) -> Severity {
    findings
        .iter()
        .map(|finding| finding.severity)
        .max()
        .unwrap_or(Severity::Note)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(worst: Severity) -> Cell {
    match worst {
        Severity::Note => Cell::new("good").fg(Color::Green),
        Severity::Warning => Cell::new("good, with a warning").fg(Color::Yellow),
        Severity::Error => Cell::new("does not serve")
            .fg(Color::Red)
            .add_attribute(Attribute::Bold),
    }
}

fn serves(found: &VersionCheck) -> String {
    match (found.revision, found.judges) {
        (None, _) => String::new(),
        (Some(_), true) => format!("pictures, {}", many(found.labels, "label")),
        (Some(_), false) => "tensors".to_owned(),
    }
}

fn golden(found: &VersionCheck) -> String {
    match found.proved {
        Some(proved) if proved.golden_cases > 0 => {
            format!(
                "{} reproduced within {:.1e}",
                many(proved.golden_cases, "picture"),
                proved.worst
            )
        }
        Some(_) => "none; it loads and runs".to_owned(),
        None => String::new(),
    }
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `vigie add`.
pub(super) fn run_add(arguments: AddArguments) -> anyhow::Result<Outcome> {
    let offline = Offline::new(&settings_of(arguments.config.clone())?)?;
    let as_json = arguments.json;
    let progress = spinner(as_json);
    progress.set_message("proving and scoring");
    let added = match &arguments.reseal {
        Some(directory) => offline.reseal(directory),
        None => offline.add(&request(arguments)?),
    };
    progress.finish_and_clear();
    let added = added?;
    if as_json {
        show::line(&as_value(&added).to_string())?;
    } else {
        show_added(&added)?;
    }
    Ok(Outcome::Done)
}

fn request(arguments: AddArguments) -> anyhow::Result<AddRequest> {
    let both = arguments.onnx.zip(arguments.to);
    let (onnx, model) =
        both.ok_or_else(|| anyhow::anyhow!("say what to add and to which model: vigie add MODEL.onnx --to NAME"))?;
    Ok(AddRequest {
        repository: arguments.repository,
        model,
        onnx,
        like: arguments.like,
        samples: arguments.samples,
        scores: arguments.scores,
    })
}

/// What golden scores of this origin prove.
fn proves(golden: Option<GoldenSource>) -> Option<&'static str> {
    golden.map(|source| match source {
        GoldenSource::Training => "from the training pipeline: they prove that it judges as in training",
        GoldenSource::Itself => {
            "from the model itself: they prove that it goes on judging as now, not that it judges as in training"
        }
    })
}

fn show_added(added: &Added) -> io::Result<()> {
    show::line(&format!(
        "version {} is whole: {}",
        added.version,
        added.directory.display()
    ))?;
    show::line(&format!("revision {}", added.revision))?;
    if let Some(like) = added.like {
        show::line(&format!("labels and preprocessing as in version {like}"))?;
    }
    if let Some(proves) = proves(added.golden) {
        show::line(&format!("golden scores {proves}"))?;
    }
    for remark in &added.remarks {
        show::line(&format!("note: {remark}"))?;
    }
    show::line(&show::quiet(
        "\na running server has seen it already: vigie models shows what became of it",
    ))
}

fn as_value(added: &Added) -> serde_json::Value {
    let directory: &PathBuf = &added.directory;
    json!({
        "version": added.version,
        "directory": directory,
        "revision": added.revision,
        "like": added.like,
        "golden": added.golden.map(|source| match source {
            GoldenSource::Training => "training",
            GoldenSource::Itself => "self",
        }),
        "remarks": added.remarks,
    })
}
