//! `vigie models`: what lies in the repository, what serves, and how the shadow compares.

use std::io;
use std::time::SystemTime;

use comfy_table::Cell;
use futures_util::StreamExt;

use super::arguments::ModelsWanted;
use super::{Outcome, show};
use crate::wire::to_json;
use crate::wire::vigie::{Execution, ListModelsResponse, ModelSummary, ModelVersion, RunCost, ShadowSummary};

pub(super) async fn run(wanted: ModelsWanted) -> anyhow::Result<Outcome> {
    let client = wanted.server.connect().await?;
    if !wanted.watch {
        let answer = if wanted.model.is_empty() {
            client.list_models().await?
        } else {
            let model = client.get_model(&wanted.model).await?;
            ListModelsResponse {
                models: model.versions,
                summaries: model.summary.into_iter().collect(),
            }
        };
        show_models(&answer, (wanted.server.json, !wanted.model.is_empty()))?;
        return Ok(Outcome::Done);
    }
    let mut views = client.watch_models(&wanted.model).await?;
    while let Some(view) = views.next().await {
        let view = view?;
        if !wanted.server.json {
            show::line(&show::quiet(
                &humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            ))?;
        }
        show_models(
            &ListModelsResponse {
                models: view.models,
                summaries: view.summaries,
            },
            (wanted.server.json, !wanted.model.is_empty()),
        )?;
    }
    anyhow::bail!("the server has ended the watch; is it stopping?")
}

fn show_models(answer: &ListModelsResponse, (as_json, in_full): (bool, bool)) -> anyhow::Result<()> {
    if as_json {
        let json = to_json(answer, "vigie.v1.ListModelsResponse").map_err(anyhow::Error::msg)?;
        return Ok(show::line(&json.to_string())?);
    }
    if answer.models.is_empty() && answer.summaries.is_empty() {
        return Ok(show::line(
            "no model yet: put one into the repository, as models/NAME/1/model.onnx",
        )?);
    }
    let mut table = show::table(&["MODEL", "VERSION", "REVISION", "STATE", "ROLE", "LOADED", "REASON"]);
    let now = SystemTime::now();
    for version in &answer.models {
        let loaded = version
            .loaded_at
            .as_ref()
            .map(|at| show::ago(at.seconds, now))
            .unwrap_or_default();
        table.add_row(vec![
            Cell::new(&version.model),
            show::number(version.version),
            Cell::new(show::short(&version.revision)),
            show::state(&version.state),
            Cell::new(role(version)),
            Cell::new(loaded),
            Cell::new(&version.reason),
        ]);
    }
    show::print_table(&table)?;
    for version in &answer.models {
        // Told of a model that was asked for by name: it is long.
        if let Some(execution) = version.execution.as_ref().filter(|_| in_full) {
            let sentence = execution_sentence(execution);
            show::line(&format!("{} {}: {sentence}", version.model, version.version))?;
        }
    }
    for summary in &answer.summaries {
        show_summary(summary)?;
    }
    Ok(())
}

fn role(version: &ModelVersion) -> String {
    let canary = (version.canary_share > 0.0).then(|| format!("canary {:.0} %", 100.0 * version.canary_share));
    let roles = [
        version.live.then(|| "live".to_owned()),
        version.shadow.then(|| "shadow".to_owned()),
        canary,
    ];
    roles.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How a version is run and why, in a sentence.
fn execution_sentence(execution: &Execution) -> String {
    let milliseconds = |seconds: f64| format!("{:.2} ms", 1e3 * seconds);
    let plural = |count: u32, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let run = |run: &RunCost| {
        let threads = if run.threads > 1 {
            format!(" on {} threads", run.threads)
        } else {
            String::new()
        };
        let changes = if run.same_answers {
            ""
        } else {
            " (changes answers: not used)"
        };
        format!("of {}{threads} {}{changes}", run.batch, milliseconds(run.seconds))
    };
    let runs: Vec<String> = execution.runs.iter().map(run).collect();
    let measured = if runs.is_empty() {
        "; not measured".to_owned()
    } else {
        format!("; a run {}", runs.join(", "))
    };
    let together = match execution.batch {
        0 | 1 => "each picture by itself".to_owned(),
        batch => format!("up to {batch} pictures together"),
    };
    let aim = match execution.latency_bound_seconds {
        Some(bound) => format!("runs of at most {}", milliseconds(bound)),
        None => "throughput".into(),
    };
    let (sessions, threads) = (
        plural(execution.sessions, "session"),
        plural(execution.threads, "thread"),
    );
    format!("{sessions} of {threads}, {together}, for {aim}{measured}")
}

fn show_summary(summary: &ModelSummary) -> io::Result<()> {
    if let Some(shadow) = &summary.shadow {
        show::line(&format!("\n{}: {}", summary.model, shadow_sentence(shadow)))?;
    }
    for problem in &summary.problems {
        show::line(&format!("\n{}: {problem}", summary.model))?;
    }
    Ok(())
}

/// How the shadow compares, in a sentence.
fn shadow_sentence(shadow: &ShadowSummary) -> String {
    if shadow.judged == 0 {
        return format!("version {} is in shadow and has judged nothing yet", shadow.candidate);
    }
    let differing = [
        (shadow.newly_blocked, "newly blocked"),
        (shadow.newly_allowed, "newly allowed"),
        (shadow.other, "other differences"),
        (shadow.shed, "left out under load"),
        (shadow.failed, "failed"),
    ];
    let told: Vec<String> = differing
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let told = if told.is_empty() {
        String::new()
    } else {
        format!("; {}", told.join(", "))
    };
    let flips = shadow.newly_blocked + shadow.newly_allowed + shadow.other;
    let verdicts = shadow.agreed + flips;
    format!(
        "version {} in shadow agrees on {} of {verdicts} verdicts over {} products{told}{}",
        shadow.candidate,
        show::share(shadow.agreed, verdicts),
        shadow.judged,
        if flips > 0 {
            " (vigie models flips lists them)"
        } else {
            ""
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shadow_is_told_in_a_sentence() {
        let shadow = ShadowSummary {
            candidate: 2,
            judged: 100,
            agreed: 190,
            newly_blocked: 10,
            ..ShadowSummary::default()
        };
        assert_eq!(
            shadow_sentence(&shadow),
            "version 2 in shadow agrees on 95.0 % of 200 verdicts over 100 products; 10 newly blocked (vigie models flips lists them)"
        );
        assert!(shadow_sentence(&ShadowSummary::default()).contains("nothing yet"));
    }

    #[test]
    fn how_a_version_is_run_is_told_in_a_sentence() {
        let run = |batch, seconds, same_answers| RunCost {
            threads: 1,
            batch,
            seconds,
            same_answers,
        };
        let execution = Execution {
            threads: 1,
            sessions: 2,
            batch: 4,
            runs: vec![run(1, 0.001, true), run(4, 0.0035, true), run(8, 0.0061, false)],
            latency_bound_seconds: Some(0.005),
        };
        assert_eq!(
            execution_sentence(&execution),
            "2 sessions of 1 thread, up to 4 pictures together, for runs of at most 5.00 ms; a run of 1 1.00 ms, of 4 3.50 ms, of 8 6.10 ms \
             (changes answers: not used)"
        );
    }

    #[test]
    fn a_version_may_have_several_roles_or_none() {
        let version = ModelVersion {
            live: true,
            canary_share: 0.25,
            ..ModelVersion::default()
        };
        assert_eq!(role(&version), "live, canary 25 %");
        assert_eq!(role(&ModelVersion::default()), "");
    }
}
