//! Several notifications in one message, up to a number that the subscriber chooses.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::board::Status;
use super::notification::Id;
use super::transport::Transport;
use super::webhook::{NotSent, Webhook};
use crate::provider::{Message, Provider};

/// Collects what is offered at the same time, and sends it to a webhook as one message, or as several where it is too much for one.
///
/// Clones are one collection. What was sent is a message for good: a try that fails is repeated with the same notifications.
pub struct Batches<P, T>(Arc<Inner<P, T>>);

struct Inner<P, T> {
    webhook: Webhook<P, T>,
    most: NonZeroUsize,
    join: Box<Join>,
    within: Duration,
    keeps_while_off: bool,
    offered: Mutex<Offered>,
}

type Join = dyn Fn(&[Message]) -> Message + Send + Sync;

#[derive(Default)]
struct Offered {
    waiting: Vec<Message>,
    /// Whether a task will send it.
    is_timed: bool,
}

impl<P: Provider, T: Transport> Batches<P, T> {
    /// To this webhook, at most so many in a message, which `join` makes of them.
    #[must_use]
    pub fn new(
        webhook: Webhook<P, T>,
        most: NonZeroUsize,
        join: impl Fn(&[Message]) -> Message + Send + Sync + 'static,
    ) -> Self {
        let (within, join, offered) = (Duration::ZERO, Box::new(join), Mutex::default());
        Self(Arc::new(Inner { webhook, most, join, within, keeps_while_off: false, offered }))
    }

    /// As Banking Circle has it: what is offered are members of `notifications`, and `most` is `maxNotificationsPerMessage`, which
    /// the bank takes from 5 to 1000 (second hand).
    #[must_use]
    pub fn banking_circle(webhook: Webhook<P, T>, most: NonZeroUsize) -> Self {
        Self::new(webhook, most, notifications)
    }

    /// How long the first of them waits for others. Default: for what is offered at once. Nothing is changed once a clone of it is
    /// elsewhere.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.within = time;
        }
        self
    }

    /// Keeps what is offered while the webhook is not active, for [`switch_on`](Self::switch_on). Default: it is refused, as
    /// Banking Circle fills nothing in later. Nothing is changed once a clone of it is elsewhere.
    #[must_use]
    pub fn keeping_while_off(mut self) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.keeps_while_off = true;
        }
        self
    }

    /// The webhook.
    #[must_use]
    pub fn webhook(&self) -> &Webhook<P, T> {
        &self.0.webhook
    }

    /// Offers a notification. It needs a tokio runtime with its timer.
    ///
    /// # Errors
    ///
    /// [`NotSent`] when the webhook is not active and nothing is kept for it, and when a full message cannot be sent.
    pub fn offer(&self, notification: Message) -> Result<(), NotSent> {
        let is_active = self.0.webhook.status() == Status::Active;
        if !is_active && !self.0.keeps_while_off {
            return Err(NotSent::SwitchedOff);
        }
        let mut offered = self.offered();
        offered.waiting.push(notification);
        if is_active && offered.waiting.len() >= self.0.most.get() {
            return self.0.send(&mut offered).map(drop);
        }
        if !std::mem::replace(&mut offered.is_timed, true) {
            let batches = self.clone();
            tokio::spawn(async move { batches.send_later().await });
        }
        Ok(())
    }

    /// Sends what was offered without waiting for more. What cannot be sent stays.
    ///
    /// # Errors
    ///
    /// As [`Webhook::send`].
    pub fn flush(&self) -> Result<Vec<Id>, NotSent> {
        self.0.send(&mut self.offered())
    }

    /// Switches the webhook on, and sends what was kept.
    ///
    /// # Errors
    ///
    /// As [`Webhook::send`].
    pub fn switch_on(&self) -> Result<Vec<Id>, NotSent> {
        self.0.webhook.switch_on();
        self.flush()
    }

    async fn send_later(&self) {
        sleep(self.0.within).await;
        let mut offered = self.offered();
        offered.is_timed = false;
        // What cannot be sent stays, and whoever offers or flushes next is told.
        let _ = self.0.send(&mut offered);
    }

    fn offered(&self) -> MutexGuard<'_, Offered> {
        self.0.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Provider, T: Transport> Inner<P, T> {
    fn send(&self, offered: &mut Offered) -> Result<Vec<Id>, NotSent> {
        let mut sent = Vec::new();
        while !offered.waiting.is_empty() {
            let count = self.most.get().min(offered.waiting.len());
            let message = (self.join)(offered.waiting.get(..count).unwrap_or_default());
            sent.push(self.webhook.send(message)?);
            offered.waiting.drain(..count);
        }
        Ok(sent)
    }
}

/// `{"notifications":[…]}` of these objects.
fn notifications(parts: &[Message]) -> Message {
    let objects = parts.iter().map(|part| part.body.as_ref()).collect::<Vec<_>>().join(&b',');
    Message::new(Bytes::from([br#"{"notifications":["#, &*objects, b"]}"].concat()))
}

impl<P, T> Clone for Batches<P, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P, T> fmt::Debug for Batches<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("webhook", &self.0.webhook).field("most", &self.0.most).finish_non_exhaustive()
    }
}
