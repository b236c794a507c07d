//! Drawing a trace: each span a bar where it began, as wide as it took.
//!
//! What ran after the answer, as the shadow does, may take many times as long as the answer, and is not what the caller waited for. So in
//! a line of the list only the answer is drawn, and on a trace's own page the answer keeps three quarters of the width at least.

use std::time::Duration;

use super::pages::Escaped;
use crate::telemetry::{SpanRecord, TraceRecord};

/// Spans whose colours people learn, by the classes of `style.css`; others share them by their letters.
const KNOWN: [(&str, usize); 10] = [
    ("decode", 1),
    ("prepare", 2),
    ("infer", 3),
    ("judge", 4),
    ("queue", 5),
    ("shadow", 6),
    ("seal", 1),
    ("prove", 5),
    ("load", 7),
    ("golden", 4),
];
/// Of what other spans are part of.
const WHOLE: usize = 0;
const COLOURS: usize = 8;
/// Percent of the width that the answer has at least.
const ANSWER: f64 = 75.0;

/// Where a moment of a trace stands, in percent of the width.
#[derive(Clone, Copy)]
struct Scale {
    answer: f64,
    end: f64,
    /// Where the answer ends.
    split: f64,
}

impl Scale {
    fn of(trace: &TraceRecord) -> Self {
        let ends = trace.spans.iter().map(|span| span.offset.saturating_add(span.duration));
        let end = ends.fold(trace.duration, Duration::max).as_secs_f64();
        let answer = trace.duration.as_secs_f64();
        let split = if end > answer {
            (100.0 * answer / end).max(ANSWER)
        } else {
            100.0
        };
        Self { answer, end, split }
    }

    /// The answer alone.
    fn of_answer(trace: &TraceRecord) -> Self {
        let answer = trace.duration.as_secs_f64();
        Self {
            answer,
            end: answer,
            split: 100.0,
        }
    }

    fn at(self, moment: Duration) -> f64 {
        let moment = moment.as_secs_f64();
        let part = |of: f64, whole: f64| if whole > 0.0 { (of / whole).clamp(0.0, 1.0) } else { 0.0 };
        if moment <= self.answer {
            return self.split * part(moment, self.answer);
        }
        self.split + (100.0 - self.split) * part(moment - self.answer, self.end - self.answer)
    }
}

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

/// The answer's spans over each other in one line: what is nested deeper covers what it is part of.
pub fn bars(trace: &TraceRecord) -> String {
    let scale = Scale::of_answer(trace);
    let mut spans: Vec<&SpanRecord> = trace.spans.iter().filter(|span| !is_later(span, trace)).collect();
    spans.sort_by_key(|span| span.depth);
    let bars: String = spans.into_iter().map(|span| bar(span, trace, scale)).collect();
    format!("<div class=\"line\">{bars}</div>")
}

/// One row a span, with what was noted in it.
pub fn rows(trace: &TraceRecord) -> String {
    let scale = Scale::of(trace);
    let rows: String = trace.spans.iter().map(|span| row(span, trace, scale)).collect();
    format!(
        "<div class=\"waterfall\" style=\"--answer:{:.3}%\">{rows}</div>",
        scale.split
    )
}

/// A span's name without its package: `AdSafety/Classify`.
pub fn named(name: &str) -> &str {
    let Some((path, _)) = name.split_once('/') else {
        return name;
    };
    let package = path.rfind('.').map_or(0, |dot| dot + 1);
    name.get(package..).unwrap_or(name)
}

/// The names that occur, each with its colour.
pub fn legend(traces: &[TraceRecord]) -> String {
    let occurs = |name: &str| {
        traces
            .iter()
            .flat_map(|trace| &trace.spans)
            .any(|span| span.name == name)
    };
    let items: String = KNOWN
        .iter()
        .filter(|(name, _)| occurs(name))
        .map(|(name, colour)| format!("<li><i class=\"c{colour}\"></i>{name}</li>"))
        .collect();
    format!("<ul class=\"legend\">{items}</ul>")
}

fn row(span: &SpanRecord, trace: &TraceRecord, scale: Scale) -> String {
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
        Escaped(named(&span.name)),
        bar(span, trace, scale),
        shown(span.duration),
        failure.unwrap_or_default(),
        Escaped(&span.span_id),
        shown(span.offset),
    )
}

fn bar(span: &SpanRecord, trace: &TraceRecord, scale: Scale) -> String {
    let (from, to) = (
        scale.at(span.offset),
        scale.at(span.offset.saturating_add(span.duration)),
    );
    format!(
        "<b class=\"c{}{}{}\" style=\"left:{from:.3}%;width:{:.3}%\" title=\"{} {}\"></b>",
        colour(span),
        if is_later(span, trace) { " later" } else { "" },
        if span.failure.is_some() { " failed" } else { "" },
        to - from,
        Escaped(named(&span.name)),
        shown(span.duration),
    )
}

/// Whether it began after the answer.
pub fn is_later(span: &SpanRecord, trace: &TraceRecord) -> bool {
    span.offset >= trace.duration && span.depth > 0
}

fn colour(span: &SpanRecord) -> usize {
    let known = KNOWN
        .iter()
        .find(|(name, _)| *name == span.name)
        .map(|(_, colour)| *colour);
    let by_letters = span.name.bytes().map(usize::from).sum::<usize>() % (COLOURS - 1) + 1;
    let own = if span.depth == 0 || span.name == "item" {
        WHOLE
    } else {
        by_letters
    };
    known.unwrap_or(own)
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

    #[test]
    fn the_answer_keeps_its_place_however_long_the_shadow_takes() {
        let scale = Scale {
            answer: 0.01,
            end: 10.0,
            split: ANSWER,
        };
        let at = |milliseconds| scale.at(Duration::from_millis(milliseconds));
        assert_eq!([at(0), at(5), at(10), at(10_000)], [0.0, 37.5, 75.0, 100.0]);
        let nothing = Scale {
            answer: 0.0,
            end: 0.0,
            split: 100.0,
        };
        assert_eq!(nothing.at(Duration::ZERO), 0.0);
    }

    #[test]
    fn a_method_is_named_without_its_package() {
        assert_eq!(named("vigie.v1.AdSafety/Classify"), "AdSafety/Classify");
        assert_eq!(named("swap"), "swap");
    }
}
