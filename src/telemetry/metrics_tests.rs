//! What scrapers and dashboards may rely on.

use super::*;

fn model() -> ModelName {
    "adsafety".parse().unwrap()
}

fn version(number: i64) -> Version {
    Version::try_from(number).unwrap()
}

fn busy() -> Metrics {
    let (metrics, model) = (Metrics::new(), model());
    metrics.request(&RequestDone {
        service: "vigie.v1.AdSafety",
        method: "Classify",
        code: "OK",
        model: Some(&model),
        version: Some(version(1)),
        duration: Duration::from_micros(700),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c"),
    });
    metrics.stage(Stage::Infer, Duration::from_millis(2));
    metrics.verdict(&model, version(1), Verdict::Block);
    metrics.refused(RefusalReason::Overloaded);
    metrics.swap(&Swap {
        model: &model,
        version: version(2),
        revision: None,
        result: SwapResult::Rejected,
        reason: "golden scores differ",
        duration: Duration::from_secs(1),
    });
    metrics.flip(&FlipSeen {
        model: &model,
        candidate: version(2),
        direction: Direction::NewlyBlocked,
        label: Some(&"firearm".parse().unwrap()),
        country: "FR".parse().unwrap(),
    });
    metrics.reading(
        "vigie_executor_queue_jobs",
        "Jobs waiting",
        &[("class", "live")],
        || 3.0,
    );
    metrics.reading(
        "vigie_executor_queue_jobs",
        "Jobs waiting",
        &[("class", "bulk")],
        || 4.0,
    );
    metrics
}

#[test]
fn each_happening_is_a_series_under_its_name() {
    let text = busy().encode_openmetrics();
    for line in [
        "vigie_grpc_request_duration_seconds_count{service=\"vigie.v1.AdSafety\",method=\"Classify\",code=\"OK\",model=\"adsafety\",version=\"1\"} 1",
        "vigie_serving_stage_duration_seconds_count{stage=\"infer\"} 1",
        "vigie_serving_verdicts_total{model=\"adsafety\",version=\"1\",verdict=\"BLOCK\"} 1",
        "vigie_serving_refused_total{reason=\"overloaded\"} 1",
        "vigie_serving_refused_total{reason=\"internal\"} 0",
        "vigie_control_swap_duration_seconds_count{model=\"adsafety\",result=\"rejected\"} 1",
        "vigie_observe_shadow_flips_total{model=\"adsafety\",candidate=\"2\",direction=\"newly_blocked\",label=\"firearm\",country=\"FR\"} 1",
        "vigie_executor_queue_jobs{class=\"bulk\"} 4.0",
        "vigie_executor_queue_jobs{class=\"live\"} 3.0",
        "vigie_tap_dropped_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    assert!(text.contains("process_resident_memory_bytes ") && text.ends_with("# EOF\n"));
}

#[test]
fn a_slow_request_leads_to_its_trace() {
    let text = busy().encode_openmetrics();
    let bucket = text
        .lines()
        .find(|line| line.contains("le=\"0.001\"") && line.contains("request_duration"))
        .unwrap();
    assert!(
        bucket.contains("# {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.0007"),
        "{bucket}"
    );
}

#[test]
fn the_older_format_has_nothing_that_its_readers_refuse() {
    let text = busy().encode_plain();
    assert!(
        !text.contains("# {") && !text.contains("# EOF") && !text.contains("# UNIT"),
        "{text}"
    );
    assert!(text.contains("# TYPE vigie_serving_refused_total counter\n"), "{text}");
    assert!(
        text.contains("# TYPE vigie_grpc_request_duration_seconds histogram\n"),
        "{text}"
    );
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit_once(' ').unwrap().1;
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn a_state_that_no_version_has_any_more_disappears() {
    let metrics = Metrics::new();
    let count = |state, count| VersionCount {
        model: model(),
        state,
        count,
    };
    metrics.versions(&[count("LOADING", 1), count("READY", 1)], &[]);
    metrics.versions(&[count("READY", 2)], &[]);
    let text = metrics.encode_openmetrics();
    assert!(
        text.contains("vigie_control_versions{model=\"adsafety\",state=\"READY\"} 2"),
        "{text}"
    );
    assert!(!text.contains("LOADING"), "{text}");
}

#[test]
fn every_change_of_a_verdict_has_one_direction() {
    for live in Verdict::ALL {
        for candidate in Verdict::ALL {
            let direction = Direction::between(live, candidate);
            assert_eq!(direction.is_none(), live == candidate);
            assert_eq!(
                direction == Some(Direction::NewlyBlocked),
                live != candidate && candidate == Verdict::Block
            );
            assert_eq!(
                direction == Some(Direction::NewlyAllowed),
                live != candidate && candidate == Verdict::Allow
            );
        }
    }
}
