//! The server's life in order: bind, build, serve, stop.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::build::{House, build};
use super::readiness;
use super::records::OnDisk;
use super::runtimes::Runtimes;
use super::stop::StopSignals;
use crate::config::{self, Settings};
use crate::executor::{CorePlan, cores_of_this_process, plan_cores};
use crate::grpc::{GrpcLimits, GrpcServer, LogReport};
use crate::http::{Admin, AdminState};
use crate::telemetry::{LogFormat, Metrics, Telemetry, TelemetryError, TelemetrySettings, Traces};

/// Why the server cannot start, or ended badly. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "{what}: cannot listen on {address} ({reason}); is another server running there? name another address with {flag}"
    )]
    Bind {
        what: &'static str,
        address: SocketAddr,
        reason: std::io::Error,
        flag: &'static str,
    },
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Runtime(#[from] crate::engine::RuntimeError),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Accounts(#[from] crate::accounts::AccountsError),
    #[error("what is on record: {0}")]
    Records(String),
    #[error("the repository {path}: {reason}")]
    Repository { path: PathBuf, reason: String },
    #[error("{0}")]
    System(String),
}

/// Serves until a signal says stop. Blocks; makes its own runtime.
///
/// # Errors
/// Everything that prevents a start. Once it serves, nothing ends it but a signal.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    let plan = plan_cores(cores_of_this_process(), settings.cores.live.map(NonZeroUsize::get));
    let runtimes =
        Runtimes::start(&plan).map_err(|error| ServeError::System(format!("start the runtimes: {error}")))?;
    let control = runtimes.control();
    runtimes.run(run(settings, &plan, control))
}

async fn run(settings: Settings, plan: &CorePlan, control: Handle) -> Result<(), ServeError> {
    let metrics = Metrics::new();
    let telemetry = Telemetry::start(&telemetry_settings(&settings), &metrics)?;
    let mut signals =
        StopSignals::listen().map_err(|error| ServeError::System(format!("listen to signals: {error}")))?;
    let grpc = bind("grpc.address", settings.grpc.address, "--grpc")?;
    let admin = bind("admin.address", settings.admin.address, "--admin")?;
    say_where(&grpc, &admin);
    println!("cores {plan}");

    let disk = tokio::select! {
        disk = OnDisk::open(&settings) => disk?,
        () = signals.next() => return Ok(()),
    };
    let house = build(&settings, metrics, (plan.lanes(), control), disk)?;
    let running = Running::start(house, grpc, admin, telemetry.traces(), &settings)?;
    signals.next().await;
    tokio::select! {
        () = running.stop(&settings) => {}
        () = signals.next() => {
            tracing::warn!("second signal: exiting at once");
            process::exit(1);
        }
    }
    if let Err(reason) = telemetry.shutdown(settings.shutdown.flush).await {
        tracing::warn!(%reason, "traces were not flushed");
    }
    Ok(())
}

fn bind(what: &'static str, address: SocketAddr, flag: &'static str) -> Result<TcpListener, ServeError> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|reason| ServeError::Bind {
        what,
        address,
        reason,
        flag,
    })
}

/// The first lines on standard output: where to reach the server, whatever port the system gave.
fn say_where(grpc: &TcpListener, admin: &TcpListener) {
    for (name, listener) in [("grpc ", grpc), ("admin", admin)] {
        match listener.local_addr() {
            Ok(address) => println!("{name} {address}"),
            Err(error) => tracing::warn!(%error, "a bound port does not tell its address"),
        }
    }
}

fn telemetry_settings(settings: &Settings) -> TelemetrySettings {
    TelemetrySettings {
        otlp_endpoint: settings
            .telemetry
            .otlp_endpoint
            .as_ref()
            .map(|endpoint| endpoint.as_str().to_owned()),
        log_format: match settings.telemetry.log_format {
            config::LogFormat::Text => LogFormat::Text,
            config::LogFormat::Json => LogFormat::Json,
        },
        log_filter: settings.telemetry.log_filter.clone(),
        traces: settings.telemetry.traces,
    }
}

fn grpc_limits(settings: &Settings) -> GrpcLimits {
    let grpc = &settings.grpc;
    GrpcLimits {
        max_message_bytes: grpc.max_message.as_usize(),
        max_streams: grpc.max_streams,
        max_frame_bytes: u32::try_from(grpc.max_frame.bytes()).unwrap_or(u32::MAX),
        keepalive: grpc.keepalive,
        in_flight_bytes: settings.limits.in_flight_memory.as_usize(),
        slow_sender: grpc.slow_sender,
        streams: settings.limits.streams,
        stalled_reader: grpc.stalled_reader,
        load_unload: settings.models.load_unload,
        log: LogReport {
            format: settings.telemetry.log_format.as_str().to_owned(),
            filter: settings.telemetry.log_filter.clone(),
        },
    }
}

/// A server that is up.
struct Running {
    house: House,
    admin: Admin,
    grpc: JoinHandle<()>,
    /// Ends readiness.
    unready: CancellationToken,
    /// Closes the gRPC port.
    close: CancellationToken,
    readiness: JoinHandle<()>,
}

impl Running {
    fn start(
        mut house: House,
        grpc: TcpListener,
        admin: TcpListener,
        traces: Traces,
        settings: &Settings,
    ) -> Result<Self, ServeError> {
        let (unready, close) = (CancellationToken::new(), CancellationToken::new());
        let state = AdminState {
            readiness: house.readiness.subscribe(),
            metrics: house.metrics.clone(),
            traces,
            config_toml: settings.to_toml().into(),
        };
        let system = |error: std::io::Error| ServeError::System(format!("serve the ports: {error}"));
        let admin = Admin::start(admin, state).map_err(system)?;
        let (ready, watched) = watch::channel(false);
        let server = GrpcServer::new(house.grpc_parts(watched), grpc_limits(settings));
        let grpc = tokio::net::TcpListener::from_std(grpc).map_err(system)?;
        let stop = close.clone();
        let grpc = tokio::spawn(async move {
            if let Err(error) = server.run(grpc, stop).await {
                tracing::error!(%error, "the gRPC port has stopped");
            }
        });
        let follow = readiness::Follow {
            view: house.control.subscribe(),
            filled: house.filled.clone(),
            required: settings.models.required.clone(),
            readiness: house.readiness.clone(),
            ready,
        };
        let readiness = tokio::spawn(follow.run(unready.clone()));
        tokio::spawn(readiness::say_ready(house.readiness.subscribe()));
        house.start_planes();
        Ok(Self {
            house,
            admin,
            grpc,
            unready,
            close,
            readiness,
        })
    }

    /// Not ready, drain, close.
    async fn stop(mut self, settings: &Settings) {
        tracing::info!("stopping: not ready any more");
        self.unready.cancel();
        within("readiness", Duration::from_secs(1), &mut self.readiness).await;
        tokio::time::sleep(settings.shutdown.not_ready).await;
        tracing::info!("draining");
        self.close.cancel();
        within("gRPC", settings.shutdown.drain, &mut self.grpc).await;
        self.house.stop_planes(Duration::from_secs(2)).await;
        self.admin.stop();
        tracing::info!("stopped");
    }
}

/// Waits for a task so long and no longer.
async fn within(what: &'static str, span: Duration, task: &mut JoinHandle<()>) {
    if tokio::time::timeout(span, &mut *task).await.is_err() {
        tracing::warn!(what, "did not end in time and is cut off");
        task.abort();
    }
}
