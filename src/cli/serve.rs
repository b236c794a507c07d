//! `vigie serve`: the configuration from every source, then the server.

use std::path::PathBuf;

use crate::config::{ConfigError, Override, Settings, Sources};

use super::Outcome;
use super::arguments::ServeArguments;
use super::show;

pub(super) fn run(arguments: ServeArguments) -> anyhow::Result<Outcome> {
    let print = arguments.print_config;
    let settings = Settings::load(&sources(arguments))?;
    if print {
        show::print(&settings.to_toml())?;
        return Ok(Outcome::Done);
    }
    crate::app::serve(settings)?;
    Ok(Outcome::Done)
}

/// The settings for commands without flags of their own for them.
pub(super) fn settings_of(config: Option<PathBuf>) -> Result<Settings, ConfigError> {
    Settings::load(&Sources {
        file: config,
        environment: environment(),
        overrides: Vec::new(),
    })
}

fn sources(arguments: ServeArguments) -> Sources {
    let flags = [
        ("--repository", "repository", arguments.repository),
        ("--data", "data", arguments.data),
        ("--grpc", "grpc.address", arguments.grpc),
        ("--admin", "admin.address", arguments.admin),
    ];
    let given = flags.into_iter().filter_map(|(flag, key, value)| {
        Some(Override {
            flag,
            key,
            value: value?,
        })
    });
    Sources {
        file: arguments.config,
        environment: environment(),
        overrides: given.collect(),
    }
}

/// The variables that are text.
fn environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
