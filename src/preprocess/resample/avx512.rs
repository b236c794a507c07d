//! The two passes in AVX-512 with its byte shuffles and its products of bytes, to the same bits.
//!
//! A weight is three signed bytes. Each is multiplied by four pixels at once; the sums of the three, put together again, are the sum of the whole,
//! because numbers of 32 bits add up the same in any order.

use std::arch::x86_64::*;

use super::weights::{HALF, PRECISION_BITS, Weights};

/// Bytes read at once; no row may have fewer.
pub(super) const BYTES: usize = 64;
/// Rows that share one reading of the weights; no fewer are taken across.
const ROWS: usize = 4;
/// Pixels whose products are added up at once.
const TAPS: usize = 4;
/// Pixels of a row that are made at once: as many as have room for three numbers of 32 bits each.
const PIXELS: usize = 5;
/// Signed bytes of a weight, the highest first.
const DIGITS: usize = 3;

/// Some of the pixels that [`PIXELS`] neighbours are made of: for each neighbour up to [`TAPS`] within the 64 bytes that follow `from`.
#[repr(align(64))]
struct Step {
    /// For each channel of each pixel made four bytes, counted from `from`.
    spread: [u8; BYTES],
    /// Their weights, digit by digit.
    weights: [[u8; BYTES]; DIGITS],
    from: usize,
}

/// Weights as [`pass_across`] reads them: the steps of each block of pixels, and where each block's end.
struct Steps {
    steps: Vec<Step>,
    ends: Vec<usize>,
}

impl Steps {
    /// Not inlined: compiled with the instructions of [`pass_across`], its loops over five runs gather vectors and take longer.
    #[inline(never)]
    fn new(weights: &Weights, row_bytes: usize) -> Self {
        let mut made = Self {
            steps: Vec::new(),
            ends: Vec::new(),
        };
        let runs: Vec<_> = weights.each().collect();
        for block in runs.chunks(PIXELS) {
            let mut left = [(0, [].as_slice()); PIXELS];
            left[..block.len()].copy_from_slice(block);
            // The run that is furthest behind always gets on, because nothing of it lies before `from`, and no row ends before its 64 bytes do.
            while let Some(next) = left.iter().filter(|run| !run.1.is_empty()).map(|run| 3 * run.0).min() {
                made.steps.push(Step::new(next.min(row_bytes - BYTES), &mut left));
            }
            made.ends.push(made.steps.len());
        }
        made
    }
}

impl Step {
    /// Takes of each run what is within reach, and leaves the rest of it.
    fn new(from: usize, left: &mut [(usize, &[i32]); PIXELS]) -> Self {
        let mut made = Self {
            spread: [0; BYTES],
            weights: [[0; BYTES]; DIGITS],
            from,
        };
        for (pixel, (start, run)) in left.iter_mut().enumerate() {
            let within = (from + BYTES).saturating_sub(3 * *start) / 3;
            let (taken, rest) = run.split_at(run.len().min(within).min(TAPS));
            for (tap, &weight) in taken.iter().enumerate() {
                let digits = digits(weight);
                for channel in 0..3 {
                    let place = (3 * pixel + channel) * TAPS + tap;
                    made.spread[place] = (3 * (*start + tap) + channel - from) as u8;
                    for (weights, digit) in made.weights.iter_mut().zip(digits) {
                        weights[place] = digit as u8;
                    }
                }
            }
            (*start, *run) = (*start + taken.len(), rest);
        }
        made
    }
}

/// The signed bytes of a weight. Weights of the filters stay below 1.9 in size, which three of them hold.
#[inline]
fn digits(weight: i32) -> [i8; DIGITS] {
    let low = weight as i8;
    let above = (weight - i32::from(low)) >> 8;
    let middle = above as i8;
    [((above - i32::from(middle)) >> 8) as i8, middle, low]
}

/// Whether the processor has what the passes are compiled with.
pub(super) fn is_detected() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vbmi")
        && std::arch::is_x86_feature_detected!("avx512vnni")
}

/// Whether there is enough for [`pass_across`] to read at once.
pub(super) fn takes_across(rgb: &[u8], width: usize) -> bool {
    3 * width >= BYTES && rgb.len() >= ROWS * 3 * width
}

/// Resamples each row of `width` pixels into `made`, where it [takes](takes_across) them.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub(super) fn pass_across(rgb: &[u8], width: usize, weights: &Weights, made: &mut [u8]) {
    let (row_bytes, made_bytes) = (3 * width, 3 * weights.runs.len());
    let steps = Steps::new(weights, row_bytes);
    // The last rows overlap those before them.
    let last = rgb.len() / row_bytes - ROWS;
    for row in (0..last).step_by(ROWS).chain([last]) {
        rows_across(
            &rgb[row * row_bytes..],
            row_bytes,
            &steps,
            &mut made[row * made_bytes..],
            made_bytes,
        );
    }
}

/// Resamples the first [`ROWS`] rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
fn rows_across(rows: &[u8], row_bytes: usize, steps: &Steps, made: &mut [u8], made_bytes: usize) {
    // Numbers of 32 bits: the first of each quarter, then the second of each.
    let turned = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let (one, rest) = made[..ROWS * made_bytes].split_at_mut(made_bytes);
    let (two, rest) = rest.split_at_mut(made_bytes);
    let (three, four) = rest.split_at_mut(made_bytes);
    let mut lines = [one, two, three, four];
    let mut first = 0;
    for (block, &end) in steps.ends.iter().enumerate() {
        let levels = block_across(rows, row_bytes, &steps.steps[first..end]);
        first = end;
        let left = _mm512_packs_epi32(levels[0], levels[1]);
        let right = _mm512_packs_epi32(levels[2], levels[3]);
        let mut bytes = [0; BYTES];
        store_64(
            _mm512_permutexvar_epi32(turned, _mm512_packus_epi16(left, right)),
            &mut bytes,
        );
        let from = 3 * PIXELS * block;
        for (made, bytes) in lines.iter_mut().zip(bytes.as_chunks().0) {
            store_15(bytes, &mut made[from..]);
        }
    }
}

/// The levels of [`PIXELS`] neighbours of each row, channel by channel.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
fn block_across(rows: &[u8], row_bytes: usize, steps: &[Step]) -> [__m512i; ROWS] {
    let (zero, half) = (_mm512_setzero_si512(), _mm512_set1_epi32(HALF));
    let mut sums = [[zero, zero, half]; ROWS];
    for step in steps {
        let spread = load_64(&step.spread);
        // Spelled out: what is not inlined here is compiled without the instructions.
        let weights = [
            load_64(&step.weights[0]),
            load_64(&step.weights[1]),
            load_64(&step.weights[2]),
        ];
        let rows = &rows[step.from..][..(ROWS - 1) * row_bytes + BYTES];
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the slice goes on for 64 bytes in the last of the rows.
            let pixels = unsafe { _mm512_loadu_si512(rows.as_ptr().add(row * row_bytes).cast()) };
            let pixels = _mm512_permutexvar_epi8(spread, pixels);
            for digit in 0..DIGITS {
                sums[digit] = _mm512_dpbusd_epi32(sums[digit], pixels, weights[digit]);
            }
        }
    }
    let mut levels = [zero; ROWS];
    for row in 0..ROWS {
        levels[row] = level(sums[row]);
    }
    levels
}

/// Resamples the columns of rows of `row_bytes` bytes, at least [`BYTES`], into `made`; `rgb` begins at row `first`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub(super) fn pass_down(rgb: &[u8], row_bytes: usize, first: usize, weights: &Weights, made: &mut [u8]) {
    let mut groups = Vec::new();
    for (made, (start, run)) in made.chunks_exact_mut(row_bytes).zip(weights.each()) {
        groups.clear();
        groups.extend(run.chunks(TAPS).map(group));
        let rows = &rgb[(start - first) * row_bytes..][..run.len() * row_bytes];
        // The last block overlaps the one before it.
        let last = row_bytes - BYTES;
        for column in (0..last).step_by(BYTES).chain([last]) {
            block_down(&rows[column..], row_bytes, &groups, &mut made[column..]);
        }
    }
}

/// Up to four weights side by side, digit by digit.
fn group(taps: &[i32]) -> [i32; DIGITS] {
    let mut made = [[0; TAPS]; DIGITS];
    for (tap, &weight) in taps.iter().enumerate() {
        for (made, digit) in made.iter_mut().zip(digits(weight)) {
            made[tap] = digit as u8;
        }
    }
    made.map(i32::from_le_bytes)
}

/// Makes 64 bytes of a row out of those below one another.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
fn block_down(rows: &[u8], row_bytes: usize, groups: &[[i32; DIGITS]], made: &mut [u8]) {
    let (zero, half) = (_mm512_setzero_si512(), _mm512_set1_epi32(HALF));
    let mut sums = [[zero, zero, half]; 4];
    let last = (rows.len() - BYTES) / row_bytes * row_bytes;
    for (at, group) in groups.iter().enumerate() {
        let at = TAPS * at * row_bytes;
        let one = load_64(&rows[at..]);
        // Rows that are not there weigh nothing.
        let two = load_64(&rows[(at + row_bytes).min(last)..]);
        let three = load_64(&rows[(at + 2 * row_bytes).min(last)..]);
        let four = load_64(&rows[(at + 3 * row_bytes).min(last)..]);
        let (left, right) = (_mm512_unpacklo_epi8(one, two), _mm512_unpackhi_epi8(one, two));
        let (left_below, right_below) = (_mm512_unpacklo_epi8(three, four), _mm512_unpackhi_epi8(three, four));
        let quarters = [
            _mm512_unpacklo_epi16(left, left_below),
            _mm512_unpackhi_epi16(left, left_below),
            _mm512_unpacklo_epi16(right, right_below),
            _mm512_unpackhi_epi16(right, right_below),
        ];
        for digit in 0..DIGITS {
            let weights = _mm512_set1_epi32(group[digit]);
            for quarter in 0..4 {
                sums[quarter][digit] = _mm512_dpbusd_epi32(sums[quarter][digit], quarters[quarter], weights);
            }
        }
    }
    // Packing undoes the order that unpacking has made.
    let left = _mm512_packs_epi32(level(sums[0]), level(sums[1]));
    let right = _mm512_packs_epi32(level(sums[2]), level(sums[3]));
    store_64(_mm512_packus_epi16(left, right), made);
}

/// The levels of sums, not yet clipped.
#[inline]
#[target_feature(enable = "avx512f")]
fn level([high, middle, low]: [__m512i; DIGITS]) -> __m512i {
    let upper = _mm512_add_epi32(_mm512_slli_epi32::<8>(high), middle);
    _mm512_srai_epi32::<PRECISION_BITS>(_mm512_add_epi32(_mm512_slli_epi32::<8>(upper), low))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_64(bytes: &[u8]) -> __m512i {
    let bytes: &[u8] = &bytes[..BYTES];
    // SAFETY: the slice holds 64 bytes, and an unaligned load takes them wherever they are.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_64(values: __m512i, bytes: &mut [u8]) {
    let bytes = &mut bytes[..BYTES];
    // SAFETY: the slice holds 64 bytes of ours, and an unaligned store puts them wherever they are.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), values) };
}

/// Stores the first fifteen bytes, or as many as there is room for; sixteen where there is more room.
#[inline]
fn store_15(bytes: &[u8; 16], made: &mut [u8]) {
    match made.first_chunk_mut() {
        Some(made) => *made = *bytes,
        None => made.copy_from_slice(&bytes[..made.len()]),
    }
}
