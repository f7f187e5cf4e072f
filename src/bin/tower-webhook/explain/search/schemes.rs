//! Changes of the endpoint's other words: another endpoint as it stands, another MAC, spelling, URL or provider.

use toml::{Table, Value};
use tower_webhook::provider::Provider as _;
use tower_webhook::scheme::MacAlgorithm;

use super::Setting;
use crate::config::Endpoint;
use crate::explain::judge::Case;
use crate::explain::report::Why;

/// The other endpoints of the file, each with one of its keys. One that proves no sender takes everything, and says
/// nothing.
pub(super) fn other_endpoints(case: &Case<'_>) -> Vec<Setting> {
    let others = case.others.iter().filter(|other| other.provider.scheme().proves_sender());
    others
        .flat_map(|other| other.key_texts().into_iter().filter_map(|(entry, _)| with_one_key(case, other, entry)))
        .collect()
}

fn with_one_key(case: &Case<'_>, other: &Endpoint, entry: Table) -> Option<Setting> {
    let (path, id) = (&other.path, entry.get("id").and_then(Value::as_str).unwrap_or_default());
    let why = if other.provider_name == case.endpoint.provider_name {
        Why::new(
            format!("it fits the key {id} of {path}: wrong environment?"),
            format!("give both sides the same key, or send it to {path}"),
        )
    } else {
        Why::new(format!("it fits {path}: wrong address?"), format!("have the sender send it to {path}"))
    };
    Some(Setting { why, endpoint: other.reread(&with(&other.table, "keys", vec![entry]))? })
}

/// The endpoint with one of its words changed, as far as its provider knows that word.
pub(super) fn settings(case: &Case<'_>) -> Vec<Setting> {
    let table = &case.endpoint.table;
    let mut all = Vec::new();
    let mut add = |why: Why, changed: Table| {
        if changed != *table {
            all.extend(case.endpoint.reread(&changed).map(|endpoint| Setting { why, endpoint }));
        }
    };
    for mac in MacAlgorithm::ALL {
        let name = mac.name();
        let why = || Why::new(format!("it was made with {name}"), format!("write mac = {name:?}"));
        add(why(), with(table, "mac", name));
        if let Some(scheme) = table.get("scheme").and_then(Value::as_table) {
            add(why(), with(table, "scheme", with(scheme, "mac", name)));
        }
    }
    for spelling in ["svix", "webhook"] {
        let why = Why::new(
            format!("the headers are spelled {spelling}-id, {spelling}-timestamp and {spelling}-signature"),
            format!("write headers = {spelling:?}"),
        );
        add(why, with(table, "headers", spelling));
    }
    if let Some(url) = table.get("url").and_then(Value::as_str) {
        for (cause, other) in other_urls(url) {
            let why = Why::new(cause, "write url as the sender was given it, byte for byte");
            add(why, with(table, "url", other));
        }
    }
    if let Some(scheme) = table.get("scheme").and_then(Value::as_table) {
        let why = Why::new("the body alone was signed", "write signed = \"{body}\", without timestamp");
        let mut changed = with(table, "scheme", with(scheme, "signed", "{body}"));
        changed.remove("timestamp");
        add(why, changed);
    }
    for provider in ["aella", "opp", "sibs", "banking_circle", "standard_webhooks"] {
        let mut changed = with(table, "provider", provider);
        changed.retain(|name, _| matches!(name, "path" | "provider" | "keys" | "basic_auth"));
        let why = Why::new(
            format!("this is a delivery of {provider}, and the endpoint is one of {}", case.endpoint.provider_name),
            format!("write provider = {provider:?}, or have it sent to another endpoint"),
        );
        if case.endpoint.provider_name != provider {
            add(why, changed);
        }
    }
    all
}

fn with(table: &Table, name: &str, value: impl Into<Value>) -> Table {
    let mut table = table.clone();
    table.insert(name.to_owned(), value.into());
    table
}

fn other_urls(url: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![match url.strip_suffix('/') {
        Some(short) => ("the URL was signed without the slash at its end", short.to_owned()),
        None => ("the URL was signed with a slash at its end", format!("{url}/")),
    }];
    if let Some(rest) = url.strip_prefix("https://") {
        all.push(("the URL was signed with http in front", format!("http://{rest}")));
    }
    if let Some(rest) = url.strip_prefix("http://") {
        all.push(("the URL was signed with https in front", format!("https://{rest}")));
    }
    if let Some((short, _)) = url.split_once('?') {
        all.push(("the URL was signed without its query", short.to_owned()));
    }
    all
}
