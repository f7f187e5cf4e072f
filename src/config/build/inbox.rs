//! `[inbox]`, checked.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::secret;
use crate::config::fault::{Faults, Found, Place};
use crate::config::spec::{
    ConfigSpec, EndpointSpec, InboxRetentionSpec, InboxSpec, InboxStoreSpec, PostgresSpec, QuotaSpec, RetrySpec,
    SecretText,
};
use crate::inbox::{AnyInbox, InboxError, PostgresInbox, PostgresSetup, Quota, SqliteInbox};

/// A durable inbox, checked. Nothing of it has been opened yet. `Display` says where it is, without a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inbox {
    place: At,
    /// How long a worker holds an event without renewal.
    pub lease: Duration,
    /// When an event that failed is tried again.
    pub retry: RetrySpec,
    /// How long events are remembered.
    pub retention: InboxRetentionSpec,
    /// Beyond this nothing is accepted.
    pub quota: Quota,
}

#[derive(Clone, Debug)]
enum At {
    Sqlite(PathBuf),
    Postgres(PostgresSetup, SecretText),
}

impl fmt::Display for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            At::Sqlite(path) => write!(f, "{}", path.display()),
            At::Postgres(..) => f.write_str("postgres"),
        }
    }
}

impl Inbox {
    /// The file that it is in; `None` where it is a server's.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            At::Sqlite(path) => Some(path),
            At::Postgres(..) => None,
        }
    }

    /// Opens it to receive and to work, within its quota: a file as its one owner, Postgres as one of any number. A worker takes
    /// `lease` and `retry` by itself.
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or it cannot be reached.
    pub async fn open(&self) -> Result<AnyInbox, InboxError> {
        match &self.place {
            At::Sqlite(path) => SqliteInbox::setup().quota(self.quota).open(path).await.map(AnyInbox::Sqlite),
            At::Postgres(setup, url) => {
                setup.clone().quota(self.quota).connect(url.expose()).await.map(AnyInbox::Postgres)
            }
        }
    }

    /// Opens it beside its owner, to look and to replay, purge or erase.
    ///
    /// # Errors
    ///
    /// There is none, it is no inbox or of another version, or it cannot be reached.
    pub async fn visit(&self) -> Result<AnyInbox, InboxError> {
        match &self.place {
            At::Sqlite(path) => SqliteInbox::visit(path).await.map(AnyInbox::Sqlite),
            At::Postgres(setup, url) => setup.clone().pool(1).connect(url.expose()).await.map(AnyInbox::Postgres),
        }
    }
}

impl ConfigSpec {
    /// Its inbox alone, for who looks after it: no secret of an endpoint is looked up.
    ///
    /// # Errors
    ///
    /// All [`Faults`] of the inbox.
    pub fn build_inbox(&self) -> Result<Option<Inbox>, Faults> {
        let found = Found::in_file(self.file.clone());
        let Some(spec) = &self.inbox else { return Ok(None) };
        let inbox = inbox(spec, &Place::root(&found).part("inbox"));
        found.or_faults(inbox).map(Some)
    }
}

pub(super) fn inbox(spec: &InboxSpec, place: &Place<'_>) -> Option<Inbox> {
    if spec.lease < Duration::from_secs(1) {
        place.fault("lease", "is shorter than a second", "write \"30s\" or leave it out");
    }
    check_retry(&spec.retry, &place.part("retry"));
    let retention = spec.retention;
    if retention.keys.is_some_and(|keys| keys < retention.bodies) {
        let right = "keys outlive bodies: write a longer time for keys, or a shorter one for bodies";
        place.part("retention").fault("keys", "is shorter than bodies", right);
    }
    let quota = quota(spec.quota, &place.part("quota"));
    let at = match &spec.store {
        InboxStoreSpec::Sqlite(path) => At::Sqlite(path.clone()),
        InboxStoreSpec::Postgres(spec) => postgres(spec, place)?,
    };
    Some(Inbox { place: at, lease: spec.lease, retry: spec.retry, retention, quota })
}

fn postgres(spec: &PostgresSpec, place: &Place<'_>) -> Option<At> {
    const RIGHT: &str =
        "write url = \"postgres://user@host:5432/database\", with sslmode=disable, prefer or require where it says one";
    let mut setup = PostgresInbox::setup();
    if let Some(schema) = &spec.schema {
        setup = setup.schema(schema.clone());
        let right = "write 1 to 40 of a to z, 0 to 9 and _";
        place.sound("schema", setup.check().map_err(said), right)?;
    }
    if let Some(deadline) = spec.deadline {
        setup = setup.deadline(deadline);
    }
    if let Some(path) = &spec.root_certificate {
        let right = "give the path of a readable PEM file";
        let pem = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
        setup = setup.root_certificate(place.sound("root_certificate", pem, right)?);
        place.sound("root_certificate", setup.check().map_err(said), right)?;
    }
    let source = place.part("url");
    let url = secret::text(&spec.url, &source)?;
    secret::warn_of_readers(&spec.url, &source);
    place.sound("url", setup.check_url(url.expose()).map_err(said), RIGHT)?;
    Some(At::Postgres(setup, url))
}

/// What is wrong with a setting, without that it is one of an inbox.
fn said(error: InboxError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn check_retry(retry: &RetrySpec, place: &Place<'_>) {
    if retry.attempts == 0 {
        place.fault("attempts", "is nothing: no event would be handled", "write 1 or more, such as 20");
    }
    if retry.cap < retry.base {
        place.fault("cap", "is shorter than base", "write a time as long as base, or longer");
    }
}

fn quota(spec: QuotaSpec, place: &Place<'_>) -> Quota {
    if spec.rows == Some(0) {
        place.fault("rows", "is nothing: with that no delivery could be accepted", "write 1 or more, such as 10000000");
    }
    let mut quota = Quota::default();
    quota.rows = spec.rows.unwrap_or(quota.rows);
    quota.bytes = spec.bytes.unwrap_or(quota.bytes);
    quota.free_disk = spec.free_disk.unwrap_or(quota.free_disk);
    quota
}

/// What endpoints say that means nothing when events are stored before they are handled. Of an event its receiver's name is
/// stored, and so endpoints of one name hand over to one service.
pub(super) fn check_endpoints(spec: &ConfigSpec, root: &Place<'_>) {
    let endpoints = &spec.endpoints;
    for (at, _) in endpoints.iter().enumerate().filter(|(_, endpoint)| endpoint.dangerous_run_unprotected) {
        let right = "leave it out: nothing is handled before it is stored";
        root.item("endpoint", at).fault("dangerous_run_unprotected", "means nothing with an [inbox]", right);
    }
    let passes_gone = |endpoint: &EndpointSpec| endpoint.forward.as_ref().is_some_and(|forward| forward.pass_gone);
    for (at, _) in endpoints.iter().enumerate().filter(|(_, endpoint)| passes_gone(endpoint)) {
        let right = "leave it out: a sender is answered before its event is handed over";
        root.item("endpoint", at).fault("pass_gone", "means nothing with an [inbox]", right);
    }
    for (at, endpoint) in endpoints.iter().enumerate() {
        let namesakes = || endpoints.iter().take(at).filter(|other| other.receiver() == endpoint.receiver());
        let place = root.item("endpoint", at);
        if namesakes().any(|other| other.forward != endpoint.forward) {
            let right =
                "give all endpoints of a name one forward_to with the same around it, or each a name of its own";
            place.fault("forward_to", "is not that of the others of its name", right);
        }
        let is_quiet = |endpoint: &EndpointSpec| endpoint.quiet_payloads.unwrap_or(spec.quiet_payloads);
        if namesakes().any(|other| is_quiet(other) != is_quiet(endpoint)) {
            let right = "give all endpoints of a name the same, or each a name of its own";
            place.fault("quiet_payloads", "is not that of the others of its name", right);
        }
    }
}
