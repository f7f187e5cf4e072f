//! The arguments of `storm`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tower_webhook::config;
use tower_webhook::sender::storm::{Class, Fault, FaultError, Faults, Pick};

use crate::send::word;

/// The time that what is not settled has, where nothing else is said.
const HEAL: Duration = Duration::from_secs(60);
/// More would leave no descriptors.
const MOST_AT_ONCE: usize = 4096;

/// What is sent, where, and with which faults.
#[derive(Args)]
#[command(after_help = help())]
pub(crate) struct Arguments {
    /// The receiver's configuration file: all its endpoints are sent to.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Where the receiver listens, on this machine. Given again: a further receiver on the same store; tries go to them in turn.
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) to: Vec<String>,

    /// Where to listen as the service that the receiver forwards to.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = upstream)]
    pub(crate) upstream: SocketAddr,

    /// Everything that is drawn is drawn from this.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,

    /// How many events.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) events: u64,

    /// The share of events that come more than once.
    #[arg(long, value_name = "SHARE", default_value = "0.2")]
    pub(crate) duplicates: String,

    /// The share of events beside which one comes that must be refused.
    #[arg(long, value_name = "SHARE", default_value = "0.05")]
    pub(crate) bad: String,

    /// The share of events whose handler fails at first.
    #[arg(long, value_name = "SHARE", default_value = "0.01")]
    pub(crate) handler_failures: String,

    /// Further faults, such as reset-in-body=0.01,held@17, or a class of them (see below).
    #[arg(long, value_name = "LIST", default_value = "")]
    pub(crate) faults: String,

    /// How many requests at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_once)]
    pub(crate) concurrency: usize,

    /// How many times shorter than the provider's the waits between tries are.
    #[arg(long, value_name = "TIMES", default_value = "100x", value_parser = times)]
    pub(crate) time: u32,

    /// How long nothing may settle before the run is over, when the last event was sent; and how long to wait for the first answer.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span)]
    pub(crate) heal: Duration,
}

impl Arguments {
    /// All faults, of all options.
    pub(super) fn all_faults(&self) -> Result<Faults, String> {
        let shares = [
            ("--duplicates", &self.duplicates, Pick::Any(Class::Duplicates)),
            ("--bad", &self.bad, Pick::Any(Class::Bad)),
            ("--handler-failures", &self.handler_failures, Pick::One(Fault::HandlerFails)),
        ];
        let all = self.faults.parse::<Faults>().map_err(|error| match error {
            FaultError::Unknown(_) => format!("--faults: {error}; take a name that storm --help lists"),
            _ => format!("--faults: {error}"),
        })?;
        shares.into_iter().filter(|(_, share, _)| !is_zero(share)).try_fold(all, |all, (option, share, pick)| {
            let faults: Faults = format!("{pick}={share}")
                .parse()
                .map_err(|_| format!("{option}: {share:?} is no share; write 0 to 1, such as 0.05"))?;
            all.and(faults).map_err(|error| format!("{option}: {error}"))
        })
    }

    /// The command that does the same again.
    pub(super) fn replay(&self, faults: &Faults) -> String {
        let mut line = format!("tower-webhook storm --config {}", word(&self.config.display().to_string()));
        self.to.iter().for_each(|to| line.push_str(&format!(" --to {}", word(to))));
        let upstream = word(&self.upstream.to_string());
        line.push_str(&format!(" --upstream {upstream} --seed {} --events {}", self.seed, self.events));
        let faults = word(&faults.to_string());
        line.push_str(&format!(" --duplicates 0 --bad 0 --handler-failures 0 --faults {faults}"));
        line.push_str(&format!(" --concurrency {} --time {}x", self.concurrency, self.time));
        match self.heal {
            HEAL => {}
            heal if heal.subsec_millis() == 0 => line.push_str(&format!(" --heal {}s", heal.as_secs())),
            heal => line.push_str(&format!(" --heal {}ms", heal.as_millis())),
        }
        line
    }
}

fn is_zero(share: &str) -> bool {
    !share.is_empty() && share.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

fn at_once(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| (1..=MOST_AT_ONCE).contains(number)).ok_or_else(|| "write 1 to 4096".to_owned())
}

fn upstream(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:3000".to_owned())
}

fn times(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('x').unwrap_or(text).parse();
    number.ok().filter(|times| (1..=1_000_000).contains(times)).ok_or_else(|| "write it as 1x or 100x".to_owned())
}

fn span(text: &str) -> Result<Duration, String> {
    config::duration(text).filter(|time| !time.is_zero()).ok_or_else(|| "write it as 10s or 5m".to_owned())
}

/// The classes, but for that of all.
const CLASSES: [Class; 8] = [
    Class::Duplicates,
    Class::Keys,
    Class::Order,
    Class::Bad,
    Class::Bodies,
    Class::Connections,
    Class::Handlers,
    Class::Load,
];

/// Behind the options: what it does, and all faults by their names.
fn help() -> String {
    let names = |class| Fault::all().filter(move |fault| fault.class() == class).map(Fault::name).collect::<Vec<_>>();
    let line = |class| format!("  {:<11}  {}\n", Pick::Any(class).to_string(), names(class).join(", "));
    format!("{HELP}\n{}\n{EXAMPLES}", CLASSES.map(line).concat())
}

const HELP: &str = "\
It sends to every endpoint of the file as its provider does, listens as the service that they forward to, and so knows what was \
sent, answered and handled. It waits for the first good answer, sends, stops all faults, and waits until all is settled. One JSON \
object goes to stdout; on stderr a page for people. Exit code 0: nothing was lost, handled twice, taken or refused wrongly, \
answered before it was handled, or left unsettled; 1: not so; 2: wrong arguments or configuration.

The receiver may be killed and started again meanwhile. An event that is called again with a higher fence before its sender had \
a 2xx counts as called_again, which need not be 0; with [inbox] in the file so does one that failed, and one that was done, once for \
each time that the receiver was seen to go down. More often it is handled twice. With [inbox] it waits until all that was answered \
2xx is handled.

--faults takes NAME=SHARE, NAME@NUMBER or NAME, with commas between them. Deliveries are numbered from 0, and the first has no \
fault, since it opens the way. A class stands for any of its faults that can be done to a delivery, and all for any at all:
";

const EXAMPLES: &str = "\
Examples:
  tower-webhook storm --config receiver.toml --to http://127.0.0.1:8080 \\
      --upstream 127.0.0.1:3000 --seed 7 --events 10000
  tower-webhook storm --config receiver.toml --to http://127.0.0.1:8080 \\
      --upstream 127.0.0.1:3000 --faults all --time 1000x";
