//! [`InPostgres`]: an effect in Postgres and the end of its event's lease, in one transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::handler::{Handed, InboxHandler, IntoVerdict, Verdict};
use super::store::{PostgresInbox, PostgresTransaction};

/// How long an effect may take.
const LIMIT: Duration = Duration::from_secs(5);

type Doing<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// A handler that writes in the inbox's own database, and whose writes commit together with the end of its event: exactly
/// once, whatever crashes. [`PostgresInbox::in_transaction`] makes one.
///
/// Before it runs, and when it has run, the event must still be held by token and fence, or nothing of it stays. What is not
/// [`Verdict::Done`] is undone too, and so is what panics, or takes longer than its [limit](Self::limit): its connection is
/// closed, and it is tried again. It has one of the inbox's connections for as long as it runs.
///
/// # Security
///
/// The inbox's own tables are those of its schema: write to none.
#[must_use = "a handler does nothing until a worker has it"]
pub struct InPostgres<F> {
    inbox: PostgresInbox,
    effect: Arc<F>,
    limit: Duration,
}

impl PostgresInbox {
    /// A handler of stored events that writes in this inbox's database, in the transaction that completes its event. Its worker
    /// must have the same inbox: an event of another is undone.
    ///
    /// ```no_run
    /// use tower_webhook::inbox::{Handed, PostgresInbox, PostgresTransaction, Worker, tokio_postgres};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let inbox = PostgresInbox::connect("postgres://webhooks@db.internal/payments").await?;
    /// let post = inbox.in_transaction(|to, event| {
    ///     Box::pin(async move {
    ///         to.execute("INSERT INTO postings VALUES ($1)", &[&event.event.readable_key]).await?;
    ///         Ok::<(), tokio_postgres::Error>(())
    ///     })
    /// });
    /// let worker = Worker::new(inbox, post).start();
    /// # worker.stop().await;
    /// # Ok(()) }
    /// ```
    pub fn in_transaction<R, F>(&self, effect: F) -> InPostgres<F>
    where
        R: IntoVerdict,
        F: for<'a> Fn(&'a PostgresTransaction<'a>, &'a Handed) -> Doing<'a, R> + Send + Sync + 'static,
    {
        InPostgres { inbox: self.clone(), effect: Arc::new(effect), limit: LIMIT }
    }
}

impl<F> InPostgres<F> {
    /// How long the effect may take, with its commit. Default: 5 seconds.
    pub fn limit(mut self, time: Duration) -> Self {
        self.limit = time;
        self
    }
}

impl<R, F> InboxHandler for InPostgres<F>
where
    R: IntoVerdict + Send,
    F: for<'a> Fn(&'a PostgresTransaction<'a>, &'a Handed) -> Doing<'a, R> + Send + Sync + 'static,
{
    async fn handle(&self, handed: Handed) -> Verdict {
        let lease = (handed.id, handed.token, handed.fence);
        let Some(now) = handed.now() else { return Verdict::retry("the clock failed") };
        let effect = Arc::clone(&self.effect);
        let ended = self.inbox.complete_with(lease, now, self.limit, move |to| {
            Box::pin(async move {
                match effect(to, &handed).await.into_verdict() {
                    Verdict::Done => Ok(()),
                    verdict => Err(verdict),
                }
            })
        });
        match ended.await {
            Ok(Ok(ended)) => Verdict::Ended(ended),
            Ok(Err(verdict)) => verdict,
            // Where it was committed all the same, the retry finds the lease ended, and changes nothing.
            Err(error) => Verdict::retry(error.to_string()),
        }
    }
}

impl<F> fmt::Debug for InPostgres<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPostgres").field("limit", &self.limit).finish_non_exhaustive()
    }
}
