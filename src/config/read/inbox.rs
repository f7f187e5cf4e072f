//! `[inbox]`.

use std::path::Path;

use super::section::Section;
use crate::config::spec::{InboxRetentionSpec, InboxSpec, QuotaSpec, RetrySpec};

pub(super) fn read(section: &Section<'_>, folder: &Path) -> InboxSpec {
    const RIGHT: &str = "write the file it is to live in, such as path = \"inbox.db\"";
    let path = if is_sqlite(section) { section.needed("path", RIGHT) } else { section.text("path") };
    if path == Some("") {
        section.fault("path", "is empty", RIGHT);
    }
    let mut spec = InboxSpec::sqlite(folder.join(path.unwrap_or("inbox.db")));
    spec.lease = section.some_time("lease").unwrap_or(spec.lease);
    spec.retry = section.section("retry").map(|part| retry(&part)).unwrap_or_default();
    spec.retention = section.section("retention").map(|part| retention(&part)).unwrap_or_default();
    spec.quota = section.section("quota").map(|part| quota(&part)).unwrap_or_default();
    section.finish();
    spec
}

/// Whether it is one of SQLite, or meant to be.
fn is_sqlite(section: &Section<'_>) -> bool {
    const RIGHT: &str = "write kind = \"sqlite\"";
    match section.needed("kind", RIGHT) {
        Some("sqlite") | None => return true,
        Some("postgres") => {
            // What stands with it is known, so that this is the one thing said.
            section.has("url");
            section.fault("kind", "\"postgres\" is not built yet", RIGHT);
        }
        Some(other) => section.fault("kind", format_args!("{other:?} is not known"), RIGHT),
    }
    false
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
