//! Reading the configuration file: its warnings and all its faults are said.

use std::path::PathBuf;
use std::process::ExitCode;

use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::config::{self, Config, Endpoint, Faults};

use crate::lines;

/// A configuration file, and what the command line says beside it.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// Whether nothing of what events say is printed, whatever the file has.
    pub(crate) is_quiet: bool,
}

impl File {
    /// The configuration for whoever receives now, or the code to end with.
    pub(crate) fn receiving(&self) -> Result<Config, ExitCode> {
        let mut config = ready(match SystemClock.now() {
            Some(now) => config::load_at(&self.path, now),
            None => config::load(&self.path),
        })?;
        for endpoint in config.endpoints.iter_mut().filter(|_| self.is_quiet) {
            endpoint.spec.quiet_payloads = Some(true);
        }
        warn_of_loss(&config);
        Ok(config)
    }
}

/// An event that is neither handed over nor printed is acknowledged, and what it said is gone.
fn warn_of_loss(config: &Config) {
    let is_lost = |endpoint: &&Endpoint| endpoint.forward.is_none() && config.is_quiet(endpoint);
    for endpoint in config.endpoints.iter().filter(is_lost) {
        let path = endpoint.path();
        lines::say(format_args!(
            "warning: {path}: without forward_to and with quiet payloads, what its events say goes nowhere"
        ));
    }
}

/// The configuration with its warnings said, or the code to end with, when all that is wrong with it was said.
pub(crate) fn ready(loaded: Result<Config, Faults>) -> Result<Config, ExitCode> {
    match loaded {
        Ok(config) => {
            config.warnings.iter().for_each(|warning| lines::say(format_args!("warning: {warning}")));
            Ok(config)
        }
        Err(faults) => {
            faults.iter().for_each(lines::say);
            Err(ExitCode::from(2))
        }
    }
}
