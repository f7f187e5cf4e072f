//! What is counted and numbered, in one row that each transaction reads once and writes once.

use rusqlite::{Connection, params_from_iter};

use super::super::{Stats, StoredState};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ledger {
    /// How many there are in each state, as [`StoredState::ALL`] has them.
    counts: [i64; 6],
    /// The last fence that was given. One for all events, so that not even a key that was forgotten sees one twice.
    fence: i64,
    pub(super) numbers: Numbers,
}

/// What a key begins with, and the number of an event that has it: a row of the table of keys.
pub(super) type Entry = (i64, i64);

/// The numbers that were given to events, and of which of them the key is in the table of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Numbers {
    /// The last number that was given.
    pub(super) last: i64,
    /// Of all up to this one it is.
    pub(super) merged: i64,
    /// Of those between that one and this one it is as far as it comes before `reached` or is that.
    pub(super) sealed: i64,
    pub(super) reached: Entry,
    /// How many were dropped after `merged`.
    pub(super) dropped: i64,
}

impl Ledger {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT ready, running, done, dead, parked, quarantined, fence, last, merged, sealed, dropped, \
             reached_prefix, reached_id FROM webhook_ledger WHERE one = 1",
        )?;
        statement.query_row([], |row| {
            let mut counts = [0; 6];
            for (index, count) in counts.iter_mut().enumerate() {
                *count = row.get(index)?;
            }
            let numbers = Numbers {
                last: row.get(7)?,
                merged: row.get(8)?,
                sealed: row.get(9)?,
                dropped: row.get(10)?,
                reached: (row.get(11)?, row.get(12)?),
            };
            Ok(Self { counts, fence: row.get(6)?, numbers })
        })
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let [ready, running, done, dead, parked, quarantined] = self.counts;
        let Numbers { last, merged, sealed, dropped, reached: (prefix, id) } = self.numbers;
        let counts = [ready, running, done, dead, parked, quarantined, self.fence];
        let values = counts.into_iter().chain([last, merged, sealed, dropped, prefix, id]);
        let mut statement = connection.prepare_cached(
            "UPDATE webhook_ledger SET ready = ?1, running = ?2, done = ?3, dead = ?4, parked = ?5, quarantined = ?6, fence = ?7, \
             last = ?8, merged = ?9, sealed = ?10, dropped = ?11, \
             reached_prefix = ?12, reached_id = ?13 WHERE one = 1",
        )?;
        statement.execute(params_from_iter(values)).map(drop)
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.numbers.last = self.numbers.last.saturating_add(1);
        self.numbers.last
    }

    pub(super) fn next_fence(&mut self) -> i64 {
        self.fence = self.fence.saturating_add(1);
        self.fence
    }

    pub(super) fn enters(&mut self, state: StoredState) {
        self.add(state, 1);
    }

    pub(super) fn leaves(&mut self, state: StoredState) {
        self.add(state, -1);
    }

    pub(super) fn moves(&mut self, from: StoredState, to: StoredState) {
        self.leaves(from);
        self.enters(to);
    }

    fn add(&mut self, state: StoredState, by: i64) {
        for (count, of) in self.counts.iter_mut().zip(StoredState::ALL) {
            if of == state {
                *count = count.saturating_add(by);
            }
        }
    }

    fn count(&self, state: StoredState) -> u64 {
        let mut of_state = self.counts.iter().zip(StoredState::ALL).filter(|(_, of)| *of == state);
        of_state.next().map_or(0, |(count, _)| u64::try_from(*count).unwrap_or(0))
    }

    /// Events that are not done.
    pub(super) fn unfinished(&self) -> u64 {
        let open = StoredState::ALL.into_iter().filter(|state| *state != StoredState::Done);
        open.map(|state| self.count(state)).fold(0, u64::saturating_add)
    }

    pub(super) fn stats(&self, oldest_age: f64) -> Stats {
        Stats {
            ready: self.count(StoredState::Ready),
            running: self.count(StoredState::Running),
            done: self.count(StoredState::Done),
            dead: self.count(StoredState::Dead),
            parked: self.count(StoredState::Parked),
            quarantined: self.count(StoredState::Quarantined),
            oldest_age,
        }
    }
}
