//! Brings a picture to the size that was placed, by the filter that was asked for.
//!
//! Only what is kept is computed: a thin picture that covers the model's input would otherwise grow to gigabytes before it is cut.

use super::geometry::Placement;
use super::resample::{self, Axis, BICUBIC, BILINEAR, LANCZOS};
use super::spec::Filter;
use super::workspace::Workspace;

/// A picture to read from: sides in pixels and three bytes a pixel.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub width: u32,
    pub height: u32,
    pub rgb: &'a [u8],
}

/// Resizes to `placement.resized` and keeps only the part that `placement` keeps; three bytes a pixel. `None` if `view` has not the bytes it
/// says, or no pixels.
pub(super) fn resize<'a>(
    view: View<'a>,
    placement: &Placement,
    filter: Filter,
    workspace: &'a mut Workspace,
) -> Option<&'a [u8]> {
    let bytes = 3 * view.width as usize * view.height as usize;
    if bytes == 0 || view.rgb.len() != bytes {
        return None;
    }
    let across = Axis {
        source: view.width,
        resized: placement.resized.0,
        crop: placement.crop.0,
        kept: placement.kept.0,
    };
    let down = Axis {
        source: view.height,
        resized: placement.resized.1,
        crop: placement.crop.1,
        kept: placement.kept.1,
    };
    let kernel = match filter {
        Filter::Nearest => {
            workspace.resized = nearest(view, &across, &down);
            return Some(&workspace.resized);
        }
        Filter::Bilinear => BILINEAR,
        Filter::Bicubic => BICUBIC,
        Filter::Lanczos => LANCZOS,
    };
    Some(resample::resample(view.rgb, &across, &down, kernel, workspace))
}

/// Takes the nearest pixel. `view` has the bytes it says.
fn nearest(view: View<'_>, across: &Axis, down: &Axis) -> Vec<u8> {
    let columns = nearest_places(across);
    let (pixels, _) = view.rgb.as_chunks::<3>();
    let mut kept = Vec::with_capacity(3 * across.kept as usize * down.kept as usize);
    for row in nearest_places(down) {
        let line = &pixels[row * view.width as usize..][..view.width as usize];
        for &column in &columns {
            kept.extend_from_slice(&line[column]);
        }
    }
    kept
}

/// The source place of each kept pixel. The position is summed up step by step, as Pillow does, because ties fall otherwise.
fn nearest_places(axis: &Axis) -> Vec<usize> {
    let step = f64::from(axis.source) / f64::from(axis.resized);
    let last = axis.source as usize - 1;
    let mut position = 0.5 * step;
    let mut places = Vec::with_capacity(axis.kept as usize);
    for index in 0..axis.crop + axis.kept {
        if index >= axis.crop {
            places.push((position as usize).min(last));
        }
        position += step;
    }
    places
}
