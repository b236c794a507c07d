//! The program: one setting that must come before everything else, then the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    stay_silent();
    vigie::cli::main()
}

/// Keeps ONNX Runtime from reporting home, which its official builds do unless told otherwise before they are loaded.
fn stay_silent() {
    #[expect(
        clippy::disallowed_methods,
        reason = "no other thread runs yet, and the library reads nothing else"
    )]
    // SAFETY: the first statement of the process: no other thread exists that could read the environment meanwhile.
    unsafe {
        std::env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
}
