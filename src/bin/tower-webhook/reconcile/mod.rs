//! `reconcile`: a provider's own report against a durable inbox, beside a running `listen` or without one.

mod args;
mod csv;
mod report;
mod rows;
mod say;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde::de::IgnoredAny;
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config::{ConfigSpec, Inbox};
use tower_webhook::inbox::{Arrived, Filter, InboxStore, Reconciliation, Stored};
use tower_webhook::json::{self, Pointer};

use crate::{inbox, lines};
pub(crate) use args::Arguments;
use say::{Difference, Summary};

/// So many events are in memory at a time.
const PAGE: usize = 1000;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (inbox, spec) = match inbox::named(&arguments.config) {
        Ok(built) => built,
        Err(code) => return code,
    };
    let prepared = receiver(arguments, &spec).and_then(|receiver| Ok((receiver, reported(arguments)?)));
    let (receiver, report) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => {
            lines::say(why);
            return ExitCode::from(2);
        }
    };
    warn_of_reach(arguments, &inbox);
    let mut comparison = Comparison { arguments, spec: &spec, receiver, report, counts: Summary::default() };
    match inbox::visit(&inbox, async |store| comparison.whole(store).await) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            lines::say(why);
            ExitCode::FAILURE
        }
    }
}

/// The name of the endpoint that is asked for.
fn receiver<'a>(arguments: &Arguments, spec: &'a ConfigSpec) -> Result<Option<&'a str>, String> {
    let Some(path) = &arguments.endpoint else { return Ok(None) };
    let endpoint = spec.endpoints.iter().find(|endpoint| endpoint.path == *path);
    endpoint.map(|endpoint| Some(endpoint.receiver())).ok_or_else(|| {
        let file = arguments.config.display();
        format!("--endpoint: {path} is no endpoint's path in {file}")
    })
}

fn reported(arguments: &Arguments) -> Result<Reconciliation, String> {
    let mut report = Reconciliation::new();
    let path = &arguments.report;
    let mut each = |reference: &str| report.expect(reference).map_err(|error| error.to_string());
    let (format, reference) = (arguments.format, arguments.reference.as_str());
    let read = match path == Path::new("-") {
        true => report::read(io::stdin().lock(), format, reference, &mut each),
        false => match File::open(path) {
            Ok(file) => report::read(BufReader::new(file), format, reference, &mut each),
            Err(error) => Err(error.to_string()),
        },
    };
    read.map_err(|why| format!("--report: {}: {why}", path.display()))?;
    if report.rows() > 0 && report.rows() == report.empty() {
        return Err(format!("--reference: no row of the report has {reference}"));
    }
    Ok(report)
}

/// That the inbox keeps less than is looked at.
fn warn_of_reach(arguments: &Arguments, inbox: &Inbox) {
    let (what, keeps) = match arguments.member {
        Some(_) => ("what events say", Some(inbox.retention.bodies)),
        None => ("events", inbox.retention.keys),
    };
    let reach = |keeps: Duration| SystemClock.now()?.checked_sub(keeps).ok();
    let Some((keeps, reach)) = keeps.and_then(|keeps| Some((keeps, reach(keeps)?))) else { return };
    if arguments.since.unwrap_or(Timestamp::MIN) < reach {
        lines::say(format_args!(
            "the inbox keeps {what} for {} h once they are handled: earlier ones may be gone; --since says from when on to look",
            keeps.as_secs() / 3600
        ));
    }
}

struct Comparison<'a> {
    arguments: &'a Arguments,
    spec: &'a ConfigSpec,
    receiver: Option<&'a str>,
    report: Reconciliation,
    counts: Summary,
}

impl Comparison<'_> {
    /// Whether there is no difference.
    async fn whole(&mut self, store: &impl InboxStore) -> Result<bool, String> {
        let receiver = self.receiver;
        let mut filter = Filter::default();
        filter.since = self.arguments.since;
        filter.event.clone_from(&self.arguments.event);
        loop {
            let page = store.list(&filter, PAGE).await.map_err(inbox::failed)?;
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id);
            for stored in page.iter().filter(|stored| receiver.is_none_or(|name| stored.receiver == name)) {
                self.event(store, stored).await?;
            }
        }
        self.end()
    }

    async fn event(&mut self, store: &impl InboxStore, stored: &Stored) -> Result<(), String> {
        let Some(reference) = self.reference(store, stored).await? else { return Ok(()) };
        let state = stored.state.name();
        match self.report.arrived(&reference, stored.state) {
            Arrived::Settled => Ok(()),
            Arrived::Unexpected if self.arguments.until.is_some_and(|until| stored.received_at >= until) => Ok(()),
            Arrived::Unexpected => {
                self.counts.unexpected = self.counts.unexpected.saturating_add(1);
                let is_secret = self.arguments.member.is_some() && inbox::is_quiet(self.spec, &stored.receiver);
                let (id, key, event) = (stored.id.to_string(), &stored.key, &stored.event);
                let unexpected = (!is_secret).then_some(reference.as_str());
                inbox::print(&Difference::Unexpected { unexpected, id, key, event, state })
            }
            _ => {
                self.counts.unsettled = self.counts.unsettled.saturating_add(1);
                inbox::print(&Difference::Unsettled { unsettled: &reference, id: stored.id.to_string(), state })
            }
        }
    }

    /// The reference of an event. `None`: it has none that can be read, and is counted.
    async fn reference(&mut self, store: &impl InboxStore, stored: &Stored) -> Result<Option<String>, String> {
        let Some(member) = &self.arguments.member else { return Ok(Some(stored.key.clone())) };
        let history = store.show(stored.id).await.map_err(inbox::failed)?;
        let payload = history.and_then(|history| history.payload);
        let count = match payload.as_deref().map(|payload| told(payload, member)) {
            Some(Told::Reference(reference)) => return Ok(Some(reference)),
            Some(Told::Nothing) => &mut self.counts.without,
            Some(Told::Unreadable) => &mut self.counts.unreadable,
            None => &mut self.counts.gone,
        };
        *count = count.saturating_add(1);
        Ok(None)
    }

    /// What no event has, and the last line.
    fn end(&mut self) -> Result<bool, String> {
        let missing = self.report.missing();
        let unknown = self.counts.gone.saturating_add(self.counts.unreadable);
        for &(row, reference) in &missing {
            inbox::print(&match unknown {
                0 => Difference::Missing { missing: reference, row },
                _ => Difference::Undecided { undecided: reference, row },
            })?;
        }
        let count = missing.len() as u64;
        match unknown {
            0 => self.counts.missing = count,
            _ => self.counts.undecided = count,
        }
        self.counts.rows = self.report.rows();
        self.counts.empty = self.report.empty();
        self.counts.repeated = self.report.repeated();
        self.counts.matched = self.report.matched();
        self.counts.warn();
        inbox::print(&self.counts)?;
        Ok(count == 0 && self.counts.unexpected == 0 && self.counts.unsettled == 0)
    }
}

/// What a body says of its reference.
enum Told {
    Reference(String),
    Nothing,
    Unreadable,
}

fn told(payload: &[u8], member: &Pointer) -> Told {
    match member.scalar(payload).filter(|reference| !reference.is_empty()) {
        Some(reference) => Told::Reference(reference),
        None if json::parse::<IgnoredAny>(payload).is_ok() => Told::Nothing,
        None => Told::Unreadable,
    }
}
