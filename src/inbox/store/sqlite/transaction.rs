//! Writes of others in the inbox's file, and the end of a lease that commits with them.

use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, ffi, params};

use super::super::end::End;
use super::super::{Ended, EventId, InboxError, LeaseToken};
use super::end;
use super::fault::Fault;
use super::reins::Term;
use super::row::Micros;
use super::store::SqliteInbox;
use super::task::Write;

const IS_HELD: &str = "SELECT 1 FROM webhook_events WHERE id = ?1 AND token = ?2 AND fence = ?3 AND state = 1";
const BEGIN: &str = "SAVEPOINT tower_webhook_effect";
const KEEP: &str = "RELEASE tower_webhook_effect";
const UNDO: &str = "ROLLBACK TO tower_webhook_effect; RELEASE tower_webhook_effect";
/// In place of a transaction of which nothing is left.
const ANEW: &str = "BEGIN IMMEDIATE";

/// The open transaction of an inbox in a file. Derefs to [`rusqlite::Connection`], with which you write to tables of your own
/// in the same file.
///
/// It is committed or undone by whoever handed it over: statements such as `COMMIT` or `ROLLBACK` are none of its holder's.
pub struct SqliteTransaction<'a>(&'a Connection);

impl Deref for SqliteTransaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl fmt::Debug for SqliteTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTransaction").finish_non_exhaustive()
    }
}

/// Why nothing of what was written is there.
#[derive(Debug)]
#[non_exhaustive]
pub enum Undone<E> {
    /// The work said so.
    Refused(E),
    /// It panicked.
    Panicked,
    /// It took longer than it may.
    TookTooLong,
}

impl<E: fmt::Display> fmt::Display for Undone<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Panicked => f.write_str("the work in the transaction panicked"),
            Self::TookTooLong => f.write_str("the work in the transaction took longer than it may"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Undone<E> {}

impl SqliteInbox {
    /// Runs this in a transaction of its own, and commits: to make tables of your own in the inbox's file, or to read them.
    /// Where it returns an error, panics, takes longer than `limit`, or is at work when this is dropped, nothing of it stays. A
    /// statement that runs for too long is interrupted.
    ///
    /// It runs in the thread that writes, and everything else that would be written waits for it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tower_webhook::inbox::{SqliteInbox, SqliteTransaction, rusqlite};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tower-webhook-transact-{}.doc", std::process::id()));
    /// let inbox = SqliteInbox::open(&path).await?;
    /// let migrate = |to: &SqliteTransaction<'_>| -> rusqlite::Result<()> {
    ///     to.execute_batch("CREATE TABLE IF NOT EXISTS my_postings (transfer TEXT PRIMARY KEY, amount TEXT) STRICT")
    /// };
    /// inbox.transact(Duration::from_secs(10), migrate).await??;
    /// # drop(inbox);
    /// # for end in ["", "-wal", "-shm", ".lock"] {
    /// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InboxError`] where it could not be run or committed; within, [`Undone`].
    pub async fn transact<T, E>(
        &self,
        limit: Duration,
        mut work: impl FnMut(&SqliteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, Undone<E>>, InboxError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.reined(limit, move |write, term| run(write, term, &mut work)).await
    }

    /// Runs this and completes the event of this lease, in one transaction: both are there, or neither.
    pub(in crate::inbox) async fn complete_with<E: Send + 'static>(
        &self,
        (id, token, fence): (EventId, LeaseToken, u64),
        now: Timestamp,
        limit: Duration,
        mut effect: impl FnMut(&SqliteTransaction<'_>) -> Result<(), E> + Send + 'static,
    ) -> Result<Result<Ended, Undone<E>>, InboxError> {
        let complete = move |write: &mut Write<'_>, term: &Term| {
            if !is_held(write, id, token, fence)? {
                return Ok(Ok(Ended::Lost));
            }
            if let Err(undone) = run(write, term, &mut effect)? {
                return Ok(Err(undone));
            }
            match end::end(write, id, token, fence, &End::Complete, Micros::of(now))? {
                Ended::Done => Ok(Ok(Ended::Done)),
                Ended::Lost => Err(failed("the effect has written to the inbox's own tables")),
            }
        };
        self.reined(limit, complete).await
    }

    /// Not begun where nobody waits for it any more.
    async fn reined<T: Send + 'static>(
        &self,
        limit: Duration,
        mut work: impl FnMut(&mut Write<'_>, &Term) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, InboxError> {
        let asker = Arc::new(());
        let term = Term { limit, asker: Arc::downgrade(&asker) };
        let job = self.0.write_alone(move |write| match term.is_awaited() {
            true => work(write, &term),
            false => Err(failed("nobody waits for it")),
        });
        let done = job.await;
        drop(asker);
        done
    }
}

fn is_held(write: &Write<'_>, id: EventId, token: LeaseToken, fence: u64) -> rusqlite::Result<bool> {
    let values = params![id.0, token.0, i64::try_from(fence).unwrap_or(-1)];
    let row = write.connection.prepare_cached(IS_HELD)?.query_row(values, |_| Ok(())).optional()?;
    Ok(row.is_some())
}

/// Undoes what the work wrote, unless it says that it is good. The transaction around it stays.
fn run<T, E>(
    write: &Write<'_>,
    term: &Term,
    work: &mut impl FnMut(&SqliteTransaction<'_>) -> Result<T, E>,
) -> Result<Result<T, Undone<E>>, Fault> {
    let connection = write.connection;
    connection.execute_batch(BEGIN)?;
    let began = Instant::now();
    write.reins.hold(Some((began, term.clone())));
    let result = catch_unwind(AssertUnwindSafe(|| work(&SqliteTransaction(connection))));
    write.reins.hold(None);
    let is_late = term.is_over(began);
    if connection.is_autocommit() && !is_late {
        return Err(failed("its transaction was ended within it"));
    }
    let undone = match result {
        Ok(Ok(value)) if !is_late => {
            connection.execute_batch(KEEP)?;
            return Ok(Ok(value));
        }
        Err(_) => Undone::Panicked,
        Ok(Err(error)) if !is_late => Undone::Refused(error),
        Ok(_) => Undone::TookTooLong,
    };
    // Where a statement that writes is interrupted, SQLite undoes the transaction around it too.
    connection.execute_batch(if connection.is_autocommit() { ANEW } else { UNDO })?;
    Ok(Err(undone))
}

fn failed(why: &str) -> Fault {
    Fault::Failed(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(why.to_owned())))
}
