//! Reading a TOML table so that every fault is found in one go, each with its key and what would be right.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use toml::{Table, Value};

const TIMES: &str = "write a time such as \"500ms\", \"10s\", \"5m\", \"2h\", \"7d\"";

/// Something in the file that is wrong: one line for the operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) key: String,
    pub(crate) wrong: String,
    pub(crate) right: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, wrong, right } = self;
        write!(f, "{file}: {key}: {wrong}; {right}")
    }
}

/// Where faults are put, and what works and should be known.
#[derive(Clone)]
pub(crate) struct Faults {
    file: Rc<str>,
    list: Rc<RefCell<Vec<Fault>>>,
    warnings: Rc<RefCell<Vec<String>>>,
}

impl Faults {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.into(), list: Rc::default(), warnings: Rc::default() }
    }

    /// For other faults of the same file.
    pub(crate) fn beside(&self) -> Self {
        Self { list: Rc::default(), ..self.clone() }
    }

    pub(crate) fn add(&self, key: impl Into<String>, wrong: impl fmt::Display, right: impl fmt::Display) {
        self.list.borrow_mut().push(Fault {
            file: self.file.to_string(),
            key: key.into(),
            wrong: wrong.to_string(),
            right: right.to_string(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    pub(crate) fn take(&self) -> Vec<Fault> {
        self.list.take()
    }

    pub(crate) fn warn(&self, warning: impl fmt::Display) {
        self.warnings.borrow_mut().push(warning.to_string());
    }

    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }
}

/// A table of the file, with the path that leads to it. Remembers which keys were asked for: the rest is unknown.
pub(crate) struct Section<'a> {
    path: String,
    table: &'a Table,
    faults: Faults,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    pub(crate) fn root(table: &'a Table, faults: &Faults) -> Self {
        Self::at(String::new(), table, faults)
    }

    /// A table at a place that is named by hand.
    pub(crate) fn at(path: String, table: &'a Table, faults: &Faults) -> Self {
        Self { path, table, faults: faults.clone(), asked: RefCell::default() }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn table(&self) -> &'a Table {
        self.table
    }

    /// The whole name of a key of this table.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn fault(&self, key: &str, wrong: impl fmt::Display, right: impl fmt::Display) {
        self.faults.add(self.name(key), wrong, right);
    }

    pub(crate) fn warn(&self, key: &str, warning: impl fmt::Display) {
        self.faults.warn(format_args!("{}: {warning}", self.name(key)));
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn typed<T>(&self, key: &'static str, right: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let read = read(value);
        if read.is_none() {
            self.fault(key, format_args!("{} is not taken here", value.type_str()), right);
        }
        read
    }

    /// A text, where it may be something else too.
    pub(crate) fn plain_text(&self, key: &'static str) -> Option<&'a str> {
        self.value(key)?.as_str()
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.typed(key, "write a text in quotes", Value::as_str)
    }

    /// A time, as a text or as TOML's own.
    pub(crate) fn time_text(&self, key: &'static str) -> Option<String> {
        self.typed(key, "write a time such as \"2026-12-01T00:00:00Z\"", |value| match value {
            Value::Datetime(time) => Some(time.to_string()),
            value => value.as_str().map(str::to_owned),
        })
    }

    /// A text that must be there.
    pub(crate) fn needed(&self, key: &'static str, right: &str) -> Option<&'a str> {
        if !self.has(key) {
            self.value(key);
            self.fault(key, "is missing", right);
            return None;
        }
        self.text(key)
    }

    pub(crate) fn truth(&self, key: &'static str) -> Option<bool> {
        self.typed(key, "write true or false", Value::as_bool)
    }

    pub(crate) fn count(&self, key: &'static str) -> Option<usize> {
        self.typed(key, "write a whole number, 0 or more", |value| value.as_integer()?.try_into().ok())
    }

    /// Bytes, at least one: a number, or a text such as `1MiB`.
    pub(crate) fn size(&self, key: &'static str) -> Option<usize> {
        let right = "write bytes as a number, or as \"64KiB\", \"1MiB\"";
        let bytes = self.typed(key, right, |value| match value {
            Value::Integer(bytes) => (*bytes).try_into().ok(),
            value => size(value.as_str()?),
        });
        self.more_than_none(key, bytes, right)
    }

    /// A time, which may be none.
    pub(crate) fn duration(&self, key: &'static str) -> Option<Duration> {
        self.typed(key, TIMES, |value| duration(value.as_str()?))
    }

    /// A time where none makes no sense.
    pub(crate) fn some_time(&self, key: &'static str) -> Option<Duration> {
        self.more_than_none(key, self.duration(key), TIMES)
    }

    fn more_than_none<T: Default + PartialEq>(&self, key: &'static str, read: Option<T>, right: &str) -> Option<T> {
        if read.as_ref() == Some(&T::default()) {
            self.fault(key, "is nothing: with that no delivery could be handled", right);
            return None;
        }
        read
    }

    pub(crate) fn texts(&self, key: &'static str) -> Option<Vec<&'a str>> {
        self.typed(key, "write a list of texts, such as [\"a\", \"b\"]", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    pub(crate) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let table = self.typed(key, "write a table: { … } or [section]", Value::as_table)?;
        Some(Self::at(self.name(key), table, &self.faults))
    }

    /// A list of tables; one table alone is taken as a list of one.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let tables: Option<Vec<(String, &'a Table)>> = self.typed(key, "write a list of tables", |value| match value {
            Value::Table(table) => Some(vec![(self.name(key), table)]),
            value => {
                let name = |at: usize| format!("{}[{at}]", self.name(key));
                value.as_array()?.iter().enumerate().map(|(at, value)| Some((name(at), value.as_table()?))).collect()
            }
        });
        tables.into_iter().flatten().map(|(path, table)| Self::at(path, table, &self.faults)).collect()
    }

    /// Call last: every key that nobody asked for is a fault.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(key.as_str())) {
            let known: Vec<&str> = asked.iter().copied().collect();
            self.fault(key, "is not known here", format_args!("known are {}", known.join(", ")));
        }
    }
}

/// `10s` and the like.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => None,
    }
}

/// `64KiB` and the like.
fn size(text: &str) -> Option<usize> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: usize = number.parse().ok()?;
    let each: usize = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1000,
        "KiB" => 1024,
        "MB" => 1_000_000,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    number.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units_and_no_others() {
        for (text, read) in
            [("1MiB", Some(1_048_576)), ("64KiB", Some(65_536)), ("7", Some(7)), ("1 MB", Some(1_000_000))]
        {
            assert_eq!(size(text), read, "{text}");
        }
        for text in ["", "MiB", "-1", "1GiB", "99999999999999999999", "18446744073709551615MiB"] {
            assert_eq!(size(text), None, "{text}");
        }
        for (text, read) in [("10s", 10_000), ("500ms", 500), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(read)), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1w", "1.5s", "18446744073709551615d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn every_fault_is_found_and_named() {
        let table: Table = "a = 1\nb = \"x\"\nodd = true\n[[c]]\nd = 1\n[[c]]\nd = \"y\"".parse().unwrap();
        let faults = Faults::new("f.toml");
        let root = Section::root(&table, &faults);
        assert_eq!((root.text("a"), root.count("b"), root.needed("e", "write it")), (None, None, None));
        let texts: Vec<_> = root.sections("c").iter().map(|section| section.text("d")).collect();
        assert_eq!(texts, [None, Some("y")]);
        root.finish();
        let told: Vec<_> = faults.take().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "f.toml: a: integer is not taken here; write a text in quotes",
                "f.toml: b: string is not taken here; write a whole number, 0 or more",
                "f.toml: e: is missing; write it",
                "f.toml: c[0].d: integer is not taken here; write a text in quotes",
                "f.toml: odd: is not known here; known are a, b, c, e",
            ]
        );
    }
}
