//! Who reports what to whom.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use http::HeaderMap;

use super::fact::{About, Fact, Observer};
use super::log::Log;
use super::traced::Traced;
use crate::clock::Timestamp;

/// A receiver's reports: its name and provider, and who listens.
#[derive(Clone)]
pub(crate) struct Reporter(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    receiver: Arc<str>,
    provider: &'static str,
    /// Beside the log.
    observers: Vec<Arc<dyn Observer>>,
}

impl Reporter {
    pub(crate) fn new(receiver: Arc<str>, provider: &'static str) -> Self {
        Self(Arc::new(Inner { receiver, provider, observers: Vec::new() }))
    }

    /// Of a layer that stands alone.
    pub(crate) fn alone() -> Self {
        Self::new("".into(), "")
    }

    pub(crate) fn observer(mut self, observer: impl Observer) -> Self {
        let Inner { receiver, provider, observers } = Arc::make_mut(&mut self.0);
        observers.push(match observer.of_receiver(receiver, provider) {
            Some(observer) => observer.into(),
            None => Arc::new(observer),
        });
        self
    }

    /// Whether anybody listens beside the log. Without, nothing is measured.
    pub(crate) fn is_heard(&self) -> bool {
        !self.0.observers.is_empty()
    }

    /// A delivery with these headers, as a span. A layer that stands alone has none.
    pub(crate) fn traced(&self, headers: &HeaderMap) -> Traced {
        let Inner { receiver, provider, .. } = &*self.0;
        if receiver.is_empty() { Traced::default() } else { Traced::delivery(receiver, provider, headers) }
    }

    /// The receiver's name.
    pub(crate) fn receiver(&self) -> &Arc<str> {
        &self.0.receiver
    }

    pub(crate) fn provider(&self) -> &'static str {
        self.0.provider
    }

    /// Reports what is about a whole delivery.
    pub(crate) fn report(&self, fact: Fact<'_>, key_id: Option<&str>) {
        self.send(fact, About { key_id, ..About::default() });
    }

    fn send<'a>(&'a self, fact: Fact<'a>, about: About<'a>) {
        let Inner { receiver, provider, observers } = &*self.0;
        let about = About { receiver, provider, ..about };
        Log.observe(&fact, &about);
        for observer in observers {
            observer.observe(&fact, &about);
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("receiver", &self.0.receiver).finish_non_exhaustive()
    }
}

/// Who listens to what is about no one receiver alone. The log always does.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Clone, Default)]
pub(crate) struct Listeners(Vec<Arc<dyn Observer>>);

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Listeners {
    pub(crate) fn add(&mut self, observer: impl Observer) {
        self.0.push(Arc::new(observer));
    }

    pub(crate) fn tell(&self, fact: &Fact<'_>, about: &About<'_>) {
        Log.observe(fact, about);
        for observer in &self.0 {
            observer.observe(fact, about);
        }
    }
}

/// The reports of one delivery, once it is proved.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) reporter: &'a Reporter,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) proved_at: Option<Timestamp>,
    /// For who has the delivery in hand.
    pub(crate) traced: Option<&'a Traced>,
}

/// The same, for who goes on when the delivery is answered.
pub(crate) struct KeptScope {
    reporter: Reporter,
    key_id: Option<String>,
    proved_at: Option<Timestamp>,
}

impl KeptScope {
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { reporter: &self.reporter, key_id: self.key_id.as_deref(), proved_at: self.proved_at, traced: None }
    }
}

impl Scope<'_> {
    pub(crate) fn keep(&self) -> KeptScope {
        let key_id = self.key_id.map(str::to_owned);
        KeptScope { reporter: self.reporter.clone(), key_id, proved_at: self.proved_at }
    }

    pub(crate) fn report(&self, fact: Fact<'_>) {
        let Self { key_id, proved_at, .. } = *self;
        self.reporter.send(fact, About { key_id, proved_at, ..About::default() });
    }

    /// Reports what is about one event, with its fencing token where it was claimed.
    pub(crate) fn report_of(&self, key: &[u8; 32], fence: u64, fact: Fact<'_>) {
        let (Self { key_id, proved_at, .. }, attempt) = (*self, NonZeroU64::new(fence));
        self.reporter.send(fact, About { key_id, proved_at, key: Some(key), attempt, ..About::default() });
        if let Some(traced) = self.traced {
            traced.note(&fact);
        }
    }
}
