//! What our own receiver makes of a request.

use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::config::{self, Config};
use tower_webhook::event::Project as _;
use tower_webhook::provider::AnyEvent;
use tower_webhook::{Received, Rejection, RejectionKind};

use super::index::Event;
use super::{BoxError, http1};

pub(crate) struct Judge {
    config: Config,
    now: Timestamp,
}

pub(crate) struct Found {
    pub(crate) status: u16,
    pub(crate) why: Option<RejectionKind>,
    pub(crate) events: Vec<Event>,
}

impl Judge {
    pub(crate) fn new(toml: &str, now: Timestamp) -> Result<Self, BoxError> {
        Ok(Self { config: config::read_text("vectors.toml", toml)?.build()?, now })
    }

    pub(crate) async fn judge(&self, raw: &[u8]) -> Result<Found, BoxError> {
        let endpoint = self.config.endpoints.first().ok_or("no endpoint")?;
        let handled = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&handled);
        let receiver = self.config.receiver(endpoint)?.clock(self.now).dangerous_without_dedupe();
        let service = receiver.handle(move |event: Received<AnyEvent>| {
            let (key, name) = (event.delivery().key().to_string(), event.event().name().to_owned());
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(Event { key, name });
            async {}
        });
        let response = service.oneshot(http1::read(raw)?.map(Full::new)).await?;
        let events = std::mem::take(&mut *handled.lock().unwrap_or_else(PoisonError::into_inner));
        let why = response.extensions().get::<Rejection>().map(Rejection::kind);
        Ok(Found { status: response.status().as_u16(), why, events })
    }
}
