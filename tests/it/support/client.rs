//! Calls to a server under test, and products to ask about.

use std::future::Future;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use vigie::wire::vigie::{
    ClassifyRequest, Decision, ListModelsRequest, ModelVersion, Product, WatchModelsRequest, WatchModelsResponse,
    product,
};

use super::files;
use super::server::{PATIENCE, Server};
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::grpc::generated::vigie::models_client::ModelsClient;

/// The largest message that a client here takes or sends.
const MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// A product of the sample catalogue.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Entry {
    pub product_id: String,
    pub title: String,
    /// The picture's file, relative to the catalogue.
    pub picture: PathBuf,
    /// The labels that are truly there.
    pub truth: Vec<String>,
}

impl Entry {
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(files::catalogue().join(&self.picture)).expect("read a picture of the catalogue")
    }

    /// The question about it, for the rest of the world.
    pub fn question(&self) -> ClassifyRequest {
        let mut request = question(self.bytes());
        let product = request.product.get_or_insert_default();
        product.product_id = self.product_id.clone();
        product.title = self.title.clone();
        request
    }
}

/// The sample catalogue.
pub fn catalogue() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let text =
            std::fs::read_to_string(files::catalogue().join("products.jsonl")).expect("read the sample catalogue");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a product a line"))
            .collect()
    })
}

/// A question about a picture without any other fact.
pub fn question(picture: impl Into<bytes::Bytes>) -> ClassifyRequest {
    let picture = Some(product::Picture::Image(picture.into()));
    ClassifyRequest {
        product: Some(Product {
            picture,
            ..Product::default()
        }),
        ..ClassifyRequest::default()
    }
}

/// The same for these countries.
pub fn for_countries(request: ClassifyRequest, countries: &[&str]) -> ClassifyRequest {
    ClassifyRequest {
        countries: countries.iter().map(ToString::to_string).collect(),
        ..request
    }
}

/// The same of a named version.
pub fn of_version(request: ClassifyRequest, version: i64) -> ClassifyRequest {
    ClassifyRequest {
        version: Some(version),
        ..request
    }
}

/// The bits of a decision's scores, by label: what must be equal between two judgements by one revision.
pub fn score_bits(decision: &Decision) -> Vec<(String, u32)> {
    decision
        .scores
        .iter()
        .map(|score| (score.label.clone(), score.probability.to_bits()))
        .collect()
}

impl Server {
    /// A connection of its own.
    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.grpc)).expect("an address is a URI");
        endpoint.connect().await.expect("connect to the server")
    }

    pub async fn ad_safety(&self) -> AdSafetyClient<Channel> {
        let client = AdSafetyClient::new(self.channel().await);
        client
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    pub async fn models_client(&self) -> ModelsClient<Channel> {
        ModelsClient::new(self.channel().await)
    }

    pub async fn classify(&self, request: ClassifyRequest) -> Result<Decision, Status> {
        self.ad_safety()
            .await
            .classify(Request::new(request))
            .await
            .map(tonic::Response::into_inner)
    }

    /// Every version of every model.
    pub async fn models(&self) -> Vec<ModelVersion> {
        let answer = self.models_client().await.list_models(ListModelsRequest {}).await;
        answer.expect("list the models").into_inner().models
    }

    /// Watches until `enough` accepts what is told, and gives that back; fails with the last state after a minute.
    pub async fn watch_until(&self, enough: impl Fn(&WatchModelsResponse) -> bool) -> WatchModelsResponse {
        let mut client = self.models_client().await;
        let mut told = client
            .watch_models(WatchModelsRequest::default())
            .await
            .expect("watch the models")
            .into_inner();
        let mut last = None;
        let watched = tokio::time::timeout(PATIENCE, async {
            while let Some(state) = told.message().await.expect("the models' next state") {
                if enough(&state) {
                    return state;
                }
                last = Some(state);
            }
            panic!("the watch ended");
        });
        match watched.await {
            Ok(state) => state,
            Err(_) => panic!("not within {PATIENCE:?}; last told: {last:#?}"),
        }
    }

    /// Waits until a version is in a state.
    pub async fn version_in(&self, version: i64, state: &str) -> ModelVersion {
        let is_it = |found: &&ModelVersion| found.version == version && found.state == state;
        let told = self
            .watch_until(|told| told.models.iter().any(|found| is_it(&found)))
            .await;
        told.models.iter().find(is_it).cloned().expect("it was there")
    }

    /// Waits until the live version of the shipped model is this revision.
    pub async fn live_revision(&self, revision: &str) {
        self.watch_until(|told| told.models.iter().any(|found| found.live && found.revision == revision))
            .await;
    }

    /// What the health service says of the whole server.
    pub async fn is_serving(&self) -> bool {
        let mut client = HealthClient::new(self.channel().await);
        let answer = client
            .check(HealthCheckRequest { service: String::new() })
            .await
            .expect("ask the health service");
        answer.into_inner().status() == ServingStatus::Serving
    }

    /// The version that is live.
    pub async fn live(&self) -> ModelVersion {
        self.models()
            .await
            .into_iter()
            .find(|found| found.live)
            .expect("a version is live")
    }
}

/// Fails where something takes longer than this.
pub async fn within<T>(time: Duration, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(time, what)
        .await
        .unwrap_or_else(|_| panic!("took longer than {time:?}"))
}
