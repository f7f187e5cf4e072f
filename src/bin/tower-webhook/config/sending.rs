//! One endpoint of the configuration from the sender's side: its provider under one key, and its credentials.
//!
//! Only that endpoint is read, and of its keys and credentials only what is used: a sender need not have the rest.

use std::net::SocketAddr;
use std::path::Path;

use http::HeaderValue;
use toml::{Table, Value};
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::encoding::Encoding;
use zeroize::Zeroizing;

use super::endpoint::{Endpoint, read_pair};
use super::reader::{Faults, Section};
use super::{Defaults, Fault, folder_of, keys, read_table};
use crate::any::AnyProvider;

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
    pub(crate) provider_name: String,
    /// Under one key, which is valid at any time.
    pub(crate) provider: AnyProvider,
    pub(crate) key: Option<KeyName>,
    /// Whether the endpoint has a key whose time is over.
    pub(crate) has_expired: bool,
    pub(crate) credentials: Option<Pair>,
    /// Where the endpoint listens, if its port is fixed.
    pub(crate) listen: Option<SocketAddr>,
}

/// What may be told of a key.
pub(crate) struct KeyName {
    pub(crate) id: String,
    pub(crate) is_valid: bool,
    is_over: bool,
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

impl Sending {
    /// From a file: the endpoint at this path, else the only one, else the only one of this provider.
    pub(crate) fn of_file(
        file: &Path,
        at: Option<&str>,
        provider: Option<&str>,
        pick: Pick<'_>,
    ) -> Result<Self, Vec<Fault>> {
        let faults = Faults::new(&file.display().to_string());
        let table = read_table(file, &faults);
        let sending = table.and_then(|table| {
            let root = Section::root(&table, &faults);
            let listen = root.text("listen").and_then(|text| text.parse().ok());
            let listen = listen.filter(|address: &SocketAddr| address.port() != 0);
            let (place, endpoint) = find(&root, &table, at, provider)?;
            let sending = Self::read(place, endpoint.clone(), folder_of(file), pick, &faults)?;
            Some(Self { listen, ..sending })
        });
        sending.filter(|_| faults.is_empty()).ok_or_else(|| faults.take())
    }

    /// From a table as an endpoint is written.
    pub(crate) fn of_table(table: Table) -> Result<Self, Vec<Fault>> {
        let faults = Faults::new("(options)");
        let sending = Self::read(String::new(), table, Path::new(""), Pick::Valid, &faults);
        sending.filter(|_| faults.is_empty()).ok_or_else(|| faults.take())
    }

    fn read(place: String, mut table: Table, folder: &Path, pick: Pick<'_>, faults: &Faults) -> Option<Self> {
        let keys = name_keys(&Section::at(place.clone(), &table, faults))?;
        let has_expired = keys.iter().any(|key| key.is_over);
        let key = if keys.is_empty() { None } else { Some(pick_key(keys, pick, &place, faults)?) };
        if let Some((at, _)) = key {
            keep_key(&mut table, at);
        }
        if let Some(Value::Array(pairs)) = table.get_mut("basic_auth") {
            pairs.truncate(1);
        }
        let section = Section::at(place.clone(), &table, faults);
        let defaults = Defaults { max_body: None, retention: None };
        let endpoint = Endpoint::read(&section, folder, &defaults)?;
        Some(Self {
            path: endpoint.path,
            provider_name: endpoint.provider_name,
            provider: endpoint.provider,
            key: key.map(|(_, key)| key),
            has_expired,
            credentials: read_credentials(&Section::at(place, &table, faults), folder),
            listen: None,
        })
    }
}

/// The endpoint's table, and its place in the file.
fn find<'a>(
    root: &Section<'_>,
    table: &'a Table,
    at: Option<&str>,
    provider: Option<&str>,
) -> Option<(String, &'a Table)> {
    let all = table.get("endpoint").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let all: Vec<_> = all.iter().enumerate().filter_map(|(at, value)| Some((at, value.as_table()?))).collect();
    let says = |table: &Table, key, text: &str| table.get(key).and_then(Value::as_str) == Some(text);
    let fits = |table: &Table| match (at, provider) {
        (Some(path), _) => says(table, "path", path),
        (None, Some(provider)) if all.len() > 1 => says(table, "provider", provider),
        (None, _) => true,
    };
    let fitting: Vec<_> = all.iter().filter(|(_, table)| fits(table)).collect();
    if let [(at, table)] = fitting.as_slice() {
        return Some((format!("endpoint[{at}]"), table));
    }
    let paths: Vec<&str> = all.iter().filter_map(|(_, table)| table.get("path")?.as_str()).collect();
    let wrong = match at {
        Some(path) => format!("{path:?} is the path of {} endpoints", fitting.len()),
        None => "which one is not clear".to_owned(),
    };
    root.fault("endpoint", wrong, format_args!("take --endpoint with one of {}", paths.join(", ")));
    None
}

fn name_keys(section: &Section<'_>) -> Option<Vec<KeyName>> {
    let now = SystemClock.now();
    section.sections("keys").iter().map(|entry| name_key(entry, now?)).collect()
}

fn name_key(entry: &Section<'_>, now: Timestamp) -> Option<KeyName> {
    let id = entry.needed("id", "name the key, for the log: id = \"2026-11\"")?.to_owned();
    let (start, end) = (keys::time(entry, "not_before"), keys::time(entry, "not_after"));
    let is_over = end.is_some_and(|end| end < now);
    let is_valid = !is_over && start.is_none_or(|start| start <= now);
    let plain = !entry.has("encoding") && !entry.has("strip");
    let env = entry.text("env").filter(|_| plain).map(str::to_owned);
    Some(KeyName { id, is_valid, is_over, env })
}

/// A key and its place in the list.
fn pick_key(keys: Vec<KeyName>, pick: Pick<'_>, place: &str, faults: &Faults) -> Option<(usize, KeyName)> {
    let ids: Vec<String> = keys.iter().map(|key| key.id.clone()).collect();
    let found = keys.into_iter().enumerate().find(|(_, key)| match pick {
        Pick::Valid => key.is_valid,
        Pick::Expired => key.is_over,
        Pick::Named(id) => key.id == id,
    });
    if found.is_none() {
        let wrong = match pick {
            Pick::Valid => "none is valid now".to_owned(),
            Pick::Expired => "none has expired".to_owned(),
            Pick::Named(id) => format!("none has the id {id:?}"),
        };
        faults.add(format!("{place}.keys"), wrong, format_args!("take --key-id with one of {}", ids.join(", ")));
    }
    found
}

/// Leaves this key alone in the list, without its times: whoever picked it wants it used.
fn keep_key(table: &mut Table, at: usize) {
    let Some(keys) = table.get_mut("keys") else { return };
    let all = keys.as_array().map_or(std::slice::from_ref(&*keys), Vec::as_slice);
    if let Some(Value::Table(mut key)) = all.get(at).cloned() {
        key.remove("not_before");
        key.remove("not_after");
        *keys = Value::Table(key);
    }
}

fn read_credentials(section: &Section<'_>, folder: &Path) -> Option<Pair> {
    let entries = section.sections("basic_auth");
    let entry = entries.first()?;
    let (username, password) = read_pair(entry, folder)?;
    let pair = Zeroizing::new(format!("{username}:{}", *password));
    let mut header = HeaderValue::try_from(format!("Basic {}", Encoding::Base64.encode(pair.as_bytes()))).ok()?;
    header.set_sensitive(true);
    let in_table = entry.plain_text("password").is_none();
    let env = if in_table { entry.section("password")?.text("env").map(str::to_owned) } else { None };
    Some(Pair { username: username.to_owned(), header, env })
}
