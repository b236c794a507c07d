//! Resampling in two passes as Pillow 13 does it, to the bit: its filters, its 22-bit weights, its rounding to bytes between the passes, and its
//! order of them.
//!
//! Faster libraries keep their weights in 16 bits and differ by one or two levels; here nothing differs, so a model's golden scores prove its
//! weights and not this file. It knows bytes and filters only, not pictures.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod weights;

pub(super) use weights::{Axis, BICUBIC, BILINEAR, Kernel, LANCZOS};
use weights::{HALF, PRECISION_BITS, Weights};

use super::workspace::{Workspace, sized};

/// Resamples RGB of `across.source` x `down.source` pixels to `across.kept` x `down.kept`; gives the pixels in the workspace, or those given where
/// nothing changes.
pub(super) fn resample<'a>(
    rgb: &'a [u8],
    across: &Axis,
    down: &Axis,
    kernel: Kernel,
    workspace: &'a mut Workspace,
) -> &'a [u8] {
    let across_weights = (!across.changes_nothing()).then(|| Weights::new(across, kernel));
    let down_weights = (!down.changes_nothing()).then(|| Weights::new(down, kernel));
    let width = across.source as usize;
    let Workspace { between, resized, .. } = workspace;
    match (across_weights, down_weights) {
        (None, None) => return rgb,
        (Some(columns), None) => pass_across(rgb, width, &columns, resized),
        (None, Some(rows)) => pass_down(rgb, width, 0, &rows, resized),
        (Some(columns), Some(rows)) if goes_down_first(across, down) => {
            pass_down(rgb, width, 0, &rows, between);
            pass_across(between, width, &columns, resized);
        }
        (Some(columns), Some(rows)) => {
            let (from, to) = rows.touched();
            pass_across(&rgb[3 * width * from..3 * width * to], width, &columns, between);
            pass_down(between, columns.runs.len(), from, &rows, resized);
        }
    }
    resized
}

/// Pillow goes across first, unless the height shrinks by more than twice what the width does (so since version 13; before, always).
fn goes_down_first(across: &Axis, down: &Axis) -> bool {
    let narrower = i64::from(across.source) - i64::from(across.resized);
    let lower = i64::from(down.source) - i64::from(down.resized);
    lower > 0 && lower > 2 * narrower
}

/// Resamples each row of `width` pixels.
fn pass_across(rgb: &[u8], width: usize, weights: &Weights, made: &mut Vec<u8>) {
    *made = sized(std::mem::take(made), rgb.len() / width * weights.runs.len());
    #[cfg(target_arch = "x86_64")]
    if avx512::is_detected() && avx512::takes_across(rgb, width) {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { avx512::pass_across(rgb, width, weights, made) };
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { avx2::pass_across(rgb, width, weights, made) };
    }
    pass_across_anywhere(rgb, width, weights, made);
}

/// Resamples the columns of rows of `width` pixels; `rgb` begins at row `first`.
fn pass_down(rgb: &[u8], width: usize, first: usize, weights: &Weights, made: &mut Vec<u8>) {
    *made = sized(std::mem::take(made), 3 * width * weights.runs.len());
    #[cfg(target_arch = "x86_64")]
    if avx512::is_detected() && 3 * width >= avx512::BYTES {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { avx512::pass_down(rgb, 3 * width, first, weights, made) };
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && 3 * width >= avx2::COLUMNS {
        // SAFETY: the processor has the instructions that the function is compiled with.
        return unsafe { avx2::pass_down(rgb, 3 * width, first, weights, made) };
    }
    pass_down_anywhere(rgb, width, first, weights, made);
}

/// As [`pass_across`], on any processor.
fn pass_across_anywhere(rgb: &[u8], width: usize, weights: &Weights, made: &mut [u8]) {
    let rows = rgb
        .chunks_exact(3 * width)
        .zip(made.chunks_exact_mut(3 * weights.runs.len()));
    for (row, made) in rows {
        let (pixels, _) = row.as_chunks::<3>();
        let (places, _) = made.as_chunks_mut::<3>();
        for (place, (start, run)) in places.iter_mut().zip(weights.each()) {
            let mut sums = [HALF; 3];
            for (pixel, &weight) in pixels[start..].iter().zip(run) {
                for channel in 0..3 {
                    sums[channel] += i32::from(pixel[channel]) * weight;
                }
            }
            *place = sums.map(byte);
        }
    }
}

/// As [`pass_down`], on any processor.
fn pass_down_anywhere(rgb: &[u8], width: usize, first: usize, weights: &Weights, made: &mut [u8]) {
    let row_bytes = 3 * width;
    let mut sums = vec![HALF; row_bytes];
    for (made, (start, run)) in made.chunks_exact_mut(row_bytes).zip(weights.each()) {
        sums.fill(HALF);
        let rows = rgb[(start - first) * row_bytes..].chunks_exact(row_bytes);
        for (row, &weight) in rows.zip(run) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        for (made, &sum) in made.iter_mut().zip(&sums) {
            *made = byte(sum);
        }
    }
}

/// The byte of a sum, clipped at both ends.
fn byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The last of `resized` pixels, without the first `crop`.
    fn weights(source: u32, resized: u32, crop: u32, kernel: Kernel) -> Weights {
        let crop = crop.min(resized - 1);
        let kept = resized - crop;
        Weights::new(
            &Axis {
                source,
                resized,
                crop,
                kept,
            },
            kernel,
        )
    }

    /// Rows across, by each way that this processor has.
    fn each_across(rgb: &[u8], width: usize, weights: &Weights) -> Vec<Vec<u8>> {
        let empty = vec![0; rgb.len() / width * weights.runs.len()];
        let mut all = vec![Vec::new(), empty.clone()];
        pass_across(rgb, width, weights, &mut all[0]);
        pass_across_anywhere(rgb, width, weights, &mut all[1]);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let mut made = empty;
            // SAFETY: the processor has the instructions that the function is compiled with.
            unsafe { avx2::pass_across(rgb, width, weights, &mut made) };
            all.push(made);
        }
        all
    }

    /// Columns down, by each way that this processor has; `rgb` begins at row `first`.
    fn each_down(rgb: &[u8], width: usize, first: usize, weights: &Weights) -> Vec<Vec<u8>> {
        let empty = vec![0; 3 * width * weights.runs.len()];
        let mut all = vec![Vec::new(), empty.clone()];
        pass_down(rgb, width, first, weights, &mut all[0]);
        pass_down_anywhere(rgb, width, first, weights, &mut all[1]);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && 3 * width >= avx2::COLUMNS {
            let mut made = empty;
            // SAFETY: the processor has the instructions that the function is compiled with.
            unsafe { avx2::pass_down(rgb, 3 * width, first, weights, &mut made) };
            all.push(made);
        }
        all
    }

    proptest! {
        /// What this processor does at its best, and at its second best, is what any processor does.
        #[test]
        fn every_processor_makes_the_same_pixels(
            (width, height) in (prop_oneof![1_u32..90, 90_u32..700], 1_u32..20),
            to in 1_u32..70,
            crop in prop_oneof![Just(0), 0_u32..30],
            kernel in prop::sample::select(vec![BILINEAR, BICUBIC, LANCZOS]),
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Often at the ends, where sums are clipped.
                [0, 255, (state >> 56) as u8, (state >> 48) as u8][(state >> 40) as usize % 4]
            };
            let rgb: Vec<u8> = (0..3 * width * height).map(|_| next()).collect();
            let across = each_across(&rgb, width as usize, &weights(width, to, crop, kernel));
            prop_assert!(across.iter().all(|made| *made == across[1]), "across");
            let rows = weights(height, to, crop, kernel);
            let (from, end) = rows.touched();
            let row_bytes = 3 * width as usize;
            let down = each_down(&rgb[from * row_bytes..end * row_bytes], width as usize, from, &rows);
            prop_assert!(down.iter().all(|made| *made == down[1]), "down");
        }
    }

    /// The largest weights are those that keep a pixel as it is, and those of the filters with negative weights around them.
    #[test]
    fn the_largest_weights_are_computed_alike() {
        let rgb: Vec<u8> = (0..3 * 100 * 100).map(|at| [0, 255][at / 7 % 2]).collect();
        for kernel in [BILINEAR, BICUBIC, LANCZOS] {
            for to in [1, 99, 100, 101, 150, 999] {
                let weights = weights(100, to, 0, kernel);
                let across = each_across(&rgb, 100, &weights);
                assert!(across.iter().all(|made| *made == across[1]), "across to {to}");
                let down = each_down(&rgb, 100, 0, &weights);
                assert!(down.iter().all(|made| *made == down[1]), "down to {to}");
            }
        }
    }
}
