//! Starting and stopping of logs and traces.
//!
//! Traces are always on, so that every decision has a trace id and `/traces` has something to show; a collector only adds sending. What
//! this process does itself is traced, what its libraries do is not: the exporter's own calls would else be traced and exported in turn.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use super::export::Exporter;
use super::keeper::Keeper;
use super::metrics::Metrics;
use super::traces::Traces;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What logs and traces are to be.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// The OTLP/gRPC collector: `http://host:port`. None exports nothing.
    pub otlp_endpoint: Option<String>,
    pub log_format: LogFormat,
    /// Levels by module: `info,vigie::repository=debug`.
    pub log_filter: String,
    /// Finished traces to remember.
    pub traces: usize,
}

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(
        "telemetry.log_filter: {filter:?} cannot be read ({reason}): write a level such as \"info\", or levels by module such as \"info,vigie::repository=debug\""
    )]
    LogFilter { filter: String, reason: String },
    #[error("telemetry.otlp_endpoint: {endpoint} cannot be used: {reason}")]
    Endpoint { endpoint: String, reason: String },
    #[error("logs are already being written by another subscriber of this process")]
    AlreadyStarted,
}

/// Logs and traces under way. To be shut down at the end, or the last traces are lost.
#[derive(Debug, Clone)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    traces: Traces,
}

impl Telemetry {
    /// Begins to log and to trace, for the whole process. With a collector, must be called within a multi-threaded Tokio runtime.
    ///
    /// # Errors
    /// A filter or an address that cannot be used; a process that logs already.
    pub fn start(settings: &TelemetrySettings, metrics: &Metrics) -> Result<Self, TelemetryError> {
        let (telemetry, dispatch) = Self::build(settings, metrics)?;
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::AlreadyStarted)?;
        Ok(telemetry)
    }

    /// As `start`, but leaves it to the caller where the spans and events of which thread go.
    ///
    /// # Errors
    /// A filter or an address that cannot be used.
    pub fn build(settings: &TelemetrySettings, metrics: &Metrics) -> Result<(Self, Dispatch), TelemetryError> {
        let filter = EnvFilter::try_new(&settings.log_filter).map_err(|error| TelemetryError::LogFilter {
            filter: settings.log_filter.clone(),
            reason: error.to_string(),
        })?;
        let keeper = Arc::new(Keeper::new(settings.traces));
        let provider = provider(settings, metrics, keeper.clone())?;
        let logs = match settings.log_format {
            LogFormat::Text => text_logs().with_filter(filter).boxed(),
            LogFormat::Json => json_logs().with_filter(filter).boxed(),
        };
        // The two layers are told apart by their filters, so that quiet logs do not cost traces.
        let subscriber = Registry::default()
            .with(traces_layer(provider.tracer("vigie")))
            .with(logs);
        Ok((
            Self {
                provider,
                traces: Traces(keeper),
            },
            Dispatch::new(subscriber),
        ))
    }

    /// The remembered traces.
    pub fn traces(&self) -> Traces {
        self.traces.clone()
    }

    /// Sends what is left, for so long at most. Takes a thread of its own, because sending blocks.
    ///
    /// # Errors
    /// A sentence saying why the last traces may be lost.
    pub async fn shutdown(self, timeout: Duration) -> Result<(), String> {
        let provider = self.provider;
        let sending = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(timeout));
        match tokio::time::timeout(timeout, sending).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("the last traces may be lost: {error}")),
            Ok(Err(error)) => Err(format!("the last traces may be lost: {error}")),
            Err(_) => Err(format!(
                "the last traces may be lost: sending them takes longer than {timeout:?}"
            )),
        }
    }
}

fn provider(
    settings: &TelemetrySettings,
    metrics: &Metrics,
    keeper: Arc<Keeper>,
) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder()
        .with_service_name("vigie")
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    let builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(Kept(keeper));
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(builder.build());
    };
    let exporter = Exporter::new(endpoint, metrics.clone()).map_err(|error| TelemetryError::Endpoint {
        endpoint: endpoint.clone(),
        reason: error.to_string(),
    })?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn traces_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Targets::new().with_target("vigie", LevelFilter::DEBUG))
}

fn text_logs<S>() -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colour)
}

fn json_logs<S>() -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
}

/// The keeper as the provider wants it: owned, though the handle on the traces is shared.
#[derive(Debug)]
struct Kept(Arc<Keeper>);

impl SpanProcessor for Kept {
    fn on_start(&self, span: &mut Span, context: &opentelemetry::Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }
}
