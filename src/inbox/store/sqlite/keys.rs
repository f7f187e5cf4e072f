//! Which events have a key: of the newest it is known in memory, of all others in a table that is ordered by key.
//!
//! Keys come in no order, so that each alone would change a page of its own, and pages are what a commit costs. They wait in
//! memory until there are many: then those that are neighbours go into the table together.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use rusqlite::{Connection, OptionalExtension};

use super::ledger::{Entry, Numbers};

/// So many wait before they go into the table.
pub(super) const BATCH: i64 = 64 * 1024;
/// For each event that is stored so many go: all of a batch before the next is full.
const PACE: usize = 2;
/// Before all.
const START: Entry = (i64::MIN, i64::MIN);

pub(super) const OF_PREFIX: &str = "SELECT id FROM webhook_keys WHERE prefix = ?1";
pub(super) const WAITING: &str = "SELECT key, id FROM webhook_events WHERE id > ?1 AND id <= ?2";
pub(super) const IS_THERE: &str = "SELECT 1 FROM webhook_events WHERE id = ?1";
pub(super) const DROP: &str = "DELETE FROM webhook_keys WHERE prefix = ?1 AND id = ?2";
/// What an earlier version has, as its index has it.
const OLD: &str = "SELECT substr(key, 1, 8), id FROM webhook_events ORDER BY substr(key, 1, 8), id";
const STORE: &str = "INSERT OR IGNORE INTO webhook_keys (prefix, id) VALUES (?1, ?2)";

/// The first eight bytes, in their order. Keys of one beginning are told apart by their events.
pub(super) fn prefix(key: &[u8]) -> i64 {
    key.first_chunk().map_or(0, |first| i64::from_be_bytes(*first) ^ i64::MIN)
}

/// Those that wait.
#[derive(Debug)]
pub(super) struct Keys {
    batch: i64,
    /// Up to where this is what waits. `None`: nobody has looked yet.
    known: Option<Numbers>,
    waiting: Waiting,
    /// In the order in which they were stored. Some of these may have been dropped, and wait no longer.
    fresh: Vec<Entry>,
    /// The batch of which some go into the table with each transaction that stores, the last of it first. Of these too some may
    /// wait no longer.
    sealed: Vec<Entry>,
    change: Change,
}

/// What a transaction does, which is so when it is committed.
#[derive(Debug, Default)]
struct Change {
    stored: Vec<Entry>,
    dropped: BTreeSet<Entry>,
    /// How many of the batch went into the table, from its first on.
    merged: usize,
}

/// Entries, found by their prefix. Whoever sends may search for keys that agree in some bits, so that a hash that it does not
/// know says where they are.
#[derive(Debug, Default)]
struct Waiting {
    entries: HashTable<Entry>,
    random: RandomState,
}

impl Waiting {
    fn of(&self, prefix: i64) -> impl Iterator<Item = i64> {
        let alike = self.entries.iter_hash(self.random.hash_one(prefix));
        alike.filter(move |entry| entry.0 == prefix).map(|entry| entry.1)
    }

    fn contains(&self, entry: Entry) -> bool {
        self.of(entry.0).any(|id| id == entry.1)
    }

    fn insert(&mut self, entry: Entry) {
        let random = &self.random;
        self.entries.insert_unique(random.hash_one(entry.0), entry, |other| random.hash_one(other.0));
    }

    fn remove(&mut self, entry: Entry) {
        if let Ok(found) = self.entries.find_entry(self.random.hash_one(entry.0), |other| *other == entry) {
            found.remove();
        }
    }
}

impl Keys {
    pub(super) fn new(batch: i64) -> Self {
        let (fresh, sealed) = (Vec::new(), Vec::new());
        Self { batch, known: None, waiting: Waiting::default(), fresh, sealed, change: Change::default() }
    }

    /// A transaction begins. What one before did and did not commit is not so.
    pub(super) fn begin(&mut self) {
        let undone = std::mem::take(&mut self.change);
        undone.stored.into_iter().for_each(|entry| self.waiting.remove(entry));
    }

    /// Before anything is looked up: reads what waits, unless this is it. It is after an opening, and when somebody else has
    /// stored events.
    pub(super) fn follow(&mut self, connection: &Connection, now: Numbers) -> rusqlite::Result<()> {
        if self.is_of(now) {
            return Ok(());
        }
        (self.known, self.waiting) = (None, Waiting::default());
        (self.fresh, self.sealed) = (Vec::new(), Vec::new());
        let mut statement = connection.prepare_cached(WAITING)?;
        let mut rows = statement.query([now.merged, now.last])?;
        while let Some(row) = rows.next()? {
            let entry = (prefix(row.get_ref(0)?.as_bytes().unwrap_or_default()), row.get(1)?);
            match entry {
                (_, id) if id > now.sealed => self.fresh.push(entry),
                entry if entry > now.reached => self.sealed.push(entry),
                _ => continue,
            }
            self.waiting.insert(entry);
        }
        sort(&mut self.sealed);
        self.known = Some(now);
        Ok(())
    }

    /// Whether what is here is what waits, but for events that were dropped.
    fn is_of(&self, now: Numbers) -> bool {
        self.known.is_some_and(|known| Numbers { dropped: now.dropped, ..known } == now)
    }

    /// The events that may have a key of this beginning, of those that wait.
    pub(super) fn of(&self, prefix: i64) -> impl Iterator<Item = i64> {
        self.waiting.of(prefix)
    }

    pub(super) fn add(&mut self, prefix: i64, id: i64) {
        self.change.stored.push((prefix, id));
        self.waiting.insert((prefix, id));
    }

    /// After its event was dropped.
    pub(super) fn forget(
        &mut self,
        connection: &Connection,
        (prefix, id): Entry,
        numbers: &mut Numbers,
    ) -> rusqlite::Result<()> {
        connection.prepare_cached(DROP)?.execute([prefix, id])?;
        if id > numbers.merged {
            numbers.dropped = numbers.dropped.saturating_add(1);
            self.change.dropped.insert((prefix, id));
        }
        Ok(())
    }

    /// At a transaction's end: for what it stored some of the batch go into the table, in the table's order. When all have,
    /// the next is sealed as soon as it is full.
    pub(super) fn merge(&mut self, connection: &Connection, numbers: &mut Numbers) -> rusqlite::Result<()> {
        if self.change.stored.is_empty() {
            return Ok(());
        }
        let all_are_there = self.dropped() == numbers.dropped;
        let mut store = connection.prepare_cached(STORE)?;
        for entry in self.sealed.iter().rev().take(self.change.stored.len().saturating_mul(PACE)) {
            let (prefix, id) = *entry;
            let waits = self.waiting.contains(*entry) && !self.change.dropped.contains(entry);
            if waits && (all_are_there || is_there(connection, id)?) {
                store.execute([prefix, id])?;
            }
            numbers.reached = *entry;
            self.change.merged = self.change.merged.saturating_add(1);
        }
        if self.change.merged == self.sealed.len() {
            numbers.merged = numbers.sealed;
            numbers.reached = START;
            if numbers.last.saturating_sub(numbers.sealed) >= self.batch {
                numbers.sealed = numbers.last;
            }
        }
        Ok(())
    }

    /// The transaction is committed, and before it there were these numbers, and now there are those.
    pub(super) fn committed(&mut self, before: Numbers, now: Numbers) {
        if !self.is_of(before) {
            return;
        }
        self.known = Some(Numbers { dropped: self.dropped(), ..now });
        let change = std::mem::take(&mut self.change);
        let merged = self.sealed.split_off(self.sealed.len().saturating_sub(change.merged));
        merged.into_iter().chain(change.dropped).for_each(|entry| self.waiting.remove(entry));
        self.fresh.extend(change.stored);
        if now.sealed != before.sealed {
            self.sealed = std::mem::take(&mut self.fresh);
            sort(&mut self.sealed);
        }
    }

    /// How many were dropped, as far as is known here: others may have dropped more.
    fn dropped(&self) -> i64 {
        let here = i64::try_from(self.change.dropped.len()).unwrap_or(i64::MAX);
        self.known.map_or(0, |known| known.dropped).saturating_add(here)
    }
}

/// What goes into the table first stands last, where it can be taken away.
fn sort(sealed: &mut [Entry]) {
    sealed.sort_unstable_by(|one, other| other.cmp(one));
}

fn is_there(connection: &Connection, id: i64) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached(IS_THERE)?.query_row([id], |_| Ok(())).optional()?.is_some())
}

/// The table of a file that has none yet.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let (mut statement, mut store) = (connection.prepare(OLD)?, connection.prepare(STORE)?);
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        store.execute([prefix(row.get_ref(0)?.as_bytes().unwrap_or_default()), row.get(1)?])?;
    }
    Ok(())
}
