//! The filters of Pillow, and for each pixel made the weights of the pixels that it is made of.

use std::f64::consts::PI;

/// Bits behind the point of a weight.
pub(super) const PRECISION_BITS: u32 = 22;
/// One half, for rounding.
pub(super) const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// A filter: its weight at a distance, and how far it reaches.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Kernel {
    weight: fn(f64) -> f64,
    reach: f64,
}

pub(in super::super) const BILINEAR: Kernel = Kernel {
    weight: bilinear,
    reach: 1.0,
};
pub(in super::super) const BICUBIC: Kernel = Kernel {
    weight: bicubic,
    reach: 2.0,
};
pub(in super::super) const LANCZOS: Kernel = Kernel {
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
pub(in super::super) struct Axis {
    pub source: u32,
    pub resized: u32,
    pub crop: u32,
    pub kept: u32,
}

impl Axis {
    pub(super) fn changes_nothing(&self) -> bool {
        self.source == self.resized && self.kept == self.source
    }
}

/// For each pixel made, the run of pixels it is made of and their weights.
pub(super) struct Weights {
    /// Where the run starts and how long it is.
    pub(super) runs: Vec<(usize, usize)>,
    /// The weights of all runs, one run after another.
    weights: Vec<i32>,
}

impl Weights {
    pub(super) fn new(axis: &Axis, kernel: Kernel) -> Self {
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
    pub(super) fn touched(&self) -> (usize, usize) {
        let from = self.runs.first().map_or(0, |run| run.0);
        let to = self.runs.last().map_or(0, |run| run.0 + run.1);
        (from, to)
    }

    /// The start and weights of each run.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &[i32])> {
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
