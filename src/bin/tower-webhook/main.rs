//! The program `tower-webhook`: receive, send and explain webhooks from the shell, beside a service in any language.
//!
//! Data goes to stdout, words for people to stderr. Exit codes: 0 done, 1 the work failed, 2 wrong arguments or
//! configuration.

mod any;
mod config;
mod deliver;
mod explain;
mod forward;
mod lines;
mod listen;
mod names;
mod send;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use config::Config;

/// Receive payment and banking webhooks: verify, decrypt, deduplicate, print, forward.
#[derive(Parser)]
#[command(name = "tower-webhook", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receive, verify, deduplicate, print; optionally forward.
    #[command(after_help = LISTEN_HELP)]
    Listen {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Send an event as its provider does: the reference sender.
    Send(Box<send::Arguments>),
    /// Say why a request is refused, and what would make it pass. Offline.
    #[command(after_help = explain::HELP)]
    Explain(explain::Explain),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

const LISTEN_HELP: &str = "\
The first line on stdout is {\"listening\":\"ADDRESS:PORT\"}; then one JSON object a line, for each event handled and for
each refusal. SIGTERM and SIGINT drain: nothing new is taken, what is in hand finishes.

Example:
  tower-webhook listen --config receiver.toml";

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Listen { config } => with_config(&config, listen::run),
        Command::Send(arguments) => send::run(*arguments),
        Command::Explain(arguments) => with_config(&arguments.config, |config| explain::run(&config, &arguments)),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "tower-webhook", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}

/// Loads the configuration, or says all that is wrong with it and ends with 2.
fn with_config(path: &std::path::Path, run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    match Config::load(path) {
        Ok(config) => {
            for warning in &config.warnings {
                eprintln!("tower-webhook: warning: {warning}");
            }
            run(config)
        }
        Err(faults) => {
            for fault in faults {
                eprintln!("tower-webhook: {fault}");
            }
            ExitCode::from(2)
        }
    }
}
