//! Decodes JPEG by libjpeg-turbo, the library under Pillow, so that the pixels are the same.
//!
//! The slow exact inverse transform and smooth upsampling are its defaults and Pillow's. Four-ink pictures are read as Adobe's inverted ones, as
//! Pillow does whatever their markers say.

use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use super::error::PictureError;
use super::header::{Format, Header};
use super::orient;
use super::workspace::Workspace;

const FORMAT: Format = Format::Jpeg;

/// Complaints of libjpeg-turbo after which the picture is whole all the same.
const HARMLESS: [&str; 3] = [
    "extraneous bytes before marker",
    "unknown JFIF revision",
    "Unknown Adobe color transform",
];

/// Pixels of a decoded JPEG.
pub(super) struct Pixels {
    pub rgb: Vec<u8>,
    pub width: u32,
    pub height: u32,
    /// The picture was decoded at one over this: 1, 2, 4 or 8.
    pub divisor: u8,
}

/// Decodes the picture, at a fraction of its size when that leaves the upright picture at least as wide and high as `least`.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    least: Option<(u32, u32)>,
    workspace: &mut Workspace,
) -> Result<Pixels, PictureError> {
    let divisor = divisor(header, least);
    let width = header.width.div_ceil(u32::from(divisor));
    let height = header.height.div_ceil(u32::from(divisor));
    // Taken out, so that none is kept over a panic.
    let mut decompressor = match workspace.decompressor.take() {
        Some(decompressor) => decompressor,
        None => Decompressor::new().map_err(fault)?,
    };
    decompressor.set_scan_limit(header.scans).map_err(fault)?;
    decompressor
        .set_scaling_factor(ScalingFactor::new(1, usize::from(divisor)))
        .map_err(fault)?;
    let format = if header.is_cmyk {
        PixelFormat::CMYK
    } else {
        PixelFormat::RGB
    };
    let pitch = width as usize * format.size();
    let mut pixels = workspace.take_pixels(pitch * height as usize);
    let image = Image {
        pixels: pixels.as_mut_slice(),
        width: width as usize,
        pitch,
        height: height as usize,
        format,
    };
    let outcome = decompressor.decompress(bytes, image);
    workspace.decompressor = Some(decompressor);
    if let Err(error) = outcome {
        judge(&error)?;
    }
    if header.is_cmyk {
        inks_to_rgb(&mut pixels);
    }
    Ok(Pixels {
        rgb: pixels,
        width,
        height,
        divisor,
    })
}

/// The largest of 8, 4, 2 that leaves both sides at least so long; else 1.
fn divisor(header: &Header, least: Option<(u32, u32)>) -> u8 {
    let Some((mut width, mut height)) = least else {
        return 1;
    };
    if orient::swaps_sides(header.orientation) {
        (width, height) = (height, width);
    }
    let enough = |divisor: &u8| {
        let divisor = u32::from(*divisor);
        header.width.div_ceil(divisor) >= width && header.height.div_ceil(divisor) >= height
    };
    [8, 4, 2].into_iter().find(enough).unwrap_or(1)
}

/// Decides on a complaint: harmless, a truncation, or damage.
fn judge(error: &turbojpeg::Error) -> Result<(), PictureError> {
    let text = match error {
        turbojpeg::Error::TurboJpegError(text) => text.as_str(),
        other => return Err(PictureError::damaged(FORMAT, other.to_string())),
    };
    if HARMLESS.iter().any(|harmless| text.contains(harmless)) {
        return Ok(());
    }
    let lower = text.to_ascii_lowercase();
    Err(if lower.contains("premature end") {
        PictureError::truncated(FORMAT, lower)
    } else {
        PictureError::damaged(FORMAT, lower)
    })
}

/// A failure of the library itself, such as lack of memory.
fn fault(_: turbojpeg::Error) -> PictureError {
    PictureError::DecoderFault { format: FORMAT }
}

/// Turns four inks (inverted: 255 is no ink) into RGB in place, by Pillow's arithmetic.
fn inks_to_rgb(pixels: &mut Vec<u8>) {
    let count = pixels.len() / 4;
    for index in 0..count {
        let (from, to) = (4 * index, 3 * index);
        let black = u32::from(pixels[from + 3]);
        for channel in 0..3 {
            let ink = 255 - u32::from(pixels[from + channel]);
            let product = ink * black + 128;
            let rounded = ((product >> 8) + product) >> 8;
            pixels[to + channel] = black.saturating_sub(rounded) as u8;
        }
    }
    pixels.truncate(3 * count);
    pixels.shrink_to_fit();
}
