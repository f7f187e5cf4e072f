//! How the three headers are called.

use http::{HeaderMap, HeaderName};

/// How the three headers are called.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Spelling {
    /// Either of the other two, whichever a delivery has, as the official libraries take it; sealed as `webhook-…`. Where
    /// both stand, as some senders write them, they must say the same: a delivery in which they differ is refused as
    /// [`HeaderRepeated`](crate::RejectionKind::HeaderRepeated). The default.
    #[default]
    Either,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Webhook,
    /// `svix-id`, `svix-timestamp`, `svix-signature`.
    Svix,
}

/// One set of names.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) id: HeaderName,
    pub(super) timestamp: HeaderName,
    pub(super) signature: HeaderName,
}

pub(super) static WEBHOOK: Names = Names {
    id: HeaderName::from_static("webhook-id"),
    timestamp: HeaderName::from_static("webhook-timestamp"),
    signature: HeaderName::from_static("webhook-signature"),
};

pub(super) static SVIX: Names = Names {
    id: HeaderName::from_static("svix-id"),
    timestamp: HeaderName::from_static("svix-timestamp"),
    signature: HeaderName::from_static("svix-signature"),
};

impl Names {
    pub(super) fn all(&self) -> [&HeaderName; 3] {
        [&self.id, &self.timestamp, &self.signature]
    }

    fn stand_in(&self, headers: &HeaderMap) -> bool {
        self.all().into_iter().any(|name| headers.contains_key(name))
    }
}

/// Whether a delivery that may have either spelling has Svix's: only where nothing of the other stands, so that nobody can
/// have one spelling proved and the other one read.
pub(super) fn is_svix(headers: &HeaderMap) -> bool {
    SVIX.stand_in(headers) && !WEBHOOK.stand_in(headers)
}

impl Spelling {
    /// The names under which a delivery is sealed.
    pub(super) fn sealed(self) -> &'static Names {
        match self {
            Self::Either | Self::Webhook => &WEBHOOK,
            Self::Svix => &SVIX,
        }
    }

    /// The names that a delivery has.
    pub(super) fn found(self, headers: &HeaderMap) -> &'static Names {
        match self {
            Self::Either if is_svix(headers) => &SVIX,
            _ => self.sealed(),
        }
    }
}
