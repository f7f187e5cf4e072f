//! The program `tower-webhook`: receive, send and explain webhooks from the shell, beside a service in any language.
//!
//! Data goes to stdout, words for people to stderr. Exit codes: 0 done, 1 the work failed, 2 wrong arguments or
//! configuration.

mod completions;
mod explain;
mod healthcheck;
mod inbox;
mod lines;
mod listen;
mod names;
mod outlet;
mod plain;
mod reading;
mod reconcile;
mod send;
mod store;
mod storm;
mod used;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use self::reading::File;

/// Receive payment and banking webhooks: verify, decrypt, deduplicate, print, forward.
#[derive(Parser)]
#[command(name = "tower-webhook", version, arg_required_else_help = true, max_term_width = 100)]
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
        /// Print nothing of what events say, whatever the file has: neither payload nor typed event.
        #[arg(long)]
        quiet_payloads: bool,
        /// How words on stderr are written.
        #[arg(long, value_enum, default_value_t = Log::Text)]
        log: Log,
    },
    /// Check a configuration file: all its faults, or "ok".
    #[command(after_help = CHECK_HELP)]
    CheckConfig {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Ask a running `listen` whether it takes deliveries.
    #[command(after_help = HEALTH_HELP)]
    Healthcheck {
        /// The configuration file, which names the admin address.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Send an event as its provider does: the reference sender.
    Send(Box<send::Arguments>),
    /// Play all providers of a configuration with faults, and the service behind the receiver, and judge what became of it.
    Storm(Box<storm::Arguments>),
    /// Look after a durable inbox: what it holds, why, and once more.
    Inbox(Box<inbox::Arguments>),
    /// Compare a provider's own report with the durable inbox: what never arrived, and what the provider does not know.
    Reconcile(Box<reconcile::Arguments>),
    /// Say why a request is refused, and what would make it pass. Offline.
    #[command(after_help = explain::HELP)]
    Explain(explain::Explain),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Log {
    /// A line for people.
    Text,
    /// An object a line: at, level, message.
    Json,
}

const LISTEN_HELP: &str = "\
The first line on stdout is {\"listening\":\"ADDRESS:PORT\"}; then one JSON object a line, for each event handled and for \
each rejection. SIGTERM and SIGINT drain: nothing new is taken, what is in hand finishes, and the exit code is 0; \
1 where the drain's time was over first and deliveries were cut off. A second signal ends at once, with 1.

When stdout is not read, lines of rejections and repeats are left out and counted on stderr. An event whose line has no room \
is answered 503 before it is handled, so that every event that was handled has its line.

With admin in the file, /live, /ready and /metrics are served there. SIGHUP reads the file again: without a fault it takes \
the place of the one before, and no delivery is lost; with one, nothing changes. {\"reloaded\":true} or false says which.

With --quiet-payloads, or quiet_payloads = true in the file, the line of an event has no \"typed\" and no \"payload\". All \
else stays: verdict, endpoint, provider, key, key_id, event, occurred_at, attempt_replayed.

A service behind it (forward_to) is told by headers: tower-webhook-receiver, -provider, -event, -key and -fence, which \
grows with each try of an event. In them %, what is not visible ASCII and a space at either end are written %XX. Its \
status is the answer; but 410 is told as 502, unless the endpoint says pass_gone = true, since it makes some senders switch \
the endpoint off.

With [inbox] in the file a delivery is answered 2xx when its events are on disk. A worker hands each over, with \
tower-webhook-attempt beside the other headers. 2xx: done. 429 or 503 with Retry-After: again then. \
tower-webhook-dead: REASON on a 4xx: dead at once. Anything else: again later, until its attempts are used up. A drain takes 9 s at \
most: what is not done is given back, and handed over at the next start.

Example:
  tower-webhook listen --config receiver.toml";

const CHECK_HELP: &str = "\
Each fault is a line on stderr: file, key, what is wrong, what would be right. Secrets are looked up, and keys are judged as \
of now; no store is connected. Variables of the environment that go before the file (TOWER_WEBHOOK_LISTEN and so on) are \
named on stderr.

Exit codes: 0 ok, 2 a fault.

Example:
  tower-webhook check-config --config receiver.toml";

const HEALTH_HELP: &str = "\
It asks /ready at the file's admin address, and waits 4 s at most.

Exit codes: 0 ready, 1 not, 2 a file with a fault, or without an admin address whose port is known.

Example:
  tower-webhook healthcheck --config receiver.toml";

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Listen { config, quiet_payloads, log } => {
            if let Log::Json = log {
                lines::words_as_json();
            }
            listen::run(File { path: config, is_quiet: quiet_payloads })
        }
        Command::CheckConfig { config } => checked(File { path: config, is_quiet: false }),
        Command::Healthcheck { config } => healthcheck::run(&config),
        Command::Send(arguments) => send::run(*arguments),
        Command::Storm(arguments) => storm::run(&arguments),
        Command::Inbox(arguments) => inbox::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Explain(arguments) => match reading::ready(reading::load(&arguments.config, None)) {
            Ok(config) => explain::run(&config, &arguments),
            Err(code) => code,
        },
        Command::Completions { shell } => completions::run(shell, Arguments::command()),
    }
}

fn checked(file: File) -> ExitCode {
    if let Err(code) = file.receiving() {
        return code;
    }
    for name in reading::overrides().names() {
        lines::say(format_args!("{name} of the environment goes before the file"));
    }
    lines::end_with("ok\n")
}
