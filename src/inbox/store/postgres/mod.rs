//! A durable inbox in Postgres, for several receivers and several workers in several processes.
//!
//! Each call is one statement, so it has happened whole or not at all, whoever gives up on it. A call that ends a lease names
//! token and fence in its condition, and the unique index of lanes' heads lets no two of a lane be due at once.
//!
//! ```no_run
//! use tower_webhook::inbox::{InboxStore, PostgresInbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let inbox = PostgresInbox::connect("postgres://webhooks@db.internal/payments").await?;
//! // Two inboxes of one database have a schema each.
//! let other = PostgresInbox::setup().schema("refunds").pool(4).connect("postgres://webhooks@db.internal/payments").await?;
//! assert_eq!(other.next_due().await?, None);
//! # Ok(()) }
//! ```
//!
//! # Layout
//!
//! An event is a row of `events`, which does not change, one of `bodies`, which goes earlier, and one narrow row of `turns`,
//! which says where it stands. `due` is set for what may be leased at some time, and for nothing else: of a lane only the
//! head has one. Whoever accepts into a lane, or ends a turn of it, holds the lane's advisory lock until the commit.
//!
//! What is held and has run out is a suspect: its holder may have been ended by it. Suspects are leased one at a time, of all
//! processes together.
//!
//! Two calls that accept are under way at once; whoever comes meanwhile shares the next, and with it a commit. One whose events
//! cannot be stored, or whose lane somebody has for a tenth of a second, is asked for alone.
//!
//! # Time
//!
//! Leases go by the database's clock. How far this host's clock is off is measured on connecting and every 30 seconds; where
//! it is a quarter of a second or more, that is added to what callers pass and taken from what they get. An answer that
//! takes as long measures nothing: what was measured before counts, and the next second brings another. Times that are
//! written down for people stay the caller's.
//!
//! # What it needs
//!
//! A database whose commits are durable: `synchronous_commit` and `fsync` that are off are refused by name. A direct
//! connection, or a pooler that keeps a session (`LISTEN` and prepared statements need one). Its transactions are
//! `read committed`, whatever the default is. Transactions of others that stay open for long keep Postgres from cleaning
//! up behind the leases, and make them slow.

mod accept;
mod asking;
mod bell;
mod call;
mod connect;
mod end;
mod fault;
mod find;
mod group;
mod handle;
mod lease;
mod people;
mod row;
mod schema;
mod setup;
mod skew;
mod store;
mod tally;
mod tls;
mod transaction;

pub use setup::PostgresSetup;
pub use store::PostgresInbox;
pub use tokio_postgres;
pub use transaction::PostgresTransaction;
