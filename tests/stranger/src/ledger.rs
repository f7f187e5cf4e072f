//! What is written once per event.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tower_webhook::provider::mambu;
use tower_webhook::{Delivery, Received};

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    pub receiver: String,
    pub key: String,
    pub what: String,
}

impl Entry {
    pub fn of(delivery: &Delivery, what: impl Into<String>) -> Self {
        Self { receiver: delivery.receiver().to_owned(), key: delivery.key().to_string(), what: what.into() }
    }
}

/// The state of the application. Clones are one ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    entries: Vec<Entry>,
    is_down: bool,
}

#[derive(Debug, Eq, PartialEq)]
pub struct LedgerDown;

impl fmt::Display for LedgerDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger is down")
    }
}

impl std::error::Error for LedgerDown {}

impl Ledger {
    pub fn write(&self, entry: Entry) -> Result<(), LedgerDown> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.is_down {
            return Err(LedgerDown);
        }
        book.entries.push(entry);
        Ok(())
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entries.clone()
    }

    pub fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_down = is_down;
    }
}

/// Mambu's notifications, by a handler that has the ledger as its state.
pub async fn on_mambu(ledger: Ledger, event: Received<mambu::Event>) -> Result<(), LedgerDown> {
    let name = event.name.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    ledger.write(Entry::of(event.delivery(), name))
}
