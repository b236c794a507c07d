//! Tensors cross the border unchanged, and nothing that a caller sends panics.

use proptest::prelude::*;

use super::*;
use crate::base::RefusalKind;

fn input(datatype: &str, shape: &[i64], contents: Option<InferTensorContents>) -> InferInputTensor {
    InferInputTensor {
        name: "x".into(),
        datatype: datatype.into(),
        shape: shape.to_vec(),
        contents,
        ..InferInputTensor::default()
    }
}

fn field_of(refusal: &Refusal) -> String {
    match &refusal.kind {
        RefusalKind::InvalidArgument { field } => field.clone(),
        other => panic!("{other:?}: {refusal}"),
    }
}

#[test]
fn typed_and_raw_values_make_the_same_tensor() {
    let contents = |fill: fn(&mut InferTensorContents)| {
        let mut contents = InferTensorContents::default();
        fill(&mut contents);
        contents
    };
    let table: [(&str, InferTensorContents, &[u8]); 9] = [
        ("BOOL", contents(|c| c.bool_contents = vec![true, false]), &[1, 0]),
        ("INT8", contents(|c| c.int_contents = vec![-1, 2]), &[255, 2]),
        ("INT16", contents(|c| c.int_contents = vec![-2, 3]), &[254, 255, 3, 0]),
        (
            "INT32",
            contents(|c| c.int_contents = vec![1, 2]),
            &[1, 0, 0, 0, 2, 0, 0, 0],
        ),
        ("UINT8", contents(|c| c.uint_contents = vec![255, 2]), &[255, 2]),
        ("UINT16", contents(|c| c.uint_contents = vec![258, 0]), &[2, 1, 0, 0]),
        (
            "FP32",
            contents(|c| c.fp32_contents = vec![1.0, -2.0]),
            &[0, 0, 128, 63, 0, 0, 0, 192],
        ),
        (
            "INT64",
            contents(|c| c.int64_contents = vec![1, 0]),
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        (
            "BYTES",
            contents(|c| c.bytes_contents = vec![Bytes::from_static(b"ab"), Bytes::new()]),
            &[2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0],
        ),
    ];
    for (datatype, contents, raw) in table {
        let typed = inputs(vec![input(datatype, &[2], Some(contents))], vec![]).unwrap();
        let from_raw = inputs(vec![input(datatype, &[2], None)], vec![Bytes::copy_from_slice(raw)]).unwrap();
        assert_eq!(typed, from_raw, "{datatype}");
        let (described, raw_out) = outputs(typed);
        assert_eq!((described[0].datatype.as_str(), &raw_out[0][..]), (datatype, raw));
    }
}

/// A mistake in a request of one input: the input, its raw values, the field that is refused, and a word of why.
type Mistake = (InferInputTensor, Vec<Bytes>, &'static str, &'static str);

fn raw(bytes: &'static [u8]) -> Vec<Bytes> {
    vec![Bytes::from_static(bytes)]
}

fn mistakes_of_typed_values() -> Vec<Mistake> {
    let of = |floats: &[f32], integers: &[i32]| {
        Some(InferTensorContents {
            fp32_contents: floats.to_vec(),
            int_contents: integers.to_vec(),
            ..InferTensorContents::default()
        })
    };
    let field = "inputs[0].contents";
    vec![
        (
            input("FP32", &[1], of(&[1.0], &[])),
            raw(&[0; 4]),
            field,
            "raw or every input typed",
        ),
        (
            input("FP32", &[2], of(&[1.0], &[])),
            vec![],
            field,
            "takes 8 bytes, got 4",
        ),
        (
            input("INT32", &[1], of(&[1.0], &[])),
            vec![],
            field,
            "travels in int_contents, got fp32_contents",
        ),
        (
            input("FP16", &[1], of(&[1.0], &[])),
            vec![],
            field,
            "send it in raw_input_contents",
        ),
        (
            input("INT8", &[1], of(&[], &[300])),
            vec![],
            field,
            "300 is outside the range of INT8",
        ),
    ]
}

fn mistakes_of_raw_values() -> Vec<Mistake> {
    let field = "raw_input_contents[0]";
    vec![
        (input("FP32", &[2], None), raw(&[0; 4]), field, "takes 8 bytes, got 4"),
        (
            input("FP8", &[1], None),
            raw(&[0]),
            "inputs[0].datatype",
            "is not a data type",
        ),
        (input("FP32", &[-1], None), raw(&[0; 4]), field, "negative dimension"),
        (
            input("BYTES", &[1], None),
            raw(&[9, 0, 0, 0, 1]),
            field,
            "element 0 is cut off",
        ),
        (
            input("BYTES", &[2], None),
            raw(&[0, 0, 0, 0]),
            field,
            "takes 2 elements, got 1",
        ),
        (
            input("FP32", &[1], None),
            vec![Bytes::new(), Bytes::new()],
            "raw_input_contents",
            "each of the 1 inputs, got 2",
        ),
    ]
}

#[test]
fn what_does_not_fit_is_refused_with_its_place_and_what_was_expected() {
    let mistakes = mistakes_of_typed_values().into_iter().chain(mistakes_of_raw_values());
    for (input, raw, field, part) in mistakes {
        let refusal = inputs(vec![input], raw).unwrap_err();
        assert_eq!(field_of(&refusal), field, "{refusal}");
        assert!(refusal.message.contains(part), "{refusal}");
    }
}

#[test]
fn shared_memory_is_not_offered() {
    let mut shared = input("FP32", &[1], None);
    shared
        .parameters
        .insert(SHARED_MEMORY.into(), InferParameter::default());
    assert_eq!(inputs(vec![shared], vec![]).unwrap_err().kind, RefusalKind::Unsupported);
}

proptest! {
    #[test]
    fn texts_read_back_what_is_written(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..9)) {
        let elements: Vec<Bytes> = texts.into_iter().map(Bytes::from).collect();
        let count = elements.len() as i64;
        let tensor = Tensor::elements(vec![count, 1], elements).unwrap();
        let (described, raw) = outputs(vec![NamedTensor { name: "x".into(), tensor: tensor.clone() }]);
        let sent = InferInputTensor { shape: described[0].shape.clone(), ..input("BYTES", &[], None) };
        // Without a single element there is no way to tell raw from absent values, and none is needed.
        let back = inputs(vec![sent], raw).unwrap();
        prop_assert_eq!(&back[0].tensor, &tensor);
    }

    #[test]
    fn no_bytes_panic(
        datatype in prop::sample::select(DataType::ALL.to_vec()),
        shape in prop::collection::vec(-2_i64..5, 0..4),
        raw in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = inputs(vec![input(datatype.as_str(), &shape, None)], vec![raw.into()]);
    }
}
