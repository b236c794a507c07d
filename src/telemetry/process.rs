//! Values read at the moment of a scrape: the process itself, and what other rooms let be read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

type Labels = &'static [(&'static str, &'static str)];
type Read = Box<dyn Fn() -> f64 + Send + Sync>;

/// Gauges that other rooms gave a way to read.
#[derive(Clone, Default)]
pub(super) struct Readings(Arc<Mutex<BTreeMap<&'static str, Reading>>>);

struct Reading {
    help: &'static str,
    series: BTreeMap<Labels, Read>,
}

impl Readings {
    pub fn set(&self, name: &'static str, help: &'static str, labels: Labels, read: Read) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = readings.entry(name).or_insert_with(|| Reading {
            help,
            series: BTreeMap::new(),
        });
        reading.series.insert(labels, read);
    }
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readings")
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, Reading { help, series }) in readings.iter() {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, read) in series {
                metric.encode_family(labels)?.encode_gauge(&read())?;
            }
        }
        Ok(())
    }
}

/// Memory, processor time, threads and files of this process, under the names that every exporter uses for them.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(now) = ProcessState::read() else { return Ok(()) };
        let gauges = [
            ("process_resident_memory_bytes", "Memory in use", now.resident_bytes),
            (
                "process_virtual_memory_bytes",
                "Address space in use",
                now.virtual_bytes,
            ),
            ("process_threads", "Threads", now.threads),
            ("process_open_fds", "Open files and sockets", now.open_files),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let seconds = ConstCounter::new(now.processor_seconds);
        seconds.encode(encoder.encode_descriptor(
            "process_cpu_seconds",
            "Processor time used",
            None,
            MetricType::Counter,
        )?)
    }
}

struct ProcessState {
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
    open_files: f64,
    processor_seconds: f64,
}

impl ProcessState {
    /// Reads `/proc`; nothing where there is none.
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The program's name may hold spaces and brackets: the fields begin after the last bracket, with the third one.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        // SAFETY: sysconf reads a constant of the system and touches no memory of ours.
        let (ticks, page) = unsafe { (libc::sysconf(libc::_SC_CLK_TCK), libc::sysconf(libc::_SC_PAGESIZE)) };
        Some(Self {
            resident_bytes: field(24)? * page as f64,
            virtual_bytes: field(23)?,
            threads: field(20)?,
            open_files: std::fs::read_dir("/proc/self/fd").map_or(0.0, |files| files.count() as f64),
            processor_seconds: (field(14)? + field(15)?) / ticks as f64,
        })
    }
}
