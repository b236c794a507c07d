//! Resampling in two passes as Pillow 13 does it, to the bit: its filters, its 22-bit weights, its rounding to bytes between the passes, and its
//! order of them.
//!
//! Faster libraries keep their weights in 16 bits and differ by one or two levels; here nothing differs, so a model's golden scores prove its
//! weights and not this file. It knows bytes and filters only, not pictures.

use std::f64::consts::PI;

/// Bits behind the point of a weight.
const PRECISION_BITS: u32 = 22;
/// One half, for rounding.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// A filter: its weight at a distance, and how far it reaches.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    weight: fn(f64) -> f64,
    reach: f64,
}

pub(super) const BILINEAR: Kernel = Kernel {
    weight: bilinear,
    reach: 1.0,
};
pub(super) const BICUBIC: Kernel = Kernel {
    weight: bicubic,
    reach: 2.0,
};
pub(super) const LANCZOS: Kernel = Kernel {
    weight: lanczos,
    reach: 3.0,
};

fn bilinear(distance: f64) -> f64 {
    (1.0 - distance.abs()).max(0.0)
}

fn bicubic(distance: f64) -> f64 {
    const A: f64 = -0.5;
    let x = distance.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(distance: f64) -> f64 {
    if (-3.0..3.0).contains(&distance) {
        sinc(distance) * sinc(distance / 3.0)
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}

/// One direction: `source` pixels become `resized`, of which `kept` are made, from `crop` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub source: u32,
    pub resized: u32,
    pub crop: u32,
    pub kept: u32,
}

impl Axis {
    fn changes_nothing(&self) -> bool {
        self.source == self.resized && self.kept == self.source
    }
}

/// For each pixel made, the run of pixels it is made of and their weights.
struct Weights {
    /// Where the run starts and how long it is.
    runs: Vec<(usize, usize)>,
    /// The weights of all runs, one run after another.
    weights: Vec<i32>,
}

impl Weights {
    fn new(axis: &Axis, kernel: Kernel) -> Self {
        let scale = f64::from(axis.source) / f64::from(axis.resized);
        let widening = scale.max(1.0);
        let reach = kernel.reach * widening;
        let narrowing = 1.0 / widening;
        let mut made = Self {
            runs: Vec::with_capacity(axis.kept as usize),
            weights: Vec::new(),
        };
        let mut run = Vec::new();
        for index in axis.crop..axis.crop + axis.kept {
            let center = (f64::from(index) + 0.5) * scale;
            let start = (center - reach + 0.5).max(0.0) as u32;
            let end = ((center + reach + 0.5) as u32).min(axis.source);
            run.clear();
            run.extend((start..end).map(|at| (kernel.weight)((f64::from(at) - center + 0.5) * narrowing)));
            let sum: f64 = run.iter().sum();
            made.runs.push((start as usize, run.len()));
            made.weights.extend(run.iter().map(|weight| fixed(weight / sum)));
        }
        made
    }

    /// The pixels that any run touches, from and to.
    fn touched(&self) -> (usize, usize) {
        let from = self.runs.first().map_or(0, |run| run.0);
        let to = self.runs.last().map_or(0, |run| run.0 + run.1);
        (from, to)
    }

    /// The start and weights of each run.
    #[inline(always)]
    fn each(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.runs.iter().map(move |&(start, length)| {
            let (run, after) = rest.split_at(length);
            rest = after;
            (start, run)
        })
    }
}

/// A weight as a whole number, rounded away from zero at one half.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    if scaled < 0.0 {
        (scaled - 0.5) as i32
    } else {
        (scaled + 0.5) as i32
    }
}

/// Resamples RGB of `across.source` x `down.source` pixels to `across.kept` x `down.kept`.
pub(super) fn resample(rgb: &[u8], across: &Axis, down: &Axis, kernel: Kernel) -> Vec<u8> {
    let across_weights = (!across.changes_nothing()).then(|| Weights::new(across, kernel));
    let down_weights = (!down.changes_nothing()).then(|| Weights::new(down, kernel));
    let width = across.source as usize;
    match (across_weights, down_weights) {
        (None, None) => rgb.to_vec(),
        (Some(columns), None) => pass_across(rgb, width, &columns),
        (None, Some(rows)) => pass_down(rgb, width, 0, &rows),
        (Some(columns), Some(rows)) if goes_down_first(across, down) => {
            let lowered = pass_down(rgb, width, 0, &rows);
            pass_across(&lowered, width, &columns)
        }
        (Some(columns), Some(rows)) => {
            let (from, to) = rows.touched();
            let narrowed = pass_across(&rgb[3 * width * from..3 * width * to], width, &columns);
            pass_down(&narrowed, columns.runs.len(), from, &rows)
        }
    }
}

/// Pillow goes across first, unless the height shrinks by more than twice what the width does (so since version 13; before, always).
fn goes_down_first(across: &Axis, down: &Axis) -> bool {
    let narrower = i64::from(across.source) - i64::from(across.resized);
    let lower = i64::from(down.source) - i64::from(down.resized);
    lower > 0 && lower > 2 * narrower
}

/// Resamples each row of `width` pixels.
fn pass_across(rgb: &[u8], width: usize, weights: &Weights) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { pass_across_avx2(rgb, width, weights) };
    }
    pass_across_here(rgb, width, weights)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn pass_across_avx2(rgb: &[u8], width: usize, weights: &Weights) -> Vec<u8> {
    pass_across_here(rgb, width, weights)
}

#[inline(always)]
fn pass_across_here(rgb: &[u8], width: usize, weights: &Weights) -> Vec<u8> {
    let mut made = Vec::with_capacity(rgb.len() / width * weights.runs.len());
    // A byte more than a row, so that four bytes can be read at its last pixel.
    let mut padded = vec![0; 3 * width + 1];
    for row in rgb.chunks_exact(3 * width) {
        padded[..3 * width].copy_from_slice(row);
        for (start, run) in weights.each() {
            let pixels = &padded[3 * start..3 * (start + run.len()) + 1];
            let mut sums = [HALF; 4];
            for (pixel, &weight) in pixels.windows(4).step_by(3).zip(run) {
                for channel in 0..4 {
                    sums[channel] += i32::from(pixel[channel]) * weight;
                }
            }
            made.extend_from_slice(&[byte(sums[0]), byte(sums[1]), byte(sums[2])]);
        }
    }
    made
}

/// Resamples the columns of rows of `width` pixels; `rgb` begins at row `first`.
fn pass_down(rgb: &[u8], width: usize, first: usize, weights: &Weights) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { pass_down_avx2(rgb, width, first, weights) };
    }
    pass_down_here(rgb, width, first, weights)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn pass_down_avx2(rgb: &[u8], width: usize, first: usize, weights: &Weights) -> Vec<u8> {
    pass_down_here(rgb, width, first, weights)
}

#[inline(always)]
fn pass_down_here(rgb: &[u8], width: usize, first: usize, weights: &Weights) -> Vec<u8> {
    let row_bytes = 3 * width;
    let mut made = Vec::with_capacity(row_bytes * weights.runs.len());
    let mut sums = vec![HALF; row_bytes];
    for (start, run) in weights.each() {
        sums.fill(HALF);
        let rows = rgb[(start - first) * row_bytes..].chunks_exact(row_bytes);
        for (row, &weight) in rows.zip(run) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        made.extend(sums.iter().map(|&sum| byte(sum)));
    }
    made
}

/// The byte of a sum, clipped at both ends.
#[inline(always)]
fn byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
