//! How a provider behaves.

use std::time::Duration;

use http::Method;

use super::retries::Retries;
use crate::error::{ConfigError, ConfigErrorKind};

const DAY: Duration = Duration::from_hours(24);

/// How a provider behaves. Every number is a default with a source in its module's docs, and can be replaced.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The name in logs, keys and configuration.
    pub name: &'static str,
    /// The methods it uses; others are 405.
    pub methods: Vec<Method>,
    /// The content types it uses, without parameters; others are 415. Empty: any, since none is documented.
    pub content_types: Vec<&'static str>,
    /// The longest body taken, in bytes.
    pub max_body: usize,
    /// The most events in one delivery.
    pub max_events: usize,
    /// How long it waits for an answer before it counts the delivery as failed.
    pub answer_within: Option<Duration>,
    /// When it tries again.
    pub retries: Retries,
    /// Which answers it takes as delivered.
    pub delivered: Delivered,
    /// How long after its last own try somebody may resend by hand.
    pub resend_window: Duration,
    /// How long one notification may fail before the whole webhook is switched off, by the shortest ladder that is published:
    /// who is warned by it is warned in time. `None`: a failure hurts no other notification, or nobody says.
    pub switched_off_after: Option<Duration>,
}

impl Profile {
    /// A provider of this name that sends one event at a time by POST, in a body of any type and at most 1 MiB, takes any
    /// 2xx, and publishes no schedule: its retries are taken to end after 5 days, and to be resent by hand for one more.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            methods: vec![Method::POST],
            content_types: Vec::new(),
            max_body: 1024 * 1024,
            max_events: 1,
            answer_within: None,
            retries: Retries::unpublished(5 * DAY),
            delivered: Delivered::AnySuccess,
            resend_window: DAY,
            switched_off_after: None,
        }
    }

    /// The methods it uses. Default: POST.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// The content types it uses, without parameters. Default: any.
    #[must_use]
    pub fn content_types(mut self, types: impl IntoIterator<Item = &'static str>) -> Self {
        self.content_types = types.into_iter().collect();
        self
    }

    /// The longest body taken, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The most events in one delivery. Default: 1.
    #[must_use]
    pub fn max_events(mut self, events: usize) -> Self {
        self.max_events = events;
        self
    }

    /// How long it waits for an answer. Default: not published.
    #[must_use]
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.answer_within = Some(time);
        self
    }

    /// When it tries again. Default: not published, taken to end after 5 days.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Which answers it takes as delivered. Default: any 2xx.
    #[must_use]
    pub fn delivered(mut self, delivered: Delivered) -> Self {
        self.delivered = delivered;
        self
    }

    /// How long after its last own try somebody may resend by hand. Default: 1 day.
    #[must_use]
    pub fn resend_window(mut self, window: Duration) -> Self {
        self.resend_window = window;
        self
    }

    /// How long one notification may fail before the whole webhook is switched off. Default: it never is.
    #[must_use]
    pub fn switched_off_after(mut self, time: Duration) -> Self {
        self.switched_off_after = Some(time);
        self
    }

    /// How long a key is remembered: all retries and resends, and a fifth on top.
    #[must_use]
    pub fn retention(&self) -> Duration {
        let span = self.span();
        span.saturating_add(span / 5)
    }

    /// In which the sender may repeat itself.
    fn span(&self) -> Duration {
        self.retries.horizon().saturating_add(self.resend_window)
    }

    /// Checks that a retention is as long as all retries and resends. The fifth on top is for clocks and queues, and may be left out.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Retention`] when it is shorter.
    pub fn check_retention(&self, given: Duration) -> Result<Duration, ConfigError> {
        let least = self.span();
        if given < least {
            return Err(ConfigError::new(ConfigErrorKind::Retention {
                least: least.as_secs(),
                given: given.as_secs(),
            }));
        }
        Ok(given)
    }
}

/// Which answers a provider takes as delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Delivered {
    /// Any 2xx.
    AnySuccess,
    /// 200 alone.
    OkOnly,
}
