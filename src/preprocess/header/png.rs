//! Walks the chunks of a PNG for its size and its EXIF block, wherever that stands.
//!
//! Checksums and pixel data are the decoder's business; the walk skips them by their lengths.

use super::exif;
use super::{Bytes, Format, Header, PictureError};

const FORMAT: Format = Format::Png;
/// The most that deflate can shrink.
const DEFLATE_RATIO: u64 = 1032;

pub(super) fn read(data: &[u8]) -> Result<Header, PictureError> {
    let bytes = Bytes(data);
    let fields = bytes
        .slice(8, 25)
        .ok_or_else(|| PictureError::truncated(FORMAT, "it ends inside its header"))?;
    let fields = Bytes(fields);
    if fields.slice(4, 4) != Some(b"IHDR") {
        return Err(PictureError::damaged(FORMAT, "its first chunk is not IHDR"));
    }
    let (Some(width), Some(height), Some(depth), Some(color)) =
        (fields.u32_be(8), fields.u32_be(12), fields.byte(16), fields.byte(17))
    else {
        return Err(PictureError::truncated(FORMAT, "it ends inside its header"));
    };
    let mut header = Header::new(FORMAT, width, height);
    let channels: u64 = match color {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let row_bytes = (u64::from(width) * channels * u64::from(depth)).div_ceil(8) + 1;
    header.least_bytes = row_bytes.saturating_mul(u64::from(height)) / DEFLATE_RATIO;
    header.orientation = find_exif(bytes).map_or(1, exif::orientation);
    Ok(header)
}

/// The body of the first `eXIf` chunk.
fn find_exif(bytes: Bytes<'_>) -> Option<&[u8]> {
    let mut at = 8usize;
    loop {
        let length = usize::try_from(bytes.u32_be(at)?).ok()?;
        let body = at + 8;
        if bytes.slice(at + 4, 4)? == b"eXIf" {
            return bytes.slice(body, length);
        }
        at = body.checked_add(length)?.checked_add(4)?;
    }
}
