//! A real server: the built binary, started on ports of its own choosing, its log read along, killed when the test ends.
//!
//! A line of level ERROR fails the test, so that no test passes over something that would wake an operator.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::lines::Lines;
use super::{Place, http};

/// Longer than anything takes on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is to be started.
pub struct Launch<'a> {
    place: &'a Place,
    environment: Vec<(&'static str, String)>,
    core: Option<usize>,
}

impl<'a> Launch<'a> {
    /// In this place, otherwise as configured by default.
    pub fn new(place: &'a Place) -> Self {
        Self {
            place,
            environment: Vec::new(),
            core: None,
        }
    }

    /// On this core of the machine alone.
    pub fn on_core(mut self, core: usize) -> Self {
        self.core = Some(core);
        self
    }

    /// With a setting, by the environment variable's name after `VIGIE_`: `WATCH__MODE`.
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.environment
            .push((Box::leak(format!("VIGIE_{key}").into_boxed_str()), value.to_string()));
        self
    }

    /// With a variable in its environment.
    pub fn environment(mut self, name: &'static str, value: impl ToString) -> Self {
        self.environment.push((name, value.to_string()));
        self
    }

    /// Starts it and returns as soon as it takes calls, whether or not a model serves.
    pub fn start(self) -> Server {
        let mut child = self.command().spawn().expect("start the server");
        let stdout = Lines::of(child.stdout.take().expect("standard output is piped"));
        let log = Lines::of(child.stderr.take().expect("standard error is piped"));
        let mut server = Server {
            child,
            grpc: nowhere(),
            admin: nowhere(),
            stdout,
            log,
        };
        server.grpc = server.bound("grpc");
        server.admin = server.bound("admin");
        server
    }

    /// Starts it and waits until it says that it is ready: every required model serves.
    pub fn start_ready(self) -> Server {
        let server = self.start();
        server.wait_until_ready();
        server
    }

    /// The command, for those who want to see it fail.
    pub fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_vigie");
        let mut command = match self.core {
            None => Command::new(program),
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &core.to_string(), program]);
                command
            }
        };
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_") || name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
        command
            .args(["serve", "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .arg("--repository")
            .arg(self.place.repository())
            .arg("--data")
            .arg(self.place.data())
            .env("VIGIE_TELEMETRY__LOG_FORMAT", "json")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A server at work.
pub struct Server {
    child: Child,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
    stdout: Lines,
    log: Lines,
}

impl Server {
    fn bound(&self, name: &str) -> SocketAddr {
        let is_it = |line: &str| line.split_whitespace().next() == Some(name);
        let line = self.stdout.wait_for(is_it, PATIENCE).unwrap_or_else(|said| {
            panic!(
                "no {name} address; printed:\n{said}\nlogged:\n{}",
                self.log().join("\n")
            )
        });
        let address = line.split_whitespace().nth(1).and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address in {line:?}"))
    }

    pub fn wait_until_ready(&self) {
        if let Err(said) = self.stdout.wait_for(|line| line.trim() == "ready", PATIENCE) {
            panic!("never ready; printed:\n{said}\nlogged:\n{}", self.log().join("\n"));
        }
    }

    /// Every line of the log so far, as JSON.
    pub fn log(&self) -> Vec<String> {
        self.log.so_far()
    }

    /// Waits for a line of the log that contains the text.
    pub fn wait_for_log(&self, text: &str) -> String {
        self.log
            .wait_for(|line| line.contains(text), PATIENCE)
            .unwrap_or_else(|said| panic!("{text:?} was never logged:\n{said}"))
    }

    /// The status and body of a page of the admin port.
    pub fn admin_page(&self, path: &str) -> (u16, String) {
        http::get(self.admin, path).expect("ask the admin port")
    }

    /// The sum of a metric's samples whose labels contain each of `labels`; zero where there is none.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let (_, page) = self.admin_page("/metrics");
        let samples = page.lines().filter_map(|line| {
            let (series, value) = line.split_once("} ").map_or_else(|| line.split_once(' '), Some)?;
            let (series_name, series_labels) = series.split_once('{').unwrap_or((series, ""));
            let matches = series_name == name && labels.iter().all(|label| series_labels.contains(label));
            matches.then(|| value.split(' ').next().and_then(|value| value.parse::<f64>().ok()))?
        });
        samples.sum()
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("read the process's status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("a status names the resident memory");
        let kibibytes: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|count| count.parse().ok())
            .expect("a number of kB");
        kibibytes * 1024
    }

    /// Sends a signal by its name: `TERM`, `INT`, `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(sent.expect("run kill").success());
    }

    /// Waits for it to end by itself.
    pub fn wait_for_exit(mut self, patience: Duration) -> ExitStatus {
        assert!(
            self.stdout.wait_for_end(patience),
            "still running:\n{}",
            self.log().join("\n")
        );
        self.child.wait().expect("learn how the server ended")
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("kill the server");
        self.child.wait().expect("learn how the server ended");
    }

    fn unexpected_errors(&self) -> Vec<String> {
        let is_error = |line: &String| {
            let record: Option<serde_json::Value> = serde_json::from_str(line).ok();
            let level = record
                .as_ref()
                .and_then(|record| record.get("level"))
                .and_then(|level| level.as_str());
            level == Some("ERROR") || line.contains("panicked at")
        };
        self.log().into_iter().filter(is_error).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone where the test ended it.
        self.child.kill().ok();
        self.child.wait().ok();
        self.log.wait_for_end(Duration::from_secs(5));
        let errors = self.unexpected_errors();
        if !std::thread::panicking() {
            assert!(
                errors.is_empty(),
                "unexpected errors in the log:\n{}",
                errors.join("\n")
            );
        } else {
            eprintln!("the server's log:\n{}", self.log().join("\n"));
        }
    }
}
