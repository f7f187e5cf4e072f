//! `storm`: the providers of all endpoints of a file, the service that they forward to, and the judge of what became of it.

mod args;
mod progress;
mod routes;
mod upstream;

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::sender::storm::{Faults, Report, Route, Storm};
use tower_webhook::sender::{Ledger, Tcp};

use crate::lines::{self, say};
use crate::send::Target;

pub(crate) use args::Arguments;
use upstream::Calls;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(storm(arguments));
    runtime.shutdown_background();
    match ended {
        Ok(report) => said(&report),
        Err(Ended::Wrong(wrong)) => {
            wrong.iter().for_each(say);
            ExitCode::from(2)
        }
        Err(Ended::Failed(why)) => {
            say(why);
            ExitCode::FAILURE
        }
    }
}

/// Why there is no report.
enum Ended {
    /// Wrong arguments or a wrong configuration, a line each.
    Wrong(Vec<String>),
    /// The work failed.
    Failed(String),
}

fn said(report: &Report) -> ExitCode {
    report.to_string().lines().for_each(say);
    match lines::print(report) {
        Ok(()) if report.is_happy() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn storm(arguments: &Arguments) -> Result<Report, Ended> {
    let faults = arguments.all_faults().map_err(|wrong| Ended::Wrong(vec![wrong]))?;
    let (played, targets) = (routes::of_file(&arguments.config).map_err(Ended::Wrong)?, targets(arguments).await?);
    let cannot = |error| Ended::Failed(format!("--upstream: {} cannot be listened on: {error}", arguments.upstream));
    let listener = TcpListener::bind(arguments.upstream).await.map_err(cannot)?;
    let ledger = if played.has_inbox { Ledger::of_an_inbox() } else { Ledger::new() };
    let calls = Calls::default();
    tokio::spawn(upstream::serve(listener, ledger.clone(), calls.clone()));
    let storm = prepared(arguments, faults.clone(), played.routes, targets)?.ledger(&ledger);
    let shown = progress::show(storm.counts(), arguments.events);
    let mut report = storm.run().await;
    shown.end();
    report.replay = arguments.replay(&faults);
    if calls.were_none() {
        report.examples.push(format!("nobody called {}: does forward_to name it?", arguments.upstream));
    }
    Ok(report)
}

fn prepared(arguments: &Arguments, faults: Faults, routes: Vec<Route>, targets: Vec<Tcp>) -> Result<Storm<Tcp>, Ended> {
    let now = SystemClock.now().ok_or_else(|| Ended::Failed("the clock cannot be read".to_owned()))?;
    let mut targets = targets.into_iter();
    let first = targets.next().ok_or_else(|| Ended::Wrong(vec!["--to: is missing".to_owned()]))?;
    let storm = targets.fold(Storm::new(routes, first), Storm::also_to);
    // The millisecond of the beginning tells runs of one seed apart, whose events a store still knows.
    let stamp = u32::try_from(now.as_millisecond() & i64::from(u32::MAX)).unwrap_or_default();
    Ok(storm
        .events(arguments.events)
        .seed(arguments.seed)
        .faults(faults)
        .concurrency(arguments.concurrency)
        .compressed(arguments.time)
        .heal(arguments.heal)
        .starting_at(now)
        .stamp(stamp))
}

/// Where to, each on this machine.
async fn targets(arguments: &Arguments) -> Result<Vec<Tcp>, Ended> {
    let mut targets = Vec::new();
    for to in &arguments.to {
        let wrong = |why: String| Ended::Wrong(vec![why]);
        let target = Target::of_storm(to).await.map_err(wrong)?;
        let address: SocketAddr = *target.addresses.first().ok_or_else(|| wrong(format!("--to: {to} is nowhere")))?;
        targets.push(Tcp::new(address).map_err(|error| wrong(format!("--to: {error}")))?);
    }
    Ok(targets)
}
