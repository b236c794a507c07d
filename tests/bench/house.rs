//! Servers to measure: the built program on its core, with the measured model in a repository of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tonic::transport::{Channel, Endpoint};
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::vigie::{ClassifyRequest, Product, product};

use super::machine::SERVER_CORE;
use super::mobilenet::{SIDE, mobilenet_v3_small};
use crate::support::{Launch, Place, Server, files};

/// Connections of a load: one alone is read by one thread and would be the narrow place.
pub const CONNECTIONS: usize = 4;
const MESSAGE_BYTES: usize = 64 << 20;

/// A place where the shipped policy judges by MobileNetV3-small; gives the model file too.
pub fn judging_place(scaled_decode: bool) -> (Place, PathBuf) {
    let place = Place::with_versions(&[2]);
    let version = place.version(2);
    write_version(&version, 1, scaled_decode);
    let onnx = version.join("model.onnx");
    (place, onnx)
}

/// Makes a version of the measured model out of a copy of a shipped one.
pub fn write_version(version: &Path, seed: u64, scaled_decode: bool) {
    std::fs::write(version.join("model.onnx"), mobilenet_v3_small(7, seed)).unwrap();
    files::edit_manifest(version, |manifest| {
        let preprocessing = &mut manifest["preprocessing"];
        preprocessing["width"] = toml_edit::value(SIDE);
        preprocessing["height"] = toml_edit::value(SIDE);
        preprocessing["fit"] = toml_edit::value("stretch");
        preprocessing["jpeg_scaled_decode"] = match scaled_decode {
            // 800 pixels are decoded to 400, for an input of 224.
            true => toml_edit::value(1.5),
            false => toml_edit::value(false),
        };
        manifest["golden"]["source"] = toml_edit::value("self");
    });
    let mut reseal = Command::new(env!("CARGO_BIN_EXE_vigie"));
    let done = reseal.args(["add", "--reseal"]).arg(version).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A place where MobileNetV3-small with 1,000 outputs, 10 MB, gives tensors; gives the model file too.
pub fn tensor_place() -> (Place, PathBuf) {
    let place = Place::empty();
    let version = place.repository().join("mobilenet/1");
    std::fs::create_dir_all(&version).unwrap();
    let onnx = version.join("model.onnx");
    std::fs::write(&onnx, mobilenet_v3_small(1000, 1)).unwrap();
    (place, onnx)
}

/// A server on its core.
pub fn served<'a>(place: &'a Place) -> Launch<'a> {
    Launch::new(place)
        .on_core(SERVER_CORE)
        .set("TELEMETRY__LOG_FILTER", "warn")
        .set("KNOWN__MEMORY", "0 B")
}

/// So many clients, each with a connection of its own.
pub async fn clients(address: std::net::SocketAddr) -> Vec<AdSafetyClient<Channel>> {
    let mut clients = Vec::new();
    for channel in channels(address).await {
        let client = AdSafetyClient::new(channel);
        clients.push(
            client
                .max_decoding_message_size(MESSAGE_BYTES)
                .max_encoding_message_size(MESSAGE_BYTES),
        );
    }
    clients
}

/// So many connections.
pub async fn channels(address: std::net::SocketAddr) -> Vec<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .initial_connection_window_size(8 << 20)
        .tcp_nodelay(true);
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(endpoint.connect().await.unwrap());
    }
    channels
}

/// A question about a picture for one country.
pub fn question(picture: &[u8]) -> ClassifyRequest {
    let product = Product {
        partner_id: "bench".into(),
        product_id: "1".into(),
        picture: Some(product::Picture::Image(bytes::Bytes::copy_from_slice(picture))),
        ..Product::default()
    };
    ClassifyRequest {
        product: Some(product),
        countries: vec!["FR".into()],
        ..ClassifyRequest::default()
    }
}

/// Waits until a server is idle: what it does by itself after a start would be measured otherwise.
pub async fn settled(server: &Server) {
    let busy = |server: &Server| server.metric("process_cpu_seconds_total", &[]);
    let mut before = busy(server);
    loop {
        // The span over which the processor time is compared; there is no event to wait for.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let now = busy(server);
        if now - before < 0.02 {
            return;
        }
        before = now;
    }
}

/// Writes what is measured for others to measure too: `model.onnx`, `pictures/` and a repository, `models/`, in which it judges with half-scale decoding.
pub fn export(folder: &Path) {
    let (place, onnx) = judging_place(true);
    let pictures = folder.join("pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    std::fs::copy(onnx, folder.join("model.onnx")).unwrap();
    for (index, jpeg) in super::pictures::jpegs(16, 800, 115_000).iter().enumerate() {
        std::fs::write(pictures.join(format!("{index:02}.jpg")), jpeg).unwrap();
    }
    let models = folder.join("models");
    if models.exists() {
        std::fs::remove_dir_all(&models).unwrap();
    }
    files::copy(&place.repository(), &models);
}
