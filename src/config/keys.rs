//! The one declaration of every setting: name, type, default, and what it trades.
//!
//! A macro makes of it the structs, their defaults, and the table by which a value is set from any source and printed again; so a
//! setting cannot be readable but not printable, or documented otherwise than it is.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::value::{ByteSize, DatabaseUrl, Endpoint, Given, LogFormat, Setting, WatchMode, WhenBehind};
use crate::base::ModelName;

/// One setting as the loader and the printer see it.
pub(super) struct Key {
    /// The table it stands in; empty at the top.
    pub section: &'static str,
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub set: fn(&mut Settings, Given<'_>) -> Result<(), String>,
    /// The value as a TOML literal.
    pub show: fn(&Settings) -> String,
}

impl Key {
    /// The path that people know it by: `grpc.address`.
    pub fn path(&self) -> String {
        match self.section {
            "" => self.name.to_owned(),
            section => format!("{section}.{}", self.name),
        }
    }

    /// The environment variable that sets it: `VIGIE_GRPC__ADDRESS`.
    pub fn variable(&self) -> String {
        let name = self.name.to_uppercase();
        match self.section {
            "" => format!("VIGIE_{name}"),
            section => format!("VIGIE_{}__{name}", section.to_uppercase()),
        }
    }
}

macro_rules! settings {
    (
        { $( $(#[doc = $top_doc:literal])+ $top:ident: $top_type:ty = $top_value:literal; )+ }
        $( $(#[doc = $section_doc:literal])+ [$section:ident: $Section:ident] {
            $( $(#[doc = $doc:literal])+ $field:ident: $type:ty = $value:literal; )+
        } )+
    ) => {
        /// Everything that can be configured.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $( $(#[doc = $top_doc])+ pub $top: $top_type, )+
            $( $(#[doc = $section_doc])+ pub $section: $Section, )+
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section { $( $(#[doc = $doc])+ pub $field: $type, )+ }
        )+

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    $( $top: default_of($top_value), )+
                    $( $section: $Section { $( $field: default_of($value), )+ }, )+
                }
            }
        }

        pub(super) static KEYS: &[Key] = &[
            $( Key {
                section: "",
                name: stringify!($top),
                docs: &[$($top_doc),+],
                set: |settings, given| Ok(settings.$top = given.read()?),
                show: |settings| settings.$top.to_toml(),
            }, )+
            $( $( Key {
                section: stringify!($section),
                name: stringify!($field),
                docs: &[$($doc),+],
                set: |settings, given| Ok(settings.$section.$field = given.read()?),
                show: |settings| settings.$section.$field.to_toml(),
            }, )+ )+
        ];

        /// The sections in order, each with the sentence that explains it.
        static SECTIONS: &[(&str, &[&str])] = &[$( (stringify!($section), &[$($section_doc),+]) ),+];
    };
}

fn default_of<T: Setting>(text: &str) -> T {
    T::from_text(text).expect("every default is read by a test")
}

settings! {
    {
        /// The model repository: a folder of models, each a folder of numbered versions.
        repository: PathBuf = "models";
        /// Where this server keeps sealed revisions, what serves, and its records. Used by one process at a time.
        data: PathBuf = "data";
        /// The model that judges when a request names none; "" where only one model judges pictures.
        default_model: Option<ModelName> = "";
    }

    /// The gRPC port.
    [grpc: Grpc] {
        /// Where it listens. Not reachable from other machines unless this says so, as in "0.0.0.0:8001".
        address: SocketAddr = "127.0.0.1:8001";
        /// The largest message taken or given. Larger ones are refused before they are read whole.
        max_message: ByteSize = "16 MiB";
        /// Calls that one connection may have open. More wait in the client.
        max_streams: u32 = "256";
        /// The largest HTTP/2 frame: greater moves pictures in fewer pieces, smaller lets calls take turns.
        max_frame: ByteSize = "1 MiB";
        /// How often a silent connection is asked for a sign of life; "0s" never asks.
        keepalive: Option<Duration> = "30s";
        /// A message that has not arrived within this is given up.
        slow_sender: Duration = "30s";
        /// A stream whose reader takes nothing for so long is cut.
        stalled_reader: Duration = "30s";
    }

    /// The admin port: /live, /ready, /metrics, /config, /traces.
    [admin: Admin] {
        /// Where it listens. It has no passwords: keep it away from strangers.
        address: SocketAddr = "127.0.0.1:8002";
    }

    /// Who may do what.
    [auth: Auth] {
        /// File of the accounts, which `vigie account` keeps; "" asks nobody for a token, and everything that people do is by "local".
        accounts: Option<PathBuf> = "";
    }

    /// ONNX Runtime.
    [runtime: Runtime] {
        /// The shared library; "" looks where `make setup` puts it.
        library: Option<PathBuf> = "";
    }

    /// The computing threads.
    [cores: Cores] {
        /// Threads for live answers, at most one for each core that the machine or its control group allows; 0 takes all of those.
        live: Option<NonZeroUsize> = "0";
        /// Jobs that may wait for a thread. Past it calls are refused at once, with the moment to come back.
        queue: usize = "256";
    }

    /// What one request may ask for.
    [limits: Limits] {
        /// The largest encoded picture.
        max_picture: ByteSize = "12 MiB";
        /// The most pixels a picture may claim, checked before memory is taken for them.
        max_pixels: u64 = "50000000";
        /// The longest side a picture may claim, in pixels.
        max_side: u32 = "16384";
        /// Requests in work at once, whatever their kind.
        in_flight: usize = "512";
        /// What their messages may take of memory, from the first byte until they are answered; streams get half as much besides, and wait for it.
        in_flight_memory: ByteSize = "256 MiB";
        /// Streams of requests, and watchers of verdicts, open at once, over all connections.
        streams: usize = "256";
        /// The deadline of requests that bring none; "0s" sets none.
        default_deadline: Option<Duration> = "0s";
    }

    /// Pictures that were judged already.
    [known: Known] {
        /// What their scores may take of memory, for each loaded revision; "0 B" remembers none and judges each picture anew.
        memory: ByteSize = "32 MiB";
    }

    /// Decisions, corrections and pictures on record.
    [records: Records] {
        /// Where they are: "" for this server's own data directory, or a PostgreSQL that several servers share, as in
        /// "postgres://vigie@db.internal/vigie". Environment variables keep a password out of files.
        postgres: Option<DatabaseUrl> = "";
        /// Decisions that may wait to be written.
        queue: usize = "8192";
        /// What happens when more would wait: "shed" answers and counts the record as lost, "must" refuses the request.
        when_behind: WhenBehind = "shed";
        /// How many days decisions are kept; 0 keeps them for good.
        keep_days: u32 = "400";
        /// What pictures on record may take on disk: the oldest go first, but none that a correction is about. "0 B" keeps none.
        pictures: ByteSize = "10 GiB";
    }

    /// How changes in the repository are noticed.
    [watch: Watch] {
        /// "events" of the file system, or "poll" where a file system has none (network and some container volumes).
        mode: WatchMode = "events";
        /// How often "poll" looks.
        poll: Duration = "1s";
        /// How often everything is looked at again in either mode, so that a lost event costs time and nothing else.
        rescan: Duration = "30s";
        /// How long a file without a manifest must be unchanged before it counts as whole.
        settle: Duration = "1s";
        /// How long a version may stay incomplete and unchanged before it is rejected.
        reject_after: Duration = "60s";
    }

    /// The limits of the child process in which a new revision is loaded, run and held against its golden scores first.
    [proof: Proof] {
        /// Memory it may take.
        memory: ByteSize = "2 GiB";
        /// Processor time it may use.
        cpu: Duration = "60s";
        /// Time on the clock it may take.
        wall: Duration = "90s";
        /// How long it is measured there afterwards, about: what runs cost by their size, which decides how it is run. "0s" measures nothing, and each
        /// picture is run by itself.
        measure: Option<Duration> = "20ms";
    }

    /// The shadow: a second revision that judges after the answer, for comparison.
    [shadow: Shadow] {
        /// Judgements that may wait. Past it they are dropped and counted; live answers never wait for them.
        queue: usize = "64";
        /// Differing verdicts that are remembered.
        flips: usize = "1000";
    }

    /// Logs and traces.
    [telemetry: Telemetry] {
        /// The OTLP/gRPC collector that gets every trace, as in "http://127.0.0.1:4317"; "" exports nothing.
        otlp_endpoint: Option<Endpoint> = "";
        /// "text" for people or "json" for machines, on standard error.
        log_format: LogFormat = "text";
        /// What is logged: a level, or levels by module as in "info,vigie::repository=debug".
        log_filter: String = "info";
        /// Finished traces that /traces remembers.
        traces: usize = "300";
    }

    /// The steps of stopping, each within its time.
    [shutdown: Shutdown] {
        /// How long calls are still taken after readiness is withdrawn, for load balancers to notice.
        not_ready: Duration = "0s";
        /// How long calls under way may take to end.
        drain: Duration = "10s";
        /// How long the last traces may take to leave.
        flush: Duration = "3s";
    }

    /// Which models count, and who may change them.
    [models: Models] {
        /// Models that must be ready before the server is; [] means each model found at start.
        required: Vec<ModelName> = "";
        /// What loaded revisions may take of memory together; "" takes what the machine or its control group allows, less a quarter. What does not fit
        /// waits.
        memory: Option<ByteSize> = "";
        /// How many revisions that serve no more stay in the data directory, so that what they decided can be replayed; the one that served last is the last to go.
        keep_revisions: usize = "8";
        /// Whether callers may load and unload models over the Open Inference Protocol.
        load_unload: bool = "true";
    }
}

impl Settings {
    /// The configuration as a TOML file that says the same, with every key explained.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let top = ("", &[] as &[&str]);
        for (section, docs) in std::iter::once(&top).chain(SECTIONS) {
            if !section.is_empty() {
                text.push('\n');
                comment(&mut text, docs);
                text.push_str(&format!("[{section}]\n"));
            }
            for key in KEYS.iter().filter(|key| key.section == *section) {
                comment(&mut text, key.docs);
                text.push_str(&format!("{} = {}\n", key.name, (key.show)(self)));
            }
        }
        text
    }
}

fn comment(text: &mut String, docs: &[&str]) {
    for line in docs {
        text.push_str(&format!("#{line}\n"));
    }
}
