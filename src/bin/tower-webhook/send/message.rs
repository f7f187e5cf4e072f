//! The plaintext of a delivery: a built-in event, a file or stdin, with placeholders filled in.

use std::io::Read as _;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use tower_webhook::clock::OsEntropy;
use tower_webhook::provider::Message;
use tower_webhook::sender::events::mambu;
use tower_webhook::sender::new_key;
use tower_webhook::sender::template::{Escape, render};

use super::args::MessageOptions;
use super::fixtures::{self, Content, Fixture};

/// Where the body comes from.
pub(crate) enum Source {
    Fixture(&'static Fixture),
    Bytes(Bytes),
}

impl Source {
    /// Reads what `EVENT` names.
    ///
    /// # Errors
    ///
    /// One line: what is wrong and what would be right.
    pub(crate) fn read(event: &str) -> Result<Self, String> {
        if event == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            return read.map(|_| Self::Bytes(bytes.into())).map_err(|error| format!("stdin cannot be read: {error}"));
        }
        if let Some(path) = event.strip_prefix('@') {
            let read =
                std::fs::read(path).map_err(|error| format!("EVENT: {path} cannot be read: {error}; give @FILE, or -"));
            return read.map(|bytes| Self::Bytes(bytes.into()));
        }
        let fixture = fixtures::find(event).map(Self::Fixture);
        fixture.ok_or_else(|| format!("EVENT: {event:?} is not built in; see send --list, or give @FILE or -"))
    }

    /// Who sends such events, where that is known.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        match self {
            Self::Fixture(fixture) => Some(fixture.provider()),
            Self::Bytes(_) => None,
        }
    }

    /// The message, always with an idempotency key: the same for all tries.
    ///
    /// # Errors
    ///
    /// As [`Source::read`].
    pub(crate) fn message(self, options: &MessageOptions) -> Result<Message, String> {
        let asked = options.header.iter().find(|(name, _)| name == CONTENT_TYPE).map(|(_, value)| value.clone());
        let content_type = asked.clone().unwrap_or(HeaderValue::from_static("application/json"));
        let set = &options.set;
        let mut message = match self {
            Self::Fixture(Fixture { content: Content::Template(template), .. }) => {
                check_names(template, set)?;
                let event = mambu::of(*template, content_type);
                set.iter().fold(event, |event, (name, value)| event.value(name, value)).message()
            }
            Self::Fixture(Fixture { content: Content::Event(build), .. }) => {
                // Nothing in it waits for a value.
                check_names("", set)?;
                build()
            }
            Self::Bytes(bytes) if set.is_empty() => Message::new(bytes),
            Self::Bytes(bytes) => {
                let template =
                    std::str::from_utf8(&bytes).map_err(|_| "--set: the template is not UTF-8".to_owned())?;
                check_names(template, set)?;
                let escape = Escape::of(content_type.to_str().unwrap_or_default());
                Message::new(render(template, &set.iter().cloned().collect(), escape))
            }
        };
        message.content_type = asked.or(message.content_type);
        Ok(message.idempotency_key(match &options.idempotency_key {
            Some(key) => key.clone(),
            None => new_key(&OsEntropy).map_err(|error| error.to_string())?,
        }))
    }
}

/// A name that stands nowhere is a slip of the pen.
fn check_names(template: &str, set: &[(String, String)]) -> Result<(), String> {
    match set.iter().find(|(name, _)| !template.contains(&format!("{{{name}}}"))) {
        Some((name, _)) => Err(format!("--set: there is no {{{name}}} in this event")),
        None => Ok(()),
    }
}
