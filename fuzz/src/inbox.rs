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

/// So many things are asked of an inbox. It may say no to any of them.
const QUESTIONS: u8 = 9;

async fn ask(inbox: &SqliteInbox, question: u8) -> Vec<InboxError> {
    let said = match question % QUESTIONS {
        0 => return ask_for_leases(inbox).await,
        1 => inbox.accept(vec![event(90), event(3)], at(12)).await.err(),
        2 => inbox.next_due().await.err(),
        3 => inbox.stats(at(12)).await.err(),
        4 => inbox.list(&Filter::default(), 100).await.err(),
        5 => {
            let [first, second, third] = [1, 2, 3].map(|id| inbox.show(EventId(id)));
            return [first.await.err(), second.await.err(), third.await.err()].into_iter().flatten().collect();
        }
        6 => inbox.replay(&Filter::default(), 10, false, "ann", at(13)).await.err(),
        7 => inbox.erase("key-7", at(14)).await.err(),
        _ => inbox.purge(at(100), at(2_000_000)).await.err(),
    };
    said.into_iter().collect()
}

async fn ask_for_leases(inbox: &SqliteInbox) -> Vec<InboxError> {
    let mut said = Vec::new();
    let held = inbox.lease(LeaseToken([9; 16]), 100, LEASE, at(10)).await;
    for held in held.iter().flatten() {
        said.extend(inbox.extend(held, LEASE, at(11)).await.err());
        said.extend(inbox.release(held, at(11)).await.err());
    }
    said.extend(held.err());
    said
}

async fn ask_all(inbox: &SqliteInbox) -> Vec<InboxError> {
    let mut said = Vec::new();
    for question in 0..QUESTIONS {
        said.extend(ask(inbox, question).await);
    }
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

/// The first byte says which column of which event, the second what is asked then; the rest is what stands there, as a number,
/// bytes or text as the column may have.
pub fn record(input: &[u8]) {
    let [place, question, rest @ ..] = input else { return };
    RECORDS.with_borrow_mut(|records| {
        records.cases += 1;
        if records.cases % FRESH == 0 || !set(records, *place, rest) {
            *records = Records::new();
            assert!(set(records, *place, rest), "it is there");
        }
        let Records { runtime, inbox, .. } = &*records;
        let said = runtime.block_on(async { tokio::time::timeout(LIMIT, ask(inbox, *question)).await });
        check(&said.expect("it ends"));
    });
}

/// Whether there is an event.
fn set(records: &Records, place: u8, rest: &[u8]) -> bool {
    let column = COLUMNS[usize::from(place) % COLUMNS.len()];
    let id = i64::from(place / 16 % 4) + 1;
    let mut number = [0; 8];
    number.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let (value, is_number) = match column {
        "key" | "fingerprint" | "token" => ("?1", false),
        // Bytes that are no text, too.
        "headers" | "lane" | "readable" => ("CAST(?1 AS TEXT)", false),
        _ => ("?1", true),
    };
    // What was there may be purged or erased: then it is the next one.
    let one = "(SELECT min(id) FROM webhook_events WHERE id >= ?2)";
    let sql = format!("UPDATE webhook_events SET {column} = {value} WHERE id = {one}");
    let set = match is_number {
        true => records.beside.execute(&sql, (i64::from_le_bytes(number), id)),
        false => records.beside.execute(&sql, (rest, id)),
    };
    set.expect("a row may say anything") == 1
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
