//! What is said: one JSON object a line on stdout and nothing else, and words for people on stderr.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::encoding::Encoding;
use tower_webhook::event::{Event, Project as _};
use tower_webhook::inbox::{EventId, Leased, NewEvent};
use tower_webhook::mask::mask;
use tower_webhook::provider::AnyEvent;
use tower_webhook::{Received, Rejection};

use crate::plain;

/// One line, whole.
pub(crate) fn text(line: &impl Serialize) -> serde_json::Result<String> {
    let mut text = plain::json(&serde_json::to_string(line)?);
    text.push('\n');
    Ok(text)
}

/// Writes one line on stdout, and waits until it is out.
pub(crate) fn print(line: &impl Serialize) -> io::Result<()> {
    let text = text(line)?;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes all that there is to say on stdout, and the code to end with. A closed pipe is its reader's affair.
pub(crate) fn end_with(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => say(format_args!("stdout: {error}")),
    }
    ExitCode::FAILURE
}

/// Whether words are JSON.
static ARE_WORDS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on words for people are JSON, a line each.
pub(crate) fn words_as_json() {
    ARE_WORDS_JSON.store(true, Ordering::Relaxed);
}

/// What is said on stderr, for programs that gather it.
#[derive(Serialize)]
struct Words<'a> {
    at: Option<String>,
    level: &'static str,
    message: &'a str,
}

/// A line for people.
pub(crate) fn words(line: impl Display) -> String {
    let line = line.to_string();
    if !ARE_WORDS_JSON.load(Ordering::Relaxed) {
        return format!("tower-webhook: {}\n", plain::shown(&line));
    }
    let (level, message) = line.strip_prefix("warning: ").map_or(("notice", line.as_str()), |rest| ("warning", rest));
    text(&Words { at: SystemClock.now().map(|now| now.to_string()), level, message }).unwrap_or_default()
}

/// Writes a line for people on stderr. Where nobody can read it, nobody does.
pub(crate) fn say(line: impl Display) {
    let _ = io::stderr().lock().write_all(words(line).as_bytes());
}

/// The first line.
#[derive(Serialize)]
pub(crate) struct Listening {
    pub(crate) listening: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<String>,
}

/// What came of a signal to read the file again.
#[derive(Serialize)]
pub(crate) struct Reloaded {
    pub(crate) reloaded: bool,
}

/// The receiver's name, where it is not the endpoint's path.
fn named<'a>(endpoint: &str, receiver: &'a str) -> Option<&'a str> {
    (receiver != endpoint).then_some(receiver)
}

/// An event that was handled.
#[derive(Serialize)]
pub(crate) struct Accepted<'a> {
    verdict: &'static str,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<&'a str>,
    provider: &'a str,
    key: &'a str,
    key_id: Option<&'a str>,
    event: &'a str,
    occurred_at: Option<String>,
    /// Whether an earlier try of this event was begun and not finished.
    attempt_replayed: bool,
    #[serde(flatten)]
    turn: Option<Turn>,
    /// What the event says. Left out where nobody is to read it.
    #[serde(flatten)]
    content: Option<Content>,
}

/// Which turn of a stored event it was.
#[derive(Serialize)]
struct Turn {
    id: String,
    attempt: u64,
    fence: u64,
}

/// What an event says, typed and as it was sent.
#[derive(Serialize)]
struct Content {
    typed: Event,
    #[serde(flatten)]
    payload: Payload,
}

impl<'a> Accepted<'a> {
    pub(crate) fn new(endpoint: &'a str, provider: &'a str, received: &'a Received<AnyEvent>, is_quiet: bool) -> Self {
        let delivery = received.delivery();
        Self {
            verdict: "accepted",
            endpoint,
            receiver: named(endpoint, delivery.receiver()),
            provider,
            key: delivery.key().as_str(),
            key_id: delivery.verified().key_id(),
            event: received.event().name(),
            occurred_at: delivery.occurred_at().map(|time| time.to_string()),
            attempt_replayed: delivery.attempt().is_some_and(|attempt| attempt.get() > 1),
            turn: None,
            content: (!is_quiet).then(|| Content { typed: received.shared(), payload: Payload::of(delivery.raw()) }),
        }
    }

    /// The event was stored under this number before.
    pub(crate) fn in_turn(mut self, id: EventId, received: &Received<AnyEvent>) -> Self {
        let number = |number: Option<NonZeroU64>| number.map_or(0, NonZeroU64::get);
        let (attempt, fence) = (number(received.delivery().attempt()), number(received.fence()));
        self.turn = Some(Turn { id: id.to_string(), attempt, fence });
        self
    }
}

/// An event that is on disk, and will be handled.
#[derive(Serialize)]
pub(crate) struct Stored<'a> {
    verdict: &'static str,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<&'a str>,
    provider: &'a str,
    id: String,
    key: &'a str,
    event: &'a str,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(endpoint: &'a str, provider: &'a str, id: EventId, stored: &'a NewEvent) -> Self {
        Self {
            verdict: "stored",
            endpoint,
            receiver: named(endpoint, &stored.receiver),
            provider,
            id: id.to_string(),
            key: &stored.readable_key,
            event: &stored.event,
        }
    }
}

/// A stored event whose attempt failed, or which is kept apart.
#[derive(Serialize)]
pub(crate) struct Unhandled<'a> {
    verdict: &'static str,
    id: String,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Unhandled<'a> {
    fn of(verdict: &'static str, id: EventId, key: &'a str) -> Self {
        Self { verdict, id: id.to_string(), key, attempt: None, attempts: None, in_ms: None, reason: None }
    }

    /// It is tried again after this time.
    pub(crate) fn retry(held: &'a Leased, after: Duration, reason: &'a str) -> Self {
        let in_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        let own = Self::of("retry", held.id, &held.event.readable_key);
        Self { attempt: Some(held.attempt), in_ms, reason: Some(reason), ..own }
    }

    /// It is a dead letter.
    pub(crate) fn dead(held: &'a Leased, reason: &'a str) -> Self {
        let own = Self::of("dead", held.id, &held.event.readable_key);
        Self { attempts: Some(held.attempt), reason: Some(reason), ..own }
    }

    /// It waits for people to decide.
    pub(crate) fn parked(held: &'a Leased, reason: &'a str) -> Self {
        let own = Self::of("parked", held.id, &held.event.readable_key);
        Self { attempt: Some(held.attempt), reason: Some(reason), ..own }
    }

    /// Its key came with another payload before.
    pub(crate) fn quarantined(id: EventId, key: &'a str) -> Self {
        Self::of("quarantined", id, key)
    }
}

/// An event that was handled before.
#[derive(Serialize)]
pub(crate) struct Duplicate<'a> {
    verdict: &'static str,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<&'a str>,
    key: &'a str,
}

impl<'a> Duplicate<'a> {
    pub(crate) fn new(endpoint: &'a str, receiver: &'a str, key: &'a str) -> Self {
        Self { verdict: "duplicate", endpoint, receiver: named(endpoint, receiver), key }
    }
}

/// How the server calls a request line that is too long. Nothing else tells its 414 from a 431.
const TOO_LONG: &str = "URI too long";

/// A delivery that was not taken.
#[derive(Serialize)]
pub(crate) struct Rejected<'a> {
    verdict: &'static str,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    kind: &'static str,
    detail: String,
}

impl<'a> Rejected<'a> {
    pub(crate) fn new(endpoint: &'a str, receiver: &'a str, status: u16, rejection: &Rejection) -> Self {
        let detail = match std::error::Error::source(rejection) {
            Some(source) => format!("{}: {source}", rejection.detail()),
            None => rejection.detail().to_owned(),
        };
        Self {
            verdict: "refused",
            endpoint,
            receiver: named(endpoint, receiver),
            status: Some(status),
            kind: rejection.kind().as_str(),
            detail: mask(&detail).into_owned(),
        }
    }

    /// What the HTTP server refused by itself, without asking anybody here. `None`: it answered nothing.
    pub(crate) fn by_the_server(error: &hyper::Error) -> Option<Self> {
        let (status, kind) = match error {
            error if !error.is_parse() || error.is_parse_version_h2() => return None,
            error if error.to_string() == TOO_LONG => (414, "headers_too_large"),
            error if error.is_parse_too_large() => (431, "headers_too_large"),
            _ => (400, "http_malformed"),
        };
        // Its words are constants: no byte of the peer's is among them.
        Some(Self::nowhere(Some(status), kind, error.to_string()))
    }

    /// A peer that did not get as far as HTTP. `None`: its connection broke.
    pub(crate) fn in_the_handshake(error: &std::io::Error) -> Option<Self> {
        // What rustls says has no byte of the peer's in it either.
        let why = error.get_ref().filter(|_| error.kind() == std::io::ErrorKind::InvalidData)?;
        Some(Self::nowhere(None, "tls_handshake", why.to_string()))
    }

    /// Before anybody knew for which endpoint it was.
    fn nowhere(status: Option<u16>, kind: &'static str, detail: String) -> Self {
        Self { verdict: "refused", endpoint: "-", receiver: None, status, kind, detail }
    }

    pub(crate) fn no_endpoint(path: &'a str) -> Self {
        let detail = "no endpoint has this path".to_owned();
        Self { verdict: "refused", endpoint: path, receiver: None, status: Some(404), kind: "no_endpoint", detail }
    }
}

/// The provider's words: JSON as it came but for white space, other text as a string, other bytes as Base64.
#[derive(Serialize)]
pub(crate) struct Payload {
    payload: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_encoding: Option<&'static str>,
}

impl Payload {
    pub(crate) fn of(raw: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(raw) else {
            return Self { payload: quoted(&Encoding::Base64.encode(raw)), payload_encoding: Some("base64") };
        };
        let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
        let payload = if is_json { RawValue::from_string(one_line(text)).ok() } else { None };
        Self { payload: payload.unwrap_or_else(|| quoted(text)), payload_encoding: None }
    }
}

fn quoted(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// JSON without the white space between its tokens.
fn one_line(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |letter: &char| {
        let keeps = in_string || !letter.is_ascii_whitespace();
        match (in_string, escaped, letter) {
            (true, true, _) => escaped = false,
            (true, false, '\\') => escaped = true,
            (_, false, '"') => in_string = !in_string,
            _ => {}
        }
        keeps
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_line_and_every_digit_of_it_stays() {
        for (raw, line) in [
            (&b"{\n \"a b\" : [ 1.00 , \"x \\\" y\\\\\" ] }\r\n"[..], r#"{"payload":{"a b":[1.00,"x \" y\\"]}}"#),
            (b"not\njson", r#"{"payload":"not\njson"}"#),
            (b"\xff\x00", r#"{"payload":"/wA=","payload_encoding":"base64"}"#),
            (b"", r#"{"payload":""}"#),
            (b"\"text\"", r#"{"payload":"text"}"#),
        ] {
            assert_eq!(serde_json::to_string(&Payload::of(raw)).unwrap(), line);
        }
    }
}
