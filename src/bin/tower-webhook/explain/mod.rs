//! `explain`: why was this request refused, and what would make it pass? Offline, by the code that listens.
//!
//! The verdict is the receiver's own. Around it each check is asked by itself, so that every fault is told and not
//! just the first; and where no key fits, the delivery and the configuration are varied until one does. No secret, no
//! signature and no payload is printed: of an event only its key, its name and its kind.

mod arriving;
mod basic;
mod case;
mod files;
mod front;
mod gzip;
mod judge;
mod open;
mod proofs;
mod report;
mod search;
mod timestamp;
mod words;

use std::io::{IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config::{Config, Endpoint};

use crate::lines;
use case::Case;
use files::Captured;
use report::Report;

pub(crate) const HELP: &str = "\
The request is read from stdin as it stood on the wire: request line, headers, an empty line, the exact body. Each check \
says what it saw; where no key fits, variations of body, headers and keys are tried, and the one that fits is told. No \
secret, no signature and no payload is printed.

Exit codes: 0 it would be accepted, 1 it would be refused, 2 wrong arguments or configuration.

Examples:
  tower-webhook explain --config receiver.toml --endpoint /aella < request
  tower-webhook explain --config receiver.toml --file request \\
      --at 2026-11-21T12:00:00Z
  tower-webhook explain --config receiver.toml --har capture.har --entry 3";

/// The arguments of `explain`.
#[derive(Args)]
pub(crate) struct Explain {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The endpoint to judge by. Default: the path of the request.
    #[arg(long, value_name = "PATH")]
    endpoint: Option<String>,
    /// Read the request from a file in place of stdin.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Read the request from an HTTP archive.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    har: Option<PathBuf>,
    /// Which entry of the archive, counted from 1. Default: the first POST.
    #[arg(long, value_name = "N", requires = "har")]
    entry: Option<usize>,
    /// The time to judge at, such as 2026-11-21T12:00:00Z. Default: now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// The address that the request came from. Default: unknown, and not judged.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    from: Option<IpAddr>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(config: &Config, arguments: &Explain) -> ExitCode {
    let report = match explain(config, arguments) {
        Ok(report) => report,
        Err(fault) => {
            lines::say(fault);
            return ExitCode::from(2);
        }
    };
    let text = match arguments.json {
        true => report.json(),
        false => report.text(has_colours()),
    };
    // Who closed the pipe still gets the exit code.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if report.is_accepted() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it by RFC 3339, such as 2026-11-21T12:00:00Z".to_owned())
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "write it as 192.0.2.1 or 2001:db8::1".to_owned())
}

fn has_colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn explain(config: &Config, arguments: &Explain) -> Result<Report, String> {
    let at = arguments.at.or_else(|| SystemClock.now()).ok_or("the clock failed: give --at")?;
    let request = captured(arguments)?;
    let path = arguments.endpoint.as_deref().unwrap_or(request.head.uri.path());
    let Some(endpoint) = config.endpoints.iter().find(|endpoint| endpoint.path() == path) else {
        let known: Vec<&str> = config.endpoints.iter().map(Endpoint::path).collect();
        let known = known.join(", ");
        return match &arguments.endpoint {
            Some(path) => Err(format!("--endpoint: {:?} is not in the file; known are {known}", words::tidy(path))),
            None => Ok(Report::no_endpoint(path, &known, at)),
        };
    };
    judge::judge(&Case { config, endpoint, request: &request, at, from: arguments.from })
}

fn captured(arguments: &Explain) -> Result<Captured, String> {
    match (&arguments.har, &arguments.file) {
        (Some(path), _) => files::har(&files::read_file("--har", path)?, arguments.entry),
        (None, Some(path)) => files::raw(files::read_file("--file", path)?),
        (None, None) => files::raw(files::read_all(std::io::stdin().lock()).map_err(|why| format!("stdin {why}"))?),
    }
}
