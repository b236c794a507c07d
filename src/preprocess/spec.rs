//! `[preprocessing]` of a version's manifest: how its model was shown pictures in training.
//!
//! It is data and its validation; the arithmetic is elsewhere. Numbers are kept in double precision as written and narrowed where used, so that
//! reading and writing them back changes no digit.

use serde::{Deserialize, Serialize};

use super::limits::DecodeOptions;

/// The longest side of a model's input, in pixels.
const MAX_INPUT_SIDE: u32 = 4096;

/// The filter of resizing, widened when shrinking as Pillow's `Image.resize` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

/// How a picture of another shape is brought to the model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Both sides are scaled on their own.
    Stretch,
    /// The shorter side fits and the middle is cut out.
    Cover,
    /// The longer side fits and the rest is padded with the background.
    Contain,
}

/// The order of the three channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    Rgb,
    Bgr,
}

/// What is done with the EXIF orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrientationRule {
    Apply,
    Ignore,
}

/// The keys of `[preprocessing]`, not yet checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreprocessingFields {
    /// Width of the model's input in pixels.
    pub width: u32,
    /// Height of the model's input in pixels.
    pub height: u32,
    pub resize: Filter,
    pub fit: Fit,
    pub color: ColorOrder,
    /// Mean of each channel in the order of `color`, for values of 0 to 1.
    pub mean: [f64; 3],
    /// Standard deviation of each channel in the order of `color`, for values of 0 to 1.
    pub std: [f64; 3],
    pub orientation: OrientationRule,
    /// RGB under transparent pixels and in padding.
    pub background: [u8; 3],
    /// Whether a large JPEG may be decoded at a fraction of its size.
    #[serde(default)]
    pub jpeg_scaled_decode: ScaledDecode,
}

/// `jpeg_scaled_decode`: whether a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which is quicker and changes pixels a little.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScaledDecode {
    /// `true`: as long as both sides stay at least twice those of the input; `false`: never.
    Switch(bool),
    /// As long as both sides stay at least so many times those of the input: 1 or more.
    Ratio(f64),
}

impl Default for ScaledDecode {
    fn default() -> Self {
        Self::Switch(false)
    }
}

impl ScaledDecode {
    /// How many times the input's sides a picture must have left; none where it is never scaled.
    fn ratio(self) -> Option<f64> {
        match self {
            Self::Switch(false) => None,
            Self::Switch(true) => Some(2.0),
            Self::Ratio(ratio) => Some(ratio),
        }
    }
}

/// A checked `[preprocessing]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PreprocessingFields", into = "PreprocessingFields")]
pub struct Preprocessing(PreprocessingFields);

/// A value of `[preprocessing]` that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PreprocessingError {
    #[error("{key} is {value}; write a number of pixels from 1 to {MAX_INPUT_SIDE}")]
    Side { key: &'static str, value: u32 },
    #[error("mean[{channel}] is {value}; write a finite number, usually from 0 to 1")]
    Mean { channel: usize, value: f64 },
    #[error("jpeg_scaled_decode is {0}; write false, true (which is 2), or a number from 1 to 8")]
    ScaledDecode(f64),
    #[error("std[{channel}] is {value}; write a number from 0.000001 to 1000000, usually from 0.1 to 1")]
    Std { channel: usize, value: f64 },
}

impl Preprocessing {
    /// Checks the fields.
    ///
    /// # Errors
    /// Names the first key whose value cannot be used.
    pub fn new(fields: PreprocessingFields) -> Result<Self, PreprocessingError> {
        for (key, value) in [("width", fields.width), ("height", fields.height)] {
            if !(1..=MAX_INPUT_SIDE).contains(&value) {
                return Err(PreprocessingError::Side { key, value });
            }
        }
        for (channel, &value) in fields.mean.iter().enumerate() {
            if !(value.is_finite() && value.abs() <= 1e6) {
                return Err(PreprocessingError::Mean { channel, value });
            }
        }
        for (channel, &value) in fields.std.iter().enumerate() {
            if !(1e-6..=1e6).contains(&value) {
                return Err(PreprocessingError::Std { channel, value });
            }
        }
        if let ScaledDecode::Ratio(ratio) = fields.jpeg_scaled_decode
            && !(1.0..=8.0).contains(&ratio)
        {
            return Err(PreprocessingError::ScaledDecode(ratio));
        }
        Ok(Self(fields))
    }

    /// The fields as written.
    pub fn fields(&self) -> &PreprocessingFields {
        &self.0
    }

    /// How a picture is decoded for this model.
    pub fn decode_options(&self) -> DecodeOptions {
        DecodeOptions {
            orientation: self.0.orientation,
            background: self.0.background,
            scaled: self.0.jpeg_scaled_decode.ratio().map(|ratio| {
                let least = |side: u32| (f64::from(side) * ratio).ceil() as u32;
                (least(self.0.width), least(self.0.height))
            }),
        }
    }

    /// The numbers in a tensor of one picture: 3 x height x width.
    pub fn tensor_len(&self) -> usize {
        3 * self.0.width as usize * self.0.height as usize
    }
}

impl TryFrom<PreprocessingFields> for Preprocessing {
    type Error = PreprocessingError;

    fn try_from(fields: PreprocessingFields) -> Result<Self, Self::Error> {
        Self::new(fields)
    }
}

impl From<Preprocessing> for PreprocessingFields {
    fn from(checked: Preprocessing) -> Self {
        checked.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = r#"
        width = 128
        height = 96
        resize = "bilinear"
        fit = "contain"
        color = "rgb"
        mean = [0.485, 0.456, 0.406]
        std = [0.229, 0.224, 0.225]
        orientation = "apply"
        background = [255, 255, 255]
    "#;

    #[test]
    fn a_section_is_read_and_written_back_digit_for_digit() {
        let read: Preprocessing = toml::from_str(SECTION).unwrap();
        let written = toml::to_string(&read).unwrap();
        assert!(written.contains("0.485"), "{written}");
        assert!(!written.contains("0.4850"), "{written}");
        assert_eq!(toml::from_str::<Preprocessing>(&written).unwrap(), read);
        assert_eq!(read.tensor_len(), 3 * 128 * 96);
        assert_eq!(read.decode_options().scaled, None);
    }

    #[test]
    fn values_that_make_no_sense_are_refused_with_their_key() {
        for (old, new, key) in [
            ("width = 128", "width = 0", "width is 0"),
            ("height = 96", "height = 5000", "height is 5000"),
            ("[0.229, 0.224, 0.225]", "[0.229, 0.0, 0.225]", "std[1] is 0"),
            ("[0.485, 0.456, 0.406]", "[nan, 0.456, 0.406]", "mean[0] is NaN"),
            ("\"bilinear\"", "\"box\"", "bilinear"),
            ("width = 128", "width = 128\nwidht = 1", "widht"),
        ] {
            let error = toml::from_str::<Preprocessing>(&SECTION.replace(old, new)).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
