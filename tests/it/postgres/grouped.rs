//! Deliveries that wait at the same time share a statement, and nothing else.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;
use tower_webhook::delivery::Fingerprint;
use tower_webhook::inbox::{Accepted, InboxErrorKind, InboxStore as _, NewEvent, PostgresInbox};

use super::server::{PATIENCE, Server};
use super::{at, event, opened, schema};

/// What says `slow` takes a while to store, and what says `bad` cannot be.
const WORDS: &str = "
CREATE FUNCTION inbox.words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.payload = 'slow' THEN
        PERFORM pg_sleep(2);
    ELSIF NEW.payload = 'bad' THEN
        RAISE EXCEPTION 'no such word';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER words BEFORE INSERT ON inbox.bodies FOR EACH ROW EXECUTE FUNCTION inbox.words()";

struct Scene {
    schema: String,
    inbox: PostgresInbox,
    admin: Client,
}

impl Scene {
    async fn new() -> Self {
        let (server, schema) = (Server::shared().await, schema());
        let inbox = opened(server, &schema).await;
        let admin = server.client().await;
        admin.batch_execute(&WORDS.replace("inbox.", &format!("{schema}."))).await.unwrap();
        Self { schema, inbox, admin }
    }

    async fn number(&self, text: &str) -> i64 {
        let text = text.replace("inbox.", &format!("{}.", self.schema));
        self.admin.query_one(&text, &[]).await.unwrap().get(0)
    }

    /// Until so many statements sleep: nobody else is asked for then.
    async fn busy(&self, calls: i64) {
        let asleep = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%\"{}\".accept_3%'",
            self.schema
        );
        let end = Instant::now() + PATIENCE;
        while self.number(&asleep).await < calls {
            assert!(Instant::now() < end, "they are not asked for at the same time");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// These come while two calls are under way.
    async fn behind(&self, deliveries: Vec<Vec<NewEvent>>) -> Vec<Result<Vec<Accepted>, InboxErrorKind>> {
        let accept = async |events| self.inbox.accept(events, at(0)).await.map_err(|error| error.kind());
        let slow = async |number, behind| {
            self.busy(behind).await;
            assert!(matches!(accept(vec![saying("slow", number)]).await.unwrap()[..], [Accepted::Stored(_)]));
        };
        let after = async {
            self.busy(2).await;
            join_all(deliveries.into_iter().map(accept)).await
        };
        tokio::join!(slow(1, 0), slow(2, 1), after).2
    }

    /// In so many transactions are all but what is slow.
    async fn commits(&self) -> i64 {
        self.number("SELECT count(DISTINCT xmin::text) FROM inbox.bodies WHERE payload <> 'slow'").await
    }
}

fn saying(word: &str, number: u64) -> NewEvent {
    let mut event = event(number, None);
    event.payload = word.to_owned().into();
    event.fingerprint = Fingerprint::of(word.as_bytes());
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_share_a_commit_and_each_hears_of_its_own() {
    let scene = Scene::new().await;
    // Keys that do not come in their order, batches, lanes, repeats, and one that says something else.
    let mut deliveries: Vec<_> = (0..20).map(|number| vec![event(100 - number, None)]).collect();
    deliveries.push(vec![event(7, Some("lane")), event(3, None), event(5, Some("lane"))]);
    deliveries.push(vec![event(100, None), event(200, None), event(90, None)]);
    deliveries.push(vec![saying("another", 95), event(95, None)]);
    let sent = deliveries.clone();
    let heard: Vec<_> = scene.behind(deliveries).await.into_iter().map(Result::unwrap).collect();

    for (events, accepted) in sent.iter().zip(&heard) {
        assert_eq!(events.len(), accepted.len());
        for (event, accepted) in events.iter().zip(accepted) {
            let (Accepted::Stored(id) | Accepted::Duplicate(id) | Accepted::Quarantined(id)) = accepted else {
                panic!()
            };
            let history = scene.inbox.show(*id).await.unwrap().unwrap();
            assert_eq!(history.stored.key, event.readable_key, "{accepted:?}");
            assert_eq!(history.payload.as_deref(), Some(&event.payload[..]), "{accepted:?}");
        }
    }
    let stored = |place: usize| matches!(heard[place][..], [Accepted::Stored(_)]);
    assert!((0..20).all(stored), "{heard:?}");
    let [first @ Accepted::Stored(_), Accepted::Stored(_), third @ Accepted::Stored(_)] = heard[20][..] else {
        panic!("{heard:?}")
    };
    assert!(format!("{first:?}") < format!("{third:?}"), "those of a lane in their order");
    let [Accepted::Duplicate(known), Accepted::Stored(_), Accepted::Duplicate(other)] = heard[21][..] else {
        panic!("{heard:?}")
    };
    assert_eq!([heard[0][0], heard[10][0]], [Accepted::Stored(known), Accepted::Stored(other)]);
    assert!(matches!(heard[22][..], [Accepted::Quarantined(_), Accepted::Duplicate(_)]), "{heard:?}");
    let commits = scene.commits().await;
    assert!(commits <= 2, "{commits} for {} deliveries", sent.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_stored_takes_none_of_the_others_along() {
    let scene = Scene::new().await;
    let mut deliveries: Vec<_> = (10..20).map(|number| vec![event(number, None)]).collect();
    deliveries.insert(5, vec![event(30, None), saying("bad", 31)]);
    let heard = scene.behind(deliveries).await;
    for (place, result) in heard.iter().enumerate() {
        match result {
            Err(kind) => assert!(place == 5 && *kind == InboxErrorKind::Unavailable, "{place}: {kind:?}"),
            Ok(accepted) => {
                assert!(place != 5 && matches!(accepted[..], [Accepted::Stored(_)]), "{place}: {accepted:?}")
            }
        }
    }
    assert_eq!(scene.number("SELECT count(*) FROM inbox.events").await, 12, "and nothing of it is there by halves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_lane_that_somebody_holds_lets_the_others_go_first() {
    let scene = Scene::new().await;
    scene.inbox.accept(vec![event(1, Some("held"))], at(0)).await.unwrap();
    let lane = scene.number("SELECT lane FROM inbox.turns").await;
    scene.admin.execute("SELECT pg_advisory_lock($1)", &[&lane]).await.unwrap();
    let accept = async |number, lane| scene.inbox.accept(vec![event(number, lane)], at(0)).await.unwrap();
    let waits = async |number| accept(number, Some("held")).await;
    let others = async {
        for number in 10..20 {
            timeout(PATIENCE, accept(number, None)).await.expect("nobody waits for a lane of others");
        }
        let stored = scene.number("SELECT count(*) FROM inbox.events").await;
        scene.admin.execute("SELECT pg_advisory_unlock($1)", &[&lane]).await.unwrap();
        stored
    };
    let (second, third, stored) = tokio::join!(waits(2), waits(3), others);
    assert_eq!(stored, 11, "they were not there before it was free");
    assert!(
        matches!((&second[..], &third[..]), ([Accepted::Stored(_)], [Accepted::Stored(_)])),
        "{second:?} {third:?}"
    );
}
