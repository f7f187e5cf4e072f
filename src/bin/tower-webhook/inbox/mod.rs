//! `inbox`: looking after a durable inbox, beside a running `listen` or without one.

mod args;
mod progress;
mod say;

use std::fs::File;
use std::io::ErrorKind::NotFound;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config::{ConfigSpec, Inbox};
use tower_webhook::inbox::{self, AnyInbox, EventId, History, InboxError, InboxStore};

use crate::{lines, reading};
pub(crate) use args::Arguments;
pub(crate) use args::since as time;
use args::{Ask, Erase, Limits, Replay};
use progress::shown;
use say::{Erased, Purged, Replayed, Row, Shown, Stats, Why};

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Some(file) = &arguments.config else {
        lines::say("--config: is missing; write --config FILE");
        return ExitCode::from(2);
    };
    let (inbox, spec) = match named(file) {
        Ok(built) => built,
        Err(code) => return code,
    };
    match asked(arguments, &spec, &inbox) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lines::say(why);
            ExitCode::FAILURE
        }
    }
}

/// The inbox of a file, or the code to end with.
pub(crate) fn named(file: &Path) -> Result<(Inbox, ConfigSpec), ExitCode> {
    match reading::read(file).and_then(|spec| Ok((spec.build_inbox()?, spec))) {
        Ok((Some(inbox), spec)) => return Ok((inbox, spec)),
        Ok((None, _)) => {
            let file = file.display();
            lines::say(format_args!("{file}: inbox: is missing; write [inbox] with kind = \"sqlite\" and path"));
        }
        Err(faults) => faults.iter().for_each(lines::say),
    }
    Err(ExitCode::from(2))
}

fn asked(arguments: &Arguments, spec: &ConfigSpec, inbox: &Inbox) -> Result<(), String> {
    let now = SystemClock.now().ok_or("the clock cannot be read")?;
    visit(inbox, async |store| Desk { store, spec, inbox, now }.answer(&arguments.ask).await)
}

/// Does it with the inbox, beside its owner.
pub(crate) fn visit<T>(inbox: &Inbox, ask: impl AsyncFnOnce(&AnyInbox) -> Result<T, String>) -> Result<T, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("the runtime cannot be started: {error}"))?;
    runtime.block_on(async {
        let cannot = |error| match inbox.file().map(File::open) {
            Some(Err(why)) if why.kind() == NotFound => {
                format!("inbox: {inbox} is not there; listen makes it when it starts")
            }
            Some(Err(why)) => format!("inbox: {inbox} cannot be opened: {why}; be the user that listen runs as"),
            _ => format!("inbox: {inbox}: {error}"),
        };
        let store = inbox.visit().await.map_err(cannot)?;
        ask(&store).await
    })
}

pub(crate) fn failed(error: InboxError) -> String {
    format!("inbox: {error}")
}

/// Whether nothing of what events of this receiver say is printed.
pub(crate) fn is_quiet(spec: &ConfigSpec, name: &str) -> bool {
    let endpoint = spec.endpoints.iter().find(|endpoint| endpoint.receiver() == name);
    endpoint.and_then(|endpoint| endpoint.quiet_payloads).unwrap_or(spec.quiet_payloads)
}

pub(crate) fn print(line: &impl Serialize) -> Result<(), String> {
    lines::print(line).map_err(|error| format!("stdout: {error}"))
}

/// Where a question is answered.
struct Desk<'a, S> {
    store: &'a S,
    spec: &'a ConfigSpec,
    inbox: &'a Inbox,
    now: Timestamp,
}

impl<S: InboxStore> Desk<'_, S> {
    async fn answer(&self, ask: &Ask) -> Result<(), String> {
        match ask {
            Ask::Stats => print(&Stats::of(&self.store.stats(self.now).await.map_err(failed)?)),
            Ask::List { filters, limit } => {
                let rows = self.store.list(&filters.filter(), *limit).await.map_err(failed)?;
                rows.iter().try_for_each(|stored| print(&Row::of(stored)))?;
                if rows.len() == *limit {
                    lines::say(format_args!("these are {limit}, as many as --limit allows: there may be more"));
                }
                Ok(())
            }
            Ask::Show { id } => {
                let history = self.history(*id).await?;
                print(&Shown::of(&history, is_quiet(self.spec, &history.stored.receiver)))
            }
            Ask::Why { id } => print(&Why::of(&self.history(*id).await?, self.now)),
            Ask::Replay(replay) => self.replay(replay).await,
            Ask::Purge(limits) => self.purge(limits).await,
            Ask::Erase(erase) => self.erase(erase).await,
        }
    }

    async fn history(&self, id: i64) -> Result<History, String> {
        let found = self.store.show(EventId(id)).await.map_err(failed)?;
        found.ok_or_else(|| format!("inbox: there is no event {id}"))
    }

    async fn replay(&self, replay: &Replay) -> Result<(), String> {
        if let Some(state) = replay.idle_state() {
            lines::say(format_args!("--state: what is {state} is not handed over again; write done, dead or parked"));
        }
        let mut all = inbox::Replayed::default();
        for filter in replay.filters() {
            let left =
                replay.max.unwrap_or(usize::MAX).saturating_sub(usize::try_from(all.replayed).unwrap_or(usize::MAX));
            let done = self.store.replay(&filter, left, replay.dry_run, &replay.by, self.now);
            let done = shown("replaying", done).await.map_err(failed)?;
            all.matches = all.matches.saturating_add(done.matches);
            all.replayed = all.replayed.saturating_add(done.replayed);
        }
        print(&Replayed::of(all))
    }

    async fn purge(&self, limits: &Limits) -> Result<(), String> {
        let before = self.now.checked_sub(self.inbox.retention.bodies).unwrap_or(Timestamp::MIN);
        if limits.are_said() {
            let (bodies, keys) = shown("counting", self.store.purgeable(before, self.now)).await.map_err(failed)?;
            let allowed = limits.allow(bodies.saturating_add(keys));
            if allowed != Ok(true) {
                print(&Purged::counted(bodies, keys))?;
                return allowed.map(drop);
            }
        }
        let (bodies, keys) = shown("purging", self.store.purge(before, self.now)).await.map_err(failed)?;
        print(&Purged::of(bodies, keys))
    }

    async fn erase(&self, Erase { key, limits }: &Erase) -> Result<(), String> {
        if limits.are_said() {
            let matches = shown("counting", self.store.erasable(key)).await.map_err(failed)?;
            let allowed = limits.allow(matches);
            if allowed != Ok(true) {
                print(&Erased { matches, erased: 0 })?;
                return allowed.map(drop);
            }
        }
        let erased = shown("erasing", self.store.erase(key, self.now)).await.map_err(failed)?;
        print(&Erased { matches: erased, erased })
    }
}
