//! Four providers, one receiver, and a sender that knows what must come of everything it sends.
//!
//! `cargo run --example quickstart` starts a receiver on a free port of this machine, sends it good and bad deliveries
//! over real connections, prints each with its answer, and compares what was sent with what was handled.
//! `receiver.rs` and `server.rs` are the receiving side; most of the rest plays the providers.

mod bad;
mod cases;
mod common;
mod keys;
mod ledger;
mod messages;
mod outcome;
mod receiver;
mod report;
mod sabotage;
mod script;
mod sender;
mod serve;
mod server;

use std::process::ExitCode;

use ledger::Ledger;
use report::Report;
use sabotage::Sabotage;
use sender::Sender;
use server::Running;
use tower_webhook::error::BoxError;

const HELP: &str = "\
Receives webhooks of four providers on this machine, good and bad ones, and compares both sides.

Usage: cargo run --example quickstart -- [OPTION]

  (none)              send everything, print a table, compare; exit 1 if anything was lost, handled twice,
                      wrongly accepted or answered otherwise than expected
  --serve             keep the receiver open and print curl lines to try, until Ctrl-C
  --sabotage WHAT     breaks the receiver on purpose, to see the comparison fail:
                        dedupe        every repeat is handled again
                        verification  nobody checks Aella's signature
                        handler       every tenth event is acknowledged and forgotten
  --help              this text";

enum Mode {
    Run(Option<Sabotage>),
    Serve,
    Help,
}

impl Mode {
    fn parse(arguments: &[&str]) -> Result<Self, String> {
        match arguments {
            [] => Ok(Self::Run(None)),
            ["--serve"] => Ok(Self::Serve),
            ["--help" | "-h"] => Ok(Self::Help),
            ["--sabotage", what] => what.parse().map(|what| Self::Run(Some(what))),
            ["--sabotage"] => Err("--sabotage needs one of: dedupe, verification, handler".into()),
            [_, extra, ..] | [extra] => Err(format!("unexpected argument {extra:?}; --help tells what there is")),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match Mode::parse(&arguments) {
        Ok(Mode::Help) => {
            println!("{HELP}");
            Ok(true)
        }
        Ok(Mode::Run(sabotage)) => run(sabotage).await,
        Ok(Mode::Serve) => serve::until_ctrl_c().await.map(|()| true),
        Err(usage) => {
            eprintln!("quickstart: {usage}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether both sides agree.
async fn run(sabotage: Option<Sabotage>) -> Result<bool, BoxError> {
    let ledger = Ledger::new(sabotage).down_once_for(cases::FAILS_ONCE);
    let running = Running::start(&ledger, sabotage).await?;
    let sender = Sender::to(running.address)?;
    let mut report = Report::default();
    for case in cases::all()? {
        let before = ledger.mark();
        let answers = sender.deliver(&case).await?;
        report.note(case, &answers, &ledger.since(before));
    }

    running.drain().await;
    let (case, before) = (cases::while_draining()?, ledger.mark());
    let answers = sender.deliver(&case).await?;
    report.note(case, &answers, &ledger.since(before));
    running.stop().await?;
    Ok(report.conclude(&ledger))
}
