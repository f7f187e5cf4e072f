//! What a handler gets: the body as the template's author designed it, and what is known of it.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::events::EventName;
use crate::error::{Rejection, RejectionKind};
use crate::event::words::words;
use crate::event::{self, Notification, Text};
use crate::json;

/// The name of what has none.
pub(super) const NAMELESS: &str = "notification";

/// A notification of Mambu's. There is no schema: the body is whatever the template renders to.
///
/// The body is handed over whatever it is. A template writes numbers without quotes and a placeholder without a value
/// as nothing, so that JSON which does not parse is an everyday delivery; refusing it would make Mambu repeat the same
/// bytes and then give up.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is about, where [`event_at`](super::Mambu::event_at) finds it.
    pub name: Option<EventName>,
    /// What Mambu says the body is. Nothing has checked that it is so.
    pub content_type: Option<ContentType>,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Event {
    /// A notification with this body, by hand for tests; its name and type are set one by one.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { name: None, content_type: None, body: body.into() }
    }

    pub(super) fn read(name: Option<String>, headers: &HeaderMap, body: &Bytes) -> Self {
        Self { name: name.as_deref().map(EventName::from), content_type: ContentType::of(headers), body: body.clone() }
    }

    /// The body as strict JSON: UTF-8, and no name twice in one object.
    ///
    /// # Errors
    ///
    /// [`PayloadMalformed`](RejectionKind::PayloadMalformed) when it is not that, or is not a `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Rejection> {
        json::parse(&self.body)
    }

    /// The body as text, for XML and plain text.
    ///
    /// # Errors
    ///
    /// [`PayloadMalformed`](RejectionKind::PayloadMalformed) when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Rejection> {
        std::str::from_utf8(&self.body).map_err(|fault| {
            let detail = format!("not UTF-8 at byte {}", fault.valid_up_to());
            Rejection::new(RejectionKind::PayloadMalformed, detail)
        })
    }
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        event::Event::Notification(Notification {
            name: self.name.as_ref().map(Text::from),
            content_type: self.content_type.as_ref().map(Text::from),
        })
    }

    /// `notification`, where nothing tells the event's own name.
    fn name(&self) -> &str {
        self.name.as_ref().map_or(NAMELESS, EventName::as_str)
    }
}

words! {
    /// What a body claims to be, in lower case and without parameters.
    ContentType {
        /// JSON.
        Json "application/json",
        /// XML.
        Xml "application/xml",
        /// XML under its other name. Not documented; taken because servers in between rewrite it.
        TextXml "text/xml",
        /// Plain text.
        Text "text/plain",
    }
}

impl ContentType {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next()?.trim().to_ascii_lowercase();
        (!essence.is_empty()).then(|| Self::from(essence.as_str()))
    }
}
