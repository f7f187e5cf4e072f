//! What is wrong with a configuration: where, what, and what would be right.

use std::cell::{Cell, RefCell};
use std::fmt;

/// Something in a configuration that is wrong. `Display` is one line for the operator: file, key, what is wrong, what
/// would be right. No secret is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The file, as it was named. Empty where the specification was made by hand.
    pub file: String,
    /// The key, such as `endpoint[0].keys[1].value`.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, wrong, right } = self;
        if !file.is_empty() {
            write!(f, "{file}: ")?;
        }
        write!(f, "{key}: {wrong}; {right}")
    }
}

/// All faults of a configuration, at least one. `Display` is a line each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// What was found so far, in one configuration.
pub(super) struct Found {
    file: String,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<String>>,
    /// How many of the faults were found by reading.
    read: Cell<usize>,
}

impl Found {
    pub(super) fn in_file(file: impl Into<String>) -> Self {
        Self { file: file.into(), faults: RefCell::default(), warnings: RefCell::default(), read: Cell::new(0) }
    }

    pub(super) fn add(&self, key: impl Into<String>, wrong: impl fmt::Display, right: impl fmt::Display) {
        let key = key.into();
        // What could not be read stands there as something else, and what is wrong with that is nobody's business.
        if self.faults.borrow().iter().take(self.read.get()).any(|read| are_one_matter(&read.key, &key)) {
            return;
        }
        let (file, wrong, right) = (self.file.clone(), wrong.to_string(), right.to_string());
        self.faults.borrow_mut().push(Fault { file, key, wrong, right });
    }

    pub(super) fn warn(&self, warning: impl fmt::Display) {
        self.warnings.borrow_mut().push(warning.to_string());
    }

    /// All was read: what is found from now on is found by building.
    pub(super) fn reading_ends(&self) {
        self.read.set(self.faults.borrow().len());
    }

    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// The value, if nothing is wrong.
    pub(super) fn or_faults<T>(&self, value: Option<T>) -> Result<T, Faults> {
        let faults = self.faults.take();
        value.filter(|_| faults.is_empty()).ok_or(Faults(faults))
    }
}

/// Whether one key is the other, or stands within it.
fn are_one_matter(one: &str, other: &str) -> bool {
    let within = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']));
    one == other || within(one, other) || within(other, one)
}

/// A part of the configuration, by the key that leads to it.
#[derive(Clone)]
pub(super) struct Place<'a> {
    path: String,
    found: &'a Found,
}

impl<'a> Place<'a> {
    pub(super) fn root(found: &'a Found) -> Self {
        Self { path: String::new(), found }
    }

    pub(super) fn found(&self) -> &'a Found {
        self.found
    }

    /// The whole name of a key in this part.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn part(&self, key: &str) -> Self {
        Self { path: self.name(key), found: self.found }
    }

    pub(super) fn item(&self, key: &str, at: usize) -> Self {
        Self { path: format!("{}[{at}]", self.name(key)), found: self.found }
    }

    pub(super) fn fault(&self, key: &str, wrong: impl fmt::Display, right: impl fmt::Display) {
        self.found.add(self.name(key), wrong, right);
    }

    pub(super) fn warn(&self, key: &str, warning: impl fmt::Display) {
        self.found.warn(format_args!("{}: {warning}", self.name(key)));
    }

    /// The value, or a fault at this key.
    pub(super) fn sound<T, E: fmt::Display>(&self, key: &str, result: Result<T, E>, right: &str) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error, right);
                None
            }
        }
    }
}
