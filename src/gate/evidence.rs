//! Evidence that a check has passed. Only this crate can make any, so nobody can forget the check and still have it.

use std::sync::Arc;

use jiff::Timestamp;

/// A delivery was proved to come from its sender: it sits in the request's extensions.
#[derive(Clone, Debug)]
pub struct Verified {
    scheme: &'static str,
    key_id: Option<Arc<str>>,
    tenant: Option<Arc<str>>,
    at: Timestamp,
}

impl Verified {
    pub(crate) fn new(scheme: &'static str, key_id: Option<Arc<str>>, at: Timestamp) -> Self {
        Self { scheme, key_id, tenant: None, at }
    }

    pub(crate) fn of_tenant(self, tenant: Arc<str>) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    /// The tenant whose keys were looked up to prove it, where the receiver looks keys up.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The scheme that proved it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The id of the key or credentials that fitted.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// When it was checked.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Basic credentials fitted: it sits in the request's extensions.
#[derive(Clone, Debug)]
pub struct Authenticated {
    username: Arc<str>,
}

impl Authenticated {
    pub(crate) fn new(username: Arc<str>) -> Self {
        Self { username }
    }

    /// Whose credentials fitted.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn shared_username(&self) -> Arc<str> {
        Arc::clone(&self.username)
    }
}
