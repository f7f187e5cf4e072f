//! The contract suite against a real server, and two stores that it must refuse.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    BoxStore, Claim, DedupeStore, Held, LostReason, RedisStore, StoreError, StoredResponse, Terms, Token,
};
use tower_webhook::testing::contract::{Law, Subject};

use super::server::Server;
use super::{FIRST, claim, key_text, text};

/// Long enough for a replica on a busy machine.
const WAIT: Duration = Duration::from_secs(4);

/// Stores on one server, kept apart by their prefixes.
struct Redis {
    server: Arc<Server>,
    number: AtomicU32,
    wait: bool,
}

impl Redis {
    fn on(server: &Arc<Server>) -> Self {
        Self { server: Arc::clone(server), number: AtomicU32::new(0), wait: false }
    }

    fn prefix(&self) -> String {
        format!("{:p}.{}:", self, self.number.fetch_add(1, Ordering::Relaxed))
    }
}

impl Subject for Redis {
    type Store = RedisStore;

    async fn store(&self) -> RedisStore {
        let setup = RedisStore::at(&self.server.url()).prefix(self.prefix());
        let setup = if self.wait { setup.deadline(10 * WAIT / 4).wait(1, WAIT) } else { setup };
        setup.connect().await.unwrap()
    }

    fn tick(&self) -> Duration {
        Duration::from_millis(250)
    }
}

/// One store, as it is handed to several receivers: cloned, shared, and with its type forgotten.
struct Handed<S>(Redis, fn(RedisStore) -> S);

impl<S: DedupeStore> Subject for Handed<S> {
    type Store = S;

    async fn store(&self) -> S {
        self.1(self.0.store().await)
    }

    fn tick(&self) -> Duration {
        self.0.tick()
    }
}

/// Every law at once, each on a store of its own: most of their time is waiting.
async fn check<B: Subject>(subject: &B) {
    futures_util::future::join_all(Law::ALL.iter().map(|law| law.check(subject))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_every_law() {
    let server = Arc::new(Server::start(&[]));
    check(&Redis::on(&server)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_every_law_however_it_is_handed_on() {
    let server = Arc::new(Server::start(&[]));
    let redis = || Redis::on(&server);
    let (shared, boxed) = (Handed(redis(), Arc::new), Handed(redis(), BoxStore::new));
    // The original is dropped.
    let cloned = Handed(redis(), |store| store.clone());
    tokio::join!(check(&shared), check(&boxed), check(&cloned));
}

#[tokio::test]
async fn clones_share_a_connection_and_two_stores_do_not() {
    let server = Server::start(&[]);
    // By its last command: a claim ends in a GET.
    let connections = || server.command(&["CLIENT", "LIST"]).lines().filter(|line| line.contains("cmd=get")).count();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let clone = store.clone();
    assert_eq!((claim(&store, 1, 1).await, claim(&clone, 2, 1).await), (FIRST, FIRST));
    assert_eq!(connections(), 1);
    let other = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&other, 3, 1).await, FIRST);
    assert_eq!(connections(), 2, "control");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_that_waits_for_a_replica_keeps_every_law() {
    let server = Arc::new(Server::start(&["--repl-diskless-sync-delay", "0"]));
    let _replica = Server::replica_of(&server);
    check(&Redis { wait: true, ..Redis::on(&server) }).await;
}

/// What a script of a [`Flawed`] store does in the place of ours.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    ReleaseDeletes,
    ClaimDeletesFirst,
}

struct Flawed {
    store: RedisStore,
    server: Arc<Server>,
    prefix: String,
    flaw: Flaw,
}

impl DedupeStore for Flawed {
    fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send {
        if let Flaw::ClaimDeletesFirst = self.flaw {
            self.server.command(&["DEL", &key_text(&self.prefix, key)]);
        }
        self.store.claim(key, token, fingerprint, terms)
    }

    fn renew(
        &self,
        key: &KeyHash,
        token: &Token,
        lease: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        self.store.renew(key, token, lease)
    }

    fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        self.store.complete(key, token, response, retention)
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        let Flaw::ReleaseDeletes = self.flaw else { return self.store.release(key, token, delay).await };
        const DELETE: &str = "local record = redis.call('GET', KEYS[1])
            if record and string.sub(record, 1, 17) == 'P' .. ARGV[1] then return redis.call('DEL', KEYS[1]) end
            return 0";
        let key = key_text(&self.prefix, key);
        let words: [&[u8]; 5] = [b"EVAL", DELETE.as_bytes(), b"1", key.as_bytes(), token.as_bytes()];
        let deleted = self.server.command(&words);
        Ok(if deleted == "1" { Held::Ok } else { Held::Lost(LostReason::Gone) })
    }
}

struct FlawedSubject(Redis, Flaw);

impl Subject for FlawedSubject {
    type Store = Flawed;

    async fn store(&self) -> Flawed {
        let prefix = self.0.prefix();
        let store = RedisStore::at(&self.0.server.url()).prefix(prefix.clone()).connect().await.unwrap();
        Flawed { store, server: Arc::clone(&self.0.server), prefix, flaw: self.1 }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_deletes_is_refused_at_its_law() {
    let server = Arc::new(Server::start(&[]));
    for (flaw, law) in [(Flaw::ReleaseDeletes, Law::FenceGrows), (Flaw::ClaimDeletesFirst, Law::DoneStays)] {
        let subject = FlawedSubject(Redis::on(&server), flaw);
        let broken = AssertUnwindSafe(law.check(&subject)).catch_unwind().await.expect_err("the suite passes it");
        let said = text(&*broken);
        assert!(said.starts_with(&law.to_string()), "{flaw:?} fails elsewhere: {said}");
    }
}
