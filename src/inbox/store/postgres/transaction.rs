//! Writes of others in the inbox's database, and the end of a lease that commits with them.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::Object;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::super::end::End;
use super::super::{Ended, EventId, InboxError, InboxErrorKind, LeaseToken};
use super::connect;
use super::end::{self, END};
use super::fault::of;
use super::row::{column, micros};
use super::schema::named;
use super::store::PostgresInbox;

/// Of whoever has lost it nothing is begun. The row is not locked, so that the lease can be renewed meanwhile.
const IS_HELD: &str = "SELECT 1 FROM inbox.turns WHERE id = $1 AND token = $2 AND fence = $3 AND state = 1";

/// The open transaction of an inbox in Postgres, with which you write to tables of your own in the same database.
///
/// It is committed or undone by whoever handed it over: statements such as `COMMIT` or `ROLLBACK` are none of its holder's.
pub type PostgresTransaction<'a> = tokio_postgres::Transaction<'a>;

/// What is done in a transaction.
pub(in crate::inbox) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connection that is closed, and what it does undone, unless it was brought to its end.
struct Lent(Option<Object>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

impl PostgresInbox {
    /// Runs this and completes the event of this lease, in one transaction: both are there, or neither.
    pub(in crate::inbox) async fn complete_with<E>(
        &self,
        held: (EventId, LeaseToken, u64),
        now: Timestamp,
        limit: Duration,
        effect: impl for<'a> FnOnce(&'a PostgresTransaction<'a>) -> Work<'a, Result<(), E>>,
    ) -> Result<Result<Ended, E>, InboxError> {
        let mut lent = Lent(Some(self.0.connection(limit).await?));
        let Some(client) = lent.0.as_mut() else { return Err(too_late()) };
        let ended =
            timeout(limit, self.effected(client, held, (now, limit), effect)).await.map_err(|_| too_late())??;
        lent.give_back();
        if let Ok(Ended::Done) = ended {
            self.0.bell().ring();
        }
        Ok(ended)
    }

    async fn effected<E>(
        &self,
        client: &mut Client,
        (id, token, fence): (EventId, LeaseToken, u64),
        (now, limit): (Timestamp, Duration),
        effect: impl for<'a> FnOnce(&'a PostgresTransaction<'a>) -> Work<'a, Result<(), E>>,
    ) -> Result<Result<Ended, E>, InboxError> {
        let transaction = client.transaction().await.map_err(|error| of(&error))?;
        self.give_time(&transaction, limit).await?;
        let text = |text| named(text, self.0.schema());
        let (token, number) = (token.0.to_vec(), end::fence_of(fence));
        let there = transaction.query(&text(IS_HELD), &[&id.0, &token, &number]).await.map_err(|error| of(&error))?;
        let mut ended = Ok(Ended::Lost);
        if !there.is_empty() {
            ended = effect(&transaction).await.map(|()| Ended::Done);
        }
        if let Ok(Ended::Done) = ended {
            let values = end::values_of((id, token, number), &End::Complete, micros(now), self.0.skew().offset());
            let values = values.iter().map(|value| &**value as &(dyn tokio_postgres::types::ToSql + Sync));
            let row = transaction.query_one(&text(END), &values.collect::<Vec<_>>()).await;
            if column::<bool>(&row.map_err(|error| of(&error))?, 0)? {
                transaction.commit().await.map_err(|error| of(&error))?;
                return Ok(ended);
            }
            ended = Ok(Ended::Lost);
        }
        transaction.rollback().await.map_err(|error| of(&error))?;
        Ok(ended)
    }

    /// On its connection a statement ends a little after a call's deadline: where the effect may take longer, so may each of its.
    async fn give_time(&self, transaction: &PostgresTransaction<'_>, limit: Duration) -> Result<(), InboxError> {
        if limit <= self.0.deadline() {
            return Ok(());
        }
        let longer = format!("SET LOCAL statement_timeout = {}", connect::patience(limit));
        transaction.batch_execute(&longer).await.map_err(|error| of(&error))
    }
}

fn too_late() -> InboxError {
    InboxError::new(InboxErrorKind::Unavailable).caused_by("the effect took longer than it may")
}
