//! The port: services, limits, and how it opens and closes.
//!
//! The listener is bound by whoever starts the server, before anything is ready; this room serves on it until it is told to stop, then
//! takes no new connection, lets calls end and returns. How long that may take is the caller's to bound.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::transport::{Error, Server};
use tower::layer::util::{Identity, Stack};

use super::ad_safety::AdSafetyService;
use super::around::AroundLayer;
use super::authority::AuthorityLayer;
use super::calls::{CallLayer, Counter};
use super::deadline::DeadlineLayer;
use super::decisions::DecisionsService;
use super::generated::inference::grpc_inference_service_server::GrpcInferenceServiceServer;
use super::generated::vigie::ad_safety_server::AdSafetyServer;
use super::generated::vigie::decisions_server::DecisionsServer;
use super::generated::vigie::models_server::ModelsServer;
use super::generated::vigie::policies_server::PoliciesServer;
use super::health::health;
use super::inference::{InferenceService, LogReport};
use super::inflow::{InflowLayer, Room};
use super::models::ModelsService;
use super::policies::{PoliciesService, STUDIES};
use super::streams::Streams;
use crate::accounts::Accounts;
use crate::control::{Control, Corrections, Drafts, Replays, ThresholdStudies};
use crate::observe::{Erasing, Importer, Observe, OnRecord};
use crate::serving::Serving;
use crate::telemetry::Metrics;
use crate::wire::DESCRIPTOR_SET;

/// Of one call's upload. Small beside the connection's, so that one upload does not hold up the other calls of its connection.
const STREAM_WINDOW_BYTES: u32 = 2 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// The headers of one request.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// How long a peer may take to answer a keepalive.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// How often over the callers of one connection may give up all the calls that it may have open before the server has looked at them: while it stalls,
/// deadlines pass together. Beyond it the connection is cut, because what is given up holds memory until then.
const GIVEN_UP_ROUNDS: u32 = 4;

/// The planes that the services ask.
pub struct GrpcParts {
    pub accounts: Accounts,
    pub serving: Serving,
    pub control: Control,
    pub observe: Observe,
    pub on_records: OnRecords,
    pub metrics: Metrics,
    /// Whether every required model can be called.
    pub ready: watch::Receiver<bool>,
}

/// Who reads what is on record, adds to it, or tries something on it.
#[derive(Clone)]
pub struct OnRecords {
    pub reading: OnRecord,
    pub corrections: Corrections,
    pub drafts: Drafts,
    pub thresholds: ThresholdStudies,
    pub replays: Replays,
    pub importer: Importer,
    pub erasing: Erasing,
}

/// What a caller may take of the port.
#[derive(Debug, Clone)]
pub struct GrpcLimits {
    /// Of one message, in either direction.
    pub max_message_bytes: usize,
    /// Calls open at once on one connection.
    pub max_streams: u32,
    pub max_frame_bytes: u32,
    /// How often a silent connection is asked whether it lives; none: never.
    pub keepalive: Option<Duration>,
    /// What messages in flight may take of memory, of calls with one message, and again half as much of streams.
    pub in_flight_bytes: usize,
    /// How long a message may take to arrive.
    pub slow_sender: Duration,
    /// Streams of requests, and watchers of verdicts, open at once, over all connections.
    pub streams: usize,
    /// How long a stream's reader may take nothing while an answer waits.
    pub stalled_reader: Duration,
    /// Whether callers may load and unload models.
    pub load_unload: bool,
    /// What `LogSettings` reports.
    pub log: LogReport,
}

/// The gRPC server, not yet serving.
pub struct GrpcServer {
    parts: GrpcParts,
    limits: GrpcLimits,
}

type Layers = Stack<
    AroundLayer<InflowLayer>,
    Stack<AroundLayer<DeadlineLayer>, Stack<AroundLayer<AuthorityLayer>, Stack<AroundLayer<CallLayer>, Identity>>>,
>;

impl GrpcServer {
    /// A server of these planes within these limits.
    pub fn new(parts: GrpcParts, limits: GrpcLimits) -> Self {
        Self { parts, limits }
    }

    /// Serves on a bound listener until the token is cancelled, then until every call has ended.
    ///
    /// # Errors
    /// When the transport cannot go on.
    ///
    /// # Cancel safety
    /// Dropping it closes the port; connections under way live on until their calls end.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) -> Result<(), GrpcError> {
        let incoming = TcpIncoming::from(listener)
            .with_nodelay(Some(true))
            .with_keepalive(self.limits.keepalive);
        let router = self.router(&stop).map_err(GrpcError::Reflection)?;
        router
            .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
            .await
            .map_err(GrpcError::Transport)
    }

    fn router(self, stop: &CancellationToken) -> Result<Router<Layers>, tonic_reflection::server::Error> {
        let Self { parts, limits } = self;
        let counter = Counter::new(parts.metrics.clone());
        let (of_calls, of_streams) = (Room::new(limits.in_flight_bytes), Room::new(limits.in_flight_bytes / 2));
        show_room(&parts.metrics, &of_calls, &of_streams);
        let authority = AuthorityLayer {
            accounts: parts.accounts.clone(),
            counter: counter.clone(),
        };
        let inflow = InflowLayer {
            room: of_calls,
            slowest: limits.slow_sender,
            counter: counter.clone(),
        };
        let health = health(parts.ready.clone(), stop.clone());
        let bytes = limits.max_message_bytes;
        let mut server = transport(&limits)
            .layer(AroundLayer(CallLayer::new(counter.clone())))
            .layer(AroundLayer(authority))
            .layer(AroundLayer(DeadlineLayer))
            .layer(AroundLayer(inflow));
        let services = Services::new(parts, &limits, of_streams, (counter, stop));
        Ok(server
            .add_service(
                AdSafetyServer::new(services.ad_safety)
                    .max_decoding_message_size(bytes)
                    .max_encoding_message_size(bytes),
            )
            .add_service(ModelsServer::new(services.models).max_decoding_message_size(bytes))
            .add_service(
                DecisionsServer::new(services.decisions)
                    .max_decoding_message_size(bytes)
                    .max_encoding_message_size(bytes),
            )
            .add_service(
                PoliciesServer::new(services.policies)
                    .max_decoding_message_size(bytes)
                    .max_encoding_message_size(bytes),
            )
            .add_service(
                GrpcInferenceServiceServer::new(services.inference)
                    .max_decoding_message_size(bytes)
                    .max_encoding_message_size(bytes),
            )
            .add_service(health)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?))
    }
}

fn reflection<'b>() -> tonic_reflection::server::Builder<'b> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The services of the house, each with the planes that it asks.
struct Services {
    ad_safety: AdSafetyService,
    models: ModelsService,
    decisions: DecisionsService,
    policies: PoliciesService,
    inference: InferenceService,
}

impl Services {
    fn new(
        parts: GrpcParts,
        limits: &GrpcLimits,
        of_streams: Room,
        (counter, stop): (Counter, &CancellationToken),
    ) -> Self {
        let streams = Streams::new(limits.streams, of_streams, limits.stalled_reader);
        let on_records = parts.on_records;
        Self {
            ad_safety: AdSafetyService {
                serving: parts.serving.clone(),
                counter: counter.clone(),
                streams: streams.clone(),
                stop: stop.clone(),
            },
            models: ModelsService {
                control: parts.control.clone(),
                observe: parts.observe,
                stop: stop.clone(),
            },
            decisions: DecisionsService {
                on_record: on_records.reading,
                corrections: on_records.corrections,
                importer: on_records.importer,
                erasing: on_records.erasing,
                replays: on_records.replays,
                counter: counter.clone(),
                streams: streams.clone(),
                stop: stop.clone(),
            },
            policies: PoliciesService {
                places: Arc::new(Semaphore::new(STUDIES)),
                drafts: on_records.drafts,
                control: parts.control.clone(),
                thresholds: on_records.thresholds,
                counter: counter.clone(),
            },
            inference: InferenceService {
                serving: parts.serving,
                control: parts.control,
                counter,
                ready: parts.ready,
                load_unload: limits.load_unload,
                log: limits.log.clone(),
                streams,
                stop: stop.clone(),
            },
        }
    }
}

/// Shows what messages in flight take of memory.
fn show_room(metrics: &Metrics, of_calls: &Room, of_streams: &Room) {
    let series: [(&[(&str, &str)], &Room); 2] =
        [(&[("kind", "calls")], of_calls), (&[("kind", "streams")], of_streams)];
    for (labels, room) in series {
        let room = room.clone();
        metrics.reading(
            "vigie_grpc_in_flight_bytes",
            "Memory that messages in flight take",
            labels,
            move || room.taken() as f64,
        );
    }
}

/// Why the port cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    #[error("describe the services: {0}")]
    Reflection(tonic_reflection::server::Error),
    #[error("serve gRPC: {0}")]
    Transport(Error),
}

fn transport(limits: &GrpcLimits) -> Server {
    let given_up = limits.max_streams.saturating_mul(GIVEN_UP_ROUNDS);
    Server::builder()
        .max_concurrent_streams(limits.max_streams)
        .http2_max_pending_accept_reset_streams(Some(given_up as usize))
        .max_frame_size(limits.max_frame_bytes)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(limits.keepalive)
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
}
