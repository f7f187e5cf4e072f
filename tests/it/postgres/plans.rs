//! Every statement finds its rows by an index: the plans are those that the server logged while the inbox worked.

use tower_webhook::inbox::{EventId, Filter, InboxStore as _, LanePolicy, LeaseToken, PostgresInbox, StoredState};

use super::server::Server;
use super::{LEASE, at, event, lease};

const SCHEMA: &str = "plans";

/// Many that are done, some that wait, some aside: as after some weeks.
const FILL: &str = "
INSERT INTO plans.events (key, fingerprint, until, received, readable, receiver, provider, event, lane)
    SELECT sha256(n::text::bytea), substr(sha256(n::text::bytea), 1, 16), 1900000000000000 + 1000000::bigint * (n + 100000),
        1900000000000000, 'old-' || n, 'receiver', 'provider', 'event', CASE WHEN n > 39000 THEN 'lane-' || n % 50 END
    FROM generate_series(1, 40000) AS n;
INSERT INTO plans.turns (id, lane, state, due, until, ended, fence, attempts, reason)
    SELECT e.id, CASE WHEN e.id > 39000 THEN e.id % 50 END, CASE WHEN e.id > 39500 THEN 0 WHEN e.id % 100 = 0 THEN 3 ELSE 2 END,
        CASE WHEN e.id > 39950 THEN 1900000000000000 - e.id END, e.until, 1900000000000000, e.id, 1, 'reason'
    FROM plans.events AS e;
INSERT INTO plans.bodies SELECT id, 'body' FROM plans.events;
INSERT INTO plans.steps (event, at, what) SELECT id, 0, 'step' FROM plans.events";

fn filter(set: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    set(&mut filter);
    filter
}

async fn work(inbox: &PostgresInbox) {
    for number in 0..7 {
        let lane = format!("lane {}", number % 3);
        inbox.accept(vec![event(number, None), event(number + 100, Some(&lane))], at(0)).await.unwrap();
        inbox.accept(vec![event(number, None)], at(0)).await.unwrap();
        let mut other = event(number, None);
        other.fingerprint = event(number + 1, None).fingerprint;
        inbox.accept(vec![other], at(0)).await.unwrap();
        let held = lease(inbox, 1, 6, 1).await;
        assert_eq!(held.len(), 6);
        let [a, b, c, d, e, f] = &held[..] else { panic!("{held:?}") };
        let _ = inbox.extend(a, LEASE, at(2)).await.unwrap();
        let _ = inbox.complete(a, at(2)).await.unwrap();
        let _ = inbox.retry(b, at(3), "why", at(2)).await.unwrap();
        let _ = inbox.release(c, at(2)).await.unwrap();
        let _ = inbox.bury(d, "why", LanePolicy::BlockLane, at(2)).await.unwrap();
        let _ = inbox.bury(e, "why", LanePolicy::SkipAndFlag, at(2)).await.unwrap();
        let _ = inbox.park(f, "why", at(2)).await.unwrap();
        let alone = lease(inbox, 1, 1, 1).await;
        // Its lease runs out.
        let suspect = lease(inbox, 1, 1, 40).await;
        assert!(suspect[0].outcome_unknown && suspect[0].id == alone[0].id);
        let _ = inbox.complete(&suspect[0], at(40)).await.unwrap();
        inbox.next_due().await.unwrap();
        inbox.stats_by_receiver(10, at(40)).await.unwrap();
        inbox.show(d.id).await.unwrap();
        for id in [d.id, f.id] {
            let one = filter(|filter| filter.id = Some(id));
            assert_eq!(inbox.replay(&one, 10, false, "ann", at(3)).await.unwrap().replayed, 1);
        }
        inbox.erasable(&format!("key-{number}")).await.unwrap();
        inbox.erase(&format!("key-{number}"), at(4)).await.unwrap();
        let by_key = filter(|filter| filter.key = Some(format!("key-{number}")));
        inbox.list(&by_key, 10).await.unwrap();
        for state in [StoredState::Running, StoredState::Parked, StoredState::Dead, StoredState::Ready] {
            inbox.list(&filter(|filter| filter.state = Some(state)), 10).await.unwrap();
        }
        let page = filter(|filter| filter.after = Some(EventId(20_000)));
        assert_eq!(inbox.list(&page, 100).await.unwrap()[0].id, EventId(20_001));
        let over = (at(-10), at(100_000 + 20 * i64::try_from(number).unwrap()));
        let counted = inbox.purgeable(over.0, over.1).await.unwrap();
        assert_eq!(inbox.purge(over.0, over.1).await.unwrap(), counted);
    }
    assert_eq!(inbox.show(EventId(1)).await.unwrap().map(|_| ()), None, "a key was purged");
}

/// The plans that read a table of ours from its beginning to its end, with what ran them.
fn whole_tables(log: &str) -> Vec<String> {
    let plans = log.split("planned LOG:").filter(|plan| plan.contains("Query Text"));
    let tables = ["events", "turns", "bodies", "steps"];
    let is_whole = |plan: &&str| tables.iter().any(|table| plan.contains(&format!("Seq Scan on {table}")));
    plans.filter(is_whole).map(str::to_owned).collect()
}

/// The plans of a page that read an index from its beginning, with all that stands before the page.
fn whole_indexes(log: &str) -> Vec<String> {
    let plans = log.split("planned LOG:").filter(|plan| plan.contains("Query Text") && plan.contains("e.id > $"));
    let is_whole = |plan: &&str| {
        let next = plan.lines().skip(1).chain([""]);
        plan.lines().zip(next).any(|(line, next)| line.contains("_pkey on ") && !next.contains("Index Cond"))
    };
    plans.filter(is_whole).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_whole_table() {
    let server = Server::start();
    let admin = server.client().await;
    admin.batch_execute("CREATE DATABASE planned").await.unwrap();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "log_min_messages = log",
    ] {
        admin.batch_execute(&format!("ALTER DATABASE planned SET {setting}")).await.unwrap();
    }
    let url = server.url().replace("/postgres", "/planned");
    // One connection, so that its plans become generic ones.
    let inbox = PostgresInbox::setup().schema(SCHEMA).pool(1).connect(&url).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(FILL).await.unwrap();
    client.batch_execute("ANALYZE").await.unwrap();
    let before = server.log().len();
    work(&inbox).await;
    let log = server.log().split_off(before);
    for word in [
        "WITH suspect AS",
        "accept_1",
        "accept_3",
        "end_1",
        "again_5",
        "erase_5",
        "IS DISTINCT FROM 'erased'",
        "drop_bodies_1",
        "drop_keys_4",
        "turns_due",
        "suspect_2",
        "turns_held",
        "AND e.id > $1",
    ] {
        assert!(log.contains(word), "{word} was planned");
    }
    let whole = [whole_tables(&log), whole_indexes(&log)].concat();
    assert!(whole.is_empty(), "{}", whole.join("\n\n"));

    let before = server.log().len();
    client.batch_execute("SELECT count(*) FROM plans.turns WHERE attempts = 77").await.unwrap();
    assert_eq!(whole_tables(&server.log()[before..]).len(), 1, "control: what has no index is seen");
    inbox.lease(LeaseToken([1; 16]), 1, LEASE, at(-100)).await.unwrap();
}
