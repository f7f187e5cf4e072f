//! The Redis store under the same model, machine and stories as the one in memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tower_webhook::idempotency::RedisStore;
use tower_webhook::testing::contract::Subject;

use super::server::Server;
use crate::laws::exhaustive::{STATES, STATES_OF_TWO_PAYLOADS};
use crate::laws::explorer::explore;
use crate::laws::machine::{Machine, learn, learn_two_payloads};
use crate::laws::sequences::tell_at_once;
use crate::laws::stand::Stand;

/// The tick in milliseconds.
#[derive(Clone, Debug, Default)]
struct Redis<const TICK: u64>;

fn url() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&[])).url()
}

impl<const TICK: u64> Subject for Redis<TICK> {
    type Store = RedisStore;

    async fn store(&self) -> RedisStore {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("laws{}:", NUMBER.fetch_add(1, Ordering::Relaxed));
        RedisStore::at(&url()).prefix(prefix).connect().await.unwrap()
    }

    fn tick(&self) -> Duration {
        Duration::from_millis(TICK)
    }
}

impl<const TICK: u64> Stand for Redis<TICK> {
    const PAUSED: bool = false;
    const SLACK: Duration = Duration::from_millis(2);

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }
}

#[test]
fn no_order_of_messages_breaks_the_redis_store() {
    nothing_breaks(&learn::<Redis<50>>(), STATES);
}

#[test]
fn no_order_of_messages_breaks_the_redis_store_with_two_payloads() {
    nothing_breaks(&learn_two_payloads::<Redis<50>>(), STATES_OF_TWO_PAYLOADS);
}

fn nothing_breaks(machine: &Machine, states: usize) {
    let report = explore(machine, 1);
    assert_eq!((report.states, report.violations.len()), (states, 0), "{:?}", report.violations);
}

#[test]
fn the_redis_store_goes_as_the_model_says() {
    tell_at_once::<Redis<1>>(16, 1000).unwrap_or_else(|why| panic!("{why}"));
}
