//! From the bytes of a picture to the numbers a model reads, exactly as the training pipeline does it.
//!
//! A picture is hostile until proved otherwise, so the road has three steps and each trusts only the one before it: `header` reads sizes out of
//! the bytes without allocating, `PictureLimits` refuse what is too large, and only then a decoder runs. What follows (orientation, alpha, grey,
//! CMYK, 16 bits, resizing, normalising) repeats Pillow's arithmetic, because a model judges well only what it was trained to see.
//!
//! This room knows nothing of models, requests or verdicts; it owns the image libraries, and no other room sees their types.

mod decode;
mod error;
mod geometry;
mod header;
mod jpeg;
mod limits;
mod orient;
mod raster;
mod resample;
mod resize;
mod spec;
mod tensor;
mod workspace;

pub use decode::{Decoded, decode};
pub use error::PictureError;
pub use header::Format;
pub use limits::{DecodeOptions, PictureLimits};
pub use spec::{
    ColorOrder, Filter, Fit, OrientationRule, Preprocessing, PreprocessingError, PreprocessingFields, ScaledDecode,
};
pub use tensor::to_tensor;
pub use workspace::Workspace;
