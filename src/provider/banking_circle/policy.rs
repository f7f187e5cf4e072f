//! What a message may hold, and what becomes of what cannot be read.

/// `maxNotificationsPerMessage` at its highest.
pub(super) const MAX_EVENTS: usize = 1000;

/// What becomes of a notification that cannot be read. It stops no other: those that can be read are handled in any case.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnreadablePolicy {
    /// The message is answered 400 once the others are handled. The bank sends all of it again, of which only what was not
    /// handled is, and at last switches the subscription off. The default: nobody misses that.
    #[default]
    Refuse,
    /// The handler gets it as [`Detail::Unreadable`](super::Detail::Unreadable), with its raw JSON and what is wrong with it, under its `eventId`, or
    /// under its [`Identity`](crate::provider::Identity) where that cannot be read. For handlers that keep it for somebody to look
    /// at: what the handler takes is acknowledged, and never sent again.
    HandOver,
}
