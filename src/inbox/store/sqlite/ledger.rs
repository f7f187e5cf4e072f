//! What is counted and numbered, in one row that each transaction reads once and writes once.

use rusqlite::Connection;

use super::super::{Stats, StoredState};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ledger {
    /// How many there are in each state, as [`StoredState::ALL`] has them.
    counts: [i64; 6],
    /// The last fence that was given. One for all events, so that not even a key that was forgotten sees one twice.
    fence: i64,
    /// The last number that was given.
    last: i64,
}

impl Ledger {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT ready, running, done, dead, parked, quarantined, fence, last FROM webhook_ledger WHERE one = 1",
        )?;
        statement.query_row([], |row| {
            let mut counts = [0; 6];
            for (index, count) in counts.iter_mut().enumerate() {
                *count = row.get(index)?;
            }
            Ok(Self { counts, fence: row.get(6)?, last: row.get(7)? })
        })
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let [ready, running, done, dead, parked, quarantined] = self.counts;
        let values = [ready, running, done, dead, parked, quarantined, self.fence, self.last];
        let mut statement = connection.prepare_cached(
            "UPDATE webhook_ledger SET ready = ?1, running = ?2, done = ?3, dead = ?4, parked = ?5, quarantined = ?6, fence = ?7, \
             last = ?8 WHERE one = 1",
        )?;
        statement.execute(values).map(drop)
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.last = self.last.saturating_add(1);
        self.last
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
