//! `[dedupe]`: where idempotency keys live, and for how long.

use std::path::Path;
use std::time::Duration;

use tower_webhook::idempotency::RedisStore;

use super::keys;
use super::reader::Section;

/// How events are claimed.
pub(crate) struct Dedupe {
    pub(crate) keys: Keys,
    pub(crate) lease: Option<Duration>,
    pub(super) retention: Option<Duration>,
}

/// Where idempotency keys live.
pub(crate) enum Keys {
    Memory { capacity: usize },
    Redis { store: Box<RedisStore>, strict: bool },
}

impl Default for Dedupe {
    fn default() -> Self {
        Self { keys: Keys::Memory { capacity: 1_000_000 }, lease: None, retention: None }
    }
}

pub(super) fn read(root: &Section<'_>, folder: &Path) -> Dedupe {
    let Some(section) = root.section("dedupe") else { return Dedupe::default() };
    let keys = match section.text("kind") {
        None | Some("memory") => Some(memory(&section)),
        Some("redis") => redis(&section, folder),
        Some(_) => {
            section.fault("kind", "is not known", "write \"memory\" or \"redis\"");
            None
        }
    };
    let lease = section.some_time("lease");
    if lease.is_some_and(|lease| lease < Duration::from_secs(1)) {
        section.fault("lease", "is shorter than a second", "write \"30s\" or leave it out");
    }
    let retention = section.some_time("retention");
    section.finish();
    // Without keys there is a fault, and nothing is built of this.
    Dedupe { keys: keys.unwrap_or(Keys::Memory { capacity: 0 }), lease, retention }
}

fn memory(section: &Section<'_>) -> Keys {
    let capacity = section.count("capacity").unwrap_or(1_000_000);
    if capacity == 0 {
        let right = "write how many keys to remember, such as 1000000";
        section.fault("capacity", "a store without room takes nothing", right);
    }
    Keys::Memory { capacity }
}

/// `url` may hold a password, and may come from the environment or a file like any other secret.
fn redis(section: &Section<'_>, folder: &Path) -> Option<Keys> {
    // What is for memory alone says nothing here, and is no fault: a file is easily switched over.
    let _ = section.count("capacity");
    let url = match section.plain_text("url") {
        Some(url) => Some(url.to_owned()),
        None if section.has("url") => section.section("url").and_then(|url| {
            let text = keys::secret_text(&url, folder);
            keys::warn_of_readers(&url, folder);
            url.finish();
            text
        }),
        None => {
            section.fault("url", "is missing", "write url = \"redis://127.0.0.1:6379\", or url = { env = \"…\" }");
            None
        }
    };
    let strict = section.truth("strict").unwrap_or(false);
    let (deadline, prefix) = (section.some_time("deadline"), section.text("prefix"));
    let wait = section.section("wait").map(|wait| {
        let replicas = wait.count("replicas").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        let time = wait.some_time("time").unwrap_or(Duration::from_millis(500));
        wait.finish();
        (replicas, time)
    });
    let mut setup = RedisStore::at(&url?);
    if let Some(deadline) = deadline {
        setup = setup.deadline(deadline);
    }
    if let Some(prefix) = prefix {
        setup = setup.prefix(prefix.to_owned());
    }
    if let Some((replicas, time)) = wait {
        setup = setup.wait(replicas, time);
    }
    match setup.build() {
        Ok(store) => Some(Keys::Redis { store: Box::new(store), strict }),
        Err(error) => {
            section.fault("url", error, "see the documentation of RedisStore for addresses and settings");
            None
        }
    }
}
