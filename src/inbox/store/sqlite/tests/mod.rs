//! The laws, on a file.

mod accepting;
mod damage;
mod failing;
mod filling;
mod keeping;
mod keys;
mod killing;
mod lanes;
mod leasing;
mod opening;
mod plans;
mod receivers;
mod replaying;
mod suspects;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::super::{Accepted, EventId, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent};
use super::SqliteInbox;
use super::keys::prefix;
use super::ledger::{Entry, Ledger, Numbers};
use crate::delivery::{Fingerprint, KeyHash};

const LEASE: Duration = Duration::from_secs(30);

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("tower-webhook-inbox-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Where it can be in memory, for many files.
    fn in_memory() -> Self {
        let folder = Self::new();
        let path = Path::new("/dev/shm").join(folder.0.file_name().unwrap());
        if std::fs::create_dir(&path).is_ok() { Self(path) } else { folder }
    }

    fn file(&self) -> PathBuf {
        self.0.join("inbox")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn opened(folder: &Folder) -> SqliteInbox {
    SqliteInbox::open(folder.file()).await.unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn event(key: u8, says: &str) -> NewEvent {
    let mut event =
        NewEvent::new(KeyHash::from_bytes([key; 32]), Fingerprint::of(says.as_bytes()), says.to_owned(), at(1_000_000));
    event.readable_key = format!("key-{key}");
    event.event = "transfer.completed".to_owned();
    event
}

fn in_lane(key: u8, lane: &str) -> NewEvent {
    NewEvent { lane: Some(lane.to_owned()), ..event(key, "x") }
}

async fn accept(inbox: &SqliteInbox, event: NewEvent, second: i64) -> EventId {
    match inbox.accept(vec![event], at(second)).await.unwrap()[..] {
        [Accepted::Stored(id)] => id,
        ref other => panic!("{other:?}"),
    }
}

async fn lease(inbox: &SqliteInbox, token: u8, most: usize, second: i64) -> Vec<Leased> {
    inbox.lease(LeaseToken([token; 16]), most, LEASE, at(second)).await.unwrap()
}

async fn lease_one(inbox: &SqliteInbox, token: u8, second: i64) -> Leased {
    let mut leased = lease(inbox, token, 10, second).await;
    assert_eq!(leased.len(), 1, "{leased:?}");
    leased.remove(0)
}

fn ids(leased: &[Leased]) -> Vec<EventId> {
    leased.iter().map(|leased| leased.id).collect()
}

/// What is counted is what is there.
async fn counts_are_true(inbox: &SqliteInbox) {
    let counted = inbox.0.read(Ledger::read).await.unwrap().stats(0.0);
    let there = inbox
        .0
        .read(|connection| {
            let mut counts = [0_u64; 6];
            for (state, count) in (0_i64..).zip(&mut counts) {
                let sql = "SELECT count(*) FROM webhook_events WHERE state = ?1";
                let number: i64 = connection.query_row(sql, [state], |row| row.get(0))?;
                *count = u64::try_from(number).unwrap();
            }
            Ok(counts)
        })
        .await
        .unwrap();
    let counted = [counted.ready, counted.running, counted.done, counted.dead, counted.parked, counted.quarantined];
    assert_eq!(counted, there);
}

/// The table of keys has all that the ledger says it has, and nothing of what is gone. The ledger's numbers.
async fn keys_are_true(inbox: &SqliteInbox) -> Numbers {
    let read = |connection: &rusqlite::Connection| {
        let numbers = Ledger::read(connection)?.numbers;
        let mut statement = connection.prepare("SELECT prefix, id FROM webhook_keys")?;
        let table = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let table = table.collect::<rusqlite::Result<BTreeSet<Entry>>>()?;
        let mut statement = connection.prepare("SELECT key, id FROM webhook_events")?;
        let there = statement.query_map([], |row| Ok((prefix(&row.get::<_, Vec<u8>>(0)?), row.get(1)?)))?;
        Ok((numbers, table, there.collect::<rusqlite::Result<BTreeSet<Entry>>>()?))
    };
    let (numbers, table, there) = inbox.0.read(read).await.unwrap();
    let must_be_there = |entry: &&Entry| {
        let (_, id) = **entry;
        id <= numbers.merged || (id <= numbers.sealed && **entry <= numbers.reached)
    };
    assert_eq!(table, there.iter().filter(must_be_there).copied().collect(), "{numbers:?}");
    numbers
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}
