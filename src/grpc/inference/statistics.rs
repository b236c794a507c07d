//! Counts and durations of a version, as Triton's clients read them.

use std::time::{Duration, UNIX_EPOCH};

use crate::executor::Total;
use crate::serving::ModelDescription;
use crate::wire::inference::{InferBatchStatistics, InferStatistics, ModelStatistics, StatisticDuration};

/// What has been counted since the version was loaded.
pub fn statistics(described: &ModelDescription) -> ModelStatistics {
    let counted = &described.statistics;
    let last = counted.last_inference.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let batches = counted.batches.iter().map(|(size, batch)| InferBatchStatistics {
        batch_size: *size,
        compute_input: total(batch.compute_input),
        compute_infer: total(batch.compute_infer),
        compute_output: total(batch.compute_output),
    });
    ModelStatistics {
        name: described.model.to_string(),
        version: described.version.to_string(),
        last_inference: last.map_or(0, milliseconds),
        inference_count: counted.inference_count,
        execution_count: counted.execution_count,
        inference_stats: Some(InferStatistics {
            success: total(counted.success),
            fail: total(counted.fail),
            queue: total(counted.queue),
            compute_input: total(counted.compute_input),
            compute_infer: total(counted.compute_infer),
            compute_output: total(counted.compute_output),
            // There is no cache of responses.
            cache_hit: total(Total::default()),
            cache_miss: total(Total::default()),
        }),
        batch_stats: batches.collect(),
        ..ModelStatistics::default()
    }
}

fn total(total: Total) -> Option<StatisticDuration> {
    let ns = u64::try_from(total.duration.as_nanos()).unwrap_or(u64::MAX);
    Some(StatisticDuration { count: total.count, ns })
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
