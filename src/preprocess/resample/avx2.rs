//! The two passes in AVX2, to the same bits.
//!
//! A weight of 22 bits does not fit the instruction that multiplies two pairs of 16 bits and adds them up, but its upper part and its lower eleven bits
//! do: the sums of both parts, put together again, are the sum of the whole, because numbers of 32 bits add up the same in any order.

use std::arch::x86_64::*;

use super::weights::{HALF, PRECISION_BITS, Weights};

/// Bits of a weight's lower part.
const LOWER_BITS: i32 = 11;
/// Bytes of a row that [`pass_down`] makes at once; no row may have fewer.
pub(super) const COLUMNS: usize = 32;
/// Pixels that a row is multiplied by at once.
const TAPS: usize = 4;
/// How far past its last pixel a row is read: four pixels too many, and four bytes that fill up the register.
const OVERREAD: usize = 3 * TAPS + 4;
/// Rows that share one reading of the weights.
const ROWS: usize = 4;
/// Pixels of each of them that are stored together.
const COLUMNS_AT_ONCE: usize = 4;

/// Four weights in pairs: the upper parts of both pairs, then the lower.
type Group = [i32; TAPS];

/// Weights as [`pass_across`] reads them.
struct Groups {
    runs: Vec<Run>,
    groups: Vec<Group>,
}

/// The pixels that one pixel is made of: where they start, and where their groups of weights do and end.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    first: usize,
    end: usize,
}

impl Groups {
    fn new(weights: &Weights) -> Self {
        let mut made = Self {
            runs: Vec::with_capacity(weights.runs.len()),
            groups: Vec::new(),
        };
        for (start, run) in weights.each() {
            // A run has at least one pixel; were there none, its sum would be half a level, which is zero.
            let taps = if run.is_empty() { &[0] } else { run };
            let first = made.groups.len();
            made.groups.extend(taps.chunks(TAPS).map(|taps| {
                let [one, two] = [0, 2].map(|at| pair(&taps[at.min(taps.len())..]));
                [one.0, two.0, one.1, two.1]
            }));
            let end = made.groups.len();
            made.runs.push(Run { start, first, end });
        }
        made
    }
}

/// The first two weights, or as many as there are: their upper parts in one number, and their lower.
#[inline]
fn pair(run: &[i32]) -> (i32, i32) {
    let [one, two] = [0, 1].map(|at| parts(run.get(at).copied().unwrap_or(0)));
    (in_one(one.0, two.0), in_one(one.1, two.1))
}

/// The upper part of a weight and its lower bits. Weights of the filters stay below 2 in size, which is 2^12 in the upper part.
#[inline]
fn parts(weight: i32) -> (i16, i16) {
    ((weight >> LOWER_BITS) as i16, (weight & ((1 << LOWER_BITS) - 1)) as i16)
}

/// Resamples each row of `width` pixels into `made`.
#[target_feature(enable = "avx2")]
pub(super) fn pass_across(rgb: &[u8], width: usize, weights: &Weights, made: &mut [u8]) {
    let groups = Groups::new(weights);
    let (row_bytes, made_bytes) = (3 * width, 3 * groups.runs.len());
    let count = rgb.len() / row_bytes;
    // The last rows are read from a copy that goes on after their end.
    let direct = rgb.len().saturating_sub(OVERREAD) / row_bytes / ROWS * ROWS;
    let (made_direct, made_last) = made.split_at_mut(direct * made_bytes);
    for (index, made) in made_direct.chunks_exact_mut(ROWS * made_bytes).enumerate() {
        let rows = std::array::from_fn(|row| &rgb[(index * ROWS + row) * row_bytes..][..row_bytes + OVERREAD]);
        four_rows_across(rows, &groups, made);
    }
    let mut padded = vec![0; row_bytes + OVERREAD];
    let mut four = vec![0; ROWS * made_bytes];
    for (row, made) in (direct..count).zip(made_last.chunks_exact_mut(made_bytes)) {
        padded[..row_bytes].copy_from_slice(&rgb[row * row_bytes..][..row_bytes]);
        four_rows_across([&padded; ROWS], &groups, &mut four);
        made.copy_from_slice(&four[..made_bytes]);
    }
}

/// Resamples four rows of one length, each readable a little past its end.
#[target_feature(enable = "avx2")]
fn four_rows_across(rows: [&[u8]; ROWS], groups: &Groups, made: &mut [u8]) {
    let made_bytes = 3 * groups.runs.len();
    let (one, rest) = made.split_at_mut(made_bytes);
    let (two, rest) = rest.split_at_mut(made_bytes);
    let (three, four) = rest.split_at_mut(made_bytes);
    // Of four pixels of four bytes each, the three that are channels.
    let channels = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    for (block, runs) in groups.runs.chunks(COLUMNS_AT_ONCE).enumerate() {
        // Called in one place, or it would not be inlined, and its result passed through memory.
        let mut columns = [_mm256_setzero_si256(); COLUMNS_AT_ONCE];
        for (made, run) in columns.iter_mut().zip(runs) {
            *made = column(rows, groups, *run);
        }
        // Dwords are pixels. In the left half rows one and three in turn, in the right half rows two and four.
        let left = _mm256_packus_epi16(columns[0], columns[1]);
        let right = _mm256_packus_epi16(columns[2], columns[3]);
        let (left, right) = (_mm256_castsi256_ps(left), _mm256_castsi256_ps(right));
        let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(left, right));
        let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(left, right));
        let (odd, even) = (_mm256_shuffle_epi8(odd, channels), _mm256_shuffle_epi8(even, channels));
        let from = 3 * COLUMNS_AT_ONCE * block;
        store_12(_mm256_castsi256_si128(odd), &mut one[from..]);
        store_12(_mm256_extracti128_si256::<1>(odd), &mut two[from..]);
        store_12(_mm256_castsi256_si128(even), &mut three[from..]);
        store_12(_mm256_extracti128_si256::<1>(even), &mut four[from..]);
    }
}

/// One pixel of each of four rows, as words: in the left half of rows one and three, in the right half of rows two and four.
#[inline]
#[target_feature(enable = "avx2")]
fn column(rows: [&[u8]; ROWS], groups: &Groups, run: Run) -> __m256i {
    // Of four pixels in each half: the channels of the first two in pairs, and those of the last two.
    let spread = [
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1),
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1),
    ];
    let spread = [
        _mm256_broadcastsi128_si256(spread[0]),
        _mm256_broadcastsi128_si256(spread[1]),
    ];
    let groups = &groups.groups[run.first..run.end];
    let (from, to) = (3 * run.start, 3 * (run.start + TAPS * (groups.len() - 1)) + 16);
    // Spelled out: what is not inlined here is compiled without the instructions.
    let rows = [
        &rows[0][from..to],
        &rows[1][from..to],
        &rows[2][from..to],
        &rows[3][from..to],
    ];
    let mut uppers = [_mm256_setzero_si256(); ROWS / 2];
    let mut lowers = [_mm256_set1_epi32(HALF); ROWS / 2];
    for (at, group) in groups.iter().enumerate() {
        let offset = 3 * TAPS * at;
        for two in 0..ROWS / 2 {
            // SAFETY: the rows are as long as the last group reaches, and this is it or one before it.
            let pixels = unsafe {
                _mm256_loadu2_m128i(
                    rows[2 * two + 1].as_ptr().add(offset).cast(),
                    rows[2 * two].as_ptr().add(offset).cast(),
                )
            };
            for half in 0..2 {
                let pairs = _mm256_shuffle_epi8(pixels, spread[half]);
                let high = _mm256_madd_epi16(pairs, _mm256_set1_epi32(group[half]));
                let low = _mm256_madd_epi16(pairs, _mm256_set1_epi32(group[2 + half]));
                uppers[two] = _mm256_add_epi32(uppers[two], high);
                lowers[two] = _mm256_add_epi32(lowers[two], low);
            }
        }
    }
    _mm256_packs_epi32(level(whole(uppers[0], lowers[0])), level(whole(uppers[1], lowers[1])))
}

/// Resamples the columns of rows of `row_bytes` bytes into `made`; `rgb` begins at row `first`.
#[target_feature(enable = "avx2")]
pub(super) fn pass_down(rgb: &[u8], row_bytes: usize, first: usize, weights: &Weights, made: &mut [u8]) {
    let mut pairs = Vec::new();
    for (made, (start, run)) in made.chunks_exact_mut(row_bytes).zip(weights.each()) {
        pairs.clear();
        pairs.extend(run.chunks(2).map(pair));
        let rows = &rgb[(start - first) * row_bytes..][..run.len() * row_bytes];
        // The last block overlaps the one before it.
        let last = row_bytes - COLUMNS;
        for column in (0..last).step_by(COLUMNS).chain([last]) {
            block_down(&rows[column..], row_bytes, &pairs, &mut made[column..]);
        }
    }
}

/// Makes 32 bytes of a row out of those below one another.
#[inline]
#[target_feature(enable = "avx2")]
fn block_down(rows: &[u8], row_bytes: usize, pairs: &[(i32, i32)], made: &mut [u8]) {
    let zero = _mm256_setzero_si256();
    let mut uppers = [zero; 4];
    let mut lowers = [_mm256_set1_epi32(HALF); 4];
    for (at, &(high, low)) in pairs.iter().enumerate() {
        let at = 2 * at * row_bytes;
        // A row that is not there weighs nothing, and any stands for it.
        let follows = rows.len() - at >= row_bytes + COLUMNS;
        let after = if follows { at + row_bytes } else { at };
        let (one, two) = (load_32(&rows[at..]), load_32(&rows[after..]));
        let (high, low) = (_mm256_set1_epi32(high), _mm256_set1_epi32(low));
        let (left, right) = (_mm256_unpacklo_epi8(one, two), _mm256_unpackhi_epi8(one, two));
        let quarters = [
            _mm256_unpacklo_epi8(left, zero),
            _mm256_unpackhi_epi8(left, zero),
            _mm256_unpacklo_epi8(right, zero),
            _mm256_unpackhi_epi8(right, zero),
        ];
        for (quarter, values) in quarters.into_iter().enumerate() {
            uppers[quarter] = _mm256_add_epi32(uppers[quarter], _mm256_madd_epi16(values, high));
            lowers[quarter] = _mm256_add_epi32(lowers[quarter], _mm256_madd_epi16(values, low));
        }
    }
    // Packing undoes the order that unpacking has made.
    let left = _mm256_packs_epi32(level(whole(uppers[0], lowers[0])), level(whole(uppers[1], lowers[1])));
    let right = _mm256_packs_epi32(level(whole(uppers[2], lowers[2])), level(whole(uppers[3], lowers[3])));
    store_32(_mm256_packus_epi16(left, right), &mut made[..COLUMNS]);
}

/// The sums of the whole weights, of those of their parts.
#[inline]
#[target_feature(enable = "avx2")]
fn whole(uppers: __m256i, lowers: __m256i) -> __m256i {
    _mm256_add_epi32(_mm256_slli_epi32::<LOWER_BITS>(uppers), lowers)
}

/// The levels of sums, not yet clipped.
#[inline]
#[target_feature(enable = "avx2")]
fn level(sums: __m256i) -> __m256i {
    _mm256_srai_epi32::<{ PRECISION_BITS as i32 }>(sums)
}

/// Two weights' parts side by side.
#[inline]
fn in_one(first: i16, second: i16) -> i32 {
    i32::from(first as u16) | (i32::from(second) << 16)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_32(bytes: &[u8]) -> __m256i {
    let bytes: &[u8] = &bytes[..COLUMNS];
    // SAFETY: the slice holds 32 bytes, and an unaligned load takes them wherever they are.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_32(values: __m256i, bytes: &mut [u8]) {
    let bytes = &mut bytes[..COLUMNS];
    // SAFETY: the slice holds 32 bytes of ours, and an unaligned store puts them wherever they are.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), values) };
}

/// Stores the first twelve bytes, or as many as there is room for; more of them where there is more room.
#[inline]
fn store_12(values: __m128i, bytes: &mut [u8]) {
    if bytes.len() >= 16 {
        // SAFETY: the slice has room for 16 bytes, and an unaligned store puts them wherever they are.
        return unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), values) };
    }
    let mut all = [0; 16];
    // SAFETY: the array holds 16 bytes of ours, and an unaligned store puts them wherever they are.
    unsafe { _mm_storeu_si128(all.as_mut_ptr().cast(), values) };
    let fewer = bytes.len().min(12);
    bytes[..fewer].copy_from_slice(&all[..fewer]);
}
