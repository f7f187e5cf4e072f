use super::*;
use crate::inbox::store::sqlite::{
    end, erase, find, keys, lanes, lease, names, replay, retain, steps, storing, suspects,
};
use crate::inbox::{Filter, StoredState};

/// How SQLite would go about it.
async fn plan(inbox: &SqliteInbox, sql: &str) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    inbox
        .0
        .read(move |connection| {
            let mut statement = connection.prepare(&sql)?;
            let values = vec![rusqlite::types::Null; statement.parameter_count()];
            let lines = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))?;
            lines.collect::<rusqlite::Result<Vec<_>>>()
        })
        .await
        .unwrap()
        .join("; ")
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let by_id = "USING INTEGER PRIMARY KEY";
    for (sql, index) in [
        (storing::KNOWN, by_id),
        (keys::OF_PREFIX, "webhook_keys USING PRIMARY KEY (prefix=?)"),
        (keys::WAITING, by_id),
        (keys::IS_THERE, by_id),
        (keys::DROP, "webhook_keys USING PRIMARY KEY (prefix=? AND id=?)"),
        (lanes::IS_TAKEN, "webhook_events_lane"),
        (lanes::NEXT, "webhook_events_lane"),
        (lanes::NEXT_AFTER, "webhook_events_lane"),
        (lanes::HAS_TURN, "webhook_events_lane"),
        (lanes::DEAD, "webhook_events_skipped"),
        (lease::DUE, "webhook_events_due"),
        (lease::STILL_DUE, by_id),
        (suspects::HELD, "webhook_events_unended"),
        (suspects::FIRST, "webhook_events_unended"),
        (suspects::ADD, by_id),
        (lease::HOLD, by_id),
        (lease::BODY, by_id),
        (lease::GIVE_UP, by_id),
        (end::END, by_id),
        (end::EXTEND, by_id),
        (find::NEXT_DUE, "webhook_events_due"),
        (find::HEAD, "webhook_events_lane"),
        (find::FIRST_READY, "webhook_events_due"),
        (find::FIRST_SUSPECTS, "webhook_events_unended (state=?"),
        (find::FIRST_DEAD, "webhook_events_aside (state=?)"),
        (replay::ENDED, by_id),
        (replay::AGAIN, by_id),
        (retain::OLD_BODIES, by_id),
        (retain::OLD_KEYS, "webhook_events_until"),
        (retain::OLD_OTHERS, "webhook_events_aside (state=?)"),
        (retain::DROP_EVENT, by_id),
        (retain::DROP_BODY, by_id),
        (names::OF_KEY, by_id),
        (erase::IN_HAND, by_id),
        (erase::ERASE, by_id),
        (erase::ERASE_WHY, "webhook_steps_event"),
        (steps::OF, "webhook_steps_event"),
    ] {
        // The blocks of names are gone through: a row for a thousand events.
        let plan = plan(&inbox, sql).await.replace("SCAN webhook_names", "");
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

#[tokio::test]
async fn what_people_ask_most_is_found_by_an_index() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let in_state = |state| Filter { state: Some(state), ..Filter::default() };
    for (filter, index) in [
        (Filter { id: Some(EventId(1)), ..Filter::default() }, "PRIMARY KEY"),
        (Filter { key: Some("k".to_owned()), ..Filter::default() }, "SCAN webhook_names"),
        (in_state(StoredState::Ready), "webhook_events_due"),
        (in_state(StoredState::Running), "webhook_events_due"),
        (in_state(StoredState::Dead), "webhook_events_aside"),
        (in_state(StoredState::Parked), "webhook_events_aside"),
        (in_state(StoredState::Quarantined), "webhook_events_aside"),
    ] {
        let (condition, _) = find::condition(&filter);
        let plan = plan(&inbox, &format!("SELECT * FROM webhook_events WHERE {condition} ORDER BY id LIMIT ?")).await;
        assert!(plan.contains(index), "{filter:?}: {plan}");
        assert!(!plan.contains("SCAN webhook_events;") && !plan.ends_with("SCAN webhook_events"), "{filter:?}: {plan}");
    }
}

/// A hundred thousand that are done, and as many that wait in one lane: the claim's index holds the one head.
#[tokio::test]
async fn what_is_done_and_what_waits_is_not_in_the_claims_index() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
        INSERT INTO webhook_events (id, key, fingerprint, state, due, received, until, readable, receiver, provider, event, lane)
        SELECT i, CAST(i AS BLOB), x'00', iif(i <= 100000, 2, 0), iif(i = 100001, 0, NULL), 0, 0, i, '', '', '',
            iif(i <= 100000, NULL, 'one') FROM n;
        INSERT INTO webhook_bodies SELECT id, x'' FROM webhook_events; UPDATE webhook_ledger SET last = 200000";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch("ANALYZE")?)).await.unwrap();
    inbox
        .0
        .write(0, move |write| {
            write.connection.execute_batch(fill)?;
            for _ in 0..99_999 {
                write.ledger.enters(StoredState::Ready);
            }
            Ok(())
        })
        .await
        .unwrap();
    let due = "SELECT count(*) FROM webhook_events INDEXED BY webhook_events_due WHERE due IS NOT NULL AND unended = 0";
    let count: i64 = inbox.0.read(move |connection| connection.query_row(due, [], |row| row.get(0))).await.unwrap();
    assert_eq!(count, 1);
    let plan = plan(&inbox, lease::DUE).await;
    assert!(plan.contains("webhook_events_due") && !plan.contains("SCAN"), "{plan}");
}

/// What SQLite goes through for it, in steps of its machine.
async fn steps_for(inbox: &SqliteInbox, sql: &'static str, key: &'static str) -> (Vec<i64>, i32) {
    inbox
        .0
        .read(move |connection| {
            let mut statement = connection.prepare(sql)?;
            let found = statement
                .query_map(rusqlite::params![key, names::hash(key.as_bytes())], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((found, statement.get_status(rusqlite::StatementStatus::VmStep)))
        })
        .await
        .unwrap()
}

/// In a block that is full, in the one that is not, and nowhere: without going through all events.
#[tokio::test]
async fn a_readable_key_is_found_among_many_without_going_through_them() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let events = (0..20_000_u32).map(|number| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), readable_key: format!("key-{}", number / 2), ..event(0, "a") }
    });
    inbox.accept(events.collect(), at(0)).await.unwrap();
    for (key, expected) in [("key-0", vec![1, 2]), ("key-511", vec![1023, 1024]), ("key-512", vec![1025, 1026])] {
        let (found, steps) = steps_for(&inbox, names::OF_KEY, key).await;
        assert_eq!(found, expected, "{key}");
        assert!(steps < 15_000, "{key}: {steps}");
    }
    assert_eq!(steps_for(&inbox, names::OF_KEY, "key-9999").await.0, [19_999, 20_000]);
    assert_eq!(steps_for(&inbox, names::OF_KEY, "key-10000").await.0, [0; 0]);
    let (found, steps) =
        steps_for(&inbox, "SELECT id FROM webhook_events WHERE readable = ?1 AND ?2 IS NOT NULL", "key-0").await;
    assert_eq!(found, [1, 2]);
    assert!(steps > 60_000, "control: going through them all takes {steps}");
    let filter = Filter { key: Some("key-511".to_owned()), ..Filter::default() };
    assert_eq!(inbox.list(&filter, 9).await.unwrap().len(), 2);
    assert_eq!(inbox.erase("key-512", at(1)).await.unwrap(), 2);
}

/// A block that was begun by an owner before, or with numbers that were given twice, has the names of all its events.
#[tokio::test]
async fn a_block_that_is_not_remembered_is_read() {
    let folder = Folder::new();
    let event = |number: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), readable_key: number.to_string(), ..event(0, "a") }
    };
    let inbox = opened(&folder).await;
    inbox.accept((0..500).map(event).collect(), at(0)).await.unwrap();
    drop(inbox);
    let inbox = opened(&folder).await;
    inbox.accept((500..1_100).map(event).collect(), at(0)).await.unwrap();
    let trigger =
        "CREATE TRIGGER no BEFORE INSERT ON webhook_bodies WHEN new.id = 1103 BEGIN SELECT RAISE(ABORT, 'no'); END";
    inbox.0.write(0, move |write| Ok(write.connection.execute_batch(trigger)?)).await.unwrap();
    assert!(inbox.accept((5_000..5_003).map(event).collect(), at(0)).await.is_err());
    inbox.0.write(0, |write| Ok(write.connection.execute_batch("DROP TRIGGER no")?)).await.unwrap();
    inbox.accept((1_100..2_100).map(event).collect(), at(0)).await.unwrap();
    for (key, found) in
        [("0", 1), ("499", 1), ("500", 1), ("1023", 1), ("1100", 1), ("2047", 1), ("2099", 1), ("5000", 0)]
    {
        let filter = Filter { key: Some(key.to_owned()), ..Filter::default() };
        assert_eq!(inbox.list(&filter, 9).await.unwrap().len(), found, "{key}");
    }
}

/// Blocks whose events are all gone go too, and those that have one stay.
#[tokio::test]
async fn names_go_with_their_events() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let events = (0..3_000_u32).map(|number| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), readable_key: number.to_string(), ..event(0, "a") }
    });
    inbox.accept(events.collect(), at(0)).await.unwrap();
    for held in lease(&inbox, 1, 1_500, 0).await {
        let _ = inbox.complete(&held, at(0)).await.unwrap();
    }
    let blocks = || {
        inbox.0.read(|connection| {
            connection.query_row("SELECT count(*) FROM webhook_names", [], |row| row.get::<_, i64>(0))
        })
    };
    assert_eq!(blocks().await.unwrap(), 2_i64);
    assert_eq!(inbox.purge(at(1), at(1_000_000)).await.unwrap(), (1_500, 1_500));
    assert_eq!(blocks().await.unwrap(), 1_i64);
    let filter = |key: &str| Filter { key: Some(key.to_owned()), ..Filter::default() };
    for (key, found) in [("0", 0), ("1499", 0), ("1500", 1), ("2999", 1)] {
        assert_eq!(inbox.list(&filter(key), 9).await.unwrap().len(), found, "{key}");
    }
}

/// Keys that begin alike are told apart by the rest.
#[tokio::test]
async fn keys_of_one_beginning_are_different_keys() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let key = |last: u8| {
        let mut key = [7; 32];
        key[31] = last;
        NewEvent { key: KeyHash::from_bytes(key), ..event(7, "a") }
    };
    accept(&inbox, key(1), 0).await;
    let second = accept(&inbox, key(2), 0).await;
    assert_eq!(inbox.accept(vec![key(2)], at(1)).await.unwrap(), [Accepted::Duplicate(second)]);
}
