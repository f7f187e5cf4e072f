//! Who gets an event: subscriptions by its type, and by whom it is about.

use std::collections::BTreeSet;

use super::batch::Batches;
use super::notification::Id;
use super::transport::Transport;
use super::webhook::{NotSent, Webhook};
use crate::provider::{Message, Provider};

/// Which events a subscription asks for: by default all of them.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    types: Option<BTreeSet<String>>,
    scopes: Option<BTreeSet<String>>,
}

impl Interest {
    /// In every event.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// In events of these types alone, such as `IncomingPaymentBooked`.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// In events about these alone: ids of companies, accounts, or entities of a tree.
    #[must_use]
    pub fn scopes(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Whether it is in an event of this type, about all of these.
    #[must_use]
    pub fn takes(&self, event_type: &str, scopes: &[&str]) -> bool {
        let asked = |set: &Option<BTreeSet<String>>, one: &str| set.as_ref().is_none_or(|set| set.contains(one));
        let in_scope = self.scopes.is_none() || scopes.iter().any(|scope| asked(&self.scopes, scope));
        asked(&self.types, event_type) && in_scope
    }
}

/// What a subscription leads to: a [`Webhook`], or [`Batches`] in front of one.
pub trait Inlet {
    /// What is known of a message that was taken.
    type Taken;

    /// Takes a message.
    ///
    /// # Errors
    ///
    /// As [`Webhook::send`].
    fn take(&self, message: Message) -> Result<Self::Taken, NotSent>;
}

impl<P: Provider, T: Transport> Inlet for Webhook<P, T> {
    type Taken = Id;

    fn take(&self, message: Message) -> Result<Id, NotSent> {
        self.send(message)
    }
}

impl<P: Provider, T: Transport> Inlet for Batches<P, T> {
    type Taken = ();

    fn take(&self, message: Message) -> Result<(), NotSent> {
        self.offer(message)
    }
}

/// Subscriptions in the order in which they were made. Each that asks for an event gets it, whatever becomes of the others.
///
/// One webhook may stand for many types, or one for each; a company's may stand beside its accounts'. An event that two
/// subscriptions of one webhook ask for comes to it twice, as it comes to two webhooks of one entity tree.
///
/// ```
/// use http::StatusCode;
/// use tower_webhook::provider::{Message, banking_circle::BankingCircle};
/// use tower_webhook::secret::Secret;
/// use tower_webhook::sender::{Answer, DeliveryProfile, Interest, NoAnswer, Subscriptions, Webhook};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let takes_all = |_: http::Request<bytes::Bytes>| async { Ok::<_, NoAnswer>(Answer::of(StatusCode::OK)) };
/// let bank = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars")?)?;
/// let webhook = Webhook::new("http://127.0.0.1:8080/bank".parse()?, bank, DeliveryProfile::banking_circle(), takes_all);
///
/// let booked = Interest::everything().types(["IncomingPaymentBooked"]).scopes(["account-1"]);
/// let subscriptions = Subscriptions::new().subscribe(booked, webhook);
/// let message = Message::new(r#"{"notifications":[]}"#);
/// assert_eq!(subscriptions.send("IncomingPaymentBooked", &["account-1", "company-1"], &message).len(), 1);
/// assert!(subscriptions.send("MissingFunding", &["account-1", "company-1"], &message).is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Subscriptions<W>(Vec<(Interest, W)>);

/// What became of an event at one subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Routed<T> {
    /// The subscription's number, from 0.
    pub subscription: usize,
    /// Whether it was taken. A webhook that is switched off takes nothing, and gets it later neither.
    pub taken: Result<T, NotSent>,
}

impl<W> Subscriptions<W> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    #[must_use]
    pub fn subscribe(mut self, interest: Interest, to: W) -> Self {
        self.0.push((interest, to));
        self
    }
}

impl<W> Default for Subscriptions<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Inlet> Subscriptions<W> {
    /// Sends an event of this type to all that ask for it. `scopes` are all that it is about: an account and its company, or an
    /// entity and those above it.
    pub fn send(&self, event_type: &str, scopes: &[&str], message: &Message) -> Vec<Routed<W::Taken>> {
        let fitting = self.0.iter().enumerate().filter(|(_, (interest, _))| interest.takes(event_type, scopes));
        fitting.map(|(subscription, (_, to))| Routed { subscription, taken: to.take(message.clone()) }).collect()
    }
}
