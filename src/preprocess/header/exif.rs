//! The orientation in an EXIF block (a small TIFF file).
//!
//! Only tag 0x0112 of the first directory is read; thumbnails, maker notes and everything else are skipped. A block that makes no sense means
//! upright, as it does in Pillow and in browsers.

use super::Bytes;

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// The orientation, 1 to 8; 1 when there is none or it makes no sense. Takes the TIFF bytes, after an optional `Exif\0\0`.
pub(super) fn orientation(block: &[u8]) -> u8 {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    find(tiff).filter(|value| (1..=8).contains(value)).unwrap_or(1)
}

fn find(tiff: &[u8]) -> Option<u8> {
    let little_endian = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return None,
    };
    let bytes = Bytes(tiff);
    let short = |at| {
        if little_endian {
            bytes.u16_le(at)
        } else {
            bytes.u16_be(at)
        }
    };
    let long = |at| {
        if little_endian {
            bytes.u32_le(at)
        } else {
            bytes.u32_be(at)
        }
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    for entry in 0..entries {
        let at = directory.checked_add(2 + 12 * entry)?;
        if short(at)? != ORIENTATION {
            continue;
        }
        return match short(at + 2)? {
            SHORT => u8::try_from(short(at + 8)?).ok(),
            LONG => u8::try_from(long(at + 8)?).ok(),
            _ => None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn little(tag: u16, kind: u16, value: u32) -> Vec<u8> {
        let mut block = b"II*\0\x08\0\0\0\x01\0".to_vec();
        block.extend(tag.to_le_bytes());
        block.extend(kind.to_le_bytes());
        block.extend(1u32.to_le_bytes());
        block.extend(value.to_le_bytes());
        block
    }

    #[test]
    fn both_byte_orders_are_read() {
        assert_eq!(orientation(&little(0x0112, 3, 6)), 6);
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(orientation(big), 8);
        assert_eq!(orientation(&[b"Exif\0\0".as_slice(), big].concat()), 8);
    }

    #[test]
    fn nonsense_means_upright() {
        assert_eq!(orientation(&little(0x0112, 3, 0)), 1);
        assert_eq!(orientation(&little(0x0112, 3, 9)), 1);
        assert_eq!(orientation(&little(0x0112, 3, 262)), 1);
        assert_eq!(orientation(&little(0x0113, 3, 6)), 1);
        assert_eq!(orientation(b"II*\0\xff\xff\xff\xff"), 1);
        assert_eq!(orientation(&little(0x0112, 3, 6)[..15]), 1);
        assert_eq!(orientation(b""), 1);
    }
}
