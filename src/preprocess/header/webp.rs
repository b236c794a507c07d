//! Walks the chunks of a WebP for its sizes, which stand in up to three places, and its EXIF block.
//!
//! The WebP decoder in use ignores limits, so each place is read here: the canvas, the frame of an animation, the bitstream.

use super::exif;
use super::{Bytes, Format, Header, PictureError};

const FORMAT: Format = Format::WebP;

/// The sizes found so far.
#[derive(Default)]
struct Sizes {
    canvas: Option<(u32, u32)>,
    /// The largest sides of any frame or bitstream.
    largest: Option<(u32, u32)>,
}

impl Sizes {
    fn frame(&mut self, (width, height): (u32, u32)) {
        let largest = self.largest.get_or_insert((0, 0));
        *largest = (largest.0.max(width), largest.1.max(height));
    }
}

pub(super) fn read(data: &[u8]) -> Result<Header, PictureError> {
    let bytes = Bytes(data);
    let claimed = bytes.u32_le(4).map_or(u64::MAX, |size| u64::from(size) + 8);
    let mut sizes = Sizes::default();
    let mut orientation = 1;
    let mut at = 12;
    while let Some((name, body)) = chunk(bytes, at) {
        match name {
            b"EXIF" => orientation = exif::orientation(body),
            b"VP8X" => sizes.canvas = Bytes(body).u24_le(4).zip(Bytes(body).u24_le(7)).map(one_more),
            b"ANMF" => animation_frame(body, &mut sizes),
            _ => bitstream(name, body, &mut sizes),
        }
        at += 8 + body.len() + body.len() % 2;
    }
    let Some(picture) = sizes.canvas.or(sizes.largest) else {
        return Err(if claimed > data.len() as u64 {
            PictureError::truncated(FORMAT, "it ends inside its header")
        } else {
            PictureError::damaged(FORMAT, "it holds no picture")
        });
    };
    let mut header = Header::new(FORMAT, picture.0, picture.1);
    header.frame = sizes.largest.unwrap_or(picture);
    header.orientation = orientation;
    header.least_bytes = claimed;
    Ok(header)
}

/// The name and body of the chunk at `at`; a body that reaches past the end is cut there, so that its size is still seen.
fn chunk(bytes: Bytes<'_>, at: usize) -> Option<(&[u8], &[u8])> {
    let name = bytes.slice(at, 4)?;
    let length = usize::try_from(bytes.u32_le(at + 4)?).ok()?;
    let rest = bytes.0.get(at + 8..)?;
    Some((name, &rest[..length.min(rest.len())]))
}

fn one_more((width, height): (u32, u32)) -> (u32, u32) {
    (width + 1, height + 1)
}

/// Reads a frame of an animation: its own sizes, and those of the bitstream in it.
fn animation_frame(body: &[u8], sizes: &mut Sizes) {
    let bytes = Bytes(body);
    if let Some(size) = bytes.u24_le(6).zip(bytes.u24_le(9)) {
        sizes.frame(one_more(size));
    }
    let mut at = 16;
    while let Some((name, inner)) = chunk(bytes, at) {
        bitstream(name, inner, sizes);
        at += 8 + inner.len() + inner.len() % 2;
    }
}

/// Reads the sizes out of a lossy or lossless bitstream.
fn bitstream(name: &[u8], body: &[u8], sizes: &mut Sizes) {
    let bytes = Bytes(body);
    let size = match name {
        b"VP8 " if bytes.slice(3, 3) == Some(&[0x9d, 0x01, 0x2a]) => bytes
            .u16_le(6)
            .zip(bytes.u16_le(8))
            .map(|(width, height)| (u32::from(width & 0x3fff), u32::from(height & 0x3fff))),
        b"VP8L" if bytes.byte(0) == Some(0x2f) => bytes
            .u32_le(1)
            .map(|packed| one_more((packed & 0x3fff, packed >> 14 & 0x3fff))),
        _ => None,
    };
    if let Some(size) = size {
        sizes.frame(size);
    }
}
