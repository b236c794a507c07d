//! Bytes in, upright 8-bit RGB out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::PictureError;
use super::header::{self, Format, Header};
use super::limits::{DecodeOptions, PictureLimits};
use super::spec::OrientationRule;
use super::workspace::Workspace;
use super::{jpeg, orient, raster};

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Pixels across, after orientation and any scaled decoding.
    pub width: u32,
    /// Pixels down, after orientation and any scaled decoding.
    pub height: u32,
    /// Three bytes a pixel, row by row from the top left.
    pub rgb: Vec<u8>,
    /// What the bytes were.
    pub format: Format,
    /// A JPEG decoded at one over this (2, 4 or 8); else 1.
    pub divisor: u8,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Decoded")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("format", &self.format)
            .field("divisor", &self.divisor)
            .finish_non_exhaustive()
    }
}

/// Decodes a picture: sniff, check the limits on the header, decode, compose over the background, turn upright.
///
/// Takes a few milliseconds a megapixel on the calling thread. An animation gives its first frame.
///
/// # Errors
/// Says in words what is wrong; `PictureError::is_over_limit` tells a refused size from an unreadable picture.
pub fn decode(
    bytes: &[u8],
    options: &DecodeOptions,
    limits: &PictureLimits,
    workspace: &mut Workspace,
) -> Result<Decoded, PictureError> {
    limits.check_bytes(bytes)?;
    let mut header = header::read(bytes)?;
    limits.check_sides(header.width, header.height)?;
    limits.check_sides(header.frame.0, header.frame.1)?;
    limits.check_scans(&header)?;
    if let Some(fault) = header.fault.take() {
        return Err(fault);
    }
    if (bytes.len() as u64) < header.least_bytes {
        let detail = format!(
            "{} x {} pixels take at least {} bytes, and it has {}",
            header.width,
            header.height,
            header.least_bytes,
            bytes.len()
        );
        return Err(PictureError::truncated(header.format, detail));
    }
    if options.orientation == OrientationRule::Ignore {
        header.orientation = 1;
    }
    // Decoders are other people's code and some panic on odd files; nothing of theirs outlives the call.
    catch_unwind(AssertUnwindSafe(|| decode_checked(bytes, &header, options, workspace)))
        .unwrap_or(Err(PictureError::DecoderFault { format: header.format }))
}

fn decode_checked(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    workspace: &mut Workspace,
) -> Result<Decoded, PictureError> {
    let (rgb, sides, divisor) = match header.format {
        Format::Jpeg => {
            let pixels = jpeg::decode(bytes, header, options.scaled, workspace)?;
            (pixels.rgb, (pixels.width, pixels.height), pixels.divisor)
        }
        Format::Png | Format::WebP | Format::Gif | Format::Bmp => {
            let rgb = raster::decode(bytes, header, options.background)?;
            (rgb, (header.width, header.height), 1)
        }
    };
    let (rgb, (width, height)) = orient::upright(rgb, sides, header.orientation);
    Ok(Decoded {
        width,
        height,
        rgb,
        format: header.format,
        divisor,
    })
}
