//! Where handlers write to, and where the receiver's log would go: the standard output of its process.

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tower_webhook::RejectionKind;

use crate::sabotage::Sabotage;
use crate::wire::{Entry, Line};

/// The place that handlers write to. A clone is the same place.
#[derive(Clone)]
pub(crate) struct Books {
    inner: Arc<Mutex<Inner>>,
    sabotage: Option<Sabotage>,
    is_for_people: bool,
}

#[derive(Default)]
struct Inner {
    down_for: HashSet<&'static str>,
    calls: usize,
}

impl Books {
    /// Tells the process that started this one.
    pub(crate) fn new(sabotage: Option<Sabotage>) -> Self {
        Self { inner: Arc::default(), sabotage, is_for_people: false }
    }

    /// Tells people.
    pub(crate) fn for_people() -> Self {
        Self { is_for_people: true, ..Self::new(None) }
    }

    /// The first booking under this key fails.
    pub(crate) fn down_once_for(self, key: &'static str) -> Self {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).down_for.insert(key);
        self
    }

    /// Books an event, as a handler's own database would.
    pub(crate) fn book(&self, entry: Entry) -> Result<(), BooksDown> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.down_for.remove(entry.key.as_str()) {
            return Err(BooksDown);
        }
        inner.calls += 1;
        if self.sabotage == Some(Sabotage::Handler) && inner.calls.is_multiple_of(10) {
            return Ok(());
        }
        drop(inner);
        self.say(&Line::Booked(entry));
        Ok(())
    }

    pub(crate) fn refused(&self, kind: RejectionKind) {
        self.say(&Line::Refused(kind.to_string()));
    }

    /// One line, whole. Nobody is left to be told when it cannot be written.
    pub(crate) fn say(&self, line: &Line) {
        let text = match line {
            line if !self.is_for_people => serde_json::to_string(line).unwrap_or_default(),
            Line::Booked(entry) => format!("handled  {}: {entry} (key {})", entry.who, entry.key),
            Line::Refused(why) => format!("refused  {why}"),
            Line::KeptApart(key) => format!("kept     {key}: the same key came with another payload"),
            Line::Listening(_) | Line::Drained => return,
        };
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}

/// The books could not be written.
#[derive(Debug)]
pub(crate) struct BooksDown;

impl fmt::Display for BooksDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the books cannot be written")
    }
}

impl std::error::Error for BooksDown {}
