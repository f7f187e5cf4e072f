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
    let at = || RedisStore::at(url.expose());
    let right = "write url = \"redis://host:6379/0\", rediss:// for TLS, redis-sentinel://host,host/master, \
                 redis-cluster://host,host";
    place.sound("url", at().build(), right)?;
    let mut setup = at();
    if let Some(deadline) = spec.deadline {
        place.sound("deadline", at().deadline(deadline).build(), "write \"2s\" or leave it out")?;
        setup = setup.deadline(deadline);
    }
    if let Some(prefix) = &spec.prefix {
        place.sound("prefix", at().prefix(prefix.clone()).build(), "write a shorter one, or leave it out")?;
        setup = setup.prefix(prefix.clone());
    }
    if let Some(wait) = spec.wait {
        setup = setup.wait(wait.replicas, wait.time);
    }
    let right = "write wait = { replicas = 1, time = \"500ms\" } beside a longer deadline, or leave it out";
    place.sound("wait", setup.build(), right)
}
