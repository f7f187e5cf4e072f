//! Variables of the environment that go before keys of the file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use toml::{Table, Value};

/// What every such variable begins with.
const PREFIX: &str = "TOWER_WEBHOOK_";

/// Variables that go before keys of a configuration file, for one file in several places: `TOWER_WEBHOOK_LISTEN` before
/// `listen`, `TOWER_WEBHOOK_INBOX_RETRY_ATTEMPTS` before `inbox.retry.attempts`. Lists have none: `[[endpoint]]`, and all in it.
///
/// They are given to [`load_with`](super::load_with) or [`read_with`](super::read_with). A variable that names no key is a fault.
/// `Debug` prints names alone.
#[derive(Clone, Default)]
pub struct Overrides {
    /// By name. What is not Unicode has no values.
    all: BTreeMap<String, Vec<Value>>,
    nothing: Table,
}

impl Overrides {
    /// Those of these variables that begin with `TOWER_WEBHOOK_`, such as of [`std::env::vars_os`]. What Kubernetes makes of a
    /// service of the name `tower-webhook` (`TOWER_WEBHOOK_SERVICE_HOST`, `TOWER_WEBHOOK_PORT_80_TCP`, …) is left alone.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let rest = name.strip_prefix(PREFIX)?;
            (!is_of_a_service(rest, &value)).then(|| (name, values(&value)))
        });
        Self { all: ours.collect(), nothing: Table::new() }
    }

    /// The names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// What a key may be by its variable. `None`: it has none. Empty: it is not Unicode.
    pub(super) fn of(&self, variable: &str) -> Option<&[Value]> {
        self.all.get(variable).map(Vec::as_slice)
    }

    /// Whether there are variables of keys in this table.
    pub(super) fn are_in(&self, variable: &str) -> bool {
        self.names().any(|name| name.strip_prefix(variable).is_some_and(|rest| rest.starts_with('_')))
    }

    /// Stands for a table that the file has not.
    pub(super) fn nothing(&self) -> &Table {
        &self.nothing
    }
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The variable of the key at this place, such as `inbox.retry.attempts`.
pub(super) fn variable(place: &str) -> String {
    format!("{PREFIX}{}", place.replace('.', "_").to_ascii_uppercase())
}

/// A variable has no type: what is no text to its key may be a number or a truth.
fn values(value: &OsStr) -> Vec<Value> {
    let Some(text) = value.to_str() else { return Vec::new() };
    let number = text.parse().ok().map(Value::Integer);
    let truth = text.parse().ok().map(Value::Boolean);
    [Value::String(text.to_owned())].into_iter().chain(number).chain(truth).collect()
}

/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_of_a_service(rest: &str, value: &OsStr) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let has = |pair: [&str; 2]| words.windows(2).any(|two| two == pair);
    let is_port = |two: &[&str]| matches!(two, ["PORT", number] if number.parse::<u16>().is_ok());
    let is_address = || value.to_str().is_some_and(|value| value.contains("://"));
    has(["SERVICE", "HOST"])
        || has(["SERVICE", "PORT"])
        || words.windows(2).any(is_port)
        || (words.last() == Some(&"PORT") && is_address())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(variables: &[(&str, &str)]) -> Vec<String> {
        let all = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Overrides::new(all).names().map(str::to_owned).collect()
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_of_this_name_is_not_ours_and_a_mistake_is() {
        for (name, value) in [
            ("TOWER_WEBHOOK_SERVICE_HOST", "10.0.0.1"),
            ("TOWER_WEBHOOK_SERVICE_PORT", "8080"),
            ("TOWER_WEBHOOK_SERVICE_PORT_HTTP", "8080"),
            ("TOWER_WEBHOOK_PORT", "tcp://10.0.0.1:8080"),
            ("TOWER_WEBHOOK_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("TOWER_WEBHOOK_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("TOWER_WEBHOOK_ADMIN_SERVICE_HOST", "10.0.0.1"),
            ("TOWER_WEBHOOK_ADMIN_PORT", "tcp://10.0.0.1:9090"),
            ("PATH", "/bin"),
            ("tower_webhook_listen", "1"),
        ] {
            assert_eq!(names(&[(name, value)]), Vec::<String>::new(), "{name}");
        }
        for (name, value) in
            [("TOWER_WEBHOOK_PORT", "8080"), ("TOWER_WEBHOOK_SERVICE", "x"), ("TOWER_WEBHOOK_PORT_TCP", "1")]
        {
            assert_eq!(names(&[(name, value)]), [name], "{name}");
        }
    }

    #[test]
    fn no_value_is_printed() {
        let all = Overrides::new([("TOWER_WEBHOOK_INBOX_URL".into(), "canary".into())]);
        assert_eq!(format!("{all:?}"), "{\"TOWER_WEBHOOK_INBOX_URL\"}");
    }
}
