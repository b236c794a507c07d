//! Sessions on the real ONNX Runtime: every type of tensor, every kind of mistake, every kind of bad file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;
use vigie::engine::{DataType, NamedTensor, Optimization, RunError, Runtime, Session, SessionError, Tensor};

use crate::support::onnx::{self, Attribute, Element, Graph};

/// The library that set-up left in the project's folder.
pub fn library() -> PathBuf {
    Runtime::find_library(None).expect("find ONNX Runtime")
}

pub fn runtime() -> Runtime {
    Runtime::load(&library()).expect("load ONNX Runtime")
}

/// A model file in a folder of its own.
pub fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn load(bytes: &[u8]) -> Result<Session, SessionError> {
    let (_folder, path) = file(bytes);
    Session::load(&runtime(), &path, Optimization::All, false, 1)
}

fn input(tensor: Tensor) -> [NamedTensor; 1] {
    [NamedTensor {
        name: "x".into(),
        tensor,
    }]
}

#[test]
fn numbers_of_every_type_come_back_as_they_went() {
    for (element, datatype) in [
        (Element::F32, DataType::F32),
        (Element::F64, DataType::F64),
        (Element::F16, DataType::F16),
        (Element::I64, DataType::I64),
        (Element::Bool, DataType::Bool),
    ] {
        let mut session = load(&onnx::identity(element, &[-1, 2])).unwrap();
        assert_eq!(session.signature().inputs[0].datatype, datatype);
        assert_eq!(session.signature().inputs[0].shape, [-1, 2]);
        for rows in [0, 1, 3] {
            let length = rows * 2 * datatype.element_bytes().unwrap();
            let bytes: Vec<u8> = (0..length)
                .map(|at| if datatype == DataType::Bool { at % 2 } else { at } as u8)
                .collect();
            let tensor = Tensor::numbers(datatype, vec![rows as i64, 2], bytes.into()).unwrap();
            let outputs = session.run(&input(tensor.clone()), &[]).unwrap();
            assert_eq!(
                outputs,
                [NamedTensor {
                    name: "y".into(),
                    tensor
                }],
                "{datatype} of {rows} rows"
            );
        }
    }
}

#[test]
fn numbers_are_the_same_wherever_in_memory_they_lie() {
    let model = Graph::new()
        .input("x", Element::F32, &[-1])
        .output("y", Element::F32, &[-1])
        .node("LeakyRelu", &["x"], &["y"], &[("alpha", Attribute::Float(0.5))])
        .model();
    let mut session = load(&model).unwrap();
    let numbers: Vec<u8> = [-3.0_f32, -1.0, 0.0, 2.5]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    for offset in 0..4 {
        let shifted = Bytes::from([&vec![0; offset][..], &numbers].concat()).slice(offset..);
        let tensor = Tensor::numbers(DataType::F32, vec![4], shifted).unwrap();
        let outputs = session.run(&input(tensor), &[]).unwrap();
        assert_eq!(
            outputs[0].tensor.to_f32().unwrap(),
            [-1.5, -0.5, 0.0, 2.5],
            "offset {offset}"
        );
    }
}

#[test]
fn texts_come_back_as_they_went_and_bytes_that_are_no_text_are_refused() {
    let mut session = load(&onnx::identity(Element::Text, &[-1])).unwrap();
    let texts = vec![Bytes::from_static(b""), Bytes::from("jouet à pile")];
    let tensor = Tensor::elements(vec![2], texts).unwrap();
    let outputs = session.run(&input(tensor.clone()), &["y".into()]).unwrap();
    assert_eq!(outputs[0].tensor, tensor);

    let tensor = Tensor::elements(vec![1], vec![Bytes::from_static(&[0xff])]).unwrap();
    let refused = session.run(&input(tensor), &[]).unwrap_err();
    assert!(
        matches!(&refused, RunError::Input { name, message } if name == "x" && message.contains("UTF-8")),
        "{refused}"
    );
}

#[test]
fn outputs_come_in_the_order_asked() {
    let model = Graph::new()
        .input("x", Element::F32, &[-1])
        .output("double", Element::F32, &[-1])
        .output("same", Element::F32, &[-1])
        .node("Add", &["x", "x"], &["double"], &[])
        .node("Identity", &["x"], &["same"], &[])
        .model();
    let mut session = load(&model).unwrap();
    let given = input(Tensor::f32(vec![1], &[2.0]).unwrap());
    let names = |outputs: Vec<NamedTensor>| -> Vec<String> { outputs.into_iter().map(|output| output.name).collect() };
    assert_eq!(names(session.run(&given, &[]).unwrap()), ["double", "same"]);
    assert_eq!(
        names(session.run(&given, &["same".into(), "double".into()]).unwrap()),
        ["same", "double"]
    );
    let (shape, numbers) = session.run_f32(("x", &[1]), &[2.0], "double").unwrap();
    assert_eq!((shape, numbers), (vec![1], vec![4.0]));
    assert!(matches!(
        session.run_f32(("x", &[2]), &[2.0], "double"),
        Err(RunError::Input { .. })
    ));
    assert!(matches!(
        session.run_f32(("x", &[1]), &[2.0], "absent"),
        Err(RunError::Failed(_))
    ));
}

#[test]
fn a_model_that_fails_on_its_inputs_gives_an_error_value() {
    let model = Graph::new()
        .input("x", Element::F32, &[-1])
        .output("y", Element::F32, &[-1, -1])
        .integers("shape", &[2, 2])
        .node("Reshape", &["x", "shape"], &["y"], &[])
        .model();
    let mut session = load(&model).unwrap();
    let refused = session
        .run(&input(Tensor::f32(vec![3], &[0.0; 3]).unwrap()), &[])
        .unwrap_err();
    assert!(matches!(refused, RunError::Failed(_)), "{refused}");
    let outputs = session
        .run(&input(Tensor::f32(vec![4], &[0.0; 4]).unwrap()), &[])
        .unwrap();
    assert_eq!(outputs[0].tensor.shape(), [2, 2]);
}

#[test]
fn a_large_input_leaves_no_memory_behind_and_is_answered() {
    let mut session = load(&onnx::identity(Element::F32, &[-1])).unwrap();
    let tensor = Tensor::f32(vec![2 << 20], &vec![1.0; 2 << 20]).unwrap();
    assert_eq!(session.run(&input(tensor.clone()), &[]).unwrap()[0].tensor, tensor);
}

#[test]
fn a_bad_file_is_refused_in_words() {
    let whole = onnx::identity(Element::F32, &[-1]);
    let wrong_type = Graph::new()
        .input("x", Element::F32, &[-1])
        .output("y", Element::I64, &[-1])
        .node("Identity", &["x"], &["y"], &[])
        .model();
    let unknown = Graph::new()
        .input("x", Element::F32, &[-1])
        .output("y", Element::F32, &[-1])
        .node("Frobnicate", &["x"], &["y"], &[("to", Attribute::Int(1))])
        .model();
    let noise: Vec<u8> = (0..5000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("noise", noise),
        ("text", b"not a model".to_vec()),
        ("wrong type", wrong_type),
        ("unknown operator", unknown),
        ("operator of a custom library", onnx::custom_operator()),
        (
            "a sequence",
            Graph::new()
                .output("y", Element::F32, &[])
                .node("SequenceEmpty", &[], &["y"], &[])
                .model(),
        ),
    ] {
        let Err(refused) = load(&bytes) else {
            panic!("{name} was loaded")
        };
        assert!(matches!(refused, SessionError::Content(_)), "{name}: {refused:?}");
        let reason = refused.to_string();
        assert!(
            !reason.contains(&*std::env::temp_dir().to_string_lossy()),
            "{name} tells a path: {reason}"
        );
        assert!(!reason.contains('\n') && reason.len() < 1000, "{name}: {reason}");
    }
}

#[test]
fn a_flipped_bit_never_takes_the_process_down() {
    let whole = onnx::judge(4, &[1.0, 2.0], &[0.0, 0.5]);
    let picture = [0.25_f32; 48];
    for at in 0..whole.len() {
        for bit in [0, 3, 7] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let Ok(mut session) = load(&flipped) else { continue };
            let _ = session.run_f32(("image", &[1, 3, 4, 4]), &picture, "logits");
        }
    }
}

#[test]
fn numbers_outside_the_models_folder_are_not_read() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("weights"), [0; 16]).unwrap();
    let folder = outside.path().join("version");
    std::fs::create_dir(&folder).unwrap();
    let load = |location: &str| {
        let path = folder.join("model.onnx");
        std::fs::write(&path, onnx::external_data(location)).unwrap();
        Session::load(&runtime(), &path, Optimization::All, false, 1)
    };
    for location in [
        "../weights",
        &outside.path().join("weights").to_string_lossy(),
        "absent",
    ] {
        assert!(load(location).is_err(), "{location} was read");
    }
    std::fs::write(folder.join("weights"), [0; 16]).unwrap();
    assert!(load("weights").is_ok());
}

#[test]
fn a_library_that_is_none_is_refused_with_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.so");
    let loaded = runtime();
    assert_eq!(loaded.version(), "1.31.1");
    assert_eq!(loaded.path(), library());
    // Once one is loaded, another is refused before it is opened.
    std::fs::write(&path, "no library").unwrap();
    let Err(refused) = Runtime::load(&path) else {
        panic!("a text was loaded")
    };
    assert!(refused.to_string().contains("already loaded"), "{refused}");
    let Err(refused) = Runtime::find_library(Some(Path::new("absent.so"))) else {
        panic!("an absent file was found")
    };
    assert!(refused.to_string().contains("make setup"), "{refused}");
}
