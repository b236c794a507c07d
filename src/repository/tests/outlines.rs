//! The shallow look into model files: whole or not, and what else they read.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::onnx::{Outline, OutlineError, outline};
use super::{field, onnx};

fn looked_at(bytes: &[u8]) -> Result<Outline, OutlineError> {
    outline(Cursor::new(bytes), bytes.len() as u64)
}

#[test]
fn a_whole_model_tells_which_weights_it_reads() {
    assert_eq!(looked_at(&onnx(1, None)).unwrap(), Outline::default());
    let found = looked_at(&onnx(1, Some(("weights.bin", 500)))).unwrap();
    assert_eq!(
        found.external.into_iter().collect::<Vec<_>>(),
        [("weights.bin".to_owned(), 500)]
    );
}

#[test]
fn no_part_of_a_model_is_a_model() {
    let whole = onnx(1, Some(("weights.bin", 500)));
    for cut in 0..whole.len() {
        assert!(
            matches!(looked_at(&whole[..cut]), Err(OutlineError::NotOnnx(_))),
            "cut at {cut}"
        );
    }
}

#[test]
fn weights_hidden_in_subgraphs_functions_and_split_messages_are_found() {
    let entry = field(13, &[field(1, b"location"), field(2, b"hidden.bin")].concat());
    let external = [entry.clone(), vec![14 << 3, 1]].concat();
    let graph_with = |attribute: Vec<u8>| field(1, &field(5, &attribute));
    let in_attribute = graph_with(field(5, &external));
    let in_subgraph = graph_with(field(6, &field(5, &external)));
    let in_sparse = field(15, &field(1, &external));
    // The place in one part of the tensor, that it is external in another: readers merge the two.
    let in_parts = graph_with([field(5, &entry), field(5, &[14 << 3, 1])].concat());
    for hidden in [in_attribute, in_subgraph, in_sparse, in_parts] {
        let model = [field(7, &hidden), field(8, &[2 << 3, 17])].concat();
        assert!(looked_at(&model).unwrap().external.contains_key("hidden.bin"));
    }
    // A function's field number takes two bytes.
    let node = field(7, &field(5, &field(5, &external)));
    let function = [&[0xca, 0x01, node.len() as u8][..], &node].concat();
    let model = [field(7, b"\x12\x01g"), field(8, &[2 << 3, 17]), function].concat();
    assert!(looked_at(&model).unwrap().external.contains_key("hidden.bin"));
}

#[test]
fn nesting_without_end_is_refused() {
    let mut graph = field(2, b"g");
    for _ in 0..200 {
        graph = field(1, &field(5, &field(6, &graph)));
    }
    let model = [field(7, &graph), field(8, &[2 << 3, 17])].concat();
    assert!(matches!(looked_at(&model), Err(OutlineError::NotOnnx(reason)) if reason.contains("nested")));
}

proptest! {
    #[test]
    fn no_bytes_make_the_look_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = looked_at(&bytes);
    }

    #[test]
    fn no_mutation_of_a_model_makes_the_look_panic(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = onnx(1, Some(("weights.bin", 500)));
        let at = at.index(bytes.len());
        bytes[at] = with;
        let _ = looked_at(&bytes);
    }
}
