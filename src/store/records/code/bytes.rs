//! Values as bytes and back: numbers in as few bytes as they need, texts and lists after their length.
//!
//! What is read was written by this program, yet is never trusted: every length is held against what is left.

use std::str::FromStr;

use crate::base::{CountryCode, Digest, IdError, Label, ModelName};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::store) struct CodeError(pub String);

impl From<IdError> for CodeError {
    fn from(error: IdError) -> Self {
        Self(error.to_string())
    }
}

/// Writes values one after the other.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    pub fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn signed(&mut self, value: i64) {
        self.raw(&value.to_le_bytes());
    }

    pub fn float(&mut self, value: f32) {
        self.raw(&value.to_bits().to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }

    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }
}

/// Reads values in the order in which they were written.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], CodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| CodeError(format!("{length} bytes are expected, {} are left", self.0.len())))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodeError> {
        let taken = self.raw(N)?;
        taken.try_into().map_err(|_| CodeError("a length is wrong".to_owned()))
    }

    pub fn byte(&mut self) -> Result<u8, CodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn number(&mut self) -> Result<u64, CodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodeError("a number is too long".to_owned()))
    }

    pub fn signed(&mut self) -> Result<i64, CodeError> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn float(&mut self) -> Result<f32, CodeError> {
        self.array().map(|bytes| f32::from_bits(u32::from_le_bytes(bytes)))
    }

    pub fn digest(&mut self) -> Result<Digest, CodeError> {
        self.array().map(Digest)
    }

    pub fn mark(&mut self) -> Result<[u8; 16], CodeError> {
        self.array()
    }

    fn length(&mut self) -> Result<usize, CodeError> {
        // Everything takes at least a byte, so a length beyond what is left is wrong, and memory for it is never asked for.
        let length = self.number()?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.0.len())
            .ok_or_else(|| {
                CodeError(format!(
                    "a length of {length} is expected, {} bytes are left",
                    self.0.len()
                ))
            })
    }

    pub fn str(&mut self) -> Result<&'a str, CodeError> {
        let length = self.length()?;
        std::str::from_utf8(self.raw(length)?).map_err(|error| CodeError(error.to_string()))
    }

    pub fn text(&mut self) -> Result<String, CodeError> {
        self.str().map(str::to_owned)
    }

    pub fn flag(&mut self) -> Result<bool, CodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(CodeError(format!("{other} is neither no nor yes"))),
        }
    }

    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, CodeError>) -> Result<Option<T>, CodeError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Where there are several, into whatever collects them.
    pub fn list<T, C: FromIterator<T>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, CodeError>,
    ) -> Result<C, CodeError> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), CodeError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(CodeError(format!("{left} bytes are left over"))),
        }
    }
}

/// Names that come again and again, each made once. Of a few dozen different ones; beyond that each is made anew.
#[derive(Debug, Default)]
pub(in crate::store) struct Names {
    labels: Vec<Label>,
    models: Vec<ModelName>,
    countries: Vec<CountryCode>,
}

const NAMES: usize = 64;

impl Names {
    pub fn label(&mut self, text: &str) -> Result<Label, CodeError> {
        kept(&mut self.labels, text, Label::as_str)
    }

    pub fn model(&mut self, text: &str) -> Result<ModelName, CodeError> {
        kept(&mut self.models, text, ModelName::as_str)
    }

    pub fn country(&mut self, text: &str) -> Result<CountryCode, CodeError> {
        kept(&mut self.countries, text, CountryCode::as_str)
    }
}

fn kept<T>(names: &mut Vec<T>, text: &str, as_str: impl Fn(&T) -> &str) -> Result<T, CodeError>
where
    T: Clone + FromStr<Err = IdError>,
{
    if let Some(known) = names.iter().find(|name| as_str(name) == text) {
        return Ok(known.clone());
    }
    let made: T = text.parse()?;
    if names.len() < NAMES {
        names.push(made.clone());
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_anywhere_is_an_error_not_a_panic() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        writer.text("été");
        writer.option(Some(-3), Writer::signed);
        writer.list([1.5_f32, f32::MIN].into_iter(), Writer::float);
        let whole = writer.finish();
        let read = |bytes: &[u8]| -> Result<(u64, String, Option<i64>, Vec<f32>), CodeError> {
            let mut reader = Reader::new(bytes);
            let all = (
                reader.number()?,
                reader.text()?,
                reader.option(Reader::signed)?,
                reader.list(Reader::float)?,
            );
            reader.end().map(|()| all)
        };
        let expected = (u64::MAX, "été".to_owned(), Some(-3), vec![1.5, f32::MIN]);
        assert_eq!(read(&whole), Ok(expected));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        assert!(read(&[whole.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_length_beyond_the_bytes_takes_no_memory() {
        let mut writer = Writer::default();
        writer.number(u64::MAX >> 1);
        let bytes = writer.finish();
        assert!(Reader::new(&bytes).list::<u8, Vec<u8>>(Reader::byte).is_err());
        assert!(Reader::new(&[0xff; 12]).number().is_err());
    }
}
