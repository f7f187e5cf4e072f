//! The arguments of `inbox`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config;
use tower_webhook::inbox::{EventId, Filter, StoredState};

/// What is asked of which inbox.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The configuration file, whose [inbox] it is.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) ask: Ask,
}

const HELP: &str = "\
It works beside a running receiver, and without one. Secrets of the file are not looked up.

Exit codes: 0 done, 1 the inbox cannot be read, or there is no such event, 2 wrong arguments or configuration.

Examples:
  tower-webhook inbox stats --config receiver.toml
  tower-webhook inbox list --state dead --since 2h --config receiver.toml
  tower-webhook inbox replay --state dead --dry-run --config receiver.toml";

#[derive(Subcommand)]
pub(crate) enum Ask {
    /// How many events stand where.
    Stats,
    /// The events that fit, oldest first, one JSON object a line.
    List {
        #[command(flatten)]
        filters: Filters,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        limit: usize,
    },
    /// One event: all that is known of it, with its history.
    Show {
        /// Its number.
        #[arg(value_parser = number)]
        id: i64,
    },
    /// What one event waits for.
    Why {
        /// Its number.
        #[arg(value_parser = number)]
        id: i64,
    },
    /// Hand events that fit over again: dead and parked ones, unless a state or a number is named.
    Replay(Replay),
    /// Drop what is older than the file's retention.
    Purge(Limits),
    /// Drop what events of one key say. The key stays, so that a repeat is still one.
    Erase(Erase),
}

/// Which events: those that all of these fit.
#[derive(Args, Clone)]
pub(crate) struct Filters {
    /// In this state: ready, running, done, dead, parked, quarantined.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<StoredState>,
    /// Of this name, such as transfer.completed.
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Of this readable key.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Accepted since: a time such as 2026-11-29T03:00:00Z, or how long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
}

/// What is handed over again.
#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    filters: Filters,
    /// The event of this number.
    #[arg(long, value_name = "N", value_parser = number)]
    id: Option<i64>,
    /// Those whose reason begins so.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Count alone.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How many at most. Without it: all.
    #[arg(long, value_name = "N")]
    pub(super) max: Option<usize>,
    /// Who asks, for the history.
    #[arg(long, value_name = "NAME", default_value = "tower-webhook inbox replay")]
    pub(super) by: String,
}

/// What is to say nothing any more.
#[derive(Args)]
pub(crate) struct Erase {
    /// The readable key.
    #[arg(long, value_name = "KEY")]
    pub(super) key: String,
    #[command(flatten)]
    pub(super) limits: Limits,
}

/// How much of it is done.
#[derive(Args)]
pub(crate) struct Limits {
    /// Count alone.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How many at most: where it would be more, nothing is dropped. Without it: all.
    #[arg(long, value_name = "N")]
    max: Option<u64>,
}

impl Limits {
    /// Whether it has to be counted first.
    pub(super) fn are_said(&self) -> bool {
        self.dry_run || self.max.is_some()
    }

    /// Whether so many may go. `Ok(false)`: none of them was to go in any case.
    pub(super) fn allow(&self, matches: u64) -> Result<bool, String> {
        match self.max {
            Some(max) if matches > max && !self.dry_run => {
                Err(format!("inbox: it would be {matches}, and --max allows {max}: nothing was dropped"))
            }
            _ => Ok(!self.dry_run),
        }
    }
}

impl Filters {
    pub(super) fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        filter.state = self.state;
        filter.event.clone_from(&self.event);
        filter.key.clone_from(&self.key);
        filter.since = self.since;
        filter
    }
}

impl Replay {
    /// The state that is named, where no event in it can be handed over again.
    pub(super) fn idle_state(&self) -> Option<&'static str> {
        let is_idle =
            |state: &StoredState| !matches!(state, StoredState::Done | StoredState::Dead | StoredState::Parked);
        self.filters.state.filter(is_idle).map(StoredState::name)
    }

    /// What is asked for, as one filter or more of which no two fit one event. What is done goes on being so, unless its
    /// number or its state is named.
    pub(super) fn filters(&self) -> Vec<Filter> {
        let mut filter = self.filters.filter();
        filter.id = self.id.map(EventId);
        filter.reason.clone_from(&self.reason);
        if filter.id.is_some() || filter.state.is_some() {
            return vec![filter];
        }
        let of_state = |state| {
            let mut filter = filter.clone();
            filter.state = Some(state);
            filter
        };
        [StoredState::Dead, StoredState::Parked].map(of_state).into()
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "write the number of an event, as list shows it: \"id\"".to_owned())
}

fn state(text: &str) -> Result<StoredState, String> {
    StoredState::named(text).ok_or_else(|| {
        let names: Vec<&str> = StoredState::ALL.iter().map(|state| state.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Some(ago) = config::duration(text) {
        let now = SystemClock.now().ok_or("the clock cannot be read")?;
        return Ok(now.checked_sub(ago).unwrap_or(Timestamp::MIN));
    }
    text.parse().map_err(|_| "write a time such as 2026-11-29T03:00:00Z, or how long ago, such as 2h".to_owned())
}
