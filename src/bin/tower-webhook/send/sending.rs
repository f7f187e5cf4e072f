//! One endpoint from the sender's side: its provider under one key, and its credentials.
//!
//! Of a file only that endpoint is built, and of its keys and credentials only what is used: a sender need not have the
//! rest.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use http::HeaderValue;
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::config::{ConfigSpec, EndpointSpec, KeySpec, SecretSource};
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::AnyProvider;
use zeroize::Zeroizing;

use super::needs::Needs;
use crate::reading;

/// Which key seals.
#[derive(Clone, Copy)]
pub(crate) enum Pick<'a> {
    /// The first that is valid now.
    Valid,
    /// The first whose time is over.
    Expired,
    /// The one with this id, valid or not.
    Named(&'a str),
}

/// An endpoint, ready to send to.
pub(crate) struct Sending {
    pub(crate) path: String,
    pub(crate) provider_name: &'static str,
    /// Under one key, which is valid at any time.
    pub(crate) provider: AnyProvider,
    pub(crate) key: Option<KeyName>,
    /// Whether the endpoint has a key whose time is over.
    pub(crate) has_expired: bool,
    pub(crate) credentials: Option<Pair>,
    pub(crate) needs: Needs,
    /// Where the endpoint listens, if its port is fixed.
    pub(crate) listen: Option<SocketAddr>,
    /// Whether it listens there with a certificate.
    pub(crate) is_tls: bool,
}

/// What may be told of a key.
pub(crate) struct KeyName {
    pub(crate) id: String,
    pub(crate) is_valid: bool,
    /// The variable whose text is the key, as it is.
    pub(crate) env: Option<String>,
}

/// Basic credentials, ready to be sent.
pub(crate) struct Pair {
    pub(crate) username: String,
    /// Marked as sensitive.
    pub(crate) header: HeaderValue,
    /// The variable whose text is the password.
    pub(crate) env: Option<String>,
}

/// What keeps an endpoint from being sent to: at a key of the configuration, what is wrong and what would be right.
pub(crate) struct Obstacle {
    pub(crate) key: String,
    pub(crate) wrong: String,
    pub(crate) right: String,
}

impl Obstacle {
    fn new(key: impl Into<String>, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { key: key.into(), wrong: wrong.into(), right: right.into() }
    }

    fn line(&self, file: &Path) -> String {
        format!("{}: {self}", file.display())
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.wrong, self.right)
    }
}

impl Sending {
    /// From a file: the endpoint at this path, else the only one, else the only one of this provider.
    pub(crate) fn of_file(
        file: &Path,
        at: Option<&str>,
        provider: Option<&str>,
        pick: Pick<'_>,
    ) -> Result<Self, Vec<String>> {
        let spec = reading::read(file).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let lines = |obstacles: Vec<Obstacle>| obstacles.iter().map(|obstacle| obstacle.line(file)).collect::<Vec<_>>();
        let (number, endpoint) = find(&spec, at, provider).map_err(|obstacle| lines(vec![obstacle]))?;
        let sending = Self::of(endpoint.clone(), pick).map_err(|mut obstacles| {
            for obstacle in &mut obstacles {
                obstacle.key = format!("endpoint[{number}].{}", obstacle.key);
            }
            lines(obstacles)
        })?;
        let listen = Some(spec.listen).filter(|address| address.port() != 0);
        Ok(Self { listen, is_tls: spec.tls.is_some(), ..sending })
    }

    /// This endpoint, of which the one key is left that is picked.
    pub(crate) fn of(mut endpoint: EndpointSpec, pick: Pick<'_>) -> Result<Self, Vec<Obstacle>> {
        let now = SystemClock.now().unwrap_or_default();
        let has_expired = endpoint.keys.iter().any(|key| is_over(key, now));
        let key = match endpoint.keys.is_empty() {
            true => None,
            false => Some(keep_one_key(&mut endpoint.keys, pick, now).map_err(|obstacle| vec![obstacle])?),
        };
        endpoint.basic_auth.truncate(1);
        let built = endpoint.build().map_err(|faults| {
            faults.into_iter().map(|fault| Obstacle::new(fault.key, fault.wrong, fault.right)).collect::<Vec<_>>()
        })?;
        Ok(Self {
            path: endpoint.path.clone(),
            provider_name: endpoint.provider.name(),
            provider: built.provider,
            key,
            has_expired,
            credentials: credentials(&endpoint),
            needs: Needs::of(&endpoint),
            listen: None,
            is_tls: false,
        })
    }
}

/// The endpoint, and its number in the file.
fn find<'a>(
    spec: &'a ConfigSpec,
    at: Option<&str>,
    provider: Option<&str>,
) -> Result<(usize, &'a EndpointSpec), Obstacle> {
    let all = &spec.endpoints;
    let fits = |endpoint: &EndpointSpec| match (at, provider) {
        (Some(path), _) => endpoint.path == path,
        (None, Some(provider)) if all.len() > 1 => endpoint.provider.name() == provider,
        (None, _) => true,
    };
    let fitting: Vec<_> = all.iter().enumerate().filter(|(_, endpoint)| fits(endpoint)).collect();
    if let [found] = fitting.as_slice() {
        return Ok(*found);
    }
    let paths: Vec<&str> = all.iter().map(|endpoint| endpoint.path.as_str()).collect();
    let wrong = match at {
        Some(path) => format!("{path:?} is the path of {} endpoints", fitting.len()),
        None => "which one is not clear".to_owned(),
    };
    Err(Obstacle::new("endpoint", wrong, format!("take --endpoint with one of {}", paths.join(", "))))
}

fn is_over(key: &KeySpec, now: Timestamp) -> bool {
    key.not_after.is_some_and(|end| end < now)
}

pub(crate) fn is_valid(key: &KeySpec, now: Timestamp) -> bool {
    !is_over(key, now) && key.not_before.is_none_or(|start| start <= now)
}

/// Leaves one key in the list, without its times: whoever picked it wants it used.
fn keep_one_key(keys: &mut Vec<KeySpec>, pick: Pick<'_>, now: Timestamp) -> Result<KeyName, Obstacle> {
    let found = keys.iter().find(|key| match pick {
        Pick::Valid => is_valid(key, now),
        Pick::Expired => is_over(key, now),
        Pick::Named(id) => key.id == id,
    });
    let Some(key) = found else {
        let wrong = match pick {
            Pick::Valid => "none is valid now".to_owned(),
            Pick::Expired => "none has expired".to_owned(),
            Pick::Named(id) => format!("none has the id {id:?}"),
        };
        let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        return Err(Obstacle::new("keys", wrong, format!("take --key-id with one of {}", ids.join(", "))));
    };
    let mut key = key.clone();
    let is_valid = is_valid(&key, now);
    (key.not_before, key.not_after) = (None, None);
    let is_plain = key.encoding.is_none() && key.strip.is_none();
    let env = variable(&key.secret).filter(|_| is_plain);
    let id = key.id.clone();
    *keys = vec![key];
    Ok(KeyName { id, is_valid, env })
}

fn variable(source: &SecretSource) -> Option<String> {
    match source {
        SecretSource::Env(name) => Some(name.clone()),
        _ => None,
    }
}

fn credentials(endpoint: &EndpointSpec) -> Option<Pair> {
    let pair = endpoint.basic_auth.first()?;
    let password = pair.password.text().ok()?;
    let text = Zeroizing::new(format!("{}:{}", pair.username, password.expose()));
    let mut header = HeaderValue::try_from(format!("Basic {}", Encoding::Base64.encode(text.as_bytes()))).ok()?;
    header.set_sensitive(true);
    Some(Pair { username: pair.username.clone(), header, env: variable(&pair.password) })
}
