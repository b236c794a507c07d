//! The program. Everything it does lies in the library.

use std::process::ExitCode;

use vigie::executor;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == executor::SUBCOMMAND)
    {
        return ExitCode::from(u8::try_from(executor::prove_here()).unwrap_or(1));
    }
    ExitCode::SUCCESS
}
