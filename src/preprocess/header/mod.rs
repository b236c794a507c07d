//! What a picture says of itself, read from its bytes without decoding and without allocating.
//!
//! The format is told by the first bytes, never by a name. Every read is checked, every walk moves forward, so any bytes end in a header or an
//! error within one pass. Sizes found here are claims: nothing is allocated for them before the limits have been checked.

mod bmp;
mod exif;
mod gif;
mod jpeg;
mod png;
mod webp;

use std::fmt;

use super::error::PictureError;

/// The formats that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
        })
    }
}

/// What the bytes of a picture claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub format: Format,
    /// Pixels across as stored, before any orientation.
    pub width: u32,
    /// Pixels down as stored, before any orientation.
    pub height: u32,
    /// The largest area that decoding must hold besides the picture itself, such as an animation's frame.
    pub frame: (u32, u32),
    /// EXIF orientation, 1 to 8; 1 is upright.
    pub orientation: u8,
    /// How many scans a JPEG is drawn in; 1 elsewhere.
    pub scans: u32,
    /// Fewer bytes than this cannot hold the picture.
    pub least_bytes: u64,
    /// Whether four colours of ink are stored.
    pub is_cmyk: bool,
    /// What is wrong after the sizes. They are judged first, for a claim over the limits needs no data behind it.
    pub fault: Option<PictureError>,
}

impl Header {
    fn new(format: Format, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            frame: (width, height),
            orientation: 1,
            scans: 1,
            least_bytes: 0,
            is_cmyk: false,
            fault: None,
        }
    }
}

/// Reads the header.
///
/// # Errors
/// When the bytes are no picture, one of an unsupported kind, or end inside the header.
pub(super) fn read(bytes: &[u8]) -> Result<Header, PictureError> {
    let header = match sniff(bytes)? {
        Format::Jpeg => jpeg::read(bytes),
        Format::Png => png::read(bytes),
        Format::WebP => webp::read(bytes),
        Format::Gif => gif::read(bytes),
        Format::Bmp => bmp::read(bytes),
    }?;
    if header.width == 0 || header.height == 0 || header.frame.0 == 0 || header.frame.1 == 0 {
        return Err(PictureError::damaged(
            header.format,
            format!("it says that it is {} x {} pixels", header.width, header.height),
        ));
    }
    Ok(header)
}

/// Tells the format by the first bytes.
fn sniff(bytes: &[u8]) -> Result<Format, PictureError> {
    let found = match bytes {
        [0xff, 0xd8, 0xff, ..] => return Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => return Ok(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => return Ok(Format::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => return Ok(Format::Gif),
        [b'B', b'M', ..] if bytes.len() >= 6 => return Ok(Format::Bmp),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => "AVIF",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => "HEIF",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a video or another ISO media file",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "TIFF",
        [0, 0, 0, 12, b'j', b'X', b'L', b' ', ..] | [0xff, 0x0a, ..] => "JPEG XL",
        [0, 0, 0, 12, b'j', b'P', ..] => "JPEG 2000",
        [0, 0, 1, 0, ..] => "an icon (ICO)",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        _ if starts_with_text(bytes, b"<svg") || starts_with_text(bytes, b"<?xml") => "SVG or XML",
        _ if starts_with_text(bytes, b"<!doctype html") || starts_with_text(bytes, b"<html") => "a web page (HTML)",
        _ => return Err(PictureError::NotAPicture),
    };
    Err(PictureError::UnsupportedFormat { found })
}

/// Whether the text begins with these letters, spaces and letter case aside.
fn starts_with_text(bytes: &[u8], word: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word)
}

/// Checked reads at a place in the bytes; `None` past the end.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.slice(at, N)?.try_into().ok()
    }

    fn slice(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn u16_le(self, at: usize) -> Option<u16> {
        self.take(at).map(u16::from_le_bytes)
    }

    fn u16_be(self, at: usize) -> Option<u16> {
        self.take(at).map(u16::from_be_bytes)
    }

    fn u24_le(self, at: usize) -> Option<u32> {
        let [low, middle, high] = self.take(at)?;
        Some(u32::from_le_bytes([low, middle, high, 0]))
    }

    fn u32_le(self, at: usize) -> Option<u32> {
        self.take(at).map(u32::from_le_bytes)
    }

    fn u32_be(self, at: usize) -> Option<u32> {
        self.take(at).map(u32::from_be_bytes)
    }
}
