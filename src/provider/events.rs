//! What a delivery holds: the events that can be read, and those that cannot.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use super::decoded::Decoded;
use crate::error::{Rejection, RejectionKind};

/// The events inside a delivery: the readable ones, in their order, and beside them what cannot be read.
///
/// It is a slice of the readable ones. A provider of one event a delivery makes it with `decoded.into()`, and one of
/// several by collecting; either may refuse the whole delivery instead.
#[derive(Clone, Debug)]
pub struct Events<E> {
    readable: Vec<Decoded<E>>,
    unreadable: Vec<Unreadable>,
    absent: Vec<String>,
}

/// An event that cannot be read although its delivery can.
#[derive(Clone)]
#[non_exhaustive]
pub struct Unreadable {
    /// Where it stands among all events of the delivery, from 0.
    pub position: usize,
    /// What is wrong with it, without a word of the payload.
    pub why: Rejection,
    /// The event as it was sent.
    pub raw: Bytes,
}

/// Without what it says.
impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreadable").field("position", &self.position).field("why", &self.why).finish_non_exhaustive()
    }
}

impl Unreadable {
    /// An event that cannot be read.
    #[must_use]
    pub fn new(position: usize, why: Rejection, raw: Bytes) -> Self {
        Self { position, why, raw }
    }
}

impl<E> Events<E> {
    /// Adds a readable event.
    pub fn push(&mut self, event: Decoded<E>) {
        self.readable.push(event);
    }

    /// Adds an event that cannot be read. It stops no other: those that can be read are handled, and then the delivery
    /// is answered with this event's rejection, so that the sender comes again.
    pub fn push_unreadable(&mut self, event: Unreadable) {
        self.unreadable.push(event);
    }

    /// The same events, with the names of members that could not be read and are absent from the typed events, for a
    /// line in the log. Names and never values, and few of them.
    #[must_use]
    pub fn absent_members(mut self, names: Vec<String>) -> Self {
        self.absent = names;
        self
    }

    /// The events that cannot be read.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// The names of members that could not be read and are absent from the typed events.
    #[must_use]
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// How many events there are, readable or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.readable.len().saturating_add(self.unreadable.len())
    }

    /// What the delivery is answered with when all of its readable events are done: the rejection of the first that cannot
    /// be read. `None` when all can be read.
    #[must_use]
    pub fn rejection(&self) -> Option<Rejection> {
        let first = self.unreadable.first()?;
        let detail = format!(
            "event {} cannot be read: {} ({} of {} cannot)",
            first.position,
            first.why.detail(),
            self.unreadable.len(),
            self.count()
        );
        Some(Rejection::new(first.why.kind(), detail))
    }

    /// The event of a delivery that holds one and no more. `None`: there are several, or none, or one that cannot be read.
    #[must_use]
    pub fn only(mut self) -> Option<Decoded<E>> {
        if self.count() == 1 { self.readable.pop() } else { None }
    }

    /// The event of what can hold no other.
    pub(super) fn one(self) -> Result<E, Rejection> {
        if let Some(rejection) = self.rejection() {
            return Err(rejection);
        }
        let none = || Rejection::new(RejectionKind::PayloadMalformed, "it is not one event");
        self.only().map(|decoded| decoded.event).ok_or_else(none)
    }

    /// The same events as another type, such as one for several providers.
    #[must_use]
    pub fn map<T>(self, mut change: impl FnMut(E) -> T) -> Events<T> {
        let readable = self.readable.into_iter().map(|event| event.map(&mut change)).collect();
        Events { readable, unreadable: self.unreadable, absent: self.absent }
    }
}

impl<E> Default for Events<E> {
    fn default() -> Self {
        Self { readable: Vec::new(), unreadable: Vec::new(), absent: Vec::new() }
    }
}

impl<E> From<Decoded<E>> for Events<E> {
    fn from(event: Decoded<E>) -> Self {
        Self { readable: vec![event], ..Self::default() }
    }
}

impl<E> FromIterator<Decoded<E>> for Events<E> {
    fn from_iter<I: IntoIterator<Item = Decoded<E>>>(events: I) -> Self {
        Self { readable: events.into_iter().collect(), ..Self::default() }
    }
}

impl<E> Deref for Events<E> {
    type Target = [Decoded<E>];

    fn deref(&self) -> &Self::Target {
        &self.readable
    }
}

/// The readable ones.
impl<E> IntoIterator for Events<E> {
    type Item = Decoded<E>;
    type IntoIter = std::vec::IntoIter<Decoded<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.readable.into_iter()
    }
}
