//! Resending by hand: one notification, several, those of a time, or those that something is true of.

use std::ops::RangeBounds;

use jiff::Timestamp;

use super::notification::{Id, Notification};
use super::profile::Resend;
use super::transport::Transport;
use super::webhook::{NotSent, Webhook};
use crate::provider::Provider;

impl<P: Provider, T: Transport> Webhook<P, T> {
    /// Resends a notification by hand, delivered or not, as one of its own.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and when there is no such notification.
    pub fn resend(&self, id: Id) -> Result<Id, NotSent> {
        let mut message = self.board().entries.get(id.number()).ok_or(NotSent::Unknown)?.message.clone();
        if self.0.profile.resend == Resend::NewKey {
            message.idempotency_key = Some(self.0.new_key()?);
        }
        self.enter(message, Some(id))
    }

    /// Resends these notifications; none of them, where one is unknown.
    ///
    /// # Errors
    ///
    /// As [`resend`](Self::resend).
    pub fn resend_all(&self, ids: impl IntoIterator<Item = Id>) -> Result<Vec<Id>, NotSent> {
        let ids: Vec<_> = ids.into_iter().collect();
        let known = self.board().entries.len();
        if ids.iter().any(|id| id.number() >= known) {
            return Err(NotSent::Unknown);
        }
        ids.into_iter().map(|id| self.resend(id)).collect()
    }

    /// Resends all notifications that were sent first in this time, resends by hand among them.
    ///
    /// # Errors
    ///
    /// As [`resend`](Self::resend).
    pub fn resend_created(&self, within: impl RangeBounds<Timestamp>) -> Result<Vec<Id>, NotSent> {
        self.resend_where(|one| within.contains(&one.created))
    }

    /// Resends all notifications that this is true of, such as those that have failed.
    ///
    /// # Errors
    ///
    /// As [`resend`](Self::resend).
    pub fn resend_where(&self, which: impl Fn(&Notification) -> bool) -> Result<Vec<Id>, NotSent> {
        self.resend_all(self.history().into_iter().filter(|one| which(one)).map(|one| one.id))
    }
}
