//! Walks the segments of a JPEG, from its start to its end-of-image marker.
//!
//! The walk counts the scans and finds a missing end before libjpeg-turbo is asked, because that library draws what is missing in grey and
//! reports only its first complaint. Arithmetic-coded, lossless, hierarchical and 12-bit files are refused: browsers do not show them either,
//! and in an arithmetic-coded one a few bytes can claim any number of pixels.

use super::exif;
use super::{Bytes, Format, Header, PictureError};

const FORMAT: Format = Format::Jpeg;

pub(super) fn read(data: &[u8]) -> Result<Header, PictureError> {
    let mut walk = Walk::default();
    let fault = walk.run(data).err();
    let Some(mut header) = walk.header else {
        return Err(fault.unwrap_or_else(|| PictureError::damaged(FORMAT, "it has no frame header")));
    };
    header.orientation = walk.orientation.unwrap_or(1);
    header.scans = walk.scans;
    header.fault = fault;
    Ok(header)
}

/// What the walk has met so far.
#[derive(Default)]
struct Walk {
    header: Option<Header>,
    orientation: Option<u8>,
    scans: u32,
}

impl Walk {
    /// Goes to the end-of-image marker of the picture; what comes after it does not matter.
    fn run(&mut self, data: &[u8]) -> Result<(), PictureError> {
        let mut at = 2;
        loop {
            let (marker, body) = next_marker(data, at).ok_or_else(|| self.cut_short(data))?;
            at = match marker {
                0x01 | 0xd0..=0xd8 => body,
                0xd9 if self.scans == 0 => {
                    return Err(PictureError::damaged(FORMAT, "it ends before any picture data"));
                }
                0xd9 => return Ok(()),
                _ => {
                    let segment = segment(data, body).ok_or_else(|| self.cut_short(data))?;
                    self.meet(marker, segment)?;
                    let after = body + 2 + segment.len();
                    if marker == 0xda {
                        end_of_scan(data, after)
                    } else {
                        after
                    }
                }
            };
        }
    }

    fn meet(&mut self, marker: u8, segment: &[u8]) -> Result<(), PictureError> {
        match marker {
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => {
                if self.header.is_some() {
                    return Err(PictureError::damaged(FORMAT, "it has two frame headers"));
                }
                self.header = Some(read_frame(marker, segment)?);
            }
            0xda => self.scans = self.scans.saturating_add(1),
            0xe1 if self.orientation.is_none() && segment.starts_with(b"Exif\0\0") => {
                self.orientation = Some(exif::orientation(segment));
            }
            _ => {}
        }
        Ok(())
    }

    /// The error of a file without an end-of-image marker.
    fn cut_short(&self, data: &[u8]) -> PictureError {
        let place = match (&self.header, self.scans) {
            (None, _) => "inside its header",
            (Some(_), 0) => "before its picture data",
            (Some(_), _) => "before its end-of-image marker",
        };
        PictureError::truncated(FORMAT, format!("it ends after {} bytes, {place}", data.len()))
    }
}

/// The next marker at or after `at` and where its body begins.
fn next_marker(data: &[u8], at: usize) -> Option<(u8, usize)> {
    let mut at = at;
    loop {
        at = find_ff(data, at)?;
        while data.get(at) == Some(&0xff) {
            at += 1;
        }
        let marker = *data.get(at)?;
        at += 1;
        if marker != 0 {
            return Some((marker, at));
        }
    }
}

/// The body of a segment whose two length bytes are at `at`.
fn segment(data: &[u8], at: usize) -> Option<&[u8]> {
    let bytes = Bytes(data);
    let length = usize::from(bytes.u16_be(at)?).checked_sub(2)?;
    bytes.slice(at + 2, length)
}

/// Where the entropy-coded data that begins at `at` ends: at the next marker that is no restart.
fn end_of_scan(data: &[u8], at: usize) -> usize {
    let mut at = at;
    while let Some(found) = find_ff(data, at) {
        match data.get(found + 1) {
            Some(0x00 | 0xd0..=0xd7) => at = found + 2,
            Some(0xff) => at = found + 1,
            _ => return found,
        }
    }
    data.len()
}

/// The first 0xff at or after `at`.
fn find_ff(data: &[u8], at: usize) -> Option<usize> {
    memchr::memchr(0xff, data.get(at..)?).map(|offset| at + offset)
}

/// Reads a frame header (SOF).
fn read_frame(marker: u8, segment: &[u8]) -> Result<Header, PictureError> {
    let coding = match marker {
        0xc0..=0xc2 => None,
        0xc3 => Some("lossless coding"),
        0xc5..=0xc7 => Some("hierarchical coding"),
        _ => Some("arithmetic coding"),
    };
    if let Some(coding) = coding {
        return Err(PictureError::unsupported(FORMAT, coding));
    }
    let bytes = Bytes(segment);
    let short = || PictureError::damaged(FORMAT, "its frame header is too short");
    let precision = bytes.byte(0).ok_or_else(short)?;
    if precision != 8 {
        return Err(PictureError::unsupported(FORMAT, format!("{precision} bits a sample")));
    }
    let height = u32::from(bytes.u16_be(1).ok_or_else(short)?);
    let width = u32::from(bytes.u16_be(3).ok_or_else(short)?);
    let components = bytes.byte(5).ok_or_else(short)?;
    if !matches!(components, 1 | 3 | 4) {
        return Err(PictureError::unsupported(
            FORMAT,
            format!("{components} colour components"),
        ));
    }
    let table = bytes.slice(6, 3 * usize::from(components)).ok_or_else(short)?;
    let blocks = count_blocks(width, height, table)
        .ok_or_else(|| PictureError::damaged(FORMAT, "its sampling factors are not from 1 to 4"))?;
    // Each block takes one Huffman code at least for its DC coefficient and, unless progressive, one for the end of the block.
    let least_bits = if marker == 0xc2 { blocks } else { 2 * blocks };
    let mut header = Header::new(FORMAT, width, height);
    header.least_bytes = least_bits / 8;
    header.is_cmyk = components == 4;
    Ok(header)
}

/// How many blocks of 8 x 8 samples all components have together.
fn count_blocks(width: u32, height: u32, table: &[u8]) -> Option<u64> {
    let factors: Vec<(u64, u64)> = table
        .chunks_exact(3)
        .map(|entry| (u64::from(entry[1] >> 4), u64::from(entry[1] & 15)))
        .collect();
    if factors
        .iter()
        .any(|&(h, v)| !(1..=4).contains(&h) || !(1..=4).contains(&v))
    {
        return None;
    }
    let h_max = factors.iter().map(|factor| factor.0).max()?;
    let v_max = factors.iter().map(|factor| factor.1).max()?;
    let blocks =
        |(h, v): &(u64, u64)| (u64::from(width) * h).div_ceil(8 * h_max) * (u64::from(height) * v).div_ceil(8 * v_max);
    Some(factors.iter().map(blocks).sum())
}
