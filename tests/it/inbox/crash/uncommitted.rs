//! A death while an event is written in Postgres and not committed. The statement is another process's, which ends it as it will.

use std::time::{Duration, Instant};

use super::place::{Kind, Place};
use super::scene::{How, send, start};
use crate::crash::ledger::Ledger;
use crate::postgres::server::Server;

/// The first commit takes its time.
const SLOW: &str = "
CREATE SEQUENCE inbox.commits;
CREATE FUNCTION inbox.slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('inbox.commits') = 1 THEN
        PERFORM pg_sleep(3);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON inbox.turns DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION inbox.slow()";

async fn dies_before_the_commit(is_undone: bool) {
    let (ledger, place) = (Ledger::new(), Kind::Postgres.place().await);
    drop(place.visit().await);
    let Place::Postgres { schema, .. } = &place else { panic!("it is in Postgres") };
    let admin = Server::shared().await.client().await;
    admin.batch_execute(&SLOW.replace("inbox.", &format!("{schema}."))).await.unwrap();
    let child = start(&ledger, &place, How::ByKey, vec![]).await;
    let killed = async {
        let commits = format!(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%\"{schema}\".accept_3%'"
        );
        let end = Instant::now() + Duration::from_secs(30);
        let pid: i32 = loop {
            if let Some(row) = admin.query_opt(&commits, &[]).await.unwrap() {
                break row.get(0);
            }
            assert!(Instant::now() < end, "it is never written");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        child.kill();
        if is_undone {
            admin.query_one("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
        }
        child.risen(1).await.unwrap();
    };
    let ((keys, tries), ()) = tokio::join!(send(&child, 1), killed);
    let inbox = place.settled().await;
    let judged = ledger.judge(&keys);
    assert!(judged.is_exactly_once() && judged.only() == [1] && tries > 1, "{tries} tries: {judged:?}");
    assert_eq!((inbox.done, inbox.dead), (1, 0), "{inbox:?}");
    let commits: i64 = admin.query_one(&format!("SELECT last_value FROM {schema}.commits"), &[]).await.unwrap().get(0);
    assert_eq!(commits, if is_undone { 2 } else { 1 }, "by whom it was stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_behind_the_death_is_known_when_it_comes_again() {
    dies_before_the_commit(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_undone_behind_the_death_is_stored_when_it_comes_again() {
    dies_before_the_commit(true).await;
}
