//! A server whose calendar can be turned on, so that a test need not wait for tomorrow: the one thing that cannot be had otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use super::{Launch, Place};

/// The calendar of one server, ahead of the machine's.
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// As the machine's, for now.
    pub fn of(place: &Place) -> Self {
        let file = place.root().join("clock");
        fs::write(&file, 0_i64.to_ne_bytes()).expect("write the clock's file");
        Self { file }
    }

    /// Has a server go by it.
    pub fn on<'a>(&self, launch: Launch<'a>) -> Launch<'a> {
        launch
            .environment("LD_PRELOAD", shim().display())
            .environment("CLOCK_SHIFT", self.file.display())
    }

    /// Turns it to a moment to come.
    pub fn turn_to(&self, moment: SystemTime) {
        let ahead = moment.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        let seconds = i64::try_from(ahead.as_secs()).expect("a moment of the calendar") + 1;
        // In place: the server has the file mapped.
        let mut file = fs::File::options()
            .write(true)
            .open(&self.file)
            .expect("open the clock's file");
        std::io::Write::write_all(&mut file, &seconds.to_ne_bytes()).expect("write the clock's file");
    }
}

/// The library that shifts a clock, compiled once by the C compiler that building the project needs anyway.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (library, partial) = (
            folder.join("clock.so"),
            folder.join(format!("clock.{}.so", std::process::id())),
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/clock.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&partial, &source])
            .status()
            .expect("start the C compiler");
        assert!(compiled.success(), "cc: {compiled}");
        fs::rename(&partial, &library).expect("rename the library");
        library
    })
}
