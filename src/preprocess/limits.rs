//! What a picture may cost before it is refused, and how it is to be decoded.
//!
//! Time is bounded by these numbers and by nothing else: a decoder visits each pixel once a scan, so the pixels and the scans of a JPEG are
//! capped together and no clock is needed. Memory is bounded at eight bytes a pixel while decoding (16-bit RGBA) and three afterwards.

use super::error::PictureError;
use super::header::Header;
use super::spec::OrientationRule;

/// The most scans a JPEG may have, whatever its size. Files in circulation have at most about twelve.
const MAX_SCANS: u32 = 64;
/// The most pixels a JPEG may visit over all its scans, beyond a first thirteen scans that are always allowed.
const MAX_SCANNED_PIXELS: u64 = 650_000_000;
/// Scans that are allowed for any picture within the limit of pixels.
const FREE_SCANS: u32 = 13;

/// How a picture is decoded. Two revisions with equal options share one decoded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeOptions {
    /// Whether the EXIF orientation is applied.
    pub orientation: OrientationRule,
    /// RGB under transparent pixels.
    pub background: [u8; 3],
    /// The least width and height in pixels that a JPEG must have left when it is decoded at 1/2, 1/4 or 1/8; none where it may not be.
    pub scaled: Option<(u32, u32)>,
}

/// The largest picture that is accepted; checked on the header, before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    /// Bytes of the encoded picture.
    pub max_bytes: usize,
    /// Pixels of the decoded picture.
    pub max_pixels: u64,
    /// Pixels of the longer side.
    pub max_side: u32,
}

impl Default for PictureLimits {
    fn default() -> Self {
        Self {
            max_bytes: 16 << 20,
            max_pixels: 50_000_000,
            max_side: 16_384,
        }
    }
}

impl PictureLimits {
    /// Refuses a picture by its length.
    pub(super) fn check_bytes(&self, bytes: &[u8]) -> Result<(), PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        if bytes.len() > self.max_bytes {
            return Err(PictureError::TooManyBytes {
                bytes: bytes.len(),
                limit: self.max_bytes,
            });
        }
        Ok(())
    }

    /// Refuses a picture by the sizes that its header claims.
    pub(super) fn check_sides(&self, width: u32, height: u32) -> Result<(), PictureError> {
        if width > self.max_side || height > self.max_side {
            return Err(PictureError::SideTooLong {
                width,
                height,
                limit: self.max_side,
            });
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return Err(PictureError::TooManyPixels {
                width,
                height,
                pixels,
                limit: self.max_pixels,
            });
        }
        Ok(())
    }

    /// Refuses a JPEG that would be drawn over and over.
    pub(super) fn check_scans(&self, header: &Header) -> Result<(), PictureError> {
        let pixels = u64::from(header.width) * u64::from(header.height);
        let affordable = u32::try_from(MAX_SCANNED_PIXELS / pixels.max(1)).unwrap_or(u32::MAX);
        let limit = affordable.clamp(FREE_SCANS, MAX_SCANS);
        if header.scans > limit {
            return Err(PictureError::TooManyScans {
                scans: header.scans,
                limit,
            });
        }
        Ok(())
    }
}
