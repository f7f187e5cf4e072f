use super::*;
use crate::inbox::store::sqlite::{accept, end, erase, find, lanes, lease, replay, retain, steps};
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
        (accept::KNOWN, "events_key"),
        (lanes::IS_TAKEN, "events_lane"),
        (lanes::NEXT, "events_lane"),
        (lanes::HAS_TURN, "events_lane"),
        (lanes::DEAD, "events_skipped"),
        (lease::DUE, "events_due"),
        (lease::HOLD, by_id),
        (lease::BODY, by_id),
        (lease::GIVE_UP, by_id),
        (end::END, by_id),
        (end::EXTEND, by_id),
        (find::NEXT_DUE, "events_due"),
        (find::HEAD, "events_lane"),
        (replay::ENDED, by_id),
        (replay::AGAIN, by_id),
        (retain::OLD_BODIES, by_id),
        (retain::OLD_KEYS, "events_until"),
        (retain::DROP_BODY, by_id),
        (erase::OF_KEY, "events_readable"),
        (erase::ERASE, by_id),
        (erase::ERASE_WHY, "steps_event"),
        (steps::OF, "steps_event"),
    ] {
        let plan = plan(&inbox, sql).await;
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
        (Filter { key: Some("k".to_owned()), ..Filter::default() }, "events_readable"),
        (in_state(StoredState::Ready), "events_due"),
        (in_state(StoredState::Running), "events_due"),
        (in_state(StoredState::Dead), "events_aside"),
        (in_state(StoredState::Parked), "events_aside"),
        (in_state(StoredState::Quarantined), "events_aside"),
    ] {
        let (condition, _) = find::condition(&filter);
        let plan = plan(&inbox, &format!("SELECT * FROM events WHERE {condition} ORDER BY id LIMIT ?")).await;
        assert!(plan.contains(index), "{filter:?}: {plan}");
        assert!(!plan.contains("SCAN events;") && !plan.ends_with("SCAN events"), "{filter:?}: {plan}");
    }
}

/// A hundred thousand that are done, and as many that wait in one lane: the claim's index holds the one head.
#[tokio::test]
async fn what_is_done_and_what_waits_is_not_in_the_claims_index() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
        INSERT INTO events (id, key, fingerprint, state, due, received, until, readable, receiver, provider, event, lane)
        SELECT i, CAST(i AS BLOB), x'00', iif(i <= 100000, 2, 0), iif(i = 100001, 0, NULL), 0, 0, i, '', '', '',
            iif(i <= 100000, NULL, 'one') FROM n;
        INSERT INTO bodies SELECT id, x'' FROM events; UPDATE ledger SET last = 200000";
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
    let due = "SELECT count(*) FROM events INDEXED BY events_due WHERE due IS NOT NULL";
    let count: i64 = inbox.0.read(move |connection| connection.query_row(due, [], |row| row.get(0))).await.unwrap();
    assert_eq!(count, 1);
    let plan = plan(&inbox, lease::DUE).await;
    assert!(plan.contains("events_due") && !plan.contains("SCAN"), "{plan}");
}
