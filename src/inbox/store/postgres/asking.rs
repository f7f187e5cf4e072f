//! All that a question needs.

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_postgres::Row;

use super::super::{InboxError, InboxErrorKind};
use super::call::{Values, call};
use super::schema::named;

#[derive(Clone)]
pub(super) struct Asking {
    pub(super) pool: Pool,
    pub(super) schema: String,
    pub(super) deadline: Duration,
}

impl Asking {
    /// Runs a statement that names its tables `inbox.`, to its end even when nobody waits for it any more.
    pub(super) async fn ask(&self, text: &str, values: Values) -> Result<Vec<Row>, InboxError> {
        let work = tokio::spawn(call(self.pool.clone(), named(text, &self.schema), values, self.deadline));
        work.await.unwrap_or_else(|error| Err(InboxError::new(InboxErrorKind::Unavailable).caused_by(error)))
    }
}
