//! Inboxes that hold what no inbox has written.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tower_webhook::clock::Timestamp;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::rusqlite::Connection;
use tower_webhook::inbox::{
    EventId, Filter, InboxError, InboxStore as _, LanePolicy, LeaseToken, NewEvent, SqliteInbox,
};

/// For all that is asked of one file.
const LIMIT: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("it is a time")
}

fn event(key: u8) -> NewEvent {
    let (hash, fingerprint) = (KeyHash::from_bytes([key; 32]), Fingerprint::from_bytes([key; 16]));
    let mut event = NewEvent::new(hash, fingerprint, "{}", at(1_000_000));
    event.readable_key = format!("key-{key}");
    event.event = "transfer.completed".to_owned();
    event.lane = (key % 3 == 0).then(|| "lane".to_owned());
    event.headers = vec![("x-a".to_owned(), "1".to_owned()), ("x-b".to_owned(), String::new())];
    event
}

/// A folder in memory where there can be one, gone with the process's next start.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("fuzz-inbox-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let places = [Path::new("/dev/shm").join(&name), std::env::temp_dir().join(&name)];
        let place = places.into_iter().find(|place| std::fs::create_dir(place).is_ok());
        Self(place.expect("a folder can be made"))
    }

    fn file(&self) -> PathBuf {
        self.0.join("inbox")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// A file with events in several states.
async fn filled(path: PathBuf) -> Result<SqliteInbox, InboxError> {
    let inbox = SqliteInbox::setup().page_size(1024).open(path).await?;
    inbox.accept((0..12).map(event).collect(), at(0)).await?;
    for (number, held) in inbox.lease(LeaseToken([1; 16]), 6, LEASE, at(1)).await?.iter().enumerate() {
        let _ = match number {
            0 => inbox.bury(held, "no", LanePolicy::BlockLane, at(2)).await?,
            1 => inbox.retry(held, at(3), "later", at(2)).await?,
            2 => inbox.park(held, "unknown", at(2)).await?,
            _ => inbox.complete(held, at(2)).await?,
        };
    }
    Ok(inbox)
}

/// Everything that is asked of an inbox. It may say no to any of it.
async fn ask_all(inbox: &SqliteInbox) -> Vec<InboxError> {
    let mut said = Vec::new();
    let held = inbox.lease(LeaseToken([9; 16]), 100, LEASE, at(10)).await;
    for held in held.iter().flatten() {
        said.extend(inbox.extend(held, LEASE, at(11)).await.err());
        said.extend(inbox.release(held, at(11)).await.err());
    }
    said.extend(held.err());
    said.extend(inbox.accept(vec![event(90), event(3)], at(12)).await.err());
    said.extend(inbox.next_due().await.err());
    said.extend(inbox.stats(at(12)).await.err());
    said.extend(inbox.list(&Filter::default(), 100).await.err());
    for id in 1..=3 {
        said.extend(inbox.show(EventId(id)).await.err());
    }
    said.extend(inbox.replay(&Filter::default(), 10, false, "ann", at(13)).await.err());
    said.extend(inbox.erase("key-7", at(14)).await.err());
    said.extend(inbox.purge(at(100), at(2_000_000)).await.err());
    said
}

fn check(said: &[InboxError]) {
    for error in said {
        let text = error.to_string();
        assert!(!text.contains("panic") && !text.contains("writer is gone"), "{text}");
    }
}

/// The columns of an event that a reader has to make sense of.
const COLUMNS: [&str; 16] = [
    "headers",
    "headers",
    "headers",
    "key",
    "fingerprint",
    "state",
    "due",
    "attempts",
    "fence",
    "token",
    "received",
    "until",
    "occurred",
    "lane",
    "blocks",
    "readable",
];

struct Records {
    _folder: Folder,
    runtime: tokio::runtime::Runtime,
    inbox: SqliteInbox,
    beside: Connection,
    cases: usize,
}

impl Records {
    fn new() -> Self {
        let (folder, runtime) = (Folder::new(), runtime());
        let inbox = runtime.block_on(filled(folder.file())).expect("a new file is sound");
        let beside = Connection::open(folder.file()).expect("it is there");
        Self { _folder: folder, runtime, inbox, beside, cases: 0 }
    }
}

thread_local! {
    static RECORDS: RefCell<Records> = RefCell::new(Records::new());
}

/// After so many cases the file is a new one.
const FRESH: usize = 256;

/// The first byte says which column; the rest is what stands in it, as a number, bytes or text as the column may have.
pub fn record(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    RECORDS.with_borrow_mut(|records| {
        records.cases += 1;
        if records.cases % FRESH == 0 {
            *records = Records::new();
        }
        let column = COLUMNS[usize::from(*first) % COLUMNS.len()];
        let id = i64::from(first / 16 % 4) + 1;
        let mut number = [0; 8];
        number.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let (value, is_number) = match column {
            "key" | "fingerprint" | "token" => ("?1", false),
            // Bytes that are no text, too.
            "headers" | "lane" | "readable" => ("CAST(?1 AS TEXT)", false),
            _ => ("?1", true),
        };
        let sql = format!("UPDATE webhook_events SET {column} = {value} WHERE id = ?2");
        let set = match is_number {
            true => records.beside.execute(&sql, (i64::from_le_bytes(number), id)),
            false => records.beside.execute(&sql, (rest, id)),
        };
        set.expect("a row may say anything");
        let Records { runtime, inbox, .. } = &*records;
        let said = runtime.block_on(async { tokio::time::timeout(LIMIT, ask_all(inbox)).await });
        check(&said.expect("it ends"));
    });
}

struct Whole {
    folder: Folder,
    runtime: tokio::runtime::Runtime,
    bytes: Vec<u8>,
    cases: u64,
}

impl Whole {
    fn new() -> Self {
        let (folder, runtime) = (Folder::new(), runtime());
        drop(runtime.block_on(filled(folder.file())).expect("a new file is sound"));
        let beside = Connection::open(folder.file()).expect("it is there");
        beside.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("nobody else has it");
        drop(beside);
        let bytes = std::fs::read(folder.file()).expect("it is there");
        Self { folder, runtime, bytes, cases: 0 }
    }
}

thread_local! {
    static WHOLE: RefCell<Whole> = RefCell::new(Whole::new());
}

/// Every four bytes are a place, a place within it, how, and a byte; the file is then opened and asked everything.
pub fn file(input: &[u8]) {
    WHOLE.with_borrow_mut(|whole| {
        whole.cases += 1;
        let path = whole.folder.0.join(format!("damaged-{}", whole.cases));
        std::fs::write(&path, damaged(whole.bytes.clone(), input)).expect("there is room");
        let said = whole.runtime.block_on(async { tokio::time::timeout(LIMIT, opened(&path)).await });
        check(&said.expect("it ends"));
        for end in ["", "-wal", "-shm", "-journal", "-owner", ".lock"] {
            let mut beside = path.clone().into_os_string();
            beside.push(end);
            std::fs::remove_file(beside).unwrap_or_default();
        }
    });
}

async fn opened(path: &Path) -> Vec<InboxError> {
    match SqliteInbox::setup().open(path).await {
        Ok(inbox) => ask_all(&inbox).await,
        Err(error) => vec![error],
    }
}

fn damaged(mut bytes: Vec<u8>, input: &[u8]) -> Vec<u8> {
    for change in input.chunks_exact(4).take(64) {
        let place = usize::from(change[0]) * 256 + usize::from(change[1]);
        let place = place % bytes.len().max(1);
        match change[2] % 8 {
            0..=4 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = change[3]),
            5 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= change[3]),
            6 => bytes.iter_mut().skip(place / 1024 * 1024).take(1024).for_each(|byte| *byte = change[3]),
            _ => bytes.truncate(place),
        }
    }
    bytes
}
