//! Reading the configuration file: its warnings and all its faults are said.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config::{self, Config, ConfigSpec, Endpoint, Faults, Overrides};

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
        let mut config = ready(load(&self.path, SystemClock.now()))?;
        for endpoint in config.endpoints.iter_mut().filter(|_| self.is_quiet) {
            endpoint.spec.quiet_payloads = Some(true);
        }
        warn_of_loss(&config);
        Ok(config)
    }
}

/// What goes before the file: variables of the environment.
pub(crate) fn overrides() -> Overrides {
    // A program that is made for tests has a variable of its own, by which it crashes.
    let is_ours = |name: &OsString| !cfg!(feature = "testing") || name != "TOWER_WEBHOOK_CRASH";
    Overrides::new(std::env::vars_os().filter(|(name, _)| is_ours(name)))
}

/// The file by the path, after what goes before it.
pub(crate) fn load(path: &Path, now: Option<Timestamp>) -> Result<Config, Faults> {
    config::load_with(path, &overrides(), now)
}

/// The same, and nothing is built.
pub(crate) fn read(path: &Path) -> Result<ConfigSpec, Faults> {
    config::read_with(path, &overrides())
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
