//! What stays as it is while a program runs: addresses that are listened on, and what remembers events.

use std::collections::BTreeMap;

use crate::config::spec::{ConfigSpec, DedupeSpec, InboxSpec, InboxStoreSpec, SecretSource, SecretText, StoreSpec};

/// By key of the file; some are secret.
pub(super) type Fixed = BTreeMap<&'static str, SecretText>;

pub(super) fn fixed(spec: &ConfigSpec) -> Fixed {
    let mut fixed = Fixed::new();
    put(&mut fixed, "listen", spec.listen);
    put(&mut fixed, "admin", spec.admin.map(|admin| admin.to_string()).unwrap_or_default());
    // It is a part of every key that is remembered.
    put(&mut fixed, "tenant", &spec.tenant);
    match &spec.inbox {
        Some(inbox) => of_inbox(inbox, &mut fixed),
        None => of_dedupe(&spec.dedupe, &mut fixed),
    }
    put(&mut fixed, "inbox.kind", spec.inbox.as_ref().map_or("none", |inbox| kind(&inbox.store)));
    fixed
}

fn put(fixed: &mut Fixed, key: &'static str, text: impl ToString) {
    fixed.insert(key, SecretText::new(text.to_string()));
}

fn kind(store: &InboxStoreSpec) -> &'static str {
    match store {
        InboxStoreSpec::Sqlite(_) => "sqlite",
        InboxStoreSpec::Postgres(_) => "postgres",
    }
}

fn of_dedupe(spec: &DedupeSpec, fixed: &mut Fixed) {
    match &spec.store {
        StoreSpec::Memory { capacity } => {
            put(fixed, "dedupe.kind", "memory");
            put(fixed, "dedupe.capacity", capacity);
        }
        StoreSpec::Redis(redis) => {
            put(fixed, "dedupe.kind", "redis");
            secret(fixed, "dedupe.url", &redis.url);
            put(fixed, "dedupe.deadline", format!("{:?}", redis.deadline));
            put(fixed, "dedupe.prefix", format!("{:?}", redis.prefix));
            put(fixed, "dedupe.wait", format!("{:?}", redis.wait));
        }
    }
}

fn of_inbox(spec: &InboxSpec, fixed: &mut Fixed) {
    match &spec.store {
        InboxStoreSpec::Sqlite(path) => put(fixed, "inbox.path", path.display()),
        InboxStoreSpec::Postgres(postgres) => {
            secret(fixed, "inbox.url", &postgres.url);
            put(fixed, "inbox.schema", format!("{:?}", postgres.schema));
            put(fixed, "inbox.deadline", format!("{:?}", postgres.deadline));
            put(fixed, "inbox.root_certificate", format!("{:?}", postgres.root_certificate));
        }
    }
    put(fixed, "inbox.lease", format!("{:?}", spec.lease));
    put(fixed, "inbox.retry", format!("{:?}", spec.retry));
    put(fixed, "inbox.retention.bodies", format!("{:?}", spec.retention.bodies));
    put(fixed, "inbox.quota", format!("{:?}", spec.quota));
}

/// As it is now: what is read anew later may be another.
fn secret(fixed: &mut Fixed, key: &'static str, source: &SecretSource) {
    if let Ok(text) = source.text() {
        fixed.insert(key, text);
    }
}
