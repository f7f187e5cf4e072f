//! `[inbox]`.

use std::path::Path;

use super::secret::{named_secret, unread};
use super::section::Section;
use crate::config::spec::{InboxRetentionSpec, InboxSpec, InboxStoreSpec, PostgresSpec, QuotaSpec, RetrySpec};

pub(super) fn read(section: &Section<'_>, folder: &Path) -> InboxSpec {
    let mut spec = InboxSpec::new(store(section, folder));
    spec.lease = section.some_time("lease").unwrap_or(spec.lease);
    spec.retry = section.section("retry").map(|part| retry(&part)).unwrap_or_default();
    spec.retention = section.section("retention").map(|part| retention(&part)).unwrap_or_default();
    spec.quota = section.section("quota").map(|part| quota(&part)).unwrap_or_default();
    section.finish();
    spec
}

fn store(section: &Section<'_>, folder: &Path) -> InboxStoreSpec {
    const RIGHT: &str = "write \"sqlite\" or \"postgres\"";
    match section.needed("kind", RIGHT) {
        Some("sqlite") | None => sqlite(section, folder, true),
        Some("postgres") => InboxStoreSpec::Postgres(postgres(section, folder)),
        Some(other) => {
            section.fault("kind", format_args!("{other:?} is not known"), RIGHT);
            sqlite(section, folder, false)
        }
    }
}

fn sqlite(section: &Section<'_>, folder: &Path, is_meant: bool) -> InboxStoreSpec {
    const RIGHT: &str = "write the file it is to live in, such as path = \"inbox.db\"";
    let path = if is_meant { section.needed("path", RIGHT) } else { section.text("path") };
    if path == Some("") {
        section.fault("path", "is empty", RIGHT);
    }
    InboxStoreSpec::Sqlite(folder.join(path.unwrap_or("inbox.db")))
}

fn postgres(section: &Section<'_>, folder: &Path) -> PostgresSpec {
    const RIGHT: &str = "write url = \"postgres://user@127.0.0.1:5432/database\", or url = { env = \"…\" }";
    // With Postgres a path says nothing, and is no fault: a file is easily switched over.
    section.has("path");
    let mut spec = PostgresSpec::new(named_secret(section, "url", folder, RIGHT).unwrap_or_else(unread));
    spec.schema = section.text("schema").map(str::to_owned);
    spec.deadline = section.some_time("deadline");
    spec.root_certificate = section.text("root_certificate").map(|path| folder.join(path));
    spec
}

fn retry(part: &Section<'_>) -> RetrySpec {
    let mut spec = RetrySpec::default();
    spec.base = part.some_time("base").unwrap_or(spec.base);
    spec.cap = part.some_time("cap").unwrap_or(spec.cap);
    if let Some(count) = part.count("attempts") {
        spec.attempts = u32::try_from(count).unwrap_or(u32::MAX);
    }
    part.finish();
    spec
}

fn retention(part: &Section<'_>) -> InboxRetentionSpec {
    let usual = InboxRetentionSpec::default();
    let spec =
        InboxRetentionSpec { keys: part.some_time("keys"), bodies: part.some_time("bodies").unwrap_or(usual.bodies) };
    part.finish();
    spec
}

fn quota(part: &Section<'_>) -> QuotaSpec {
    let wide = |count: Option<usize>| count.and_then(|count| u64::try_from(count).ok());
    let spec = QuotaSpec {
        rows: wide(part.count("rows")),
        bytes: wide(part.size("bytes")),
        free_disk: wide(part.size("free_disk")),
    };
    part.finish();
    spec
}
