//! Drawing a trace: each span a bar where it began, as wide as it took.
//!
//! Places are percentages of the trace's whole length, later work included, so that what ran after the answer is seen to be after it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::pages::Escaped;
use crate::telemetry::{SpanRecord, TraceRecord};

/// Colours in `style.css`: `c0` to `c7`.
const COLOURS: usize = 8;
/// Names in the order of their colours; other names share the colours by their letters.
const KNOWN: [&str; COLOURS] = [
    "classify", "decode", "prepare", "infer", "judge", "queue", "shadow", "swap",
];

/// A duration for people: three digits and a unit.
pub fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

/// All spans of a trace over each other in one line: what is nested deeper covers what it is part of.
pub fn bars(trace: &TraceRecord) -> String {
    let whole = whole(trace);
    let mut spans: Vec<&SpanRecord> = trace.spans.iter().collect();
    spans.sort_by_key(|span| span.depth);
    let bars: String = spans.into_iter().map(|span| bar(span, trace, whole)).collect();
    format!("<div class=\"line\">{bars}</div>")
}

/// One row a span, with what was noted in it.
pub fn rows(trace: &TraceRecord) -> String {
    let whole = whole(trace);
    let rows: String = trace.spans.iter().map(|span| row(span, trace, whole)).collect();
    let answer = share(trace.duration, whole);
    format!("<div class=\"waterfall\" style=\"--answer:{answer:.3}%\">{rows}</div>")
}

/// The names that occur, each with its colour.
pub fn legend(traces: &[TraceRecord]) -> String {
    let names: BTreeMap<usize, &str> = traces
        .iter()
        .flat_map(|trace| &trace.spans)
        .filter_map(|span| Some((known(&span.name)?, span.name.as_str())))
        .collect();
    let items: String = names
        .into_iter()
        .map(|(colour, name)| format!("<li><i class=\"c{colour}\"></i>{}</li>", Escaped(name)))
        .collect();
    format!("<ul class=\"legend\">{items}</ul>")
}

fn row(span: &SpanRecord, trace: &TraceRecord, whole: Duration) -> String {
    let attributes: String = span
        .attributes
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(value)))
        .collect();
    let events: String = span
        .events
        .iter()
        .map(|event| format!("<dt>{}</dt><dd>{}</dd>", shown(event.offset), Escaped(&event.text)))
        .collect();
    let failure = span.failure.as_deref().map(|why| {
        let why = if why.is_empty() { "failed" } else { why };
        format!("<p class=\"failure\">{}</p>", Escaped(why))
    });
    format!(
        "<details{}><summary><span class=\"label\" style=\"--depth:{}\">{}</span><span class=\"line\">{}</span><span class=\"number\">{}</span></summary>\
         {}<dl><dt>span</dt><dd><code>{}</code></dd><dt>began after</dt><dd>{}</dd>{attributes}{events}</dl></details>",
        if failure.is_some() {
            " class=\"failed\" open"
        } else {
            ""
        },
        span.depth,
        Escaped(&span.name),
        bar(span, trace, whole),
        shown(span.duration),
        failure.unwrap_or_default(),
        Escaped(&span.span_id),
        shown(span.offset),
    )
}

fn bar(span: &SpanRecord, trace: &TraceRecord, whole: Duration) -> String {
    let later = span.offset >= trace.duration && span.depth > 0;
    format!(
        "<b class=\"c{}{}{}\" style=\"left:{:.3}%;width:{:.3}%\" title=\"{} {}\"></b>",
        colour(&span.name),
        if later { " later" } else { "" },
        if span.failure.is_some() { " failed" } else { "" },
        share(span.offset, whole),
        share(span.duration, whole),
        Escaped(&span.name),
        shown(span.duration),
    )
}

fn whole(trace: &TraceRecord) -> Duration {
    let ends = trace.spans.iter().map(|span| span.offset.saturating_add(span.duration));
    ends.chain([trace.duration]).max().unwrap_or_default()
}

/// A part in percent.
fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        0.0
    } else {
        100.0 * part.as_secs_f64() / whole.as_secs_f64()
    }
}

fn known(name: &str) -> Option<usize> {
    KNOWN.iter().position(|known| *known == name)
}

fn colour(name: &str) -> usize {
    known(name).unwrap_or_else(|| name.bytes().map(usize::from).sum::<usize>() % COLOURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        let cases = [
            (250, "250 µs"),
            (1_234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (2_500_000, "2.50 s"),
            (0, "0.00 µs"),
        ];
        for (microseconds, expected) in cases {
            assert_eq!(shown(Duration::from_micros(microseconds)), expected);
        }
    }
}
