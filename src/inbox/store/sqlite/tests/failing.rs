use super::*;
use crate::inbox::InboxErrorKind;
use crate::inbox::store::sqlite::fault::Fault;

fn failure(code: i32) -> Fault {
    Fault::Failed(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
}

#[tokio::test]
async fn an_error_of_the_disk_closes_it_until_it_is_opened_again() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let failed = inbox
        .0
        .write::<()>(0, |write| {
            write.connection.execute_batch("DELETE FROM webhook_events; DELETE FROM webhook_bodies")?;
            Err(failure(rusqlite::ffi::SQLITE_IOERR_FSYNC))
        })
        .await;
    assert_eq!(failed.unwrap_err().kind(), InboxErrorKind::Poisoned);
    assert_eq!(inbox.accept(vec![event(2, "b")], at(1)).await.unwrap_err().kind(), InboxErrorKind::Poisoned);
    assert_eq!(inbox.next_due().await.unwrap_err().kind(), InboxErrorKind::Poisoned);
    drop(inbox);
    let inbox = opened(&folder).await;
    assert_eq!(lease_one(&inbox, 1, 2).await.id, id);
    accept(&inbox, event(2, "b"), 3).await;
}

#[tokio::test]
async fn a_commit_that_fails_closes_it_too() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    // What the commit would have written is gone.
    let failed = inbox.0.write(0, |write| Ok(write.connection.execute_batch("ROLLBACK")?)).await;
    assert_eq!(failed.unwrap_err().kind(), InboxErrorKind::Poisoned);
    assert_eq!(inbox.accept(vec![event(2, "b")], at(1)).await.unwrap_err().kind(), InboxErrorKind::Poisoned);
}

#[tokio::test]
async fn what_the_commit_refuses_takes_no_other_with_it() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let table = "CREATE TABLE child (a REFERENCES webhook_bodies (id) DEFERRABLE INITIALLY DEFERRED)";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch(table)?)).await.unwrap();
    let child =
        |of: i64| inbox.0.write(0, move |write| Ok(write.connection.execute("INSERT INTO child VALUES (?1)", [of])?));
    // The first holds the writer until all of them wait for it.
    let (go, all_wait) = std::sync::mpsc::channel();
    let mut is_first = true;
    let first = inbox.0.write(0, move |_| {
        if std::mem::take(&mut is_first) {
            all_wait.recv().unwrap();
        }
        Ok(())
    });
    let all = async { go.send(()).unwrap() };
    let (first, before, orphan, after, ()) = tokio::join!(
        first,
        inbox.accept(vec![event(1, "a")], at(0)),
        child(77),
        inbox.accept(vec![event(2, "b")], at(0)),
        all
    );
    first.unwrap();
    let error = orphan.unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Unavailable, "this test needs foreign keys, the bundled default");
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    assert_eq!(before.unwrap(), [Accepted::Stored(EventId(1))]);
    assert_eq!(after.unwrap(), [Accepted::Stored(EventId(2))]);
    assert_eq!(child(2).await.unwrap(), 1, "the twin has a parent");
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_full_disk_stores_nothing_and_spoils_nothing() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let limit = |pages: &'static str| {
        inbox.0.write(0, move |write| Ok(write.connection.query_row(pages, [], |row| row.get::<_, i64>(0))?))
    };
    limit("PRAGMA max_page_count = 1").await.unwrap();
    let large = NewEvent { payload: vec![7; 1 << 20].into(), ..event(2, "b") };
    let error = inbox.accept(vec![event(3, "c"), large.clone()], at(1)).await.unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Full);
    limit("PRAGMA max_page_count = 1000000").await.unwrap();
    assert_eq!(inbox.stats(at(1)).await.unwrap().ready, 1);
    let accepted = inbox.accept(vec![event(3, "c"), large], at(2)).await.unwrap();
    assert!(matches!(accepted[..], [Accepted::Stored(_), Accepted::Stored(_)]));
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_visitor_that_writes_for_too_long_is_told_and_then_forgiven() {
    let folder = Folder::new();
    let inbox = SqliteInbox::setup().busy_timeout(Duration::from_millis(20)).open(folder.file()).await.unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(inbox.accept(vec![event(1, "a")], at(0)).await.unwrap_err().kind(), InboxErrorKind::Unavailable);
    other.execute_batch("COMMIT").unwrap();
    accept(&inbox, event(1, "a"), 1).await;
}

#[tokio::test]
async fn a_writer_that_is_gone_is_an_error_and_no_wait() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let died = inbox.0.write::<()>(0, |_| panic!("as a bug would")).await;
    assert_eq!(died.unwrap_err().kind(), InboxErrorKind::Unavailable);
    assert_eq!(inbox.accept(vec![event(2, "b")], at(1)).await.unwrap_err().kind(), InboxErrorKind::Unavailable);
    drop(inbox);
    assert_eq!(opened(&folder).await.stats(at(1)).await.unwrap().ready, 1);
}
