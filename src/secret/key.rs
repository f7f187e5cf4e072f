//! A secret with a name and a time.

use std::sync::Arc;

use jiff::Timestamp;

use super::bytes::Secret;

/// A secret with a name and the time in which it is valid.
#[derive(Clone, Debug)]
pub struct Key {
    id: Arc<str>,
    secret: Secret,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

impl Key {
    /// A key that is always valid. The id is for logs and metrics and is no secret.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, secret: Secret) -> Self {
        Self { id: id.into(), secret, not_before: None, not_after: None }
    }

    /// The key is refused before this time. Default: no such time.
    #[must_use]
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// The key is refused after this time. Default: no such time.
    #[must_use]
    pub fn not_after(mut self, time: Timestamp) -> Self {
        self.not_after = Some(time);
        self
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn shared_id(&self) -> &Arc<str> {
        &self.id
    }

    /// Whether its time ends before it begins.
    pub(super) fn is_never_valid(&self) -> bool {
        self.not_before.zip(self.not_after).is_some_and(|(start, end)| end < start)
    }

    pub(super) fn valid_at(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|start| start <= now) && self.not_after.is_none_or(|end| now <= end)
    }
}
