//! A decoded picture to the numbers that a model reads: resize, pad, normalise, one plane a channel.

use super::decode::Decoded;
use super::geometry;
use super::resize::{self, View};
use super::spec::{ColorOrder, Preprocessing};
use super::workspace::Workspace;

/// The tensor of one picture: `[3, height, width]`, row-major, in the channel order of the specification, each number
/// `(byte / 255 - mean) / std` in single precision. Always `spec.tensor_len()` long and finite.
pub fn to_tensor(picture: &Decoded, spec: &Preprocessing, workspace: &mut Workspace) -> Vec<f32> {
    let fields = spec.fields();
    let (width, height) = (fields.width as usize, fields.height as usize);
    let source = (picture.width, picture.height);
    let placement = geometry::place(source, (fields.width, fields.height), fields.fit);
    let view = View {
        width: picture.width,
        height: picture.height,
        rgb: &picture.rgb,
    };
    let mut tensor = workspace.take_tensor(spec.tensor_len());
    // A picture made by hand with too few bytes shows nothing but background.
    let kept = resize::resize(view, &placement, fields.resize, workspace).unwrap_or_default();
    let (pixels, _) = kept.as_chunks::<3>();
    let (left, top) = (placement.paste.0 as usize, placement.paste.1 as usize);
    for (channel, plane) in tensor.chunks_exact_mut(width * height).enumerate() {
        let byte = match fields.color {
            ColorOrder::Rgb => channel,
            ColorOrder::Bgr => 2 - channel,
        };
        let table = normalised(fields.mean[channel] as f32, fields.std[channel] as f32);
        if placement.kept != (fields.width, fields.height) || pixels.is_empty() {
            plane.fill(table[usize::from(fields.background[byte])]);
        }
        let lines = plane.chunks_exact_mut(width).skip(top);
        for (line, row) in lines.zip(pixels.chunks_exact(placement.kept.0 as usize)) {
            for (number, pixel) in line[left..].iter_mut().zip(row) {
                *number = table[usize::from(pixel[byte])];
            }
        }
    }
    tensor
}

/// The number for each byte, by the same steps in single precision as the training pipeline.
fn normalised(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std)
}
