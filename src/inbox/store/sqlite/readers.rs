//! Connections that read, apart from the one that writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::super::{InboxError, InboxErrorKind};
use super::connect;
use super::fault::of_open;
use super::setup::SqliteSetup;

/// So many stay open when nobody reads.
const IDLE: usize = 4;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    setup: SqliteSetup,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, setup: SqliteSetup) -> Self {
        Self { path, setup, idle: Mutex::new(Vec::new()) }
    }

    /// Reads at one state of the store, off the runtime's threads.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let result = connection
                .unchecked_transaction()
                .and_then(|transaction| work(&transaction))
                .map_err(|error| of_open(&error))?;
            readers.give_back(connection);
            Ok(result)
        });
        reading.await.unwrap_or_else(|error| Err(InboxError::new(InboxErrorKind::Unavailable).caused_by(error)))
    }

    fn take(&self) -> Result<Connection, InboxError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| connect::reader(&self.path, &self.setup), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
