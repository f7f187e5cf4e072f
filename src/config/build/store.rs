//! Where idempotency keys live.

use super::secret;
use crate::config::fault::Place;
use crate::config::spec::{RedisSpec, StoreSpec};
use crate::idempotency::{AnyStore, MemoryStore, RedisStore};

/// The store of `[dedupe]`, which stands in this place.
pub(super) fn store(spec: &StoreSpec, place: &Place<'_>) -> Option<AnyStore> {
    match spec {
        StoreSpec::Memory { capacity: 0 } => {
            let right = "write how many keys to remember, such as 1000000";
            place.fault("capacity", "a store without room takes nothing", right);
            None
        }
        StoreSpec::Memory { capacity } => Some(AnyStore::Memory(MemoryStore::new(*capacity))),
        StoreSpec::Redis(spec) => redis(spec, place).map(AnyStore::Redis),
    }
}

fn redis(spec: &RedisSpec, place: &Place<'_>) -> Option<RedisStore> {
    let source = place.part("url");
    let url = secret::text(&spec.url, &source)?;
    secret::warn_of_readers(&spec.url, &source);
    let mut setup = RedisStore::at(url.expose());
    if let Some(deadline) = spec.deadline {
        setup = setup.deadline(deadline);
    }
    if let Some(prefix) = &spec.prefix {
        setup = setup.prefix(prefix.clone());
    }
    if let Some(wait) = spec.wait {
        setup = setup.wait(wait.replicas, wait.time);
    }
    place.sound("url", setup.build(), "see the documentation of RedisStore for addresses and settings")
}
