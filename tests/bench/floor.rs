//! The transport floor: the same messages over the same transport, to a handler that reads every byte of the payload and does nothing else. It runs in
//! a process of its own, this program started again, on the server's core.

use std::net::SocketAddr;
use std::process::{Child, Stdio};

use tokio::net::TcpListener;
use tonic::codegen::tokio_stream::{self, Stream};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use vigie::grpc::generated::vigie::ad_safety_server::{AdSafety, AdSafetyServer};
use vigie::wire::vigie::{ClassifyRequest, Decision, StreamRequest, StreamResult, product};

use super::machine::{SERVER_CORE, on_core};

/// Set in the process that is the floor.
const ROLE: &str = "VIGIE_BENCH_FLOOR";

/// Whether this process is to be the floor.
pub fn is_floor() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Serves until it is killed; says where on its standard output.
pub async fn serve() {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let bytes = 16 << 20;
    tonic::transport::Server::builder()
        .max_frame_size(1 << 20)
        .initial_stream_window_size(2 << 20)
        .initial_connection_window_size(16 << 20)
        .add_service(AdSafetyServer::new(Floor).max_decoding_message_size(bytes))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .unwrap();
}

struct Floor;

#[tonic::async_trait]
impl AdSafety for Floor {
    async fn classify(&self, request: Request<ClassifyRequest>) -> Result<Response<Decision>, Status> {
        let Some(product::Picture::Image(payload)) = request.into_inner().product.and_then(|product| product.picture)
        else {
            return Err(Status::invalid_argument("no payload"));
        };
        let sum = payload
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        Ok(Response::new(Decision {
            correction_seq: sum,
            ..Decision::default()
        }))
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
    pub fn start() -> Self {
        let mut command = on_core(&std::env::current_exe().unwrap(), SERVER_CORE);
        command.env(ROLE, "1").stdin(Stdio::null()).stdout(Stdio::piped());
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
