//! The arguments of `reconcile`.

use std::path::PathBuf;

use clap::Args;
use tower_webhook::clock::Timestamp;
use tower_webhook::json::Pointer;

use super::report::Format;
use crate::inbox;

/// Which report, and with what it is compared.
#[derive(Args)]
#[command(after_help = HELP)]
#[command(override_usage = "tower-webhook reconcile --config FILE --report FILE --reference NAME")]
pub(crate) struct Arguments {
    /// The configuration file, whose [inbox] it is.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// The provider's report, or - for stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) report: PathBuf,
    /// The column or member of the report that holds the reference, or its place in a row of JSON, such as /payment/id.
    #[arg(long, value_name = "NAME")]
    pub(super) reference: String,
    /// How the report is written. Default: told by how it begins.
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// Where an event has the same reference, such as /payment/paymentId. Default: it is the event's readable key.
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    pub(super) member: Option<Pointer>,
    /// Events of this endpoint alone, by its path.
    #[arg(long, value_name = "PATH")]
    pub(super) endpoint: Option<String>,
    /// Events of this name alone, such as transfer.completed.
    #[arg(long, value_name = "EVENT")]
    pub(super) event: Option<String>,
    /// Look at events accepted since: a time such as 2026-11-29T03:00:00Z, or how long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = inbox::time)]
    pub(super) since: Option<Timestamp>,
    /// Of events accepted from then on none is unexpected. They still answer for their row.
    #[arg(long, value_name = "TIME", value_parser = inbox::time)]
    pub(super) until: Option<Timestamp>,
}

const HELP: &str = "\
A report is CSV with a header, a JSON array of rows, or JSON with a row on each line. In CSV the header says whether commas, \
semicolons or tabs divide. A row has 1 MiB at most, a reference 256 bytes, and there are a million references at most.

Each difference is a line: missing (in the report, and no event), undecided (the same, but there are events whose reference \
nobody can read any more), unexpected (an event, and not in the report), unsettled (in both, and not handled). The last line \
counts, also what could not be compared: rows without a reference (empty), events without one (without), with a body that is \
no JSON or is sealed (unreadable), and with a body that is gone (gone). Nothing of the inbox is changed. \
Of quiet endpoints no reference is printed that only an event has.

Exit codes: 0 no difference, 1 a difference, or the inbox cannot be read, 2 wrong arguments, configuration or report.

Examples:
  tower-webhook reconcile --config receiver.toml --report day.csv --reference KEY --since 48h
  tower-webhook reconcile --config receiver.toml --report day.json --reference paymentId \\
      --member /payment/paymentId";

fn pointer(text: &str) -> Result<Pointer, String> {
    Pointer::new(text).map_err(|error| error.to_string())
}
