//! An unmodified Triton client, as Python users have it, against a real server with the shipped model and a model of Triton's making.

use std::path::Path;
use std::process::Command;

use super::support::client::catalogue;
use super::support::{Launch, Place, files};

/// As a Triton user would write it: lists of messages without a colon, the batch dimension left out.
const CONFIG: &str = r#"
platform: "onnxruntime_onnx"
max_batch_size: 4
input [
  { name: "pixels" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, -1, -1 ] }
]
output [
  { name: "logits" data_type: TYPE_FP32 dims: [ -1 ] }
]
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching { max_queue_delay_microseconds: 100 }
"#;

#[test]
fn an_unmodified_triton_client_does_everything() {
    let place = Place::shipped();
    let plain = place.repository().join("plain");
    std::fs::create_dir_all(plain.join("1")).unwrap();
    files::copy(&place.version(1).join("model.onnx"), &plain.join("1/model.onnx"));
    std::fs::write(plain.join("config.pbtxt"), CONFIG).unwrap();
    let server = Launch::new(&place).start_ready();

    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let picture = files::catalogue().join(&catalogue()[0].picture);
    let tested = Command::new(project.join(".runtime/python/bin/python"))
        .args(["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"])
        .arg(project.join("tests/it/triton_client.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("VIGIE_TEST_GRPC", server.grpc.to_string())
        .env("VIGIE_TEST_PICTURE", picture)
        .output()
        .expect("run the Python of the tests; `make setup` makes it");
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(
        tested.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&tested.stderr)
    );
}
