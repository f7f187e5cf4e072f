//! The plaintext of a delivery: a built-in event, a file or stdin, with placeholders filled in.

use std::io::Read as _;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use tower_webhook::clock::OsEntropy;
use tower_webhook::provider::Message;
use tower_webhook::sender::new_key;
use tower_webhook::sender::template::{Escape, Values, render};

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
            let read = std::fs::read(path).map_err(|error| format!("EVENT: {path} cannot be read: {error}"));
            return read.map(|bytes| Self::Bytes(bytes.into()));
        }
        let fixture = fixtures::find(event).map(Self::Fixture);
        fixture.ok_or_else(|| format!("EVENT: {event:?} is not built in; see send --list, or give @FILE or -"))
    }

    /// Who sends such events, where that is known.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        match self {
            Self::Fixture(fixture) => Some(fixture.provider),
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
        let set = &options.set;
        let (body, own) = match self {
            Self::Fixture(Fixture { content: Content::Template(template, values), .. }) => {
                let (template, values) = built_in(template, values)?;
                let content_type = asked.as_ref().unwrap_or(&template.content_type);
                (fill(&template.body, values, set, content_type)?, Some(template.content_type))
            }
            Self::Fixture(Fixture { content: Content::Json(text), .. }) => {
                check_names(text, set)?;
                (Bytes::from_static(text.as_bytes()), None)
            }
            Self::Bytes(bytes) if set.is_empty() => (bytes, None),
            Self::Bytes(bytes) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| "--set: the template is not UTF-8".to_owned())?;
                let json = HeaderValue::from_static("application/json");
                (fill(text, Values::new(), set, asked.as_ref().unwrap_or(&json))?, None)
            }
        };
        let mut message = Message::new(body);
        message.content_type = asked.or(own);
        Ok(message.idempotency_key(match &options.idempotency_key {
            Some(key) => key.clone(),
            None => new_key(&OsEntropy).map_err(|error| error.to_string())?,
        }))
    }
}

fn fill(
    template: &str,
    mut values: Values,
    set: &[(String, String)],
    content_type: &HeaderValue,
) -> Result<Bytes, String> {
    check_names(template, set)?;
    values.extend(set.iter().cloned());
    Ok(render(template, &values, Escape::of(content_type.to_str().unwrap_or_default())).into())
}

/// A name that stands nowhere is a slip of the pen.
fn check_names(template: &str, set: &[(String, String)]) -> Result<(), String> {
    match set.iter().find(|(name, _)| !template.contains(&format!("{{{name}}}"))) {
        Some((name, _)) => Err(format!("--set: there is no {{{name}}} in this event")),
        None => Ok(()),
    }
}

struct Template {
    content_type: HeaderValue,
    body: String,
}

fn built_in(template: &str, values: &str) -> Result<(Template, Values), String> {
    #[derive(Deserialize)]
    struct Written {
        content_type: String,
        body: String,
    }
    let broken = |error: &dyn std::fmt::Display| format!("the built-in template is broken: {error}");
    let Written { content_type, body } = serde_json::from_str(template).map_err(|error| broken(&error))?;
    let content_type = content_type.parse().map_err(|error| broken(&error))?;
    let values = serde_json::from_str(values).map_err(|error| broken(&error))?;
    Ok((Template { content_type, body }, values))
}
