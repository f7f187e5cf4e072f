//! A replica takes over, with and without replicas being waited for: cases 9 and 10.

use std::collections::BTreeSet;
use std::time::Duration;

use tower_webhook::idempotency::redis::RedisSetup;
use tower_webhook::idempotency::{Held, LostReason, RedisStore, StoreError, StoreErrorKind};

use super::proxy::{Plan, Proxy, Way};
use super::server::Server;
use super::{FIRST, claim, complete, is_done, waits};

/// What became of claims before and while the replica heard nothing, seen after it took over.
struct Outcome {
    acknowledged: BTreeSet<u32>,
    refused: usize,
    known: BTreeSet<u32>,
    completions: Vec<Result<Held, StoreError>>,
}

/// With time enough for a replica on a busy machine.
fn waiting(setup: RedisSetup) -> RedisSetup {
    setup.deadline(Duration::from_secs(5)).wait(1, Duration::from_millis(1500))
}

/// Whether the replica has read all that the primary wrote.
fn in_step(primary: &Server, replica: &Server) -> bool {
    let offset = |server: &Server, name: &str| {
        let info = server.command(&["INFO", "replication"]);
        info.lines().find_map(|line| line.strip_prefix(name).map(|offset| offset.trim().to_owned()))
    };
    offset(primary, "master_repl_offset:") == offset(replica, "slave_repl_offset:")
}

async fn fail_over(wait: bool) -> Outcome {
    let mut primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let link = Proxy::to(primary.port()).await;
    let replica = Server::replica_through(link.port(), &primary);
    let setup = RedisStore::at(&primary.url());
    let setup = if wait { waiting(setup).connections(4) } else { setup };
    let store = setup.connect().await.unwrap();

    let mut outcome =
        Outcome { acknowledged: BTreeSet::new(), refused: 0, known: BTreeSet::new(), completions: Vec::new() };
    for number in 0..203 {
        if number == 200 {
            primary.until("the replica has it all", |primary| in_step(primary, &replica));
            link.plan(Plan::CutAll(Way::Reply));
        }
        match claim(&store, number, 1).await {
            FIRST => _ = outcome.acknowledged.insert(number),
            Err(error) if error.kind() == StoreErrorKind::Unavailable => outcome.refused += 1,
            other => panic!("claim {number}: {other:?}"),
        }
    }
    primary.kill();
    replica.command(&["REPLICAOF", "NO", "ONE"]);

    let after = RedisStore::connect(&replica.url()).await.unwrap();
    for number in &outcome.acknowledged {
        let completion = complete(&after, *number, 1).await;
        if completion == Ok(Held::Ok) {
            outcome.known.insert(*number);
        }
        outcome.completions.push(completion);
    }
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_replica_that_is_waited_for_no_acknowledged_claim_is_lost() {
    let outcome = fail_over(true).await;
    assert_eq!(outcome.acknowledged, (0..200).collect(), "all that the replica could have");
    assert_eq!(outcome.refused, 3, "what it could not have is not acquired");
    assert_eq!(outcome.known, outcome.acknowledged);
}

/// The control of the one above, and what tells of the loss: the completion finds its record gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_it_claims_are_lost_and_their_completions_say_so() {
    let outcome = fail_over(false).await;
    assert_eq!(outcome.acknowledged.len(), 203, "nothing was refused");
    assert_eq!(outcome.known, (0..200).collect(), "what the replica had");
    let lost: Vec<_> = outcome.completions.iter().filter(|held| **held != Ok(Held::Ok)).collect();
    assert_eq!(lost, [&Ok(Held::Lost(LostReason::Gone)); 3]);
}

/// A completion that too few replicas had is not taken for done when it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completion_is_done_only_when_a_replica_has_it() {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let store = waiting(RedisStore::at(&primary.url())).connect().await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    replica.freeze();
    for attempt in 0..2 {
        assert_eq!(complete(&store, 0, 1).await, Err(StoreErrorKind::Unavailable.into()), "attempt {attempt}");
    }
    assert_eq!(claim(&store, 1, 1).await, Err(StoreErrorKind::Unavailable.into()), "not acquired");
    assert_eq!(claim(&store, 0, 2).await, Err(StoreErrorKind::Unavailable.into()), "nobody is told that it is done");
    let hasty = RedisStore::connect(&primary.url()).await.unwrap();
    assert!(claim(&hasty, 0, 2).await.is_ok_and(|claim| is_done(&claim)), "control: one that does not wait is told");
    replica.thaw();
    assert!(claim(&store, 0, 2).await.is_ok_and(|claim| is_done(&claim)), "now that a replica has it");
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    assert_eq!(claim(&store, 1, 1).await, FIRST, "the same token, now that a replica has it");
    assert!(waits(&claim(&store, 1, 2).await));
}

/// Nor is one that another did on a connection of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_wrote_is_told_only_when_a_replica_has_it() {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let hasty = RedisStore::connect(&primary.url()).await.unwrap();
    let store = waiting(RedisStore::at(&primary.url())).connections(1).connect().await.unwrap();
    assert_eq!(claim(&store, 9, 1).await, FIRST, "it has a connection");
    replica.freeze();
    for number in 0..3 {
        assert_eq!(claim(&hasty, number, 1).await, FIRST);
    }
    assert_eq!(complete(&hasty, 0, 1).await, Ok(Held::Ok));
    assert_eq!(claim(&store, 0, 2).await, Err(StoreErrorKind::Unavailable.into()), "done");
    assert_eq!(claim(&store, 1, 2).await, Err(StoreErrorKind::Unavailable.into()), "held");
    replica.thaw();
    assert!(claim(&store, 0, 2).await.is_ok_and(|claim| is_done(&claim)), "now that a replica has it");
    assert!(waits(&claim(&store, 1, 2).await));
}

/// Waiting costs no round trip of its own, and the repeat of a done event no script.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_waited_for_takes_one_round_trip() {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let _replica = Server::replica_of(&primary);
    let proxy = Proxy::to(primary.port()).await;
    let store = waiting(RedisStore::at(&proxy.url())).connections(1).connect().await.unwrap();
    let trips = || {
        let trips = proxy.trips();
        proxy.plan(Plan::Pass);
        trips
    };
    assert_eq!((claim(&store, 0, 1).await, complete(&store, 0, 1).await), (FIRST, Ok(Held::Ok)));
    assert!(
        waits(&{
            claim(&store, 1, 1).await.unwrap();
            claim(&store, 1, 2).await
        }),
        "the server knows all scripts"
    );
    trips();
    assert_eq!((claim(&store, 2, 1).await, trips()), (FIRST, 1), "a first claim");
    assert_eq!((complete(&store, 2, 1).await, trips()), (Ok(Held::Ok), 1), "a completion");
    assert_eq!((claim(&store, 2, 2).await.is_ok_and(|claim| is_done(&claim)), trips()), (true, 1), "a repeat");
    assert_eq!((waits(&claim(&store, 1, 2).await), trips()), (true, 2), "control: of a held one a script decides");
    let waited = primary.command(&["INFO", "commandstats"]);
    let calls = |name: &str| {
        let line = waited.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":calls=")).unwrap_or("0,");
        line.split_once(',').unwrap().0.parse::<u32>().unwrap()
    };
    assert!(calls("cmdstat_wait") >= 9, "each was waited for: {waited}");
    assert_eq!(calls("cmdstat_evalsha"), 4, "two of them were not known at first: {waited}");
}

/// More callers than connections: they wait in line, and a slow replica does not mix them up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_for_waiting_are_bounded() {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let _replica = Server::replica_of(&primary);
    let store = waiting(RedisStore::at(&primary.url())).connections(3);
    let store = store.connect().await.unwrap();
    let claims = (0..100).map(|number| claim(&store, number, 1));
    for (number, answer) in futures_util::future::join_all(claims).await.into_iter().enumerate() {
        assert_eq!(answer, FIRST, "claim {number}");
    }
    let clients = primary.command(&["CLIENT", "LIST", "TYPE", "normal"]);
    assert!(clients.lines().filter(|line| line.contains("cmd=wait")).count() <= 3, "{clients}");
}
