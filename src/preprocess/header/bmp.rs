//! Reads the header of a BMP.

use super::{Bytes, Format, Header, PictureError};

const FORMAT: Format = Format::Bmp;
/// BMP's codes of pixels that are stored as they are: plain, and with masks of bits.
const STORED: [u32; 3] = [0, 3, 6];

pub(super) fn read(data: &[u8]) -> Result<Header, PictureError> {
    fields(Bytes(data)).ok_or_else(|| PictureError::truncated(FORMAT, "it ends inside its header"))?
}

/// `None` when the bytes end too early.
fn fields(bytes: Bytes<'_>) -> Option<Result<Header, PictureError>> {
    let (width, height, bits, compression) = match bytes.u32_le(14)? {
        12 => (
            u32::from(bytes.u16_le(18)?),
            u32::from(bytes.u16_le(20)?),
            bytes.u16_le(24)?,
            0,
        ),
        16..=256 => {
            // A negative height means that the first row is the top one.
            let width = i32::from_le_bytes(bytes.take(18)?);
            let height = i32::from_le_bytes(bytes.take(22)?);
            let Ok(width) = u32::try_from(width) else {
                return Some(Err(PictureError::damaged(FORMAT, "its width is negative")));
            };
            (width, height.unsigned_abs(), bytes.u16_le(28)?, bytes.u32_le(30)?)
        }
        other => {
            return Some(Err(PictureError::unsupported(
                FORMAT,
                format!("a header of {other} bytes"),
            )));
        }
    };
    let mut header = Header::new(FORMAT, width, height);
    if STORED.contains(&compression) {
        let row_bytes = (u64::from(width) * u64::from(bits)).div_ceil(32) * 4;
        header.least_bytes = row_bytes.saturating_mul(u64::from(height));
    }
    Some(Ok(header))
}
