//! A part of the store, under one lock: rows, an index from a key's hash to its row, and when to look for expired ones.

use hashbrown::HashTable;

use super::looks::Looks;
use super::record::{Moment, Record, State};
use super::row::{Name, Row};
use super::slab::{Slab, block_of, numbers};
use crate::delivery::KeyHash;

/// How many blocks of rows are looked at while one lock is held: 256 rows, or 12 KiB to read.
const BLOCKS_AT_ONCE: usize = 4;

#[derive(Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    rows: Slab<Row>,
    states: Slab<State>,
    looks: Looks,
}

impl Shard {
    /// The row of a key.
    pub(super) fn find(&self, key: &KeyHash) -> Option<u32> {
        let name = Name::of(key);
        let is = |number: &u32| self.rows.get(*number).is_some_and(|row| row.name() == name);
        self.index.find(name.place(), is).copied()
    }

    /// Changes a live record.
    pub(super) fn change<T>(&mut self, number: u32, now: Moment, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let row = self.rows.get_mut(number).filter(|row| !row.is_expired(now))?;
        let mut record = row.open(&mut self.states)?;
        let answer = change(&mut record);
        let (before, after) = (row.expires(), record.expires);
        *row = Row::close(row.name(), record, &mut self.states)?;
        if after < before {
            self.looks.by(block_of(number), after);
        }
        Some(answer)
    }

    /// Keeps a record of a key that has none. `None`: there are no more numbers for rows.
    pub(super) fn insert(&mut self, key: &KeyHash, record: Record) -> Option<()> {
        let (name, expires) = (Name::of(key), record.expires);
        let number = self.rows.put(Row::close(name, record, &mut self.states)?)?;
        if self.index.len() < self.index.capacity() {
            enter(&mut self.index, &self.rows, number, name);
        } else {
            self.reindex();
        }
        self.looks.by(block_of(number), expires);
        Some(())
    }

    /// An index of all rows, with room for half as many again. The rows are read in their order: a table that grows by itself
    /// goes by its own, and waits for memory at each.
    fn reindex(&mut self) {
        let rows = self.index.len().saturating_add(1);
        let mut index = HashTable::with_capacity(rows.saturating_add(rows / 2));
        for (number, row) in self.rows.iter() {
            enter(&mut index, &self.rows, number, row.name());
        }
        self.index = index;
    }

    pub(super) fn remove(&mut self, number: u32) {
        let Some(row) = self.rows.take(number) else { return };
        drop(row.open(&mut self.states));
        if let Ok(entry) = self.index.find_entry(row.name().place(), |other| *other == number) {
            entry.remove();
        }
    }

    /// Whether a [`sweep`](Self::sweep) might find something.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.looks.due(now).is_some()
    }

    /// Clears expired records away, at most so many, and returns how many. Most ends move on once, when the event is done,
    /// so a look may find nothing; it is then known when to look again.
    pub(super) fn sweep(&mut self, now: Moment, most: usize) -> usize {
        let mut swept = 0;
        for _ in 0..BLOCKS_AT_ONCE {
            let Some(block) = self.looks.due(now).filter(|_| swept < most) else { break };
            swept += self.look(block, now, most - swept);
        }
        swept
    }

    fn look(&mut self, block: usize, now: Moment, most: usize) -> usize {
        let (mut swept, mut earliest) = (0, Moment::NEVER);
        for number in numbers(block) {
            let Some(row) = self.rows.get(number) else { continue };
            if row.is_expired(now) && swept < most {
                self.remove(number);
                swept += 1;
            } else {
                earliest = earliest.min(row.expires());
            }
        }
        self.looks.set(block, earliest);
        swept
    }
}

fn enter(index: &mut HashTable<u32>, rows: &Slab<Row>, number: u32, name: Name) {
    let place = |number: &u32| rows.get(*number).map_or(0, |row| row.name().place());
    index.insert_unique(name.place(), number, place);
}

#[cfg(test)]
impl Shard {
    pub(super) fn places(&self) -> [usize; 2] {
        [self.rows.places(), self.states.places()]
    }

    pub(super) fn taken(&self) -> [usize; 3] {
        [self.rows.taken(), self.states.taken(), self.index.len()]
    }
}
