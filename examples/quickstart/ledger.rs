//! What the receiver's side knows: the events that handlers have booked, and the refusals that the log would show.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tower_webhook::RejectionKind;

use crate::common::Who;
use crate::sabotage::Sabotage;

/// One event in a handler's hands.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) who: Who,
    pub(crate) key: String,
    pub(crate) raw: Bytes,
    pub(crate) kind: String,
    pub(crate) amount: String,
    pub(crate) fence: Option<NonZeroU64>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.amount.is_empty() {
            write!(f, " {}", self.amount)?;
        }
        match self.fence {
            Some(fence) if fence.get() == 1 => Ok(()),
            Some(fence) => write!(f, ", fence {fence}"),
            None => write!(f, ", no fence"),
        }
    }
}

/// The place that handlers write to. A clone is the same ledger.
#[derive(Clone)]
pub(crate) struct Ledger {
    inner: Arc<Mutex<Inner>>,
    sabotage: Option<Sabotage>,
    is_loud: bool,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    refusals: Vec<RejectionKind>,
    down_for: HashSet<&'static str>,
    calls: usize,
}

/// How much stood in the ledger at some moment.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    entries: usize,
    refusals: usize,
}

/// What came into the ledger since some moment.
pub(crate) struct Seen {
    pub(crate) entries: Vec<Entry>,
    pub(crate) refusals: Vec<RejectionKind>,
}

impl Ledger {
    pub(crate) fn new(sabotage: Option<Sabotage>) -> Self {
        Self { inner: Arc::default(), sabotage, is_loud: false }
    }

    /// Prints everything as it comes.
    pub(crate) fn loud(self) -> Self {
        Self { is_loud: true, ..self }
    }

    /// The first booking under this key fails.
    pub(crate) fn down_once_for(self, key: &'static str) -> Self {
        self.lock().down_for.insert(key);
        self
    }

    /// Books an event, as a handler's transaction would.
    pub(crate) fn book(&self, entry: Entry) -> Result<(), LedgerDown> {
        let mut inner = self.lock();
        if inner.down_for.remove(entry.key.as_str()) {
            return Err(LedgerDown);
        }
        inner.calls += 1;
        if self.sabotage == Some(Sabotage::Handler) && inner.calls.is_multiple_of(10) {
            return Ok(());
        }
        if self.is_loud {
            println!("handled  {}: {entry} (key {})", entry.who, entry.key);
        }
        inner.entries.push(entry);
        Ok(())
    }

    pub(crate) fn refused(&self, kind: RejectionKind) {
        if self.is_loud {
            println!("refused  {}: {kind}", kind.status().as_u16());
        }
        self.lock().refusals.push(kind);
    }

    pub(crate) fn mark(&self) -> Mark {
        let inner = self.lock();
        Mark { entries: inner.entries.len(), refusals: inner.refusals.len() }
    }

    pub(crate) fn since(&self, mark: Mark) -> Seen {
        let inner = self.lock();
        Seen {
            entries: inner.entries.iter().skip(mark.entries).cloned().collect(),
            refusals: inner.refusals.iter().skip(mark.refusals).copied().collect(),
        }
    }

    /// Everything booked.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger could not book an event.
#[derive(Debug)]
pub(crate) struct LedgerDown;

impl fmt::Display for LedgerDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger is down")
    }
}

impl std::error::Error for LedgerDown {}
