//! A manifest reads back as it was written, changes the revision exactly when it changes an answer, and is never read by halves.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::hashing::digest_of;
use super::super::manifest::{Manifest, tensor_revision};
use super::{PICTURE, manifest, onnx};
use crate::base::{Digest, RevisionId};

fn text() -> String {
    let model = onnx(1, None);
    let text = manifest(&[("model.onnx", &model), ("golden/0.jpg", PICTURE)]);
    format!(
        "{text}[calibration]\nscale = [1.5, 1.0]\noffset = [0.25, 0.0]\n[runtime]\noptimization = \"all\"\n[provenance]\nseed = 7\n[metrics.firearm]\nrecall = 0.5\n"
    )
}

fn revision(text: &str) -> RevisionId {
    Manifest::parse(text)
        .unwrap()
        .revision(digest_of(b"weights"), &BTreeMap::new())
}

/// Each changes an answer.
const CHANGES: &[(&str, &str)] = &[
    ("labels = [\"firearm\"", "labels = [\"gambling\""),
    ("name = \"image\"", "name = \"picture\""),
    ("name = \"logits\"", "name = \"scores\""),
    ("\"sigmoid\"", "\"softmax\""),
    ("width = 32", "width = 33"),
    ("height = 32", "height = 33"),
    ("bilinear", "bicubic"),
    ("contain", "cover"),
    ("\"rgb\"", "\"bgr\""),
    ("mean = [0.5", "mean = [0.51"),
    ("std = [0.25", "std = [0.26"),
    ("\"apply\"", "\"ignore\""),
    ("background = [255", "background = [254"),
    (
        "background = [255, 255, 255]",
        "background = [255, 255, 255]\njpeg_scaled_decode = true",
    ),
    ("scale = [1.5", "scale = [1.25"),
    ("offset = [0.25", "offset = [0.5"),
    ("optimization = \"all\"", "optimization = \"basic\""),
    ("optimization = \"all\"", "precision = \"int8\""),
];

/// None changes an answer.
const REMARKS: &[(&str, &str)] = &[
    ("seed = 7", "seed = 8"),
    ("recall = 0.5", "recall = 0.75"),
    ("tolerance = 0.002", "tolerance = 0.001"),
    ("scores = [0.25", "scores = [0.5"),
    ("source = \"training\"", "source = \"self\""),
    ("width = 32", "# a remark\nwidth = 32"),
    ("width = 32\nheight = 32", "height = 32\nwidth = 32"),
    ("[runtime]\noptimization = \"all\"\n", ""),
];

#[test]
fn every_change_of_an_answer_is_another_revision_and_no_remark_is() {
    let text = text();
    let before = revision(&text);
    let mut seen = vec![before];
    for (from, to) in CHANGES {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let after = revision(&changed);
        assert!(!seen.contains(&after), "{from} -> {to}");
        seen.push(after);
    }
    for (from, to) in REMARKS {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(revision(&changed), before, "{from} -> {to}");
    }
}

#[test]
fn weights_are_part_of_the_revision() {
    let manifest = Manifest::parse(&text()).unwrap();
    let none = BTreeMap::new();
    let external = |bytes: &[u8]| BTreeMap::from([("weights.bin".parse().unwrap(), digest_of(bytes))]);
    let revisions = [
        manifest.revision(digest_of(b"a"), &none),
        manifest.revision(digest_of(b"b"), &none),
        manifest.revision(digest_of(b"a"), &external(b"c")),
        manifest.revision(digest_of(b"a"), &external(b"d")),
        tensor_revision(digest_of(b"a"), &none),
    ];
    let distinct: std::collections::BTreeSet<_> = revisions.iter().collect();
    assert_eq!(distinct.len(), revisions.len());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let wrong = text()
        .replace("format = 1", "format = 2")
        .replace("width = 32", "width = 0")
        .replace("scores = [0.25, 0.75]", "scores = [0.25, 7.5, 0.1]")
        .replace("tolerance = 0.002", "tolerance = 0.0")
        .replace("scale = [1.5, 1.0]", "scale = [1.5]")
        .replace("\"model.onnx\"", "\"other.onnx\"")
        + "[extra]\nkey = 1\n";
    let error = Manifest::parse(&wrong).unwrap_err();
    for part in [
        "format",
        "preprocessing",
        "golden.cases[0].scores",
        "7.5",
        "tolerance",
        "calibration",
        "model.onnx",
        "extra",
    ] {
        assert!(
            error.mistakes.iter().any(|mistake| mistake.contains(part)),
            "{part}: {error}"
        );
    }
}

#[test]
fn absurd_manifests_are_refused() {
    let text = text();
    for (from, to) in [
        ("[\"firearm\", \"alcohol\"]", "[\"firearm\", \"firearm\"]"),
        ("[\"firearm\", \"alcohol\"]", "[]"),
        ("\"golden/0.jpg\" =", "\"../0.jpg\" ="),
        ("\"golden/0.jpg\" =", "\"/etc/passwd\" ="),
        ("\"golden/0.jpg\" =", "\"golden/other.jpg\" ="),
        ("offset = [0.25", "offset = [nan"),
        ("tolerance = 0.002", "tolerance = 0.5"),
        ("name = \"image\"", "name = \"\""),
        ("name = \"image\"", "nome = \"image\""),
        ("cases = [", "cases = []\nothers = ["),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Manifest::parse(&changed).is_err(), "{from} -> {to}");
    }
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let digest = any::<[u8; 32]>().prop_map(Digest);
    let scores = prop::collection::vec((0.0..=1.0_f32, 0.0..=1.0_f32), 1..4);
    let numbers = (-9.0..9.0_f64, -9.0..9.0_f64);
    (digest, scores, numbers, 1..4096_u32, 1e-6..0.1_f32, "[ -~]{1,20}").prop_map(
        |(digest, scores, (scale, offset), width, tolerance, name)| {
            let mut manifest = Manifest::parse(&text()).expect("a sound manifest");
            manifest
                .files
                .insert("weights.bin".parse().expect("a file's name"), digest);
            let case = manifest.golden.cases[0].clone();
            let cases = scores.into_iter().map(|(a, b)| {
                let mut case = case.clone();
                case.scores = vec![a, b];
                case
            });
            manifest.golden.cases = cases.collect();
            manifest.golden.tolerance = tolerance;
            manifest.input = name;
            let mut fields = manifest.preprocessing.fields().clone();
            fields.width = width;
            manifest.preprocessing = fields.try_into().expect("a sound width");
            let calibration = crate::engine::Calibration {
                scale: vec![scale, 1.0],
                offset: vec![offset, 0.0],
            };
            let (labels, activation) = (manifest.head.labels().to_vec(), manifest.head.activation());
            manifest.head = crate::engine::Head::new(labels, activation, Some(calibration)).expect("a sound head");
            manifest
        },
    )
}

proptest! {
    #[test]
    fn a_manifest_reads_back_as_it_was_written(manifest in manifests()) {
        let read = Manifest::parse(&manifest.to_toml()).unwrap();
        prop_assert_eq!(&read, &manifest);
        let weights = digest_of(b"w");
        prop_assert_eq!(read.revision(weights, &BTreeMap::new()), manifest.revision(weights, &BTreeMap::new()));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,400}") {
        let _ = Manifest::parse(&text);
    }

    #[test]
    fn no_mutation_of_a_manifest_makes_the_reader_panic(at in 0..900_usize, with in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = text().into_bytes();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes));
    }
}
