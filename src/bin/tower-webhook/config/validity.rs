//! Keys whose time is over, or has not come: the file was right once, or will be.

use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};

use super::keys;
use super::reader::{Fault, Faults, Section};

/// Endpoints all of whose keys are over are faults for whoever receives now. Less than that is a warning.
pub(super) fn judge(endpoints: &[Section<'_>], faults: &Faults) -> Vec<Fault> {
    let Some(now) = SystemClock.now() else { return Vec::new() };
    let outdated = faults.beside();
    for endpoint in endpoints {
        let path = endpoint.plain_text("path").unwrap_or_default();
        // What cannot be read has been told.
        let apart = Faults::new("");
        let place = Section::at(endpoint.name("keys"), endpoint.table(), &apart);
        let keys: Vec<Span> = place.sections("keys").iter().map(Span::of).collect();
        let over = |key: &&Span| key.end.is_some_and(|end| end < now);
        if keys.is_empty() || keys.iter().any(|key| key.is_odd) {
            continue;
        }
        if keys.iter().all(|key| over(&key)) {
            let right = "give it a key that is valid, or leave not_after out";
            outdated.add(endpoint.name("keys"), "all are over", right);
            continue;
        }
        for key in keys.iter().filter(over) {
            let end = key.end.unwrap_or(now);
            faults.warn(format_args!("{path}: the key {} is over since {end}", key.id));
        }
        if !keys.iter().any(|key| !over(&key) && key.start.is_none_or(|start| start <= now)) {
            faults.warn(format_args!("{path}: no key is valid yet: every delivery is refused"));
        }
    }
    outdated.take()
}

/// When a key is valid.
struct Span {
    id: String,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    is_odd: bool,
}

impl Span {
    fn of(entry: &Section<'_>) -> Self {
        let (start, end) = (keys::time(entry, "not_before"), keys::time(entry, "not_after"));
        let is_odd =
            [("not_before", start), ("not_after", end)].iter().any(|(key, time)| entry.has(key) && time.is_none());
        Self { id: entry.plain_text("id").unwrap_or_default().to_owned(), start, end, is_odd }
    }
}
