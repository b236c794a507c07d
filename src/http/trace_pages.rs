//! `/traces`: the remembered traces, as a page and as JSON, filtered by text, by failure and by duration.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::pages::{Escaped, not_found, page};
use super::server::AdminState;
use super::waterfall::{bars, is_later, legend, named, rows, shown};
use crate::telemetry::TraceRecord;

/// What the caller wants to see. Every field comes from a form, and so may be empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Somewhere in the trace's id, a name, an attribute, an event or a failure; upper and lower case are one.
    text: String,
    /// The shortest duration, in milliseconds.
    at_least: String,
    /// Anything: failed traces alone.
    failed: String,
    /// `slowest`: the slowest first, else the latest.
    order: String,
    /// `json`: for machines.
    format: String,
}

impl Wanted {
    fn keeps(&self, trace: &TraceRecord) -> bool {
        let shortest = self
            .at_least
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
        let text = self.text.trim().to_lowercase();
        (self.failed.is_empty() || trace.failed)
            && shortest.is_none_or(|shortest| trace.duration >= shortest)
            && (text.is_empty() || texts(trace).any(|found| found.to_lowercase().contains(&text)))
    }

    fn choose(&self, mut traces: Vec<TraceRecord>) -> Vec<TraceRecord> {
        traces.retain(|trace| self.keeps(trace));
        if self.order == "slowest" {
            traces.sort_by_key(|trace| std::cmp::Reverse(trace.duration));
        }
        traces
    }
}

/// Every text of a trace that people may look for.
fn texts(trace: &TraceRecord) -> impl Iterator<Item = &str> {
    let of_spans = trace.spans.iter().flat_map(|span| {
        let attributes = span
            .attributes
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let events = span.events.iter().map(|event| event.text.as_str());
        attributes
            .chain(events)
            .chain(span.failure.as_deref())
            .chain([span.name.as_str()])
    });
    of_spans.chain([trace.trace_id.as_str()])
}

/// All that is wanted.
pub async fn list(State(state): State<AdminState>, Query(wanted): Query<Wanted>) -> Response {
    let remembered = state.traces.list();
    let total = remembered.len();
    let traces = wanted.choose(remembered);
    if wanted.format == "json" {
        return axum::Json(serde_json::json!({ "traces": traces })).into_response();
    }
    list_page(&wanted, &traces, total).into_response()
}

/// One trace.
pub async fn one(
    State(state): State<AdminState>,
    Path(trace_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match state.traces.get(&trace_id) {
        Some(trace) if wanted.format == "json" => axum::Json(trace).into_response(),
        Some(trace) => trace_page(&trace).into_response(),
        None => {
            let why =
                "This trace is not remembered, or not finished. The latest, the failed and the slow ones are kept.";
            (StatusCode::NOT_FOUND, not_found(why)).into_response()
        }
    }
}

fn list_page(wanted: &Wanted, traces: &[TraceRecord], total: usize) -> Html<String> {
    let rows: String = traces.iter().map(list_row).collect();
    let empty = match (traces.is_empty(), total) {
        (false, _) => "",
        (true, 0) => {
            "<p class=\"empty\">Nothing has been asked yet. Try <code>vigie classify</code> with a picture.</p>"
        }
        (true, _) => "<p class=\"empty\">No trace is like this.</p>",
    };
    let body = format!(
        "<nav><a href=\"/\">Vigie</a></nav><h1>Traces</h1>{}<p class=\"quiet\">{} of {total} remembered. The width of a line is \
         the time of its answer.</p>{}<table class=\"traces\"><tbody>{rows}</tbody></table>{empty}",
        form(wanted),
        traces.len(),
        legend(traces),
    );
    page("Traces", &body)
}

fn form(wanted: &Wanted) -> String {
    let checked = |on: bool| if on { " checked" } else { "" };
    let slowest = wanted.order == "slowest";
    let selected = |on: bool| if on { " selected" } else { "" };
    format!(
        "<form method=\"get\" action=\"/traces\"><input type=\"search\" name=\"text\" value=\"{}\" placeholder=\"id, product, model, reason…\" aria-label=\"Text\">\
         <label>at least <input type=\"number\" name=\"at_least\" min=\"0\" step=\"any\" value=\"{}\"> ms</label>\
         <label><input type=\"checkbox\" name=\"failed\" value=\"1\"{}> failed</label>\
         <select name=\"order\" aria-label=\"Order\"><option value=\"latest\"{}>latest first</option><option value=\"slowest\"{}>slowest first</option></select>\
         <button>Show</button></form>",
        Escaped(&wanted.text),
        Escaped(&wanted.at_least),
        checked(!wanted.failed.is_empty()),
        selected(!slowest),
        selected(slowest),
    )
}

fn list_row(trace: &TraceRecord) -> String {
    let failure = trace
        .spans
        .iter()
        .find_map(|span| span.failure.as_deref())
        .filter(|_| trace.failed);
    let note = failure
        .map(|failure| format!("<div class=\"failure\">{}</div>", Escaped(failure)))
        .unwrap_or_default();
    format!(
        "<tr{}><td class=\"when\">{}</td><td class=\"name\"><a href=\"/traces/{}\">{}</a>{note}</td><td class=\"number\">{}</td><td class=\"bars\">{}</td></tr>",
        if trace.failed { " class=\"failed\"" } else { "" },
        clock(trace),
        Escaped(&trace.trace_id),
        Escaped(named(&trace.name)),
        shown(trace.duration),
        bars(trace),
    )
}

fn trace_page(trace: &TraceRecord) -> Html<String> {
    let left_out = match trace.spans_left_out {
        0 => String::new(),
        count => format!("<p class=\"quiet\">{count} more spans were left out.</p>"),
    };
    let later = if trace.spans.iter().any(|span| is_later(span, trace)) {
        "<p class=\"quiet\">The dashed line is the answer. What is hatched ran after it, and has a scale of its own.</p>"
    } else {
        ""
    };
    let body = format!(
        "<nav><a href=\"/\">Vigie</a> / <a href=\"/traces\">Traces</a></nav><h1>{}{}</h1>\
         <p class=\"quiet\"><code>{}</code> · {} · <strong>{}</strong> · <a href=\"?format=json\">JSON</a></p>{}{left_out}{later}",
        Escaped(named(&trace.name)),
        if trace.failed {
            " <span class=\"badge\">failed</span>"
        } else {
            ""
        },
        Escaped(&trace.trace_id),
        humantime::format_rfc3339_millis(trace.started),
        shown(trace.duration),
        rows(trace),
    );
    page(named(&trace.name), &body)
}

/// The time of day, UTC, to the millisecond.
fn clock(trace: &TraceRecord) -> String {
    let full = humantime::format_rfc3339_millis(trace.started).to_string();
    let time = full.split_once('T').map_or(full.as_str(), |(_, time)| time);
    format!(
        "<time datetime=\"{full}\" title=\"{full}\">{}</time>",
        time.trim_end_matches('Z')
    )
}
