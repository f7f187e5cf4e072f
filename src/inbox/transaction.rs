//! [`InTransaction`]: an effect and the end of its event's lease, in one transaction.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::effect::{Read, if_done};
use super::handler::{Handed, InboxHandler, IntoVerdict, Verdict};
use super::store::{SqliteInbox, SqliteTransaction, Undone};
use crate::delivery::Received;
use crate::provider::Provider;

/// How long an effect may hold the writer.
const LIMIT: Duration = Duration::from_secs(1);

type Effect<E> = Arc<dyn Fn(&SqliteTransaction<'_>, &E) -> Verdict + Send + Sync>;

/// A handler that writes in the inbox's own file, and whose writes commit together with the end of its event: exactly once,
/// whatever crashes. [`SqliteInbox::in_transaction`] and [`SqliteInbox::in_transaction_of`] make one.
///
/// It is handed the open transaction. Before it runs, and when it has run, the event must still be held by token and fence,
/// or nothing of it stays. What is not [`Verdict::Done`] is undone too, and so is what panics; then the worker goes on by the
/// verdict as with any other handler.
///
/// # It holds the writer
///
/// A file has one writer. For as long as the effect runs nothing else is stored, leased or ended, and each effect pays a
/// commit of its own. So it does what the database does, and nothing else: no request, no sleep. What takes longer than its
/// [limit](Self::limit), or than its worker waits for it, has its statement interrupted, is undone, and is tried again.
///
/// # Security
///
/// The inbox's own tables have names that begin with `webhook_`: read them if you must, and write to none.
#[must_use = "a handler does nothing until a worker has it"]
pub struct InTransaction<E> {
    inbox: SqliteInbox,
    read: Read<E>,
    effect: Effect<E>,
    limit: Duration,
}

impl SqliteInbox {
    /// A handler of stored events that writes in this inbox's file, in the transaction that completes its event. Its worker
    /// must have the same inbox: an event of another is undone.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tower_webhook::inbox::{Handed, SqliteInbox, SqliteTransaction, Worker, rusqlite};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tower-webhook-in-transaction-{}.doc", std::process::id()));
    /// let inbox = SqliteInbox::open(&path).await?;
    /// let migrate = |to: &SqliteTransaction<'_>| to.execute_batch("CREATE TABLE IF NOT EXISTS postings (id TEXT) STRICT");
    /// inbox.transact(Duration::from_secs(10), migrate).await??;
    ///
    /// let post = |to: &SqliteTransaction<'_>, event: &Handed| -> rusqlite::Result<()> {
    ///     to.execute("INSERT INTO postings VALUES (?1)", [&event.event.readable_key])?;
    ///     Ok(())
    /// };
    /// let worker = Worker::new(inbox.clone(), inbox.in_transaction(post)).start();
    /// # worker.stop().await;
    /// # drop(inbox);
    /// # for end in ["", "-wal", "-shm", ".lock"] {
    /// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn in_transaction<R: IntoVerdict>(
        &self,
        effect: impl Fn(&SqliteTransaction<'_>, &Handed) -> R + Send + Sync + 'static,
    ) -> InTransaction<Handed> {
        let effect: Effect<Handed> = Arc::new(move |to, event| effect(to, event).into_verdict());
        InTransaction { inbox: self.clone(), read: Read::whole(), effect, limit: LIMIT }
    }

    /// The same of one provider's typed events, as [`Typed`](super::Typed) decodes them.
    pub fn in_transaction_of<P: Provider, R: IntoVerdict>(
        &self,
        provider: P,
        effect: impl Fn(&SqliteTransaction<'_>, &Received<P::Event>) -> R + Send + Sync + 'static,
    ) -> InTransaction<Received<P::Event>> {
        let effect: Effect<Received<P::Event>> = Arc::new(move |to, event| effect(to, event).into_verdict());
        InTransaction { inbox: self.clone(), read: Read::of(provider), effect, limit: LIMIT }
    }
}

impl<E> InTransaction<E> {
    /// How long the effect may hold the writer. Default: 1 second.
    pub fn limit(mut self, time: Duration) -> Self {
        self.limit = time;
        self
    }
}

impl<E: Send + Sync + 'static> InboxHandler for InTransaction<E> {
    async fn handle(&self, handed: Handed) -> Verdict {
        let commit = |lease, now, event| {
            let effect = Arc::clone(&self.effect);
            let work = move |to: &SqliteTransaction<'_>| if_done(effect(to, &event));
            async move { Ok(self.inbox.complete_with(lease, now, self.limit, work).await?.map_err(verdict_of)) }
        };
        self.read.ended(handed, commit).await
    }
}

fn verdict_of(undone: Undone<Verdict>) -> Verdict {
    match undone {
        Undone::Refused(verdict) => verdict,
        Undone::Panicked => Verdict::retry("the handler panicked"),
        Undone::TookTooLong => Verdict::retry("the handler held the writer for too long"),
    }
}

impl<E> fmt::Debug for InTransaction<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTransaction").field("limit", &self.limit).finish_non_exhaustive()
    }
}
