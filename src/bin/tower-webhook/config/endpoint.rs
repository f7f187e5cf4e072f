//! One `[[endpoint]]`: where it listens, who may send, how it is proved, and where events go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderName;
use toml::Table;
use tower_webhook::idempotency::{Mismatch, ReceiverIdentity};
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer};
use tower_webhook::provider::Provider as _;
use tower_webhook::secret::Secret;
use zeroize::Zeroizing;

use super::reader::{Faults, Section};
use super::{Defaults, Forward, forward, keys, provider};
use crate::any::AnyProvider;

/// The longest name of a receiver, in bytes.
const MAX_NAME: usize = 128;

/// An endpoint that has been checked.
pub(crate) struct Endpoint {
    pub(crate) path: String,
    /// The receiver's name: the path, unless the file says another.
    pub(crate) name: String,
    pub(crate) provider_name: String,
    pub(crate) provider: AnyProvider,
    pub(crate) basic_auth: Option<BasicAuthLayer>,
    pub(crate) sources: Option<SourceIpLayer>,
    pub(crate) max_body: usize,
    pub(crate) retention: Option<Duration>,
    /// What becomes of an event whose key was completed with another payload.
    pub(crate) on_mismatch: Mismatch,
    /// Runs events while the store is down, though a repeat is then handled again.
    pub(crate) runs_unprotected: bool,
    pub(crate) forward: Option<Forward>,
    /// Headers that carry proofs or secrets.
    pub(crate) secret_headers: Vec<HeaderName>,
    /// The words it was read from.
    pub(crate) table: Table,
    folder: PathBuf,
}

impl Endpoint {
    pub(crate) fn read(section: &Section<'_>, folder: &Path, defaults: &Defaults) -> Option<Self> {
        let path = read_path(section);
        let receiver = read_name(section);
        let name = section.needed("provider", provider::KNOWN);
        let basic_auth = read_basic_auth(section, folder);
        let built = name.and_then(|name| provider::read(section, name, folder));
        let sources = read_sources(section);
        let retention = section.some_time("retention").or(defaults.retention);
        let max_body = section.size("max_body").or(defaults.max_body);
        let runs_unprotected = section.truth("dangerous_run_unprotected").unwrap_or(false);
        let on_mismatch = read_on_mismatch(section);
        let forward = forward::read(section);
        section.finish();

        let built = built?;
        if !built.provider.scheme().proves_sender() && !section.has("basic_auth") {
            section.fault("basic_auth", "is missing, and nothing else proves this sender", built.proof_hint);
        }
        if let Some(Err(error)) = retention.map(|given| built.provider.profile().check_retention(given)) {
            section.fault("retention", error, "take a longer one, or leave it out");
        }
        let forward = forward.map(|words| words.with(&built));
        Some(Self {
            name: receiver.or(path.as_deref())?.to_owned(),
            path: path?,
            provider_name: name?.to_owned(),
            max_body: max_body.unwrap_or(built.provider.profile().max_body),
            provider: built.provider,
            basic_auth,
            sources,
            retention,
            on_mismatch,
            runs_unprotected,
            forward,
            secret_headers: built.secret_headers,
            table: section.table().clone(),
            folder: folder.to_owned(),
        })
    }

    /// Who it is to a store that others use too.
    pub(crate) fn identity(&self, tenant: &str) -> ReceiverIdentity {
        ReceiverIdentity::new(tenant, self.provider.profile().name, &self.name)
            .keys(self.provider.scheme().key_checks())
            .users(self.basic_auth.iter().flat_map(BasicAuthLayer::usernames))
    }

    /// The same endpoint in other words. `None` when they are not sound.
    pub(crate) fn reread(&self, table: &Table) -> Option<Self> {
        let faults = Faults::new("");
        let defaults = Defaults { max_body: None, retention: None };
        let endpoint = Self::read(&Section::root(table, &faults), &self.folder, &defaults);
        endpoint.filter(|_| faults.is_empty())
    }

    /// The words of each key, with the text that its secret is written as.
    pub(crate) fn key_texts(&self) -> Vec<(Table, String)> {
        let faults = Faults::new("");
        let entries = Section::root(&self.table, &faults).sections("keys");
        let text = |entry: &Section<'_>| Some((entry.table().clone(), keys::secret_text(entry, &self.folder)?));
        entries.iter().filter_map(text).collect()
    }
}

fn read_name<'a>(section: &Section<'a>) -> Option<&'a str> {
    let name = section.text("name")?;
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        section.fault("name", "is not a name", "write 1 to 128 bytes of text, such as \"aella-ng\"");
        return None;
    }
    Some(name)
}

fn read_on_mismatch(section: &Section<'_>) -> Mismatch {
    match section.text("on_mismatch") {
        None | Some("refuse") => Mismatch::Refuse,
        Some("acknowledge") => Mismatch::AcknowledgeUnhandled,
        Some(_) => {
            section.fault("on_mismatch", "is neither \"refuse\" nor \"acknowledge\"", "leave it out to refuse");
            Mismatch::Refuse
        }
    }
}

fn read_path(section: &Section<'_>) -> Option<String> {
    let path = section.needed("path", "write where it listens, such as \"/aella\"")?;
    let is_path =
        path.starts_with('/') && path.parse::<http::uri::PathAndQuery>().is_ok_and(|uri| uri.query().is_none());
    if !is_path {
        section.fault("path", "is not a path", "begin it with \"/\", without a query");
        return None;
    }
    Some(path.to_owned())
}

fn read_basic_auth(section: &Section<'_>, folder: &Path) -> Option<BasicAuthLayer> {
    let entries = section.sections("basic_auth");
    if entries.is_empty() {
        return None;
    }
    let credentials: Vec<_> = entries.iter().map(|entry| read_credentials(entry, folder)).collect();
    match BasicAuthLayer::new(credentials.into_iter().collect::<Option<Vec<_>>>()?) {
        Ok(layer) => Some(layer),
        Err(error) => {
            section.fault("basic_auth", error, "write one to eight pairs of username and password");
            None
        }
    }
}

fn read_credentials(entry: &Section<'_>, folder: &Path) -> Option<Credentials> {
    let (username, password) = read_pair(entry, folder)?;
    match Secret::utf8(&*password).and_then(|password| Credentials::new(username, password)) {
        Ok(credentials) => Some(credentials),
        Err(error) => {
            entry.fault("password", error, "check username and password");
            None
        }
    }
}

/// A user name and its password, as they are sent.
pub(super) fn read_pair<'a>(entry: &Section<'a>, folder: &Path) -> Option<(&'a str, Zeroizing<String>)> {
    let username = entry.needed("username", "write username and password");
    let password = match entry.plain_text("password") {
        Some(text) => Some(text.to_owned()),
        None => {
            if !entry.has("password") {
                entry.fault("password", "is missing", "write password = { env = \"…\" }, or value or file for env");
            }
            let section = entry.section("password")?;
            let text = keys::secret_text(&section, folder);
            keys::warn_of_readers(&section, folder);
            section.finish();
            text
        }
    };
    entry.finish();
    Some((username?, Zeroizing::new(password?)))
}

fn read_sources(section: &Section<'_>) -> Option<SourceIpLayer> {
    let hops = section.count("trusted_proxies");
    let Some(networks) = section.texts("sources") else {
        if hops.is_some_and(|hops| hops > 0) {
            section.fault("trusted_proxies", "has no effect without sources", "write sources = [\"192.0.2.0/24\"] too");
        }
        return None;
    };
    match SourceIpLayer::new(networks) {
        Ok(layer) => Some(layer.trusted_proxies(hops.unwrap_or(0))),
        Err(error) => {
            section.fault("sources", error, "write networks such as \"192.0.2.0/24\"");
            None
        }
    }
}
