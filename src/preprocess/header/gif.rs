//! Walks a GIF to its first frame.
//!
//! The logical screen is the picture; a first frame that reaches past it enlarges it, as in browsers and in Pillow.

use super::{Bytes, Format, Header, PictureError};

const FORMAT: Format = Format::Gif;

pub(super) fn read(data: &[u8]) -> Result<Header, PictureError> {
    walk(Bytes(data)).unwrap_or_else(|| Err(PictureError::truncated(FORMAT, "it ends before its first frame")))
}

/// `None` when the bytes end too early.
fn walk(bytes: Bytes<'_>) -> Option<Result<Header, PictureError>> {
    let screen = (u32::from(bytes.u16_le(6)?), u32::from(bytes.u16_le(8)?));
    let mut at = 13 + color_table(bytes.byte(10)?);
    loop {
        match bytes.byte(at)? {
            0x2c => break,
            0x21 => at = skip_blocks(bytes, at + 2)?,
            0x3b => return Some(Err(PictureError::damaged(FORMAT, "it has no frame"))),
            _ => return Some(Err(PictureError::damaged(FORMAT, "its blocks are out of order"))),
        }
    }
    let field = |offset| bytes.u16_le(at + offset).map(u32::from);
    let (left, top, width, height) = (field(1)?, field(3)?, field(5)?, field(7)?);
    let mut header = Header::new(FORMAT, screen.0.max(left + width), screen.1.max(top + height));
    header.frame = (width, height);
    Some(Ok(header))
}

/// Bytes of the colour table that the packed field announces.
fn color_table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// Where a run of sub-blocks that begins at `at` ends.
fn skip_blocks(bytes: Bytes<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let length = usize::from(bytes.byte(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
