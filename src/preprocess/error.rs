//! Why a picture cannot be used, in sentences with numbers.
//!
//! Two kinds matter to the caller: a picture over a stated limit is a wrong request, and any other is a product whose picture a person must
//! look at. This file does not know which status or verdict follows.

use super::header::Format;

/// Why a picture cannot be used. `Display` is a plain sentence that may be shown to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the picture is empty: it has no bytes")]
    Empty,
    #[error("the picture has {bytes} bytes, and at most {limit} are accepted; send a smaller file")]
    TooManyBytes { bytes: usize, limit: usize },
    #[error("the picture is {width} x {height} pixels, and a side may have at most {limit}; send a smaller picture")]
    SideTooLong { width: u32, height: u32, limit: u32 },
    #[error(
        "the picture is {width} x {height} pixels, which is {pixels}, and at most {limit} are accepted; send a smaller picture"
    )]
    TooManyPixels {
        width: u32,
        height: u32,
        pixels: u64,
        limit: u64,
    },
    #[error("the JPEG is drawn in {scans} scans, and at most {limit} are accepted for its size; save it with fewer")]
    TooManyScans { scans: u32, limit: u32 },
    #[error("the bytes are not a picture in a known format; send JPEG, PNG, WebP, GIF or BMP")]
    NotAPicture,
    #[error("the file is {found}, which is not supported; send JPEG, PNG, WebP, GIF or BMP")]
    UnsupportedFormat { found: &'static str },
    #[error("the {format} uses {what}, which is not supported; save it without")]
    UnsupportedFeature { format: Format, what: String },
    #[error("the {format} is cut short: {detail}")]
    Truncated { format: Format, detail: String },
    #[error("the {format} is damaged: {detail}")]
    Damaged { format: Format, detail: String },
    #[error("the {format} made its decoder fail; it is damaged in an unusual way")]
    DecoderFault { format: Format },
}

impl PictureError {
    /// Whether the picture exceeds a stated limit, and so the request is wrong rather than the picture unreadable.
    pub fn is_over_limit(&self) -> bool {
        match self {
            Self::TooManyBytes { .. }
            | Self::SideTooLong { .. }
            | Self::TooManyPixels { .. }
            | Self::TooManyScans { .. } => true,
            Self::Empty
            | Self::NotAPicture
            | Self::UnsupportedFormat { .. }
            | Self::UnsupportedFeature { .. }
            | Self::Truncated { .. }
            | Self::Damaged { .. }
            | Self::DecoderFault { .. } => false,
        }
    }

    pub(super) fn truncated(format: Format, detail: impl Into<String>) -> Self {
        Self::Truncated {
            format,
            detail: detail.into(),
        }
    }

    pub(super) fn damaged(format: Format, detail: impl Into<String>) -> Self {
        Self::Damaged {
            format,
            detail: detail.into(),
        }
    }

    pub(super) fn unsupported(format: Format, what: impl Into<String>) -> Self {
        Self::UnsupportedFeature {
            format,
            what: what.into(),
        }
    }
}
