//! The whole file: its TOML, and what all endpoints have in common.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use toml::Table;

use super::secret::named_secret;
use super::section::Section;
use super::{endpoint, inbox, secret};
use crate::config::fault::{Found, Place};
use crate::config::overrides::Overrides;
use crate::config::spec::{ConfigSpec, DedupeSpec, RedisSpec, StoreSpec, TlsSpec, WaitSpec};

/// Reads a file, as far as it can be read. Where something cannot, the usual stands in its place, so that the rest can be
/// looked at too.
pub(in crate::config) fn file(path: &Path, overrides: &Overrides, found: &Found) -> Option<ConfigSpec> {
    match std::fs::read_to_string(path) {
        Ok(content) => text(path, &content, overrides, found),
        Err(error) => {
            found.add("(file)", format_args!("cannot be read: {error}"), "give the path of a readable TOML file");
            None
        }
    }
}

/// Reads a text as if it were a file at this path.
pub(in crate::config) fn text(path: &Path, content: &str, overrides: &Overrides, found: &Found) -> Option<ConfigSpec> {
    let table: Table = match content.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            let line = error.span().map(|span| line_of(content, span.start)).unwrap_or_default();
            found.add(format!("line {line}"), error.message().replace('\n', " "), "write TOML");
            return None;
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut spec = read(&Section::new(Place::root(found), &table, Some(overrides)), folder);
    spec.file = path.display().to_string();
    found.check_variables(overrides.names());
    found.reading_ends();
    Some(spec)
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

fn read(root: &Section<'_>, folder: &Path) -> ConfigSpec {
    let mut spec = ConfigSpec::new([]);
    spec.listen = address(root, "listen").unwrap_or(spec.listen);
    spec.tls = root.section("tls").map(|section| tls(&section, folder));
    spec.admin = address(root, "admin");
    spec.tenant = root.text("tenant").unwrap_or_default().to_owned();
    spec.max_body = root.size("max_body");
    spec.body_budget = root.size("body_budget");
    for (key, time) in [
        ("body_deadline", &mut spec.body_deadline),
        ("write_deadline", &mut spec.write_deadline),
        ("drain", &mut spec.drain),
    ] {
        *time = root.some_time(key).unwrap_or(*time);
    }
    spec.quiet_payloads = root.truth("quiet_payloads").unwrap_or(false);
    spec.dedupe = root.section("dedupe").map(|section| dedupe(&section, folder)).unwrap_or_default();
    spec.inbox = root.section("inbox").map(|section| inbox::read(&section, folder));
    let sections = root.sections("endpoint");
    root.finish();
    for section in sections.iter().filter(|section| spec.inbox.is_some() && section.has("on_mismatch")) {
        let right = "leave it out: an event with another payload is kept apart, and acknowledged";
        section.fault("on_mismatch", "means nothing with an [inbox]", right);
    }
    spec.endpoints = sections.iter().map(|section| endpoint::read(section, folder)).collect();
    spec
}

fn address(root: &Section<'_>, key: &'static str) -> Option<SocketAddr> {
    let address = root.text(key)?.parse().ok();
    if address.is_none() {
        root.fault(key, "is not an address", "write an address and a port, such as \"127.0.0.1:8080\"");
    }
    address
}

fn tls(section: &Section<'_>, folder: &Path) -> TlsSpec {
    let certificate = section.needed("certificate", "write the path of a PEM file, such as \"cert.pem\"");
    let key = named_secret(section, "key", folder, "write key = { file = \"key.pem\" }");
    let mut spec = TlsSpec::new(folder.join(certificate.unwrap_or_default()), key.unwrap_or_else(secret::unread));
    spec.client_ca = section.text("client_ca").map(|path| folder.join(path));
    section.finish();
    spec
}

fn dedupe(section: &Section<'_>, folder: &Path) -> DedupeSpec {
    // With Redis a capacity says nothing, and is no fault: a file is easily switched over.
    let capacity = section.count("capacity").unwrap_or(1_000_000);
    let right = "write \"memory\" or \"redis\"";
    let kinds = |text: &str| matches!(text, "memory" | "redis").then_some(text == "redis");
    let store = match section.word("kind", false, kinds, right) {
        false => StoreSpec::Memory { capacity },
        true => StoreSpec::Redis(redis(section, folder)),
    };
    let (lease, retention) = (section.some_time("lease"), section.some_time("retention"));
    section.finish();
    DedupeSpec { store, lease, retention }
}

fn redis(section: &Section<'_>, folder: &Path) -> RedisSpec {
    let right = "write url = \"redis://127.0.0.1:6379\", or url = { env = \"…\" }";
    let url = named_secret(section, "url", folder, right);
    let mut spec = RedisSpec::new(url.unwrap_or_else(secret::unread));
    spec.strict = section.truth("strict").unwrap_or(false);
    spec.deadline = section.some_time("deadline");
    spec.prefix = section.text("prefix").map(str::to_owned);
    spec.wait = section.section("wait").map(|wait| {
        let replicas = wait.count("replicas").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        let time = wait.some_time("time").unwrap_or(Duration::from_millis(500));
        wait.finish();
        WaitSpec::new(replicas, time)
    });
    spec
}
