//! A table of a TOML file, read so that every fault is found in one go, each with its key and what would be right.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use http::HeaderName;
use toml::{Table, Value};

use super::units::{duration, size};
use crate::clock::Timestamp;
use crate::config::fault::Place;
use crate::config::overrides::{Overrides, variable};

const TABLE: &str = "write a table: { … } or [section]";
const TEXT: &str = "write a text in quotes";
const TIMES: &str = "write a time such as \"500ms\", \"10s\", \"5m\", \"2h\", \"7d\"";

/// A table, and the place where it stands. It remembers which keys were asked for: the rest is unknown.
pub(super) struct Section<'a> {
    place: Place<'a>,
    table: &'a Table,
    /// What goes before its keys. Tables in lists have none.
    overrides: Option<&'a Overrides>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(place: Place<'a>, table: &'a Table, overrides: Option<&'a Overrides>) -> Self {
        Self { place, table, overrides, asked: RefCell::default() }
    }

    pub(super) fn fault(&self, key: &str, wrong: impl fmt::Display, right: impl fmt::Display) {
        self.place.fault(key, wrong, right);
    }

    /// Whether the key is there. It counts as asked for.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.given(key).is_some()
    }

    /// What the file has.
    fn in_file(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// What stands there, by the variable that goes before it or by the file: one of these.
    fn given(&self, key: &'static str) -> Option<&'a [Value]> {
        let in_file = self.in_file(key).map(std::slice::from_ref);
        let place = self.place.name(key);
        let name = variable(&place);
        let Some(values) = self.overrides.and_then(|overrides| overrides.of(&name)) else { return in_file };
        let text = values.first().and_then(Value::as_str).unwrap_or_default();
        self.place.found().overridden(place, name, text);
        Some(values)
    }

    fn typed<T>(&self, key: &'static str, right: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        self.one_of(key, self.given(key)?, right, read)
    }

    fn one_of<T>(
        &self,
        key: &str,
        values: &'a [Value],
        right: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let taken = values.iter().find_map(read);
        if taken.is_none() {
            let kind = values.first().map_or("what is not Unicode", Value::type_str);
            self.fault(key, format_args!("{kind} is not taken here"), right);
        }
        taken
    }

    /// A text, where it may be something else too.
    pub(super) fn plain_text(&self, key: &'static str) -> Option<&'a str> {
        self.given(key)?.first()?.as_str()
    }

    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.typed(key, TEXT, Value::as_str)
    }

    /// A text that must be there.
    pub(super) fn needed(&self, key: &'static str, right: &str) -> Option<&'a str> {
        if !self.has(key) {
            self.fault(key, "is missing", right);
            return None;
        }
        self.text(key)
    }

    /// One of these words. Others are a fault, for which the usual one stands.
    pub(super) fn word<T>(&self, key: &'static str, usual: T, read: impl FnOnce(&str) -> Option<T>, right: &str) -> T {
        let Some(text) = self.text(key) else { return usual };
        read(text).unwrap_or_else(|| {
            self.fault(key, "is not known", right);
            usual
        })
    }

    /// A name that was read, or a fault that quotes it.
    pub(super) fn known<T>(&self, key: &'static str, text: &str, read: Option<T>, right: &str) -> Option<T> {
        if read.is_none() {
            self.fault(key, format_args!("{text:?} is not known"), right);
        }
        read
    }

    /// What was read of what is given, or a fault that quotes it: the kind of it is right.
    fn sense<T>(&self, key: &str, given: impl fmt::Display, read: Option<T>, what: &str, right: &str) -> Option<T> {
        if read.is_none() {
            self.fault(key, format_args!("{given} is not {what}"), right);
        }
        read
    }

    /// A point in time, as a text or as TOML's own.
    pub(super) fn time(&self, key: &'static str) -> Option<Timestamp> {
        const TIME: &str = "write it as \"2026-12-01T00:00:00Z\"";
        let text = self.typed(key, TIME, |value| match value {
            Value::Datetime(time) => Some(time.to_string()),
            value => value.as_str().map(str::to_owned),
        })?;
        let time = text.parse().ok();
        if time.is_none() {
            self.fault(key, "is not a time", TIME);
        }
        time
    }

    pub(super) fn header_name(&self, key: &'static str) -> Option<HeaderName> {
        let text = self.text(key)?;
        let name = text.parse().ok();
        if name.is_none() {
            self.fault(key, format_args!("{text:?} is not a header name"), "write letters, digits and hyphens");
        }
        name
    }

    pub(super) fn truth(&self, key: &'static str) -> Option<bool> {
        self.typed(key, "write true or false", Value::as_bool)
    }

    pub(super) fn count(&self, key: &'static str) -> Option<usize> {
        const COUNT: &str = "write a whole number, 0 or more";
        let number = self.typed(key, COUNT, Value::as_integer)?;
        self.sense(key, number, number.try_into().ok(), "0 or more", COUNT)
    }

    /// Bytes, at least one: a number, or a text such as `1MiB`.
    pub(super) fn size(&self, key: &'static str) -> Option<usize> {
        let right = "write bytes as a number, or as \"64KiB\", \"1MiB\"";
        let (given, bytes) = self.typed(key, right, |value| match value {
            Value::Integer(bytes) => Some((bytes.to_string(), (*bytes).try_into().ok())),
            value => value.as_str().map(|text| (format!("{text:?}"), size(text))),
        })?;
        let bytes = self.sense(key, given, bytes, "a number of bytes", right);
        self.more_than_none(key, bytes, right)
    }

    /// A length of time, which may be none.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        let text = self.typed(key, TIMES, Value::as_str)?;
        self.sense(key, format_args!("{text:?}"), duration(text), "one number with its unit", TIMES)
    }

    /// A length of time where none makes no sense.
    pub(super) fn some_time(&self, key: &'static str) -> Option<Duration> {
        self.more_than_none(key, self.duration(key), TIMES)
    }

    fn more_than_none<T: Default + PartialEq>(&self, key: &'static str, read: Option<T>, right: &str) -> Option<T> {
        if read.as_ref() == Some(&T::default()) {
            self.fault(key, "is nothing: with that no delivery could be handled", right);
            return None;
        }
        read
    }

    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<&'a str>> {
        let values = std::slice::from_ref(self.in_file(key)?);
        let list = self.one_of(key, values, "write a list of texts, such as [\"a\", \"b\"]", Value::as_array)?;
        self.each(key, list, TEXT, Value::as_str)
    }

    /// Every value of a list, of which each that is something else is a fault.
    fn each<T>(
        &self,
        key: &str,
        list: &'a [Value],
        right: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let one = |(at, value)| self.one_of(&format!("{key}[{at}]"), std::slice::from_ref(value), right, &read);
        let all: Vec<Option<T>> = list.iter().enumerate().map(one).collect();
        all.into_iter().collect()
    }

    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        self.section_or(key, TABLE)
    }

    /// The same, where something else than a table would be right too.
    pub(super) fn section_or(&self, key: &'static str, right: &str) -> Option<Section<'a>> {
        let Some(value) = self.in_file(key) else { return self.overriding(key) };
        let table = self.one_of(key, std::slice::from_ref(value), right, Value::as_table)?;
        Some(Self::new(self.place.part(key), table, self.overrides))
    }

    /// The table that variables alone make, whatever the file has. `None`: there are none.
    pub(super) fn overriding(&self, key: &'static str) -> Option<Section<'a>> {
        self.asked.borrow_mut().insert(key);
        let (place, overrides) = (self.place.part(key), self.overrides?);
        let is_any = overrides.are_in(&variable(&self.place.name(key)));
        is_any.then(|| Self::new(place, overrides.nothing(), Some(overrides)))
    }

    /// A list of tables; one table alone is taken as a list of one.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.in_file(key) else { return Vec::new() };
        if let Value::Table(table) = value {
            return vec![Self::new(self.place.part(key), table, None)];
        }
        let list = self.one_of(key, std::slice::from_ref(value), "write a list of tables", Value::as_array);
        let tables = list.and_then(|list| self.each(key, list, "write a table: { … }", Value::as_table));
        let item = |(at, table)| Self::new(self.place.item(key, at), table, None);
        tables.into_iter().flatten().enumerate().map(item).collect()
    }

    /// Call last: every key that nobody asked for is a fault.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(key.as_str())) {
            let known: Vec<&str> = asked.iter().copied().collect();
            self.fault(key, "is not known here", format_args!("known are {}", known.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::Found;

    #[test]
    fn every_fault_is_found_and_named() {
        let table: Table = "a = 1\nb = \"x\"\nodd = true\n[[c]]\nd = 1\n[[c]]\nd = \"y\"".parse().unwrap();
        let found = Found::in_file("f.toml");
        let root = Section::new(Place::root(&found), &table, None);
        assert_eq!((root.text("a"), root.count("b"), root.needed("e", "write it")), (None, None, None));
        let texts: Vec<_> = root.sections("c").iter().map(|section| section.text("d")).collect();
        assert_eq!(texts, [None, Some("y")]);
        root.finish();
        assert_eq!(
            found.or_faults(Some(())).unwrap_err().to_string(),
            "f.toml: a: integer is not taken here; write a text in quotes\n\
             f.toml: b: string is not taken here; write a whole number, 0 or more\n\
             f.toml: e: is missing; write it\n\
             f.toml: c[0].d: integer is not taken here; write a text in quotes\n\
             f.toml: odd: is not known here; known are a, b, c, e"
        );
    }
}
