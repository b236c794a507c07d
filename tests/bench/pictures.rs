//! Pictures to measure with: of the sample catalogue, enlarged, with the noise of a sensor so that they compress as photographs do.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::support::client::{Entry, catalogue};

/// So many different pictures of `side` x `side` pixels, each a JPEG of about `bytes`.
pub fn jpegs(count: usize, side: usize, bytes: usize) -> Vec<Vec<u8>> {
    let drawn = catalogue().iter().map(Entry::bytes);
    let bases: Vec<_> = drawn
        .filter_map(|encoded| image::load_from_memory(&encoded).ok())
        .take(8)
        .collect();
    (0..count)
        .map(|index| {
            let side = side as u32;
            let base = bases[index % bases.len()].resize_exact(side, side, image::imageops::FilterType::Triangle);
            of_size(base.to_rgb8().as_raw(), side as usize, bytes, index as u64 + 1)
        })
        .collect()
}

/// Adds as much noise as makes the JPEG of quality 85 about so large.
fn of_size(rgb: &[u8], side: usize, bytes: usize, seed: u64) -> Vec<u8> {
    let (mut low, mut high) = (0.0_f32, 40.0_f32);
    let mut jpeg = Vec::new();
    for _ in 0..8 {
        let middle = (low + high) / 2.0;
        jpeg = compress(&noisy(rgb, middle, seed), side);
        if jpeg.len() > bytes {
            high = middle;
        } else {
            low = middle;
        }
    }
    jpeg
}

fn noisy(rgb: &[u8], amplitude: f32, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u32 << 24) as f32 - 0.5) * amplitude
    };
    rgb.iter()
        .map(|byte| (f32::from(*byte) + noise()).clamp(0.0, 255.0) as u8)
        .collect()
}

fn compress(rgb: &[u8], side: usize) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(85).unwrap();
    compressor.set_subsamp(Subsamp::Sub2x2).unwrap();
    let image = Image {
        pixels: rgb,
        width: side,
        pitch: 3 * side,
        height: side,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}
