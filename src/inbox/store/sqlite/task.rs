//! A command on its way to the writer, and its answer on the way back.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::{EventId, InboxError, Quota};
use super::fault::Fault;
use super::keys::Keys;
use super::ledger::Ledger;
use super::names::Block;
use super::reins::Reins;
use super::storing::Storing;

/// What a command writes through: a transaction that it may share.
pub(super) struct Write<'a> {
    pub(super) connection: &'a Connection,
    pub(super) reins: &'a Reins,
    /// From the first event that was stored on.
    pub(super) storing: Option<Storing<'a>>,
    pub(super) ledger: Ledger,
    /// At the transaction's beginning.
    pub(super) begun: Ledger,
    pub(super) keys: &'a mut Keys,
    pub(super) names: &'a mut Block,
    pub(super) quota: &'a Quota,
    /// Bytes of the store and free bytes of its disk, at the transaction's beginning, or a moment ago where there is plenty.
    pub(super) space: (u64, u64),
    /// Bytes that were stored in this transaction.
    pub(super) brought: u64,
    /// A quota was reached, and there is no room again yet.
    pub(super) is_full: bool,
    /// Something is due that was not.
    pub(super) is_woken: bool,
    /// Events that cannot be read, and why.
    pub(super) aside: Vec<(EventId, String)>,
}

/// A command whose answer's type is nobody's business. It may run again after its transaction was undone.
pub(super) trait Job: Send {
    /// Bytes that it brings.
    fn weight(&self) -> usize;

    /// It shares its transaction with no other.
    fn is_alone(&self) -> bool;

    /// Writes. After an error the transaction must be undone.
    fn run(&mut self, write: &mut Write<'_>) -> Result<(), rusqlite::Error>;

    /// After the commit.
    fn answer(self: Box<Self>);

    /// After it was undone.
    fn refuse(self: Box<Self>, error: InboxError);
}

#[derive(Debug)]
pub(super) struct Task<F, T> {
    pub(super) work: F,
    pub(super) weight: usize,
    pub(super) is_alone: bool,
    pub(super) result: Option<Result<T, InboxError>>,
    /// Whoever asked gets the work back to drop it, since the writer has other things to do.
    pub(super) asker: oneshot::Sender<(Result<T, InboxError>, F)>,
}

impl<F, T> Job for Task<F, T>
where
    F: FnMut(&mut Write<'_>) -> Result<T, Fault> + Send,
    T: Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn is_alone(&self) -> bool {
        self.is_alone
    }

    fn run(&mut self, write: &mut Write<'_>) -> Result<(), rusqlite::Error> {
        self.result = Some(match (self.work)(write) {
            Ok(value) => Ok(value),
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Failed(error)) => return Err(error),
        });
        Ok(())
    }

    /// Whoever asked may be gone: then it has happened all the same.
    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            let _ = self.asker.send((result, self.work));
        }
    }

    fn refuse(self: Box<Self>, error: InboxError) {
        let _ = self.asker.send((Err(error), self.work));
    }
}
