//! Whose delivery it is: an endpoint of a configuration, or one that is written in options.

use std::path::Path;

use toml::{Table, Value};

use super::args::Who;
use super::{Wrong, say};
use crate::config::{Fault, Pick, Sending};

/// The endpoint that the arguments name, under the key that they name.
pub(super) fn sending(who: &Who, provider: Option<&str>) -> Result<Sending, Wrong> {
    pick(who, provider, who.key_id.as_deref().map_or(Pick::Valid, Pick::Named))
}

/// What stands for staleness where no time is sealed: an expired key, if there is one.
pub(super) fn without_time(who: &Who, provider: Option<&str>, sending: Sending) -> Sending {
    let name = sending.provider_name.clone();
    if who.key_id.is_some() {
        say(format_args!("--stale: {name} seals no time; the key that was named is all that can be stale"));
        return sending;
    }
    let has_keys = who.config.is_some() && sending.key.is_some();
    match has_keys.then(|| pick(who, provider, Pick::Expired)) {
        Some(Ok(old)) => {
            say(format_args!("--stale: {name} seals no time; sealed with an expired key instead"));
            old
        }
        _ => {
            say(format_args!(
                "--stale: warning: {name} seals no time, and there is no expired key: nothing is stale in this \
                 delivery, and a receiver takes it"
            ));
            sending
        }
    }
}

fn pick(who: &Who, provider: Option<&str>, pick: Pick<'_>) -> Result<Sending, Wrong> {
    let lines = |faults: Vec<Fault>| Wrong(faults.iter().map(ToString::to_string).collect());
    match &who.config {
        Some(file) => Sending::of_file(file, who.endpoint.as_deref(), provider, pick).map_err(lines),
        None => Sending::of_table(table(who)).map_err(|faults| Wrong(faults.iter().map(option_fault).collect())),
    }
}

/// The options as an endpoint is written, so that they are read like one.
fn table(who: &Who) -> Table {
    let text = |text: &str| Value::String(text.to_owned());
    let mut table = Table::from_iter([("path".to_owned(), text("/"))]);
    table.extend(who.provider.as_deref().map(|name| ("provider".to_owned(), text(name))));
    let file = who.key_file.as_deref().and_then(Path::to_str);
    let key = [("env", who.key_env.as_deref()), ("file", file), ("value", who.dangerous_key.as_deref())];
    if let Some((place, value)) = key.into_iter().find_map(|(place, value)| Some((place, value?))) {
        let key = Table::from_iter([("id".to_owned(), text("option")), (place.to_owned(), text(value))]);
        table.insert("keys".to_owned(), Value::Array(vec![Value::Table(key)]));
    }
    if let (Some(user), Some(env)) = (&who.user, &who.password_env) {
        let password = Table::from_iter([("env".to_owned(), text(env))]);
        let pair = [("username".to_owned(), text(user)), ("password".to_owned(), Value::Table(password))];
        table.insert("basic_auth".to_owned(), Value::Array(vec![Value::Table(Table::from_iter(pair))]));
    }
    table
}

/// A fault in words of the options, as far as an option can mend it.
fn option_fault(fault: &Fault) -> String {
    let (option, right) = match fault.key.as_str() {
        "keys" => ("--key-env", "give --key-env NAME or --key-file FILE"),
        "keys[0].env" | "keys.env" => ("--key-env", fault.right.as_str()),
        "keys[0].file" | "keys.file" => ("--key-file", "give the path of a readable file"),
        "keys[0].value" | "keys.value" => ("--key-env", fault.right.as_str()),
        "basic_auth" => ("--user", "give --user NAME and --password-env NAME"),
        key if key.starts_with("basic_auth") => ("--password-env", fault.right.as_str()),
        "provider" => ("--provider", fault.right.as_str()),
        key => (key, "write an endpoint in a file, and give --config and --endpoint"),
    };
    format!("{option}: {}; {right}", fault.wrong)
}
