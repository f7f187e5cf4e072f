//! A durable inbox in one file, by SQLite.
//!
//! One thread writes, with one connection, which alone checkpoints. Commands that wait share a transaction, and each is
//! answered after its commit; an idle one commits at once. A command that fails takes no other with it. Reads have
//! connections of their own.
//!
//! ```
//! use tower_webhook::inbox::{InboxStore, SqliteInbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("tower-webhook-{}.doc", std::process::id()));
//! let inbox = SqliteInbox::open(&path).await?;
//! // The file has one owner at a time; any number may visit.
//! assert!(SqliteInbox::open(&path).await.is_err());
//! let visitor = SqliteInbox::visit(&path).await?;
//! assert_eq!(visitor.next_due().await?, None);
//! # drop((inbox, visitor));
//! # for end in ["", "-wal", "-shm", ".lock"] {
//! #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
//! # }
//! # Ok(()) }
//! ```
//!
//! # Layout
//!
//! All tables and indexes begin with `webhook_`, since others may have theirs in the same file. An event is one row of
//! `webhook_events` and one of `webhook_bodies`, which goes earlier. Its key is found by its first eight bytes, in `webhook_keys`
//! and, until it is there, in the writer's memory; readable keys by `webhook_names`.
//! `due` is set for what may be leased at some time, and for nothing else: of a lane only its head has one, and whoever ends
//! the head's turn gives it to the next. So the index that a claim reads holds what can be claimed, by time. Counters are
//! kept in the one row of `webhook_ledger`, with the last fence and the last number given.
//!
//! `unended` marks what may be why a process died: its lease was ended by nobody. Such events have an index of their own, and
//! are leased one at a time, so that the attempts of all that was in hand are not counted at each death.

mod accept;
mod connect;
mod disk;
mod end;
mod erase;
mod fault;
mod find;
mod handle;
mod keys;
mod lanes;
mod lease;
mod ledger;
mod names;
mod open;
mod pace;
mod queue;
mod readers;
mod reins;
mod replay;
mod retain;
mod room;
mod row;
mod schema;
mod setup;
mod space;
mod steps;
mod store;
mod storing;
mod suspects;
mod task;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

pub use disk::Disk;
/// What [`SqliteTransaction`] derefs to a type of, in the version that fits.
pub use rusqlite;
pub use setup::SqliteSetup;
pub use store::SqliteInbox;
pub use transaction::{SqliteTransaction, Undone};
