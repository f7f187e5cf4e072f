//! `[inbox]`, checked.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::fault::Place;
use crate::config::spec::{EndpointSpec, InboxRetentionSpec, InboxSpec, QuotaSpec, RetrySpec};
use crate::inbox::{AnyInbox, InboxError, Quota, SqliteInbox};

/// A durable inbox, checked. Nothing of it has been opened yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inbox {
    /// Its file.
    pub path: PathBuf,
    /// How long a worker holds an event without renewal.
    pub lease: Duration,
    /// When an event that failed is tried again.
    pub retry: RetrySpec,
    /// How long events are remembered.
    pub retention: InboxRetentionSpec,
    /// Beyond this nothing is accepted.
    pub quota: Quota,
}

impl Inbox {
    /// Opens it as its one owner, within its quota. A worker takes `lease` and `retry` by itself.
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or its file cannot be reached.
    pub async fn open(&self) -> Result<AnyInbox, InboxError> {
        SqliteInbox::setup().quota(self.quota).open(&self.path).await.map(AnyInbox::Sqlite)
    }
}

impl InboxSpec {
    /// Opens it beside its owner, to look and to replay, purge or erase.
    ///
    /// # Errors
    ///
    /// There is none, it is no inbox or of another version, or its file cannot be reached.
    pub async fn visit(&self) -> Result<AnyInbox, InboxError> {
        SqliteInbox::visit(&self.path).await.map(AnyInbox::Sqlite)
    }
}

pub(super) fn inbox(spec: &InboxSpec, place: &Place<'_>) -> Inbox {
    if spec.lease < Duration::from_secs(1) {
        place.fault("lease", "is shorter than a second", "write \"30s\" or leave it out");
    }
    check_retry(&spec.retry, &place.part("retry"));
    let retention = spec.retention;
    if retention.keys.is_some_and(|keys| keys < retention.bodies) {
        let right = "keys outlive bodies: write a longer time for keys, or a shorter one for bodies";
        place.part("retention").fault("keys", "is shorter than bodies", right);
    }
    Inbox {
        path: spec.path.clone(),
        lease: spec.lease,
        retry: spec.retry,
        retention,
        quota: quota(spec.quota, &place.part("quota")),
    }
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
pub(super) fn check_endpoints(endpoints: &[EndpointSpec], root: &Place<'_>) {
    for (at, _) in endpoints.iter().enumerate().filter(|(_, endpoint)| endpoint.dangerous_run_unprotected) {
        let right = "leave it out: nothing is handled before it is stored";
        root.item("endpoint", at).fault("dangerous_run_unprotected", "means nothing with an [inbox]", right);
    }
    let to = |endpoint: &EndpointSpec| endpoint.forward.as_ref().map(|forward| forward.to.clone());
    for (at, endpoint) in endpoints.iter().enumerate() {
        let name = |endpoint: &EndpointSpec| endpoint.name.as_ref().unwrap_or(&endpoint.path).clone();
        let is_apart = |other: &EndpointSpec| name(other) == name(endpoint) && to(other) != to(endpoint);
        if endpoints.iter().take(at).any(is_apart) {
            let right = "give all endpoints of a name one forward_to, or each a name of its own";
            root.item("endpoint", at).fault("forward_to", "is not that of the others of its name", right);
        }
    }
}
