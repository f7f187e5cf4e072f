//! What is full, and how it is no longer.

use super::*;
use crate::inbox::{InboxErrorKind, Quota};

async fn is_full(inbox: &SqliteInbox, key: u8) -> bool {
    match inbox.accept(vec![event(key, "a")], at(0)).await {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), InboxErrorKind::Full);
            true
        }
    }
}

#[tokio::test]
async fn once_full_it_takes_nothing_until_a_fifth_is_free() {
    let folder = Folder::new();
    let quota = Quota { rows: 10, ..Quota::default() };
    let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
    for key in 0..10 {
        assert!(!is_full(&inbox, key).await, "{key}");
    }
    assert!(is_full(&inbox, 10).await);
    let held = lease(&inbox, 1, 2, 0).await;
    let _ = inbox.complete(&held[0], at(0)).await.unwrap();
    // There would be room for one.
    assert!(is_full(&inbox, 10).await);
    assert!(!is_full(&inbox, 0).await, "what is known stays known");
    let _ = inbox.complete(&held[1], at(0)).await.unwrap();
    assert!(!is_full(&inbox, 10).await);
    assert!(!is_full(&inbox, 11).await, "up to its quota again");
    assert!(is_full(&inbox, 12).await);
}

#[tokio::test]
async fn before_it_is_full_the_low_mark_is_nothing() {
    let folder = Folder::new();
    let quota = Quota { rows: 10, ..Quota::default() };
    let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
    for key in 0..9 {
        assert!(!is_full(&inbox, key).await, "{key}");
    }
    let held = lease(&inbox, 1, 1, 0).await.remove(0);
    let _ = inbox.complete(&held, at(0)).await.unwrap();
    assert!(!is_full(&inbox, 9).await && !is_full(&inbox, 10).await);
}

#[tokio::test]
async fn a_quota_of_few_rows_is_full_for_who_asks_too_until_there_is_room() {
    for rows in 1..=5_u8 {
        let folder = Folder::new();
        let quota = Quota { rows: rows.into(), ..Quota::default() };
        let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
        for key in 0..rows {
            assert!(inbox.check().await.is_ok() && !is_full(&inbox, key).await, "{rows}: {key}");
        }
        for _ in 0..2 {
            assert!(inbox.check().await.is_err() && is_full(&inbox, rows).await, "{rows}");
        }
        let held = lease(&inbox, 1, 1, 0).await.remove(0);
        let _ = inbox.complete(&held, at(0)).await.unwrap();
        assert!(inbox.check().await.is_ok() && !is_full(&inbox, rows).await, "{rows}");
    }
}

/// Somebody looks at an old state and does not end: the log grows up to the quota and no further, and is short again soon
/// after they are gone.
#[tokio::test]
async fn a_reader_that_stays_makes_it_full_and_not_the_disk() {
    let folder = Folder::new();
    let most = 6 * 1024 * 1024;
    let quota = Quota { bytes: most, ..Quota::default() };
    let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
    accept(&inbox, event(0, "a"), 0).await;
    let reader = rusqlite::Connection::open(folder.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM webhook_events").unwrap();
    let log = folder.0.join("inbox-wal");
    let one = |number: u32| {
        let mut key = [1; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), ..event(1, "a") }
    };
    let mut number = 0;
    while inbox.accept(vec![one(number)], at(0)).await.is_ok() {
        number += 1;
        assert!(size(&log) <= most + 100_000, "{}", size(&log));
    }
    assert!(size(&log) > most / 2, "{}", size(&log));
    drop(reader);
    let mut waited = 0;
    while inbox.accept(vec![one(number)], at(0)).await.is_err() {
        waited += 1;
        assert!(waited < 100, "it stays full: {}", size(&log));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(size(&log) < most / 2, "{}", size(&log));
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn an_owner_knows_its_disk_and_a_visitor_does_not_ask() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let disk = inbox.disk().unwrap();
    assert!(disk.flush.is_some_and(|flush| !flush.is_zero()), "{disk:?}");
    assert_eq!(size(&folder.0.join("inbox.lock")), 0);
    assert_eq!(SqliteInbox::visit(folder.file()).await.unwrap().disk(), None);
    let with = |flush| crate::inbox::Disk { flush, is_volatile: false };
    let slow = [None, Some(20), Some(21)].map(|millis| with(millis.map(Duration::from_millis)).is_slow());
    assert_eq!(slow, [false, false, true]);
}

/// `/dev/shm` is memory wherever it is.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_is_told_from_a_disk_and_refused_where_that_is_asked() {
    let path = PathBuf::from(format!("/dev/shm/tower-webhook-inbox-{}", std::process::id()));
    assert!(Path::new("/dev/shm").is_dir(), "/dev/shm is no folder here: Linux has one, unless it is not mounted");
    let error = SqliteInbox::setup().on_disk_only().open(&path).await.unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Unusable);
    assert!(error.to_string().contains("in memory"), "{error}");
    assert!(!path.exists());
    let opened = SqliteInbox::open(&path).await;
    let is_volatile = opened.as_ref().is_ok_and(|inbox| inbox.disk().unwrap().is_volatile);
    drop(opened);
    for ending in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    assert!(is_volatile);
}
