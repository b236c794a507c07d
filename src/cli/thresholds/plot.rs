//! How much a label's thresholds hold back, drawn in braille: thresholds from left to right, the share of products on a logarithmic scale.

use super::told;
use crate::wire::vigie::{ThresholdBasis, ThresholdCurve, Verdict};

/// The mark of the threshold that does what is wanted.
pub(super) const NAMED: char = '◆';
const REVIEW_NOW: char = '△';
const BLOCK_NOW: char = '▲';

/// Characters across; each has two columns and four rows of dots.
const WIDTH: usize = 64;
const DOTS_ACROSS: usize = 2;
const DOTS_DOWN: usize = 4;
/// Rows of characters for each power of ten.
const ROWS_A_DECADE: usize = 3;
/// Space for what stands beside the axis.
const MARGIN: usize = 8;

/// The powers of ten that it takes to show a single product, within what can be looked at.
pub(super) fn decades(products: u64) -> usize {
    (products.max(2) as f64).log10().ceil().clamp(1.0, 5.0) as usize
}

/// The drawing, line by line.
pub(super) fn plot(basis: &ThresholdBasis, curve: &ThresholdCurve) -> String {
    let decades = decades(curve.products);
    let rows = decades * ROWS_A_DECADE;
    let heights = heights(curve, decades, rows * DOTS_DOWN);
    let mut lines = vec![match basis.moved() {
        Verdict::Review => format!("{:MARGIN$}share of products that would be held back from there", ""),
        Verdict::Unspecified | Verdict::Allow | Verdict::Block => {
            format!("{:MARGIN$}share of products that would be blocked from there", "")
        }
    }];
    for row in 0..rows {
        let (label, axis) = if row % ROWS_A_DECADE == 0 {
            let power = i32::try_from(row / ROWS_A_DECADE).unwrap_or_default();
            (decade(power), '┤')
        } else {
            (String::new(), '│')
        };
        let cells: String = (0..WIDTH).map(|column| cell(&heights, column, rows, row)).collect();
        lines.push(format!(
            "{label:>width$} {axis}{}",
            cells.trim_end_matches('⠀'),
            width = MARGIN - 2
        ));
    }
    lines.push(axis());
    lines.push(ticks());
    lines.extend(markers(curve));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// 100 %, 10 %, 1 %, 0.1 % …
fn decade(power: i32) -> String {
    let percent = 10.0_f64.powi(2 - power);
    format!("{percent} %")
}

/// For each column of dots, how many are filled from the bottom; none where nothing is held back.
fn heights(curve: &ThresholdCurve, decades: usize, dots: usize) -> Vec<usize> {
    let columns = WIDTH * DOTS_ACROSS;
    let height = |column: usize| {
        let at = (column * curve.points.len() + curve.points.len() / 2) / columns;
        let held = curve.points.get(at).map_or(0, |point| point.held);
        if held == 0 {
            return 0;
        }
        let share = held as f64 / curve.products.max(1) as f64;
        let filled = 1.0 + share.log10() / decades as f64;
        ((filled * dots as f64).round() as usize).clamp(1, dots)
    };
    (0..columns).map(height).collect()
}

/// Braille patterns number their dots so: 1 2 3 7 down the left, 4 5 6 8 down the right.
const DOTS: [[u32; DOTS_DOWN]; DOTS_ACROSS] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

fn cell(heights: &[usize], column: usize, rows: usize, row: usize) -> char {
    let mut pattern = 0;
    for (across, bits) in DOTS.iter().enumerate() {
        let height = heights[column * DOTS_ACROSS + across];
        for (down, bit) in bits.iter().enumerate() {
            let from_bottom = (rows - row) * DOTS_DOWN - down;
            if from_bottom <= height {
                pattern |= bit;
            }
        }
    }
    char::from_u32(0x2800 + pattern).unwrap_or(' ')
}

fn axis() -> String {
    let line: String = (0..WIDTH)
        .map(|column| if column % (WIDTH / 4) == 0 { '┴' } else { '─' })
        .collect();
    format!("{:width$} └{}┘", "", &line.replacen('┴', "─", 1), width = MARGIN - 2)
}

fn ticks() -> String {
    let mut line = vec![' '; MARGIN + WIDTH + 4];
    for quarter in 0..=4_usize {
        let text = told::threshold(quarter as f64 / 4.0);
        write(&mut line, MARGIN + quarter * WIDTH / 4 - 1, &text);
    }
    line.into_iter().collect()
}

fn write(line: &mut [char], at: usize, text: &str) {
    for (place, letter) in line.iter_mut().skip(at).zip(text.chars()) {
        *place = letter;
    }
}

/// A line with the marks, each under its threshold, and one that says what they are.
fn markers(curve: &ThresholdCurve) -> Vec<String> {
    let has_review = curve.now_review != curve.now_block;
    let named = curve.named.as_ref().filter(|named| named.meets);
    let marks = [
        (REVIEW_NOW, "REVIEW now", curve.now_review.filter(|_| has_review)),
        (BLOCK_NOW, "BLOCK now", curve.now_block),
        (NAMED, "named", named.and_then(|named| named.threshold)),
    ];
    let mut line = vec![' '; MARGIN + WIDTH + 1];
    let mut said = Vec::new();
    for (mark, name, threshold) in marks {
        let Some(threshold) = threshold else { continue };
        let at = MARGIN + ((threshold * WIDTH as f64) as usize).min(WIDTH - 1);
        if let Some(place) = line.get_mut(at) {
            *place = mark;
        }
        said.push(format!("{mark} {name} {}", told::threshold(threshold)));
    }
    if said.is_empty() {
        return Vec::new();
    }
    let line = line.into_iter().collect();
    vec![line, format!("{:MARGIN$}{}", "", said.join("   "))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vigie::ThresholdPoint;

    fn curve(held: impl Fn(f64) -> u64) -> ThresholdCurve {
        let point = |step: u32| {
            let threshold = f64::from(step) / 1000.0;
            ThresholdPoint {
                threshold,
                held: held(threshold),
                ..Default::default()
            }
        };
        ThresholdCurve {
            label: "alcohol".into(),
            now_review: Some(0.5),
            products: 1000,
            points: (1..=1000).map(point).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_held_back_stands_as_high_as_it_is_much() {
        let curve = curve(|threshold| if threshold < 0.5 { 1000 } else { 10 });
        let drawn = plot(&ThresholdBasis::default(), &curve);
        let lines: Vec<&str> = drawn.lines().collect();
        // Three powers of ten: all of them to the left, and a third of the height, 1 %, to the right.
        assert_eq!(lines[1], format!(" 100 % ┤{}", "⣿".repeat(32)));
        assert_eq!(lines[6], format!("       │{}", "⣿".repeat(32)));
        assert_eq!(lines[7], format!("   1 % ┤{}", "⣿".repeat(64)));
        assert!(
            lines[12].ends_with('△') && lines[12].chars().count() == MARGIN + 33,
            "{drawn}"
        );
        assert!(lines[13].contains("△ REVIEW now 0.50"), "{drawn}");
    }

    #[test]
    fn one_product_is_seen_and_none_is_not() {
        let one = plot(
            &ThresholdBasis::default(),
            &curve(|threshold| u64::from(threshold < 0.9)),
        );
        assert_eq!(one.matches('⣀').count(), 57, "{one}");
        let none = plot(&ThresholdBasis::default(), &curve(|_| 0));
        assert!(!none.contains('⣀'), "{none}");
        assert_eq!((decades(0), decades(200), decades(10_000_000)), (1, 3, 5));
    }
}
