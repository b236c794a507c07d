//! What is told of thresholds in words and numbers, alike on a terminal and on a page.

use crate::cli::show;
use crate::wire::Timestamp;
use crate::wire::vigie::{ThresholdBasis, ThresholdCurve, ThresholdPoint, ThresholdRate, Verdict};

/// The thresholds that are always in the table.
const ROWS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// What the curves go by, in a sentence.
pub(super) fn basis(basis: &ThresholdBasis) -> String {
    let versions: Vec<String> = basis
        .revisions
        .iter()
        .map(|of| format!("version {} ({})", of.version, show::short(&of.revision)))
        .collect();
    format!(
        "{} products with scores, by {} decisions {}; {} {}; in force: policy {}, {}",
        basis.products,
        basis.decisions,
        span(basis),
        basis.model,
        versions.join(", "),
        show::short(&basis.policy_version),
        place(basis)
    )
}

fn span(basis: &ThresholdBasis) -> String {
    let seconds = |at: &Option<Timestamp>| at.as_ref().map_or(0, |at| at.seconds);
    let (first, last) = (seconds(&basis.first), seconds(&basis.last));
    if last - first < 86_400 {
        format!("within a day from {}, which counts as one day", show::moment(first))
    } else {
        format!(
            "from {} to {}, {:.1} days",
            show::moment(first),
            show::moment(last),
            basis.days
        )
    }
}

fn place(basis: &ThresholdBasis) -> String {
    match basis.country.as_str() {
        "" => "for the rest of the world".to_owned(),
        code => format!("in {code}"),
    }
}

/// How much is known of a label, and what is in force.
pub(super) fn known(curve: &ThresholdCurve) -> String {
    let said = match (curve.present, curve.absent) {
        (0, 0) => "nobody has said of a picture whether it shows it".to_owned(),
        (present, absent) => format!("people say that {present} pictures show it and {absent} do not"),
    };
    format!("now {}; {said}", now(curve))
}

fn now(curve: &ThresholdCurve) -> String {
    match (curve.now_review, curve.now_block) {
        (None, _) => "ALLOW whatever the score".to_owned(),
        (Some(review), Some(block)) if review < block => format!("REVIEW from {review}, BLOCK from {block}"),
        (Some(_), Some(block)) => format!("BLOCK from {block}"),
        (Some(review), None) => format!("REVIEW from {review}"),
    }
}

/// A sentence that begins with its label, where the label stands already.
pub(super) fn without_label<'a>(sentence: &'a str, label: &str) -> &'a str {
    let rest = sentence.strip_prefix(label).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(sentence)
}

/// The table of a label: its columns, and a row for each of some thresholds, those in force and the named one among them.
pub(super) fn table(basis: &ThresholdBasis, curve: &ThresholdCurve) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let is_block = basis.moved() != Verdict::Review;
    let (held, wrongly) = if is_block {
        ("BLOCKED", "WRONGLY BLOCKED")
    } else {
        ("HELD BACK", "WRONGLY HELD BACK")
    };
    let columns: [(&'static str, bool); 10] = [
        ("FROM", true),
        (held, true),
        ("SHARE", true),
        ("DISPLAYS", basis.without_displays < basis.products),
        ("REVIEWS A DAY", true),
        (wrongly, curve.absent > 0),
        ("MISSED", curve.present > 0),
        (
            "LEFT TO PEOPLE",
            curve.points.iter().any(|point| point.missed_reviewed > 0),
        ),
        ("COST", curve.show_unsafe_cost.is_some()),
        ("", true),
    ];
    let chosen = |all: [String; 10]| {
        let kept = all.into_iter().zip(columns).filter(|(_, (_, is_shown))| *is_shown);
        kept.map(|(text, _)| text).collect::<Vec<String>>()
    };
    let rows = chosen_points(curve).into_iter().map(|point| {
        chosen([
            threshold(point.threshold),
            point.held.to_string(),
            share(point.held, curve.products),
            format!("{:.0}", point.held_displays),
            amount(point.reviews_per_day),
            rate(point.wrongly_held.as_ref()),
            rate(point.missed.as_ref()),
            point.missed_reviewed.to_string(),
            point.cost.map_or_else(String::new, amount),
            marks(curve, point.threshold).join(", "),
        ])
    });
    let header = columns.into_iter().filter(|(_, is_shown)| *is_shown);
    (header.map(|(title, _)| title).collect(), rows.collect())
}

fn chosen_points(curve: &ThresholdCurve) -> Vec<&ThresholdPoint> {
    let is_row = |point: &&ThresholdPoint| {
        ROWS.iter().any(|row| is_same(*row, point.threshold)) || !marks(curve, point.threshold).is_empty()
    };
    curve.points.iter().filter(is_row).collect()
}

/// Thresholds are thousandths.
fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() < 5e-4
}

/// What a threshold is, beside being one.
fn marks(curve: &ThresholdCurve, threshold: f64) -> Vec<&'static str> {
    let named = curve.named.as_ref();
    let is_at = |mark: Option<f64>| mark.is_some_and(|mark| is_same(mark, threshold));
    let mut marks = Vec::new();
    if is_at(named.and_then(|named| named.threshold)) {
        let meets = named.is_some_and(|named| named.meets);
        marks.push(if meets { "◆ named" } else { "nearest" });
    }
    // Where there is no REVIEW before the BLOCK, both are the BLOCK.
    let has_review = curve.now_review != curve.now_block;
    if has_review && is_at(curve.now_review) {
        marks.push("△ REVIEW now");
    }
    if is_at(curve.now_block) {
        marks.push("▲ BLOCK now");
    }
    marks
}

/// What has to be known to read the numbers rightly.
pub(super) fn notes(basis: &ThresholdBasis, curves: &[ThresholdCurve]) -> Vec<String> {
    let said: u64 = curves.iter().map(|curve| curve.present + curve.absent).sum();
    let mut notes = vec![
        "How much: by the model's scores alone, whatever corrections and other rules make of a product. Thresholds are told apart to 0.001.".to_owned(),
    ];
    notes.push(match said {
        0 => "Wrong either way: not known. Nobody has said of a picture whether it shows a label: `vigie correct PRODUCT --is LABEL` or `--not LABEL`, \
              also where the model is right."
            .to_owned(),
        said => format!(
            "Wrong either way: from {said} corrections, which people made where they looked; not a random sample. The intervals are exact, 95 %, and \
             tell how few they are, not how they were chosen."
        ),
    });
    if basis.hide_safe_cost.is_some() {
        notes.push(cost(basis));
    }
    if basis.unscored > 0 {
        notes.push(format!(
            "Left out: {} products whose pictures could not be judged.",
            basis.unscored
        ));
    }
    if basis.revisions.len() > 1 {
        notes.push("Scores of several versions are mixed: --version keeps to one.".to_owned());
    }
    if basis.chance < 1.0 {
        notes.push(format!(
            "Of more products than are kept, 1 in {:.0} was drawn by chance; the numbers of products are made up for it.",
            1.0 / basis.chance
        ));
    }
    notes
}

fn cost(basis: &ThresholdBasis) -> String {
    let without = match basis.without_displays {
        0 => String::new(),
        without => format!(" {without} products have no displays on record and count as shown once."),
    };
    let team = match basis.reviews_per_day {
        Some(most) => {
            format!("Reviews have no price in the policy; people can look at {most} a day, all labels together.")
        }
        None => "Reviews have no price in the policy, and no limit.".to_owned(),
    };
    format!(
        "Cost: expected, in the policy's unit, of all products as often as they are shown. Where nobody has said what a picture shows, its score is taken for \
         the probability that it shows the label.{without} {team}"
    )
}

/// A threshold in two decimals, or three where it takes them.
pub(super) fn threshold(threshold: f64) -> String {
    let short = format!("{threshold:.2}");
    if short.parse() == Ok(threshold) {
        short
    } else {
        format!("{threshold:.3}")
    }
}

fn share(part: u64, whole: u64) -> String {
    percent(part as f64 / whole.max(1) as f64)
}

/// A share in percent, with two decimals where one would hide it.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.000_95 {
        format!("{:.2} %", share * 100.0)
    } else {
        format!("{:.1} %", share * 100.0)
    }
}

fn rate(rate: Option<&ThresholdRate>) -> String {
    match rate {
        Some(rate) if rate.draws > 0 => format!(
            "{} of {} ({:.0}–{:.0} %)",
            rate.hits,
            rate.draws,
            rate.low * 100.0,
            rate.high * 100.0
        ),
        Some(_) | None => "–".to_owned(),
    }
}

/// An amount in three digits or so.
fn amount(amount: f64) -> String {
    if amount >= 100.0 || amount.fract() == 0.0 {
        format!("{amount:.0}")
    } else if amount >= 1.0 {
        format!("{amount:.1}")
    } else {
        format!("{amount:.3}")
    }
}
