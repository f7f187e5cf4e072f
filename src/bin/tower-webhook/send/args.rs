//! The arguments of `send`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method};

use tower_webhook::config;

/// What to send, as whom, where and how often.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The name of a built-in event (see --list), @FILE, or - for stdin.
    #[arg(required_unless_present = "list")]
    pub(crate) event: Option<String>,

    /// Print the names of the built-in events.
    #[arg(long)]
    pub(crate) list: bool,

    #[command(flatten)]
    pub(crate) who: Who,

    #[command(flatten)]
    pub(crate) message: MessageOptions,

    #[command(flatten)]
    pub(crate) delivery: DeliveryOptions,

    #[command(flatten)]
    pub(crate) fault: FaultOptions,
}

/// Whose delivery it is, by a configuration or by options.
#[derive(Args)]
#[command(next_help_heading = "As whom")]
pub(crate) struct Who {
    /// Take provider, key and credentials from an endpoint of this configuration file.
    #[arg(long, value_name = "FILE", conflicts_with = "provider")]
    #[arg(required_unless_present_any = ["list", "provider"])]
    pub(crate) config: Option<PathBuf>,

    /// The endpoint's path in that file. Default: the only one, or the only one of the event's provider.
    #[arg(long, value_name = "PATH", requires = "config")]
    pub(crate) endpoint: Option<String>,

    /// Seal with the key of this id. Default: the first that is valid now.
    #[arg(long, value_name = "ID", requires = "config")]
    pub(crate) key_id: Option<String>,

    /// The provider, where there is no configuration file.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,

    /// The environment variable that holds the key.
    #[arg(long, value_name = "NAME", requires = "provider")]
    pub(crate) key_env: Option<String>,

    /// The file that holds the key.
    #[arg(long, value_name = "FILE", requires = "provider", conflicts_with = "key_env")]
    pub(crate) key_file: Option<PathBuf>,

    /// The key itself. Dangerous: every user of this machine sees it, and the shell's history keeps it.
    #[arg(long, value_name = "KEY", requires = "provider", conflicts_with_all = ["key_env", "key_file"])]
    pub(crate) dangerous_key: Option<String>,

    /// The user name of Basic auth.
    #[arg(long, value_name = "NAME", requires_all = ["provider", "password_env"])]
    pub(crate) user: Option<String>,

    /// The environment variable that holds the password of Basic auth.
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) password_env: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "What is in it")]
pub(crate) struct MessageOptions {
    /// The value of a placeholder such as {ACCOUNT_ID}, in place of the built-in one.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,

    /// The idempotency key, for providers that send one. Default: random.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,

    /// A header, in place of the provider's of that name.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    pub(crate) header: Vec<(HeaderName, HeaderValue)>,

    /// The method. Default: the provider's first.
    #[arg(long)]
    pub(crate) method: Option<Method>,
}

#[derive(Args)]
#[command(next_help_heading = "Where and how")]
pub(crate) struct DeliveryOptions {
    /// Where to. Default: where the configuration listens, if its port is fixed. Without a path: the endpoint's.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,

    /// Send to other machines than this one. Without it only 127.0.0.0/8, ::1 and localhost are taken.
    #[arg(long)]
    pub(crate) dangerous_any_host: bool,

    /// A PEM file with the only certificate authority that is believed, for https. Default: the machine's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// A PEM file with a certificate to send by, for https.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    pub(crate) cert: Option<PathBuf>,

    /// The PEM file with its private key.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) cert_key: Option<PathBuf>,

    /// How many times, one after the other and whatever was answered.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) times: u32,

    /// Seal anew for each try: a new IV, a new time. Default: the same bytes each time, as a retry brings them.
    #[arg(long)]
    pub(crate) reseal: bool,

    /// How long to wait for an answer, such as 500ms or 10s. Default: as long as the provider does, else 30s.
    #[arg(long, value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,

    /// Send nothing: print a line of curl that would send exactly this.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Faults, which the receiver must refuse")]
pub(crate) struct FaultOptions {
    /// Flip one bit after sealing: of the body, the signature, or another proved header (IV, id, time).
    #[arg(long, value_name = "WHAT", num_args = 0..=1, default_missing_value = "body")]
    pub(crate) tamper: Option<Tamper>,

    /// Seal with a time 31 days ago; where no time is sealed, with an expired key of the configuration.
    #[arg(long)]
    pub(crate) stale: bool,
}

/// Where the bit is flipped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Tamper {
    Body,
    Signature,
    Header,
}

fn split(text: &str) -> Result<(&str, &str), String> {
    text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| "write NAME=VALUE".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    split(text).map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = split(text)?;
    let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is not a header name"))?;
    if matches!(name, CONTENT_LENGTH | TRANSFER_ENCODING) {
        return Err(format!("{name} is that of the body, which is sent whole; leave it out"));
    }
    let value = value.parse().map_err(|_| "the value cannot be sent in a header".to_owned())?;
    Ok((name, value))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let given = config::duration(text).filter(|given| !given.is_zero());
    given.ok_or_else(|| "write it as 500ms, 10s or 1m".to_owned())
}

const HELP: &str = "\
One JSON object a try goes to stdout: {\"status\":200,\"replayed\":false,\"took_ms\":3,\"body\":\"…up to 1 KiB\"}. Exit code \
0: every try was answered 2xx, or with --tamper or --stale every try was refused with 4xx; 1: not so; 2: wrong arguments.

Keys and passwords come from the environment or from files, never from an argument: arguments are seen by every user \
of the machine and kept by the shell. No redirect is followed. An https receiver proves itself by the machine's roots \
(SSL_CERT_FILE names others) or by --ca alone, and has the name or address in the URL.

Examples:
  tower-webhook send --list
  tower-webhook send aella/transfer.completed --config receiver.toml
  tower-webhook send banking_circle/batch --config receiver.toml \\
      --to http://127.0.0.1:8080/bank --times 3
  tower-webhook send opp/payment --config receiver.toml --tamper signature
  tower-webhook send opp/payment --config receiver.toml \\
      --to https://localhost:8443/opp --ca ca.pem
  tower-webhook send mambu/loan-disbursed --provider mambu --user mambu \\
      --password-env MAMBU_PASSWORD --set LOAN_AMOUNT=12.50 \\
      --to http://localhost:8080/mambu
  tower-webhook send @event.json --provider aella --key-env AELLA_KEY \\
      --to http://127.0.0.1:8080/aella --dry-run | sh";
