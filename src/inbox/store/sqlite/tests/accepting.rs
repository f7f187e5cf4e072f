use super::*;
use crate::inbox::{InboxErrorKind, Quota, StoredState};

#[tokio::test]
async fn a_new_event_is_stored_and_its_repeat_is_a_duplicate() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    assert_eq!(inbox.accept(vec![event(1, "a")], at(1)).await.unwrap(), [Accepted::Duplicate(id)]);
    assert_eq!(lease(&inbox, 1, 10, 2).await.len(), 1);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn another_payload_under_a_known_key_is_kept_apart_and_once() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let first = inbox.accept(vec![event(1, "b")], at(1)).await.unwrap();
    let [Accepted::Quarantined(apart)] = first[..] else { panic!("{first:?}") };
    assert_ne!(apart, id);
    assert_eq!(inbox.accept(vec![event(1, "b")], at(2)).await.unwrap(), first);
    assert_eq!(inbox.accept(vec![event(1, "a")], at(2)).await.unwrap(), [Accepted::Duplicate(id)]);

    let held = lease_one(&inbox, 1, 3).await;
    assert_eq!((held.id, &held.event.payload[..]), (id, &b"a"[..]));
    let shown = inbox.show(apart).await.unwrap().unwrap();
    assert_eq!((shown.stored.state, shown.payload.as_deref()), (StoredState::Quarantined, Some(&b"b"[..])));
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn an_event_comes_back_as_it_was_stored() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let mut given = in_lane(7, "account");
    given.receiver = "ng".to_owned();
    given.provider = "aella".to_owned();
    given.occurred_at = Some(at(-5));
    given.key_id = Some("second".to_owned());
    accept(&inbox, given.clone(), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(format!("{:?}", held.event), format!("{given:?}"));
}

#[tokio::test]
async fn of_a_delivery_that_twice_has_one_event_the_second_is_a_duplicate() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let accepted = inbox.accept(vec![event(1, "a"), event(1, "a"), event(2, "b")], at(0)).await.unwrap();
    let [Accepted::Stored(first), Accepted::Duplicate(again), Accepted::Stored(_)] = accepted[..] else {
        panic!("{accepted:?}")
    };
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_delivery_of_which_one_event_fails_stores_none() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON webhook_bodies WHEN new.payload = x'62' BEGIN SELECT RAISE(ABORT, 'no'); END";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch(trigger)?)).await.unwrap();
    let error = inbox.accept(vec![event(1, "a"), event(2, "b")], at(0)).await.unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Unavailable);
    assert!(lease(&inbox, 1, 10, 0).await.is_empty());
    accept(&inbox, event(1, "a"), 1).await;
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_command_that_fails_takes_no_other_of_its_group_with_it() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON webhook_bodies WHEN new.payload = x'62' BEGIN SELECT RAISE(ABORT, 'no'); END";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch(trigger)?)).await.unwrap();
    // The writer is held until all of them wait.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let holder = inbox.clone();
    let held =
        tokio::spawn(
            async move { holder.0.write(0, move |_| Ok((begun.send(()).is_ok(), wait.recv().is_err()))).await },
        );
    has_begun.recv().await.unwrap();
    let waiting: Vec<_> = [(1, "a"), (2, "b"), (3, "c")]
        .into_iter()
        .map(|(key, says)| {
            let inbox = inbox.clone();
            tokio::spawn(async move { inbox.accept(vec![event(key, says)], at(0)).await.is_ok() })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(go);
    assert_eq!(held.await.unwrap().unwrap(), (true, true));
    let mut stored = Vec::new();
    for one in waiting {
        stored.push(one.await.unwrap());
    }
    assert_eq!(stored, [true, false, true]);
    assert_eq!(lease(&inbox, 1, 10, 0).await.len(), 2);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn beyond_its_quota_of_rows_it_takes_nothing_new_and_knows_what_it_has() {
    let folder = Folder::new();
    let quota = Quota { rows: 2, ..Quota::default() };
    let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
    let id = accept(&inbox, event(1, "a"), 0).await;
    let error = inbox.accept(vec![event(2, "b"), event(3, "c")], at(0)).await.unwrap_err();
    assert_eq!(error.kind(), InboxErrorKind::Full);
    accept(&inbox, event(2, "b"), 0).await;
    assert_eq!(inbox.accept(vec![event(3, "c")], at(0)).await.unwrap_err().kind(), InboxErrorKind::Full);
    assert_eq!(inbox.accept(vec![event(1, "a")], at(0)).await.unwrap(), [Accepted::Duplicate(id)]);
    assert_eq!(inbox.stats(at(0)).await.unwrap().ready, 2);

    let held = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.complete(&held, at(1)).await.unwrap();
    accept(&inbox, event(3, "c"), 2).await;
}

#[tokio::test]
async fn quotas_of_bytes_and_of_free_disk_hold_too() {
    for (bytes, free_disk, fits) in [(1 << 30, 0, true), (1, 0, false), (1 << 30, u64::MAX, false)] {
        let folder = Folder::new();
        let quota = Quota { bytes, free_disk, ..Quota::default() };
        let inbox = SqliteInbox::setup().quota(quota).open(folder.file()).await.unwrap();
        let accepted = inbox.accept(vec![event(1, "a")], at(0)).await;
        assert_eq!(accepted.map_err(|error| error.kind()).is_ok(), fits, "{bytes} {free_disk}");
        assert_eq!(inbox.stats(at(0)).await.unwrap().ready, u64::from(fits));
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_whole_delivery_or_none() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let call = inbox.accept(vec![event(1, "a"), event(2, "b")], at(0));
    let _ = tokio::time::timeout(Duration::ZERO, call).await;
    // What waited before this is done before this.
    let leased = lease(&inbox, 1, 10, 0).await.len();
    assert!(leased == 0 || leased == 2, "{leased}");
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn who_waits_hears_of_an_event_and_of_one_that_came_before() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    tokio::time::timeout(Duration::from_secs(5), inbox.woken()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), inbox.woken()).await.is_err());
    // A repeat wakes nobody.
    let _ = inbox.accept(vec![event(1, "a")], at(0)).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), inbox.woken()).await.is_err());
}

#[tokio::test]
async fn an_event_comes_out_as_it_went_in() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let given = NewEvent {
        receiver: "bank".to_owned(),
        tenant: Some("merchant-1".to_owned()),
        provider: "aella".to_owned(),
        lane: Some("7b".to_owned()),
        occurred_at: Some(at(-5)),
        key_id: Some("2026-11".to_owned()),
        headers: vec![("a:1".to_owned(), String::new()), ("é".to_owned(), "3:x".to_owned())],
        ..event(1, "a")
    };
    accept(&inbox, given.clone(), 0).await;
    let leased = lease_one(&inbox, 1, 0).await;
    assert_eq!(format!("{:?}", leased.event), format!("{given:?}"));
}
