//! The transport floor: the same messages over the same transport, to a handler that reads every byte of the payload and does nothing else; or that
//! does the bare loop's work right there, which is the least that any server can do to a picture. It runs in a process of its own, this program
//! started again, on the server's core.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;

use tokio::net::TcpListener;
use tonic::codegen::tokio_stream::{self, Stream};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use vigie::grpc::generated::vigie::ad_safety_server::{AdSafety, AdSafetyServer};
use vigie::wire::vigie::{
    ClassifyRequest, CountryVerdict, Decision, GetVerdictsRequest, GetVerdictsResponse, ProductVerdicts, StreamRequest,
    StreamResult, Verdict, WatchVerdictsRequest, WatchVerdictsResponse, product,
};

use super::bare::{self, Bare};
use super::machine::{SERVER_CORE, on_core};

/// Set in the process that is the floor, to the work of its handler.
const ROLE: &str = "VIGIE_BENCH_FLOOR";

/// What the handler does.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Work {
    /// Reads every byte.
    Nothing,
    /// Judges a picture with this model, decoded at the size divided by so much.
    Picture(PathBuf, usize),
    /// Runs this model on numbers.
    Numbers(PathBuf),
}

/// Whether this process is to be the floor, and of what work.
pub fn work() -> Option<Work> {
    std::env::var(ROLE)
        .ok()
        .map(|work| serde_json::from_str(&work).unwrap())
}

/// Serves until it is killed; says where on its standard output.
pub async fn serve(work: Work) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let bytes = 16 << 20;
    tonic::transport::Server::builder()
        .max_frame_size(1 << 20)
        .initial_stream_window_size(2 << 20)
        .initial_connection_window_size(16 << 20)
        .add_service(AdSafetyServer::new(Floor::new(work)).max_decoding_message_size(bytes))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .unwrap();
}

struct Floor {
    work: Work,
    bare: Option<Mutex<Bare>>,
}

impl Floor {
    fn new(work: Work) -> Self {
        let bare = |onnx: &Path| Mutex::new(Bare::new(&bare::runtime(), onnx));
        let bare = match &work {
            Work::Nothing => None,
            Work::Picture(onnx, _) | Work::Numbers(onnx) => Some(bare(onnx)),
        };
        Self { work, bare }
    }

    fn work(&self, payload: &[u8]) {
        let mut bare = self.bare.as_ref().map(|bare| bare.lock().unwrap());
        match (&self.work, bare.as_mut()) {
            (Work::Picture(_, divisor), Some(bare)) => drop(bare.picture(payload, *divisor)),
            (Work::Numbers(_), Some(bare)) => {
                let (numbers, _) = payload.as_chunks::<4>();
                let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                drop(bare.run(&numbers));
            }
            _ => {}
        }
    }
}

#[tonic::async_trait]
impl AdSafety for Floor {
    async fn classify(&self, request: Request<ClassifyRequest>) -> Result<Response<Decision>, Status> {
        let Some(product::Picture::Image(payload)) = request.into_inner().product.and_then(|product| product.picture)
        else {
            return Err(Status::invalid_argument("no payload"));
        };
        self.work(&payload);
        let sum = payload
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        Ok(Response::new(Decision {
            correction_seq: sum,
            ..Decision::default()
        }))
    }

    /// As many verdicts as were asked for, and nothing looked up.
    async fn get_verdicts(
        &self,
        request: Request<GetVerdictsRequest>,
    ) -> Result<Response<GetVerdictsResponse>, Status> {
        let GetVerdictsRequest {
            products, countries, ..
        } = request.into_inner();
        let verdict = |country: &String| CountryVerdict {
            country: country.clone(),
            verdict: Verdict::Allow.into(),
            ..CountryVerdict::default()
        };
        let results = products.into_iter().map(|product| ProductVerdicts {
            product: Some(product),
            verdicts: countries.iter().map(verdict).collect(),
            known: true,
        });
        Ok(Response::new(GetVerdictsResponse {
            results: results.collect(),
        }))
    }

    type WatchVerdictsStream = tokio_stream::Empty<Result<WatchVerdictsResponse, Status>>;

    async fn watch_verdicts(
        &self,
        _: Request<WatchVerdictsRequest>,
    ) -> Result<Response<Self::WatchVerdictsStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type ClassifyStreamStream = std::pin::Pin<Box<dyn Stream<Item = Result<StreamResult, Status>> + Send>>;

    async fn classify_stream(
        &self,
        _: Request<Streaming<StreamRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::empty())))
    }
}

/// The process of the floor; ends with this value.
pub struct FloorProcess {
    child: Child,
    pub address: SocketAddr,
}

impl FloorProcess {
    pub fn start(work: &Work) -> Self {
        let mut command = on_core(&std::env::current_exe().unwrap(), SERVER_CORE);
        let work = serde_json::to_string(work).unwrap();
        command.env(ROLE, work).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for FloorProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
