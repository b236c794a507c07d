//! The alphabet of packed records: how numbers and pieces of bytes are written one after the other, and read back without a copy.
//!
//! Whole numbers take a byte for each seven bits. Reading never fails: what this room has not written itself reads as zeros and empty pieces.

/// Writes a whole number: seven bits a byte, the lowest first, the top bit set on all but the last.
pub fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a number that may be negative: small ones are short on both sides of zero.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_number(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Writes a piece of bytes after its length.
pub fn put_piece(out: &mut Vec<u8>, piece: &[u8]) {
    put_number(out, piece.len() as u64);
    out.extend_from_slice(piece);
}

/// Where a record is being read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next so many bytes.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        taken
    }

    /// The next so many bytes, as an array.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// What `put_number` wrote.
    pub fn number(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }

    /// What `put_number` wrote of a `u32`.
    pub fn short(&mut self) -> u32 {
        self.number() as u32
    }

    /// What `put_signed` wrote.
    pub fn signed(&mut self) -> i64 {
        let folded = self.number();
        (folded >> 1) as i64 ^ -((folded & 1) as i64)
    }

    /// What `put_piece` wrote.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = self.number();
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN];
        let mut out = Vec::new();
        numbers.iter().for_each(|value| put_number(&mut out, *value));
        signed.iter().for_each(|value| put_signed(&mut out, *value));
        put_piece(&mut out, b"piece");
        let mut cursor = Cursor(&out);
        assert_eq!(numbers.map(|_| cursor.number()), numbers);
        assert_eq!(signed.map(|_| cursor.signed()), signed);
        assert_eq!((cursor.piece(), cursor.0), (&b"piece"[..], &[][..]));
    }

    #[test]
    fn what_was_not_written_reads_as_nothing() {
        let mut cursor = Cursor(&[0xff, 0xff]);
        assert_eq!((cursor.number(), cursor.byte(), cursor.piece()), (0x3fff, 0, &[][..]));
    }
}
