//! [`InPostgres`]: an effect in Postgres and the end of its event's lease, in one transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::effect::{Read, if_done};
use super::handler::{Handed, InboxHandler, IntoVerdict, Verdict};
use super::store::{PostgresInbox, PostgresTransaction};
use crate::delivery::Received;
use crate::provider::Provider;

/// How long an effect may take.
const LIMIT: Duration = Duration::from_secs(5);

type Doing<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;
type Effect<E> = Arc<dyn for<'a> Fn(&'a PostgresTransaction<'a>, &'a E) -> Doing<'a, Verdict> + Send + Sync>;

/// A handler that writes in the inbox's own database, and whose writes commit together with the end of its event: exactly
/// once, whatever crashes. [`PostgresInbox::in_transaction`] and [`PostgresInbox::in_transaction_of`] make one.
///
/// Before it runs, and when it has run, the event must still be held by token and fence, or nothing of it stays. What is not
/// [`Verdict::Done`] is undone too, and so is what panics, or takes longer than its [limit](Self::limit): its connection is
/// closed, and it is tried again. It has a connection for as long as it runs, of those that the inbox keeps for such handlers
/// ([`PostgresSetup::pool`](super::PostgresSetup::pool)): where all are taken it waits for one, as long as its limit or the inbox's
/// deadline, and then its attempt has failed. So its worker has twice as many places at most
/// ([`Worker::concurrency`](super::Worker::concurrency)): beyond that slow effects use up the attempts of events that they keep waiting.
///
/// # Security
///
/// The inbox's own tables are those of its schema: write to none.
#[must_use = "a handler does nothing until a worker has it"]
pub struct InPostgres<E> {
    inbox: PostgresInbox,
    read: Read<E>,
    effect: Effect<E>,
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
    pub fn in_transaction<R, F>(&self, effect: F) -> InPostgres<Handed>
    where
        R: IntoVerdict + 'static,
        F: for<'a> Fn(&'a PostgresTransaction<'a>, &'a Handed) -> Doing<'a, R> + Send + Sync + 'static,
    {
        InPostgres { inbox: self.clone(), read: Read::whole(), effect: erased(effect), limit: LIMIT }
    }

    /// The same of one provider's typed events, as [`Typed`](super::Typed) decodes them.
    ///
    /// ```no_run
    /// use tower_webhook::inbox::{PostgresInbox, Worker, tokio_postgres};
    /// use tower_webhook::provider::aella::Aella;
    /// use tower_webhook::secret::Secret;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let inbox = PostgresInbox::connect("postgres://webhooks@db.internal/payments").await?;
    /// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
    /// let post = inbox.in_transaction_of(aella, |to, event| {
    ///     Box::pin(async move {
    ///         let key = event.delivery().key().to_string();
    ///         to.execute("INSERT INTO postings VALUES ($1)", &[&key]).await?;
    ///         Ok::<(), tokio_postgres::Error>(())
    ///     })
    /// });
    /// let worker = Worker::new(inbox, post).start();
    /// # worker.stop().await;
    /// # Ok(()) }
    /// ```
    pub fn in_transaction_of<P, R, F>(&self, provider: P, effect: F) -> InPostgres<Received<P::Event>>
    where
        P: Provider,
        R: IntoVerdict + 'static,
        F: for<'a> Fn(&'a PostgresTransaction<'a>, &'a Received<P::Event>) -> Doing<'a, R> + Send + Sync + 'static,
    {
        InPostgres { inbox: self.clone(), read: Read::of(provider), effect: erased(effect), limit: LIMIT }
    }
}

/// The same effect, whatever it is and whatever it returns.
fn erased<E, R, F>(effect: F) -> Effect<E>
where
    E: Sync + 'static,
    R: IntoVerdict + 'static,
    F: for<'a> Fn(&'a PostgresTransaction<'a>, &'a E) -> Doing<'a, R> + Send + Sync + 'static,
{
    fn judged<'a, R: IntoVerdict + 'a>(doing: Doing<'a, R>) -> Doing<'a, Verdict> {
        Box::pin(async move { doing.await.into_verdict() })
    }
    Arc::new(move |to, event| judged(effect(to, event)))
}

impl<E> InPostgres<E> {
    /// How long the effect may take, with its commit. Default: 5 seconds.
    pub fn limit(mut self, time: Duration) -> Self {
        self.limit = time;
        self
    }
}

impl<E: Send + Sync + 'static> InboxHandler for InPostgres<E> {
    async fn handle(&self, handed: Handed) -> Verdict {
        let commit = |lease, now, event| {
            let effect = Arc::clone(&self.effect);
            self.inbox.complete_with(lease, now, self.limit, move |to| {
                Box::pin(async move { if_done(effect(to, &event).await) })
            })
        };
        self.read.ended(handed, commit).await
    }
}

impl<E> fmt::Debug for InPostgres<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPostgres").field("limit", &self.limit).finish_non_exhaustive()
    }
}
