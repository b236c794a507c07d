//! Pictures for the tests, made on the spot.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use vigie::preprocess::{ColorOrder, Filter, Fit, OrientationRule, Preprocessing, PreprocessingFields, ScaledDecode};

/// What a model of `width` x `height` pixels might ask for.
pub fn fields(width: u32, height: u32) -> PreprocessingFields {
    PreprocessingFields {
        width,
        height,
        resize: Filter::Bilinear,
        fit: Fit::Contain,
        color: ColorOrder::Rgb,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        orientation: OrientationRule::Apply,
        background: [255, 255, 255],
        jpeg_scaled_decode: ScaledDecode::default(),
    }
}

pub fn spec() -> Preprocessing {
    Preprocessing::new(fields(64, 48)).unwrap()
}

/// Colours that change from pixel to pixel, so that a file has something to lose.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 7 + y) as u8, (y * 5) as u8 ^ (x * 3) as u8, (x * y) as u8])
    })
}

pub fn jpeg(width: u32, height: u32, progressive: bool) -> Vec<u8> {
    let pixels = picture(width, height);
    let mut compressor = turbojpeg::Compressor::new().unwrap();
    compressor.set_quality(85).unwrap();
    compressor.set_subsamp(turbojpeg::Subsamp::Sub2x2).unwrap();
    compressor.set_progressive(progressive).unwrap();
    let image = turbojpeg::Image {
        pixels: pixels.as_raw().as_slice(),
        width: width as usize,
        pitch: 3 * width as usize,
        height: height as usize,
        format: turbojpeg::PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}

pub fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture(width, height))
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// One whole picture of each format, and a progressive JPEG.
pub fn one_of_each(width: u32, height: u32) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("JPEG", jpeg(width, height, false)),
        ("progressive JPEG", jpeg(width, height, true)),
        ("PNG", encoded(width, height, ImageFormat::Png)),
        ("WebP", encoded(width, height, ImageFormat::WebP)),
        ("GIF", encoded(width, height, ImageFormat::Gif)),
        ("BMP", encoded(width, height, ImageFormat::Bmp)),
    ]
}

/// A PNG chunk with its checksum.
pub fn png_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [name, body].concat();
    let mut chunk = (body.len() as u32).to_be_bytes().to_vec();
    chunk.extend(&named);
    chunk.extend(crc32(&named).to_be_bytes());
    chunk
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |state, &byte| {
        (0..8).fold(state ^ u32::from(byte), |state, _| {
            (state >> 1) ^ (0xedb8_8320 * (state & 1))
        })
    })
}
