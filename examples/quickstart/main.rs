//! Four providers, one receiver, and a sender that knows what must come of everything it sends.
//!
//! `cargo run --example quickstart` starts a receiver as a process of its own, with its inbox on disk, and sends it good and
//! bad deliveries over real connections. It prints each with its answer, kills the receiver once and starts it again, and
//! compares what was sent with what was handled. `receiver.rs` and `server.rs` are the receiving side; most of the rest plays
//! the providers.

mod bad;
mod books;
mod cases;
mod child;
mod common;
mod keys;
mod killing;
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
mod wire;

use std::process::ExitCode;

use child::{RECEIVER, Receiver};
use common::Folder;
use ledger::Ledger;
use report::Report;
use sabotage::Sabotage;
use sender::Sender;
use tower_webhook::error::BoxError;

const HELP: &str = "\
Receives webhooks of four providers on this machine, good and bad ones, and compares both sides.

Usage: cargo run --example quickstart -- [OPTION]

  (none)              send everything, print a table, compare; exit 1 if anything was lost, handled twice,
                      wrongly accepted or answered otherwise than expected
  --serve             keep a receiver open and print curl lines to try, until Ctrl-C
  --sabotage WHAT     breaks the receiver on purpose, to see the comparison fail:
                        disk          what it has stored is gone when it is killed
                        dedupe        every repeat is handled again
                        verification  nobody checks Aella's signature
                        handler       every tenth event is acknowledged and forgotten
  --help              this text";

enum Mode {
    Run(Option<Sabotage>),
    Serve,
    Help,
    /// The process that a run starts, kills, and starts again.
    Receiver {
        folder: String,
        port: String,
        sabotage: String,
    },
}

impl Mode {
    fn parse(arguments: &[&str]) -> Result<Self, String> {
        match arguments {
            [] => Ok(Self::Run(None)),
            ["--serve"] => Ok(Self::Serve),
            ["--help" | "-h"] => Ok(Self::Help),
            [RECEIVER, folder, port, sabotage] => {
                let [folder, port, sabotage] = [folder, port, sabotage].map(|text| (*text).to_owned());
                Ok(Self::Receiver { folder, port, sabotage })
            }
            ["--sabotage", what] => what.parse().map(|what| Self::Run(Some(what))),
            ["--sabotage"] => Err("--sabotage needs one of: dedupe, verification, handler, disk".into()),
            [_, extra, ..] | [extra] => Err(format!("unexpected argument {extra:?}; --help tells what there is")),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match Mode::parse(&arguments) {
        Ok(Mode::Receiver { folder, port, sabotage }) => child::live(&folder, &port, &sabotage).await.map(|()| true),
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
    let (ledger, folder) = (Ledger::default(), Folder::new()?);
    let mut receiver = Receiver::start(&ledger, sabotage, &folder.0, 0).await?;
    let sender = Sender::to(receiver.address)?;
    let mut report = Report::default();
    for case in cases::all()? {
        let before = ledger.mark();
        let answers = sender.deliver(&case).await?;
        let seen = ledger.since(before, case.events.len()).await;
        report.note(case, &answers, &seen);
    }
    receiver = killing::act(receiver, &ledger, sabotage, &folder.0, &mut report).await?;

    receiver.drain().await?;
    let (case, before) = (cases::while_draining()?, ledger.mark());
    let answers = sender.deliver(&case).await?;
    report.note(case, &answers, &ledger.since(before, 0).await);
    receiver.stop()?;
    Ok(report.conclude(&ledger))
}
