//! Sending spans to a collector, and saying so when they do not arrive.
//!
//! The exporter's own complaints are switched off with the rest of its logs, because they would come once a batch; here the change
//! counts: one line when the collector is lost, one when it is back, and a counter for what did not leave.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::metrics::Metrics;

/// One attempt at a batch, no longer: a collector that hangs must not hold up the next one.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Exporter {
    inner: opentelemetry_otlp::SpanExporter,
    endpoint: String,
    metrics: Metrics,
    is_lost: AtomicBool,
}

impl Exporter {
    /// Connects when the first batch leaves. Must be called within a Tokio runtime.
    pub fn new(endpoint: &str, metrics: Metrics) -> Result<Self, opentelemetry_otlp::ExporterBuildError> {
        let inner = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()?;
        Ok(Self {
            inner,
            endpoint: endpoint.to_owned(),
            metrics,
            is_lost: AtomicBool::new(false),
        })
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let result = self.inner.export(batch).await;
        self.metrics
            .spans_exported(if result.is_ok() { "sent" } else { "lost" }, count);
        let was_lost = self.is_lost.swap(result.is_err(), Ordering::Relaxed);
        match (&result, was_lost) {
            (Err(error), false) => {
                tracing::warn!(endpoint = self.endpoint, %error, "traces do not reach the collector")
            }
            (Ok(()), true) => tracing::info!(endpoint = self.endpoint, "traces reach the collector again"),
            (Ok(()), false) | (Err(_), true) => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
