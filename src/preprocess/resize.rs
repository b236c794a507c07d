//! Resizing with Pillow's filters, and Pillow's order: across first, rounded to bytes, then down.
//!
//! The order matters: rounding and clipping between the passes change pixels at hard edges. The library in use goes down first when asked for
//! both, so it is asked for one at a time. Nearest is done here, by Pillow's running sum, because ties fall otherwise.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};

use super::geometry::Placement;
use super::spec::Filter;

/// A picture to read from: sides in pixels and three bytes a pixel.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub width: u32,
    pub height: u32,
    pub rgb: &'a [u8],
}

/// Resizes to `placement.resized` and keeps only the part that `placement` keeps; three bytes a pixel. `None` if `view` has not the bytes it
/// says.
pub(super) fn resize(view: View<'_>, placement: &Placement, filter: Filter) -> Option<Vec<u8>> {
    let bytes = 3 * view.width as usize * view.height as usize;
    if bytes == 0 || view.rgb.len() != bytes {
        return None;
    }
    let kernel = match filter {
        Filter::Nearest => return nearest(view, placement),
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Lanczos => FilterType::Lanczos3,
    };
    let across = Span::new(view.width, placement.resized.0, placement.crop.0, placement.kept.0);
    let down = Span::new(view.height, placement.resized.1, placement.crop.1, placement.kept.1);
    convolve(view, &across, &down, kernel).ok()
}

/// One direction: the part of the source, in pixels, that becomes `kept` pixels.
struct Span {
    start: f64,
    length: f64,
    scale: f64,
    kept: u32,
}

impl Span {
    fn new(source: u32, resized: u32, crop: u32, kept: u32) -> Self {
        if kept == resized {
            let length = f64::from(source);
            return Self {
                start: 0.0,
                length,
                scale: length / f64::from(resized),
                kept,
            };
        }
        let scale = f64::from(source) / f64::from(resized);
        let start = f64::from(crop) * scale;
        let length = (f64::from(kept) * scale).min(f64::from(source) - start);
        Self {
            start,
            length,
            scale,
            kept,
        }
    }

    /// The source rows that can matter, from and to. No kernel reaches further than three pixels of the coarser grid.
    fn reach(&self, source: u32) -> (u32, u32) {
        let reach = 3.0 * self.scale.max(1.0) + 1.0;
        let from = (self.start - reach).floor().max(0.0) as u32;
        let to = (self.start + self.length + reach).ceil() as u32;
        (from, to.min(source))
    }
}

fn convolve(view: View<'_>, across: &Span, down: &Span, kernel: FilterType) -> Result<Vec<u8>, ResizeError> {
    let (from, to) = down.reach(view.height);
    let row_bytes = 3 * view.width as usize;
    let rows = view
        .rgb
        .get(from as usize * row_bytes..to as usize * row_bytes)
        .unwrap_or_default();
    let height = to - from;
    let source = ImageRef::new(view.width, height, rows, PixelType::U8x3)
        .map_err(|_| ResizeError::ImageError(fast_image_resize::ImageError::UnsupportedPixelType))?;
    let options = |left, top, width, height| {
        ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(kernel))
            .use_alpha(false)
            .crop(left, top, width, height)
    };
    let mut resizer = Resizer::new();
    let mut narrowed = Image::new(across.kept, height, PixelType::U8x3);
    let first = options(across.start, 0.0, across.length, f64::from(height));
    resizer.resize(&source, &mut narrowed, &first)?;
    let mut lowered = Image::new(across.kept, down.kept, PixelType::U8x3);
    let second = options(0.0, down.start - f64::from(from), f64::from(across.kept), down.length);
    resizer.resize(&narrowed, &mut lowered, &second)?;
    Ok(lowered.into_vec())
}

fn nearest(view: View<'_>, placement: &Placement) -> Option<Vec<u8>> {
    let columns = nearest_indices(view.width, placement.resized.0, placement.crop.0, placement.kept.0);
    let rows = nearest_indices(view.height, placement.resized.1, placement.crop.1, placement.kept.1);
    let (pixels, _) = view.rgb.as_chunks::<3>();
    let mut kept = Vec::with_capacity(3 * columns.len() * rows.len());
    for row in rows {
        let start = row * view.width as usize;
        let line = pixels.get(start..start + view.width as usize)?;
        for &column in &columns {
            kept.extend_from_slice(line.get(column)?);
        }
    }
    Some(kept)
}

/// The source index of each kept pixel. The position is summed up step by step, as Pillow does.
fn nearest_indices(source: u32, resized: u32, crop: u32, kept: u32) -> Vec<usize> {
    let step = f64::from(source) / f64::from(resized);
    let last = source as usize - 1;
    let mut position = 0.5 * step;
    let mut indices = Vec::with_capacity(kept as usize);
    for index in 0..crop + kept {
        if index >= crop {
            indices.push((position as usize).min(last));
        }
        position += step;
    }
    indices
}
