//! What is wrong with a configuration: where, what, and what would be right.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

/// What the environment is called where a file would stand.
const ENVIRONMENT: &str = "(environment)";

/// Something in a configuration that is wrong. `Display` is one line for the operator: file, key, what is wrong, what
/// would be right. No secret is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The file, as it was named, or `(environment)`. Empty where the specification was made by hand.
    pub file: String,
    /// The key, such as `endpoint[0].keys[1].value`, or the variable that went before it.
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
    /// The variables that went before keys, and what they say, by key.
    variables: RefCell<BTreeMap<String, Variable>>,
}

struct Variable {
    name: String,
    /// Never printed.
    value: String,
}

impl Found {
    pub(super) fn in_file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            faults: RefCell::default(),
            warnings: RefCell::default(),
            read: Cell::new(0),
            variables: RefCell::default(),
        }
    }

    pub(super) fn add(&self, key: impl Into<String>, wrong: impl fmt::Display, right: impl fmt::Display) {
        let (file, key, wrong) = self.named(key.into(), wrong.to_string());
        // What could not be read stands there as something else, and what is wrong with that is nobody's business.
        if self.faults.borrow().iter().take(self.read.get()).any(|read| are_one_matter(&read.key, &key)) {
            return;
        }
        self.faults.borrow_mut().push(Fault { file, key, wrong, right: right.to_string() });
    }

    /// Where a fault of this key lies: in the file, or in the variable that went before it.
    fn named(&self, key: String, wrong: String) -> (String, String, String) {
        let variables = self.variables.borrow();
        match variables.iter().find(|(place, _)| is_within(place, &key)) {
            Some((_, Variable { name, value })) if value.is_empty() => (ENVIRONMENT.to_owned(), name.clone(), wrong),
            Some((_, Variable { name, value })) => {
                // Quoted, it may look otherwise.
                let wrong = wrong.replace(&format!("{value:?}"), "…").replace(value.as_str(), "…");
                (ENVIRONMENT.to_owned(), name.clone(), wrong)
            }
            None => (self.file.clone(), key, wrong),
        }
    }

    /// This variable went before that key.
    pub(super) fn overridden(&self, key: String, name: String, value: &str) {
        self.variables.borrow_mut().insert(key, Variable { name, value: value.to_owned() });
    }

    /// Call when all was read: each variable that went before no key is a fault.
    pub(super) fn check_variables<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let right =
            "TOWER_WEBHOOK_LISTEN goes before listen, TOWER_WEBHOOK_INBOX_PATH before path of [inbox], and so on";
        for name in names {
            if !self.variables.borrow().values().any(|variable| variable.name == name) {
                let (file, key, wrong) =
                    (ENVIRONMENT.to_owned(), name.to_owned(), "names no key that is read".to_owned());
                self.faults.borrow_mut().push(Fault { file, key, wrong, right: right.to_owned() });
            }
        }
    }

    pub(super) fn warn(&self, warning: impl fmt::Display) {
        self.warnings.borrow_mut().push(warning.to_string());
    }

    /// All was read: what is found from now on is found by building.
    pub(super) fn reading_ends(&self) {
        self.read.set(self.faults.borrow().len());
    }

    /// Whether what stands at this key itself could not be read.
    fn is_unread(&self, key: &str) -> bool {
        self.faults.borrow().iter().take(self.read.get()).any(|read| read.key == key)
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
    is_within(one, other) || is_within(other, one)
}

fn is_within(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
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

    /// Whether what stands at this key itself could not be read, and something else stands in its place.
    pub(super) fn is_unread(&self, key: &str) -> bool {
        self.found.is_unread(&self.name(key))
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
