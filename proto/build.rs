//! Makes Rust of the protocol files: messages for the `wire` room, and services, which name those messages, for the `grpc` room
//! alone. Nothing but this package's compiler is needed: protox stands in for protoc.

use std::error::Error;
use std::path::PathBuf;

use prost_types::FileDescriptorSet;
use protox::prost::Message;

const FILES: [&str; 5] = [
    "vigie/v1/ad_safety.proto",
    "vigie/v1/decisions.proto",
    "vigie/v1/models.proto",
    "vigie/v1/policies.proto",
    "inference/grpc_service.proto",
];

/// Large fields: a slice of the message's own buffer instead of a copy.
const SHARED_BYTES: [&str; 6] = [
    ".vigie.v1.GetPictureResponse.piece",
    ".vigie.v1.Product.image",
    ".inference.ModelInferRequest.raw_input_contents",
    ".inference.ModelInferResponse.raw_output_contents",
    ".inference.InferTensorContents.bytes_contents",
    ".inference.ModelRepositoryParameter.bytes_param",
];

/// Where the messages of each package stand in the library.
const MESSAGES: [(&str, &str); 3] = [
    (".vigie.v1", "crate::wire::vigie"),
    (".inference", "crate::wire::inference"),
    (".google.rpc", "crate::wire::google"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is set by cargo")?);
    let described = protox::compile(FILES, ["proto"])?;
    std::fs::write(
        out.join("descriptors.bin"),
        without_comments(described.clone()).encode_to_vec(),
    )?;

    let messages = out.join("messages");
    std::fs::create_dir_all(&messages)?;
    let mut builder = tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .btree_map(".")
        .boxed(".vigie.v1.StreamResult.result.decision")
        .out_dir(messages);
    for field in SHARED_BYTES {
        builder = builder.bytes(field);
    }
    builder.compile_fds(described.clone())?;

    let services = out.join("services");
    std::fs::create_dir_all(&services)?;
    let mut builder = tonic_prost_build::configure().out_dir(services);
    for (package, module) in MESSAGES {
        builder = builder.extern_path(package, module);
    }
    builder.compile_fds(described)?;
    Ok(())
}

/// The set as reflection shows it.
fn without_comments(mut described: FileDescriptorSet) -> FileDescriptorSet {
    for file in &mut described.file {
        file.source_code_info = None;
    }
    described
}
