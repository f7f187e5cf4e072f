//! Reading the configuration file: its warnings and all its faults are said.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::config::{self, Config, ConfigSpec, Endpoint, Faults};

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
        let now = SystemClock.now();
        let load = || match now {
            Some(now) => config::load_at(&self.path, now),
            None => config::load(&self.path),
        };
        let mut config = match config::read(&self.path) {
            Ok(mut spec) => {
                override_addresses(&mut spec)?;
                ready(now.map_or_else(|| spec.build(), |now| spec.build_at(now)))?
            }
            // With what else would be found by building.
            Err(_) => ready(load())?,
        };
        for endpoint in config.endpoints.iter_mut().filter(|_| self.is_quiet) {
            endpoint.spec.quiet_payloads = Some(true);
        }
        warn_of_loss(&config);
        Ok(config)
    }
}

/// The variables of the environment that take the place of an address of the file.
const LISTEN: &str = "TOWER_WEBHOOK_LISTEN";
const ADMIN: &str = "TOWER_WEBHOOK_ADMIN";

/// For who runs one file in several places: addresses by the environment.
pub(crate) fn override_addresses(spec: &mut ConfigSpec) -> Result<(), ExitCode> {
    spec.listen = address(LISTEN)?.unwrap_or(spec.listen);
    spec.admin = address(ADMIN)?.or(spec.admin);
    Ok(())
}

fn address(name: &str) -> Result<Option<SocketAddr>, ExitCode> {
    let Some(text) = std::env::var_os(name) else { return Ok(None) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(address) => Ok(Some(address)),
        None => {
            let right = "write an address and a port, such as \"127.0.0.1:8080\"";
            lines::say(format_args!("(environment): {name}: is not an address; {right}"));
            Err(ExitCode::from(2))
        }
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
