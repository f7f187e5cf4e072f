use super::*;
use crate::inbox::store::sqlite::connect::{lock, must_be_sound};
use crate::inbox::store::sqlite::schema;
use crate::inbox::{Filter, InboxErrorKind};

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
}

#[test]
fn an_sqlite_that_may_lose_commits_is_refused_by_number() {
    assert!(must_be_sound(3_051_003, "3.51.3").is_ok());
    let error = must_be_sound(3_051_002, "3.51.2").unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Unusable);
    let said = error.to_string();
    assert!(said.contains("3.51.2") && said.contains("3.51.3"), "{said}");
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_reopening_and_fences_go_on() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let before = lease_one(&inbox, 1, 10).await;
    drop(inbox);
    let inbox = opened(&folder).await;
    // The lease of an owner that is gone is void, long before its time.
    let after = lease_one(&inbox, 1, 11).await;
    assert_eq!((after.id, after.attempt), (id, 2));
    assert!(after.fence > before.fence);
    assert_eq!(inbox.complete(&before, at(12)).await.unwrap(), crate::inbox::Ended::Lost);
    assert_eq!(inbox.accept(vec![event(1, "a")], at(13)).await.unwrap(), [Accepted::Duplicate(id)]);
    counts_are_true(&inbox).await;
}

/// As one that a child of this process holds until it is another program.
#[test]
fn a_lock_that_is_given_back_a_moment_later_is_waited_for() {
    let folder = Folder::new();
    for _ in 0..20 {
        let held = lock(&folder.file()).unwrap();
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let file = folder.file();
            let waiting = scope.spawn(move || {
                tell.send(()).unwrap();
                lock(&file).map(drop)
            });
            told.recv().unwrap();
            std::thread::yield_now();
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }
}

#[tokio::test]
async fn a_file_has_one_owner_at_a_time() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let second = SqliteInbox::open(folder.file()).await.unwrap_err();
    assert_eq!(second.kind(), InboxErrorKind::Unavailable);
    assert!(second.to_string().contains("owns it"), "{second}");
    let clone = inbox.clone();
    drop(inbox);
    assert!(SqliteInbox::open(folder.file()).await.is_err());
    drop(clone);
    opened(&folder).await;
}

#[tokio::test]
async fn a_visitor_sees_and_replays_and_neither_makes_a_file_nor_ends_a_lease() {
    let folder = Folder::new();
    assert!(SqliteInbox::visit(folder.file()).await.is_err());
    assert!(!folder.file().exists());
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    accept(&inbox, event(2, "b"), 1).await;
    let dead = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.bury(&dead, "down", LanePolicy::SkipAndFlag, at(1)).await.unwrap();
    let held = lease_one(&inbox, 1, 1).await;

    let visitor = SqliteInbox::visit(folder.file()).await.unwrap();
    assert!(lease(&visitor, 9, 10, 2).await.is_empty());
    let filter = Filter { id: Some(id), ..Filter::default() };
    assert_eq!(visitor.replay(&filter, 10, false, "ann", at(3)).await.unwrap().replayed, 1);
    drop(visitor);
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(3)));
    assert_eq!(lease_one(&inbox, 2, 3).await.id, id);
    assert_eq!(inbox.complete(&held, at(4)).await.unwrap(), crate::inbox::Ended::Done);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_visitor_does_not_checkpoint_and_the_owner_does() {
    let folder = Folder::new();
    let log = folder.0.join("inbox-wal");
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    std::fs::copy(folder.file(), folder.0.join("copy")).unwrap();
    std::fs::copy(&log, folder.0.join("copy-wal")).unwrap();
    drop(inbox);
    assert_eq!(size(&log), 0);

    // As after a kill: the log is there, and nobody owns it.
    let copied = size(&folder.0.join("copy-wal"));
    let visitor = SqliteInbox::visit(folder.0.join("copy")).await.unwrap();
    assert_eq!(visitor.stats(at(0)).await.unwrap().ready, 1);
    drop(visitor);
    assert_eq!(size(&folder.0.join("copy-wal")), copied);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_has_one_owner_by_whatever_link_it_is_named() {
    let folder = Folder::new();
    let link = folder.0.join("link");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    // The file is not there yet.
    let inbox = SqliteInbox::open(&link).await.unwrap();
    let id = accept(&inbox, event(1, "a"), 0).await;
    for path in [folder.file(), link.clone()] {
        let refused = SqliteInbox::open(&path).await.unwrap_err();
        assert!(refused.to_string().contains("somebody else owns it"), "{path:?}: {refused}");
        assert!(SqliteInbox::visit(&path).await.unwrap().show(id).await.unwrap().is_some());
    }
    drop(inbox);
    let inbox = opened(&folder).await;
    assert!(SqliteInbox::open(&link).await.is_err());
    assert_eq!(lease_one(&inbox, 1, 1).await.id, id);
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_or_newer_or_damaged_is_refused() {
    let folder = Folder::new();
    for (text, says) in [("CREATE TABLE mine (a)", "no inbox"), ("PRAGMA application_id = 7", "no inbox")] {
        sql(&folder.file(), text);
        let error = SqliteInbox::open(folder.file()).await.unwrap_err();
        assert_eq!(error.kind(), InboxErrorKind::Unusable, "{text}");
        assert!(error.to_string().contains(says), "{error}");
        std::fs::remove_file(folder.file()).unwrap();
    }
    drop(opened(&folder).await);
    drop(opened(&folder).await);
    sql(&folder.file(), "PRAGMA user_version = 99");
    for error in [SqliteInbox::open(folder.file()).await, SqliteInbox::visit(folder.file()).await] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), InboxErrorKind::Unusable);
        assert!(error.to_string().contains("99"), "{error}");
    }
    std::fs::write(folder.file(), [7; 4096]).unwrap();
    assert_eq!(SqliteInbox::open(folder.file()).await.unwrap_err().kind(), InboxErrorKind::Unusable);
}

/// A file as an earlier version left it: one that was held when its owner died, one that waited again behind a lease without an
/// end, and one that is new.
fn file_of(version: usize, path: &Path) {
    let tables = schema::STEPS[..version].concat();
    let ours = if version > 2 { "webhook_" } else { "" };
    let event = |id: i64, state: i64, token: &str| {
        format!(
            "INSERT INTO {ours}events (id, key, fingerprint, state, due, token, received, until, readable, receiver, provider, event) \
             VALUES ({id}, x'{}{id:02x}', zeroblob(16), {state}, {id}, {token}, {id}, 9, 'k', '', '', ''); \
             INSERT INTO {ours}bodies VALUES ({id}, x'00'); INSERT INTO {ours}steps (event, at, what) VALUES ({id}, 7, 'seen');",
            "00".repeat(31)
        )
    };
    let mut rows = [event(1, 1, "x'01'"), event(2, 0, "x'02'"), event(3, 0, "NULL")].concat();
    if version > 1 {
        rows.push_str(&format!("UPDATE {ours}events SET unended = 1 WHERE id = 2;"));
    }
    let counts = format!("UPDATE {ours}ledger SET ready = 2, running = 1, last = 3");
    let application = schema::APPLICATION;
    let head = format!("PRAGMA application_id = {application}; PRAGMA user_version = {version}");
    sql(path, &format!("PRAGMA journal_mode = WAL; {tables}; {head}; {rows}; {counts}"));
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_brought_up_to_date() {
    for version in [1, 2, 3, 4] {
        let folder = Folder::new();
        file_of(version, &folder.file());
        let refused = SqliteInbox::visit(folder.file()).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("version is {version}")), "{refused}");
        let inbox = opened(&folder).await;
        let held = lease(&inbox, 1, 10, 0).await;
        let found = held.iter().map(|held| (held.id.0, held.outcome_unknown)).collect::<Vec<_>>();
        assert_eq!(found, [(1, true), (3, false)], "{version}");
        let _ = inbox.complete(&held[0], at(1)).await.unwrap();
        assert_eq!(lease_one(&inbox, 1, 1).await.id, EventId(2));
        let steps = inbox.show(EventId(3)).await.unwrap().unwrap().steps;
        assert!(steps.iter().any(|(_, what, _)| what == "seen"), "{version}: {steps:?}");
        let mut known = [0; 32];
        known[31] = 3;
        let mut again = NewEvent { key: KeyHash::from_bytes(known), ..event(3, "") };
        again.fingerprint = Fingerprint::from_bytes([0; 16]);
        assert_eq!(inbox.accept(vec![again], at(2)).await.unwrap(), [Accepted::Duplicate(EventId(3))], "{version}");
        assert_eq!(accept(&inbox, event(4, "new"), 2).await, EventId(4));
        counts_are_true(&inbox).await;
        keys_are_true(&inbox).await;
    }
}

#[tokio::test]
async fn what_an_earlier_version_kept_apart_makes_no_key_known() {
    let folder = Folder::new();
    file_of(4, &folder.file());
    // The first that came with its key was purged.
    let aside = "UPDATE webhook_events SET state = 5, due = NULL WHERE id = 3; \
                 UPDATE webhook_ledger SET ready = 1, quarantined = 1";
    sql(&folder.file(), aside);
    let inbox = opened(&folder).await;
    let mut key = [0; 32];
    key[31] = 3;
    let again = NewEvent { key: KeyHash::from_bytes(key), ..event(3, "again") };
    assert_eq!(accept(&inbox, again, 2).await, EventId(4));
    counts_are_true(&inbox).await;
}

/// Tables of others in the same file may have any name that does not begin as ours do.
#[tokio::test]
async fn all_that_is_in_the_file_has_a_name_that_nobody_else_would_give() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let theirs = "CREATE TABLE events (due INTEGER); CREATE INDEX events_due ON events (due); CREATE TABLE bodies (a); \
                  CREATE TABLE steps (a); CREATE TABLE ledger (a); CREATE TABLE names (a)";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch(theirs)?)).await.unwrap();
    accept(&inbox, event(1, "a"), 0).await;
    drop(inbox);
    let inbox = opened(&folder).await;
    assert_eq!(lease_one(&inbox, 1, 1).await.id, EventId(1));
    let ours = "SELECT count(*), sum(name LIKE 'webhook\\_%' ESCAPE '\\') FROM sqlite_schema \
                WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    assert_eq!(inbox.0.read(move |connection| connection.query_row(ours, [], read)).await.unwrap(), (19, 13));
}

#[cfg(unix)]
#[tokio::test]
async fn its_user_alone_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    for name in ["inbox", "inbox-wal", "inbox-shm", "inbox.lock"] {
        let mode = std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn every_setting_that_durability_needs_is_made() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let pragmas = [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("mmap_size", "0"),
        ("page_size", "8192"),
        ("secure_delete", "1"),
    ];
    for (name, value) in pragmas {
        let found = inbox
            .0
            .write(0, move |write| {
                let sql = format!("PRAGMA {name}");
                let text = |value: rusqlite::types::Value| match value {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                };
                Ok(write.connection.query_row(&sql, [], |row| row.get(0).map(text))?)
            })
            .await;
        assert_eq!(found.unwrap(), value, "{name}");
    }
}
