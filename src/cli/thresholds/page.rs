//! The curves as one HTML page that needs nothing else: no script, no other file, light or dark as the reader's screen is.
//!
//! Two drawings a label: how much is held back, on a logarithmic scale, and how often that is wrong in either direction, with intervals.

use std::fmt::Write;

use super::plot::decades;
use super::told;
use crate::wire::vigie::{ThresholdBasis, ThresholdCurve, ThresholdPoint, ThresholdRate, Verdict};

/// The drawing's area within its 520 × 256 units: left, right, top, bottom.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 508.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 230.0;

const STYLE: &str = "\
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2430; --quiet: #667084; --line: #dfe3ea; --held: #3b6fd4; --missed: #c2362b;
  --wrong: #b97a09; --named: #1b7f4b; --card: #f7f8fa; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161d; --ink: #e4e8ef; --quiet: #98a2b3; --line: #2c3442; --held: #7ba4f4;
  --missed: #f0857b; --wrong: #e5b454; --named: #63cc95; --card: #1a202a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 0; }
.quiet { color: var(--quiet); } p { margin: .35rem 0; }
section { margin-top: 2rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.goal { border-left: 4px solid var(--named); padding-left: .75rem; font-weight: 600; } .goal.not { border-color: var(--missed); }
.drawings { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; } figcaption { font-size: .85rem; color: var(--quiet); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--quiet); font-size: 11px; }
.grid { stroke: var(--line); stroke-width: 1; } .area { fill: var(--held); opacity: .22; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; } .held { stroke: var(--held); }
.missed { stroke: var(--missed); } .wrong { stroke: var(--wrong); }
.band { opacity: .16; } .band.missed { fill: var(--missed); stroke: none; } .band.wrong { fill: var(--wrong); stroke: none; }
.now { stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 4 3; } .named { stroke: var(--named); stroke-width: 2; }
svg text.at-named { fill: var(--named); font-weight: 600; } .key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: right; padding: .2rem .9rem .2rem 0; white-space: nowrap; } th { color: var(--quiet); font-weight: 500; font-size: .75rem; }
td:last-child, th:last-child { text-align: left; } tr + tr td { border-top: 1px solid var(--line); }
";

/// The whole page.
pub(super) fn page(basis: &ThresholdBasis, curves: &[ThresholdCurve]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Thresholds of {model}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Thresholds of {model}</h1>\n<p class=\"quiet\">{}</p>\n",
        escaped(&told::basis(basis)),
        model = escaped(&basis.model),
    );
    for curve in curves {
        page.push_str(&section(basis, curve));
    }
    page.push_str("<section class=\"notes\">\n<h2>How to read it</h2>\n");
    for note in told::notes(basis, curves) {
        page.push_str(&format!("<p class=\"quiet\">{}</p>\n", escaped(&note)));
    }
    page.push_str("</section>\n</body>\n</html>\n");
    page
}

fn section(basis: &ThresholdBasis, curve: &ThresholdCurve) -> String {
    let mut section = format!(
        "<section>\n<h2>{}</h2>\n<p class=\"quiet\">{}</p>\n",
        escaped(&curve.label),
        escaped(&told::known(curve))
    );
    if let Some(named) = &curve.named {
        let class = if named.meets { "goal" } else { "goal not" };
        let sentence = told::without_label(&named.sentence, &curve.label);
        section.push_str(&format!("<p class=\"{class}\">{}</p>\n", escaped(sentence)));
    }
    let held = match basis.moved() {
        Verdict::Review => "held back",
        Verdict::Unspecified | Verdict::Allow | Verdict::Block => "blocked",
    };
    section.push_str("<div class=\"drawings\">\n");
    section.push_str(&how_much(curve, held));
    if curve.present + curve.absent > 0 {
        section.push_str(&how_wrong(curve, held));
    }
    section.push_str("</div>\n");
    section.push_str(&table(basis, curve));
    section.push_str("</section>\n");
    section
}

fn x(threshold: f64) -> f64 {
    LEFT + threshold * (RIGHT - LEFT)
}

/// A height from 0, at the bottom, to 1.
fn y(height: f64) -> f64 {
    BOTTOM - height.clamp(0.0, 1.0) * (BOTTOM - TOP)
}

/// The corners of a line of steps: the value of a threshold holds from the one before it on.
fn corners(curve: &ThresholdCurve, height: impl Fn(&ThresholdPoint) -> f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut before = 0.0;
    for point in &curve.points {
        let level = y(height(point));
        if corners.last().is_none_or(|(_, last)| *last != level) {
            corners.push((x(before), level));
        }
        before = point.threshold;
    }
    if let Some((_, last)) = corners.last().copied() {
        corners.push((x(before), last));
    }
    corners
}

/// The corners as a path: across, then up or down.
fn path(corners: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in corners.iter().enumerate() {
        // A text takes whatever is written to it.
        let _ = match at {
            0 => write!(path, "M{x:.1} {y:.1}"),
            _ => write!(path, "H{x:.1}V{y:.1}"),
        };
    }
    path
}

/// The area between two lines of steps.
fn between(upper: &[(f64, f64)], lower: &[(f64, f64)]) -> String {
    let mut area = path(upper);
    let mut lower = lower.iter().rev();
    if let Some((x, y)) = lower.next() {
        let _ = write!(area, "L{x:.1} {y:.1}");
    }
    for (x, y) in lower {
        // Backwards the step goes first: up or down, then across.
        let _ = write!(area, "V{y:.1}H{x:.1}");
    }
    area.push('Z');
    area
}

fn how_much(curve: &ThresholdCurve, held: &str) -> String {
    let decades = decades(curve.products) as f64;
    let height = |point: &ThresholdPoint| {
        let share = point.held as f64 / curve.products.max(1) as f64;
        if share > 0.0 {
            (1.0 + share.log10() / decades).max(0.0)
        } else {
            0.0
        }
    };
    let corners = corners(curve, height);
    let mut drawing = String::new();
    for decade in 0..=decades as i32 {
        let percent = 10.0_f64.powi(2 - decade);
        drawing.push_str(&line_across(1.0 - f64::from(decade) / decades, &format!("{percent} %")));
    }
    let line = path(&corners);
    let floor: Vec<(f64, f64)> = [corners.first(), corners.last()]
        .into_iter()
        .flatten()
        .map(|(x, _)| (*x, BOTTOM))
        .collect();
    let _ = writeln!(drawing, "<path class=\"area\" d=\"{}\"/>", between(&corners, &floor));
    let _ = writeln!(drawing, "<path class=\"curve held\" d=\"{line}\"/>");
    let caption = format!(
        "Share of {} products that would be {held} from a threshold on",
        curve.products
    );
    figure(curve, &drawing, &caption)
}

fn how_wrong(curve: &ThresholdCurve, held: &str) -> String {
    let mut drawing = String::new();
    for quarter in 0..=4 {
        let height = f64::from(quarter) / 4.0;
        drawing.push_str(&line_across(height, &format!("{:.0} %", height * 100.0)));
    }
    type Of = fn(&ThresholdPoint) -> Option<&ThresholdRate>;
    let wrong: Of = |point| point.wrongly_held.as_ref();
    let missed: Of = |point| point.missed.as_ref();
    for (class, draws, of) in [("wrong", curve.absent, wrong), ("missed", curve.present, missed)] {
        if draws == 0 {
            continue;
        }
        let line = |value: fn(&ThresholdRate) -> f64| corners(curve, |point| of(point).map_or(0.0, value));
        let (low, high) = (line(|rate| rate.low), line(|rate| rate.high));
        let middle = line(|rate| rate.hits as f64 / rate.draws.max(1) as f64);
        let _ = writeln!(drawing, "<path class=\"band {class}\" d=\"{}\"/>", between(&high, &low));
        let _ = writeln!(drawing, "<path class=\"curve {class}\" d=\"{}\"/>", path(&middle));
    }
    let caption = format!(
        "<span class=\"key\" style=\"background:var(--missed)\"></span> missed, of {} that show it; \
         <span class=\"key\" style=\"background:var(--wrong)\"></span> wrongly {held}, of {} that do not; with 95&nbsp;% intervals",
        curve.present, curve.absent
    );
    figure(curve, &drawing, &caption)
}

fn line_across(height: f64, text: &str) -> String {
    let y = y(height);
    format!(
        "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
        LEFT - 6.0,
        y + 4.0
    )
}

fn figure(curve: &ThresholdCurve, drawing: &str, caption: &str) -> String {
    let mut ticks = String::new();
    for fifth in 0..=5 {
        let threshold = f64::from(fifth) / 5.0;
        let _ = writeln!(
            ticks,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{threshold:.1}</text>",
            x(threshold),
            BOTTOM + 18.0
        );
    }
    format!(
        "<figure>\n<svg viewBox=\"0 0 520 256\" role=\"img\" aria-label=\"{}\">\n{drawing}{ticks}{}</svg>\n<figcaption>{caption}</figcaption>\n</figure>\n",
        escaped(&curve.label),
        marks(curve)
    )
}

/// The thresholds in force and the named one.
fn marks(curve: &ThresholdCurve) -> String {
    let review = curve.now_review.filter(|_| curve.now_review != curve.now_block);
    let named = curve.named.as_ref();
    let name = if named.is_some_and(|named| named.meets) {
        "named"
    } else {
        "nearest"
    };
    let marks = [
        ("now", "", "REVIEW now", review),
        ("now", "", "BLOCK now", curve.now_block),
        ("named", "at-named", name, named.and_then(|named| named.threshold)),
    ];
    let mut drawn = String::new();
    for (row, (class, of_text, name, threshold)) in marks.into_iter().enumerate() {
        let Some(threshold) = threshold else { continue };
        let at = x(threshold);
        // Texts lean to the side that has room, each above the one before.
        let (anchor, beside) = if threshold > 0.5 { ("end", -4.0) } else { ("start", 4.0) };
        let height = TOP - 8.0 - 12.0 * row as f64;
        let _ = writeln!(
            drawn,
            "<line class=\"{class}\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{height:.1}\" y2=\"{BOTTOM}\"/>\
             <text class=\"{of_text}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name} {}</text>",
            at + beside,
            height + 8.0,
            told::threshold(threshold)
        );
    }
    drawn
}

fn table(basis: &ThresholdBasis, curve: &ThresholdCurve) -> String {
    let (header, rows) = told::table(basis, curve);
    let line = |cell: &str, texts: &mut dyn Iterator<Item = String>| {
        let cells: String = texts
            .map(|text| format!("<{cell}>{}</{cell}>", escaped(&text)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let mut table = line("th", &mut header.into_iter().map(str::to_owned));
    for row in rows {
        table.push_str(&line("td", &mut row.into_iter()));
    }
    format!("<div class=\"table\"><table>\n{table}</table></div>\n")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter => escaped.push(letter),
        }
    }
    // A number and its sign stay on one line.
    escaped.replace(" %", "\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vigie::NamedThreshold;

    #[test]
    fn a_page_asks_for_nothing_and_runs_nothing() {
        let rate = |hits| ThresholdRate {
            hits,
            draws: 4,
            low: 0.1,
            high: 0.9,
        };
        let points = (1..=1000_u32).map(|step| ThresholdPoint {
            threshold: f64::from(step) / 1000.0,
            held: u64::from(1000 - step),
            missed: Some(rate(u64::from(step / 250))),
            ..Default::default()
        });
        let curve = ThresholdCurve {
            label: "a<b".into(),
            products: 1000,
            present: 4,
            now_block: Some(0.8),
            now_review: Some(0.5),
            points: points.collect(),
            named: Some(NamedThreshold {
                threshold: Some(0.7),
                meets: true,
                sentence: "a<b: block from 0.7".into(),
            }),
            ..Default::default()
        };
        let basis = ThresholdBasis {
            chance: 1.0,
            ..Default::default()
        };
        let page = page(&basis, &[curve]);
        for absent in ["<script", "http:", "https:", "url(", "@import", "a<b", "NaN", "inf"] {
            assert!(!page.contains(absent), "{absent}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("block from 0.7") && page.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn lines_go_across_and_then_up_or_down() {
        assert_eq!(path(&[(0.0, 5.0), (2.0, 7.0), (9.0, 7.0)]), "M0.0 5.0H2.0V7.0H9.0V7.0");
        let area = between(
            &[(0.0, 1.0), (4.0, 2.0), (9.0, 2.0)],
            &[(0.0, 8.0), (6.0, 9.0), (9.0, 9.0)],
        );
        assert_eq!(area, "M0.0 1.0H4.0V2.0H9.0V2.0L9.0 9.0V9.0H6.0V8.0H0.0Z");
    }
}
