//! What stands in `index.json`.

use std::collections::BTreeMap;

use serde::Serialize;
use tower_webhook::config::{Endpoint, KeyEncoding, KeySpec};
use tower_webhook::encoding::Encoding;

use super::BoxError;
use super::senders::{Seals, Sender};

#[derive(Serialize)]
pub(crate) struct Index {
    format: u32,
    seed: u64,
    time: &'static str,
    pub(crate) configurations: BTreeMap<&'static str, Configuration>,
    pub(crate) vectors: Vec<Vector>,
}

impl Index {
    pub(crate) fn new(seed: u64, time: &'static str) -> Self {
        Self { format: 1, seed, time, configurations: BTreeMap::new(), vectors: Vec::new() }
    }
}

/// How a receiver is configured, as this crate's configuration has it, and the same without TOML.
#[derive(Serialize)]
pub(crate) struct Configuration {
    keys: Vec<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<&'static str>,
    credentials: Vec<Credentials>,
    toml: &'static str,
}

#[derive(Serialize)]
struct Key {
    text: String,
    encoding: &'static str,
    /// The bytes, whatever the text is.
    hex: String,
}

#[derive(Serialize)]
struct Credentials {
    username: String,
    password: String,
}

impl Configuration {
    pub(crate) fn of(sender: &Sender, endpoint: &Endpoint) -> Result<Self, BoxError> {
        let signing_key = match sender.seals {
            Seals::Privately(key) => Some(key),
            Seals::AsConfigured | Seals::OppWrapped | Seals::Recorded(_) => None,
        };
        let credentials = endpoint.spec.basic_auth.iter().map(|pair| {
            let password = pair.password.text()?.expose().to_owned();
            Ok(Credentials { username: pair.username.clone(), password })
        });
        Ok(Self {
            keys: endpoint.spec.keys.iter().map(Key::of).collect::<Result<_, _>>()?,
            signing_key,
            credentials: credentials.collect::<Result<_, BoxError>>()?,
            toml: sender.toml,
        })
    }
}

impl Key {
    fn of(spec: &KeySpec) -> Result<Self, BoxError> {
        let text = spec.secret.text()?.expose().to_owned();
        let bare = spec.strip.as_deref().and_then(|front| text.strip_prefix(front)).unwrap_or(&text);
        let (encoding, bytes) = match spec.encoding {
            Some(KeyEncoding::Utf8) => ("utf8", bare.as_bytes().to_vec()),
            Some(KeyEncoding::Hex) => ("hex", Encoding::Hex.decode(bare.as_bytes())?),
            Some(KeyEncoding::Base64) => ("base64", Encoding::Base64.decode(bare.as_bytes())?),
            Some(KeyEncoding::Public) => ("pem", Encoding::Base64.decode(between_the_lines(bare).as_bytes())?),
            _ => return Err("a key without an encoding that a stranger would know".into()),
        };
        Ok(Self { hex: Encoding::Hex.encode(&bytes), text, encoding })
    }
}

/// What stands in a PEM, in Base64.
fn between_the_lines(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// One file.
#[derive(Serialize)]
pub(crate) struct Vector {
    pub(crate) file: String,
    /// The name of its configuration.
    pub(crate) configuration: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) scheme: &'static str,
    /// Seconds since 1970.
    pub(crate) received_at: i64,
    pub(crate) verdict: &'static str,
    pub(crate) status: u16,
    /// Of an accepted one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<Event>,
    /// Of a refused one: the kind of rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<&'static str>,
    /// The accepted file that it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) key: String,
    pub(crate) name: String,
}
