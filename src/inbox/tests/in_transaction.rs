//! An effect in the inbox's file commits with the end of its event, or is not there.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::handler::WallClock;
use super::super::{
    Ended, Leased, SqliteInbox, SqliteTransaction, Stats, StoredState, Undone, Verdict, rusqlite::Result as Sql,
};
use super::*;
use crate::clock::SystemClock;
use crate::delivery::LeaseLost;

const LONG: Duration = Duration::from_secs(20);
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
const ENDLESS_WRITE: &str = "INSERT INTO postings WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                             SELECT CAST(x AS TEXT) FROM n";

/// An inbox in a folder that goes with it, with a table of somebody's own.
struct File(PathBuf, SqliteInbox);

impl File {
    async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("tower-webhook-effect-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        let inbox = SqliteInbox::open(path.join("inbox")).await.unwrap();
        let migrate = |to: &SqliteTransaction<'_>| to.execute_batch("CREATE TABLE postings (key TEXT NOT NULL) STRICT");
        inbox.transact(LONG, migrate).await.unwrap().unwrap();
        Self(path, inbox)
    }

    async fn accept(&self, number: u8) {
        let now = SystemClock.now().unwrap();
        let accepted = self.1.accept(vec![event(number)], now).await.unwrap();
        assert!(matches!(accepted[..], [Accepted::Stored(_)]), "{accepted:?}");
    }

    async fn lease(&self, for_so_long: Duration, at: Timestamp) -> Leased {
        self.1.lease(super::super::LeaseToken([7; 16]), 1, for_so_long, at).await.unwrap().remove(0)
    }

    async fn postings(&self) -> Vec<String> {
        let read = |from: &SqliteTransaction<'_>| -> Sql<Vec<String>> {
            from.prepare("SELECT key FROM postings")?.query_map([], |row| row.get(0))?.collect()
        };
        self.1.transact(LONG, read).await.unwrap().unwrap()
    }

    async fn stats(&self) -> Stats {
        self.1.stats(SystemClock.now().unwrap()).await.unwrap()
    }

    async fn until_done(&self, count: u64) {
        self.until_ended(count, 0).await;
    }

    async fn until_ended(&self, done: u64, dead: u64) {
        for _ in 0..1_000 {
            let stats = self.stats().await;
            if (stats.done, stats.dead) == (done, dead) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?}", self.stats().await);
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn post(to: &SqliteTransaction<'_>, key: &str) -> Sql<()> {
    to.execute("INSERT INTO postings VALUES (?1)", [key]).map(drop)
}

fn handed(held: &Leased) -> Handed {
    Handed {
        event: held.event.clone(),
        id: held.id,
        token: held.token,
        fence: held.fence,
        attempt: held.attempt,
        follows_dead: false,
        outcome_unknown: false,
        leased_at: held.until,
        lease_lost: LeaseLost::of(Instant::now(), LONG),
        clock: WallClock(Arc::new(SystemClock)),
    }
}

fn soon() -> Backoff {
    Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(1))
}

#[tokio::test]
async fn what_fails_after_it_wrote_has_written_once_in_the_end() {
    let file = File::new().await;
    file.accept(1).await;
    let effect = |to: &SqliteTransaction<'_>, event: &Handed| {
        post(to, &event.event.readable_key).map_err(|error| error.to_string())?;
        if event.attempt < 3 { Err("after it wrote".to_owned()) } else { Ok(()) }
    };
    let running = Worker::new(file.1.clone(), file.1.in_transaction(effect)).retry(soon()).start();
    file.until_done(1).await;
    running.stop().await;
    assert_eq!(file.postings().await, ["1"]);
}

/// The twin: the same handler with the same fault, whose writes commit before its event ends.
#[tokio::test]
async fn outside_of_the_transaction_the_same_fault_writes_again() {
    let file = File::new().await;
    file.accept(1).await;
    let there = file.1.clone();
    let handler = move |handed: Handed| {
        let there = there.clone();
        async move {
            let key = handed.event.readable_key;
            there.transact(LONG, move |to| post(to, &key)).await.unwrap().unwrap();
            if handed.attempt < 3 { Err("after it wrote") } else { Ok(()) }
        }
    };
    let running = Worker::new(file.1.clone(), handler).retry(soon()).start();
    file.until_done(1).await;
    running.stop().await;
    assert_eq!(file.postings().await, ["1", "1", "1"]);
}

#[tokio::test]
async fn an_effect_whose_lease_is_lost_is_none() {
    let file = File::new().await;
    file.accept(1).await;
    let now = SystemClock.now().unwrap();
    let first = file.lease(Duration::ZERO, now).await;
    let second = file.lease(LONG, now).await;
    assert!(first.fence < second.fence);
    let handler = file.1.in_transaction(|to, event| post(to, &event.event.readable_key));
    assert_eq!(handler.handle(handed(&first)).await, Verdict::Ended(Ended::Lost));
    assert_eq!((file.postings().await.len(), file.stats().await.running), (0, 1));
    assert_eq!(handler.handle(handed(&second)).await, Verdict::Ended(Ended::Done));
    assert_eq!((file.postings().await.len(), file.stats().await.done), (1, 1));
    // Nor is one twice.
    assert_eq!(handler.handle(handed(&second)).await, Verdict::Ended(Ended::Lost));
    assert_eq!(file.postings().await.len(), 1);
}

#[tokio::test]
async fn an_effect_that_is_no_good_leaves_nothing_and_harms_no_other() {
    for case in
        ["good", "refused", "parked", "panic", "slow", "endless", "endless write", "commit", "rollback", "own tables"]
    {
        let file = File::new().await;
        file.accept(1).await;
        let held = file.lease(LONG, SystemClock.now().unwrap()).await;
        let effect = move |to: &SqliteTransaction<'_>, event: &Handed| -> Sql<Verdict> {
            post(to, &event.event.readable_key)?;
            match case {
                "refused" => to.execute_batch("INSERT INTO nowhere VALUES (1)")?,
                "parked" => return Ok(Verdict::park("who is that?")),
                "panic" => panic!("as told"),
                "slow" => std::thread::sleep(Duration::from_millis(400)),
                "endless" => drop(to.query_row(ENDLESS, [], |row| row.get::<_, i64>(0))?),
                "endless write" => to.execute_batch(ENDLESS_WRITE)?,
                "commit" => to.execute_batch("COMMIT")?,
                "rollback" => to.execute_batch("ROLLBACK")?,
                "own tables" => to.execute_batch("UPDATE webhook_events SET token = NULL")?,
                _ => {}
            }
            Ok(Verdict::Done)
        };
        let handler = file.1.in_transaction(effect).limit(Duration::from_millis(300));
        let (verdict, ()) = tokio::join!(handler.handle(handed(&held)), file.accept(2));
        let is_good = case == "good";
        assert_eq!(verdict == Verdict::Ended(Ended::Done), is_good, "{case}: {verdict:?}");
        assert_eq!(matches!(verdict, Verdict::Park { .. }), case == "parked");
        let is_late = verdict == Verdict::retry("the handler held the writer for too long");
        assert_eq!(is_late, ["slow", "endless", "endless write"].contains(&case), "{case}: {verdict:?}");
        assert_eq!(file.postings().await.len(), usize::from(is_good), "{case}");
        let stats = file.stats().await;
        let there = (stats.ready, stats.running, stats.done);
        assert_eq!(there, if is_good { (1, 0, 1) } else { (1, 1, 0) }, "{case}");
    }
}

/// A constraint that is looked at in the commit, and no sooner.
#[tokio::test]
async fn an_effect_that_its_commit_refuses_is_tried_again_and_harms_no_other() {
    for (attempts, dead) in [(3, 0), (2, 1)] {
        let file = File::new().await;
        let migrate = |to: &SqliteTransaction<'_>| {
            to.execute_batch(
                "CREATE TABLE accounts (key TEXT PRIMARY KEY) STRICT; INSERT INTO accounts VALUES ('2'); \
                 CREATE TABLE entries (of TEXT REFERENCES accounts (key) DEFERRABLE INITIALLY DEFERRED) STRICT",
            )
        };
        file.1.transact(LONG, migrate).await.unwrap().unwrap();
        file.accept(1).await;
        file.accept(2).await;
        let effect = |to: &SqliteTransaction<'_>, event: &Handed| -> Sql<()> {
            let key = &event.event.readable_key;
            post(to, key)?;
            to.execute("INSERT INTO entries VALUES (?1)", [key])?;
            if event.attempt == 3 { to.execute("INSERT INTO accounts VALUES (?1)", [key]).map(drop) } else { Ok(()) }
        };
        let retry = soon().attempts(attempts);
        let running = Worker::new(file.1.clone(), file.1.in_transaction(effect)).retry(retry).start();
        file.until_ended(2 - dead, dead).await;
        running.stop().await;
        file.accept(3).await;
        let mut postings = file.postings().await;
        postings.sort();
        assert_eq!(postings, if dead == 0 { vec!["1", "2"] } else { vec!["2"] });
    }
}

#[tokio::test]
async fn work_of_ones_own_commits_or_leaves_nothing() {
    let file = File::new().await;
    let fails = |to: &SqliteTransaction<'_>| post(to, "a").and(Err::<(), _>(rusqlite_error()));
    assert!(matches!(file.1.transact(LONG, fails).await.unwrap(), Err(Undone::Refused(_))));
    let panics = |to: &SqliteTransaction<'_>| -> Sql<()> {
        post(to, "b")?;
        panic!("as told")
    };
    assert!(matches!(file.1.transact(LONG, panics).await.unwrap(), Err(Undone::Panicked)));
    let late = |to: &SqliteTransaction<'_>| post(to, "c");
    assert!(matches!(file.1.transact(Duration::ZERO, late).await.unwrap(), Err(Undone::TookTooLong)));
    file.1.transact(LONG, |to| post(to, "d")).await.unwrap().unwrap();
    assert_eq!(file.postings().await, ["d"]);
}

/// SQLite undoes the whole transaction where a statement that writes is interrupted, and a work may not notice.
#[tokio::test]
async fn what_is_interrupted_while_it_writes_took_too_long_and_what_it_writes_after_that_is_undone_too() {
    let file = File::new().await;
    for goes_on in [false, true] {
        let work = move |to: &SqliteTransaction<'_>| {
            let written = to.execute_batch(ENDLESS_WRITE);
            if goes_on { post(to, "after") } else { written }
        };
        let undone = file.1.transact(Duration::from_millis(100), work).await.unwrap();
        assert!(matches!(undone, Err(Undone::TookTooLong)), "{undone:?}");
        assert_eq!(file.postings().await.len(), 0);
    }
    file.1.transact(LONG, |to| post(to, "in time")).await.unwrap().unwrap();
    file.accept(1).await;
    assert_eq!((file.postings().await.len(), file.stats().await.ready), (1, 1));
}

/// Whatever its limit is.
#[tokio::test]
async fn work_that_nobody_waits_for_any_more_frees_the_writer() {
    for sql in [ENDLESS, ENDLESS_WRITE] {
        let file = File::new().await;
        let begun = Arc::new(tokio::sync::Notify::new());
        let told = Arc::clone(&begun);
        let work = move |to: &SqliteTransaction<'_>| {
            told.notify_one();
            post(to, "a")?;
            to.query_row(sql, [], |_| Ok(()))
        };
        tokio::select! {
            ended = file.1.transact(LONG, work) => panic!("{ended:?}"),
            () = begun.notified() => {}
        }
        tokio::time::timeout(LONG / 2, file.accept(1)).await.expect("the writer is free");
        assert_eq!((file.postings().await.len(), file.stats().await.ready), (0, 1));
    }
}

#[tokio::test]
async fn an_effect_at_its_workers_limit_frees_the_writer() {
    let file = File::new().await;
    file.accept(1).await;
    let effect = |to: &SqliteTransaction<'_>, _: &Handed| to.query_row(ENDLESS, [], |_| Ok(()));
    let worker = Worker::new(file.1.clone(), file.1.in_transaction(effect).limit(LONG));
    let running = worker.handler_limit(Duration::from_millis(50)).retry(soon().attempts(1)).start();
    tokio::time::timeout(LONG / 2, file.until_ended(0, 1)).await.expect("the writer is free");
    running.stop().await;
}

fn rusqlite_error() -> super::super::rusqlite::Error {
    super::super::rusqlite::Error::QueryReturnedNoRows
}

#[tokio::test(start_paused = true)]
async fn who_has_ended_its_lease_is_not_ended_again() {
    for (ended, ending) in [(Ended::Done, Ending::Done), (Ended::Lost, Ending::Lost)] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        let running = worker(&store, &log, move |_: Handed| async move { Verdict::Ended(ended) }).start();
        seconds(1).await;
        assert_eq!((log.endings(), store.row(1).0), (vec![(1, ending)], StoredState::Running));
        running.stop().await;
    }
}
