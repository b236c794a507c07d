//! What the training pipeline made of pictures of every format and of awkward sizes, made again here and compared stage by stage.
//!
//! Tolerances: decoding and resizing none at all, the tensor 0.000001 for the order of its sums. They hold for the libraries that are pinned
//! (libjpeg-turbo here and under Pillow, image-webp here and libwebp there); a new version that rounds otherwise must say so here.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use vigie::preprocess::{ColorOrder, Decoded, PictureLimits, Preprocessing, Workspace, decode, to_tensor};

/// Levels, of 255, by which a decoded byte may differ.
const DECODED_LEVELS: i16 = 0;
/// Levels, of 255, by which a resized byte may differ.
const RESIZED_LEVELS: i16 = 0;
/// By how much a number of the tensor, or the mean or deviation of all, may differ.
const TENSOR: f64 = 1e-6;

#[derive(Deserialize)]
struct Index {
    specs: std::collections::BTreeMap<String, Preprocessing>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: PathBuf,
    format: String,
    decoded: Expected,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Expected {
    width: u32,
    height: u32,
    sha256: String,
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Output {
    spec: String,
    resized_png: PathBuf,
    tensor: Numbers,
    tensor_f32_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Numbers {
    shape: [usize; 3],
    mean: f64,
    std: f64,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/preprocess")
}

fn index() -> Index {
    let text = std::fs::read_to_string(vectors().join("index.json")).unwrap();
    let index: Index = serde_json::from_str(&text).unwrap();
    assert!(index.cases.len() >= 50, "the golden vectors are missing");
    index
}

fn decoded(case: &Case, spec: &Preprocessing) -> Decoded {
    let bytes = std::fs::read(vectors().join(&case.file)).unwrap();
    decode(
        &bytes,
        &spec.decode_options(),
        &PictureLimits::default(),
        &mut Workspace::default(),
    )
    .unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn png(path: &Path) -> Vec<u8> {
    image::open(vectors().join(path)).unwrap().into_rgb8().into_raw()
}

/// The largest difference of two bytes at the same place.
fn worst(left: &[u8], right: &[u8]) -> u8 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// The resized picture back out of its tensor, in RGB order.
fn bytes_of(tensor: &[f32], spec: &Preprocessing) -> Vec<u8> {
    let fields = spec.fields();
    let plane = tensor.len() / 3;
    (0..plane)
        .flat_map(|at| (0..3).map(move |channel| (at, channel)))
        .map(|(at, channel)| {
            let stored = match fields.color {
                ColorOrder::Rgb => channel,
                ColorOrder::Bgr => 2 - channel,
            };
            let number = f64::from(tensor[stored * plane + at]);
            ((number * fields.std[stored] + fields.mean[stored]) * 255.0).round() as u8
        })
        .collect()
}

#[test]
fn every_format_decodes_to_the_training_pipelines_pixels() {
    let index = index();
    for case in &index.cases {
        let picture = decoded(case, &index.specs[&case.outputs[0].spec]);
        assert_eq!(picture.format.to_string().to_lowercase(), case.format, "{}", case.name);
        let sides = (case.decoded.width, case.decoded.height);
        assert_eq!((picture.width, picture.height), sides, "{}", case.name);
        let digest: String = Sha256::digest(&picture.rgb)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if digest != case.decoded.sha256 {
            let file = case.decoded.file.as_ref();
            let levels = file.map_or(u8::MAX, |file| worst(&picture.rgb, &png(file)));
            assert!(
                i16::from(levels) <= DECODED_LEVELS,
                "{}: off by {levels} levels",
                case.name
            );
        }
    }
}

#[test]
fn every_filter_and_fit_resizes_to_the_training_pipelines_pixels() {
    let index = index();
    for (case, output) in index
        .cases
        .iter()
        .flat_map(|case| case.outputs.iter().map(move |output| (case, output)))
    {
        let spec = &index.specs[&output.spec];
        let tensor = to_tensor(&decoded(case, spec), spec, &mut Workspace::default());
        let levels = worst(&bytes_of(&tensor, spec), &png(&output.resized_png));
        assert!(
            i16::from(levels) <= RESIZED_LEVELS,
            "{} as {}: off by {levels} levels",
            case.name,
            output.spec
        );
    }
}

#[test]
fn every_tensor_equals_the_training_pipelines() {
    let index = index();
    let mut whole = 0;
    for (case, output) in index
        .cases
        .iter()
        .flat_map(|case| case.outputs.iter().map(move |output| (case, output)))
    {
        let spec = &index.specs[&output.spec];
        let tensor = to_tensor(&decoded(case, spec), spec, &mut Workspace::default());
        let named = format!("{} as {}", case.name, output.spec);
        assert_eq!(tensor.len(), output.tensor.shape.iter().product::<usize>(), "{named}");
        let count = tensor.len() as f64;
        let mean = tensor.iter().map(|&number| f64::from(number)).sum::<f64>() / count;
        let spread = tensor
            .iter()
            .map(|&number| (f64::from(number) - mean).powi(2))
            .sum::<f64>()
            / count;
        assert!((mean - output.tensor.mean).abs() <= TENSOR, "{named}: mean {mean}");
        assert!(
            (spread.sqrt() - output.tensor.std).abs() <= TENSOR,
            "{named}: deviation {}",
            spread.sqrt()
        );
        if let Some(file) = &output.tensor_f32_file {
            whole += 1;
            let stored = std::fs::read(vectors().join(file)).unwrap();
            let (stored, _) = stored.as_chunks::<4>();
            assert_eq!(stored.len(), tensor.len(), "{named}");
            for (made, stored) in tensor.iter().zip(stored) {
                let expected = f32::from_le_bytes(*stored);
                assert!(
                    f64::from((made - expected).abs()) <= TENSOR,
                    "{named}: {made} and {expected}"
                );
            }
        }
    }
    assert!(whole > 0, "no whole tensor was compared");
}
