//! A durable inbox: answer when an event is stored, handle it later, lose nothing.
//!
//! An event and its idempotency key are committed in one transaction, and only then is the sender answered 2xx. Workers lease
//! events, count the attempt before they handle, and end the lease with token and fence, so that a late one changes nothing.
//!
//! [`Receiver::inbox`](crate::Receiver::inbox) makes the service that stores, and a [`Worker`] handles what was stored:
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use tower_webhook::inbox::{SqliteInbox, Typed, Worker};
//! use tower_webhook::provider::aella::{self, Aella};
//! use tower_webhook::secret::Secret;
//! use tower_webhook::{Received, Receiver};
//!
//! async fn on_aella(event: Received<aella::Event>) -> Result<(), std::io::Error> {
//!     // At least once. The key, unique where the effect is written, makes it once.
//!     println!("{} {:?}", event.delivery().key(), event.shared());
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("tower-webhook-inbox-{}.doc", std::process::id()));
//! let aella = || Aella::new(Secret::utf8("ae_sk_test_example")?);
//! let inbox = SqliteInbox::open(&path).await?;
//! let service = Receiver::new("aella-ng", aella()?).inbox(&inbox);
//! let worker = Worker::new(inbox.clone(), Typed::new(aella()?, on_aella)).concurrency(16).start();
//!
//! # use tower::ServiceExt;
//! # use tower_webhook::{clock::{Clock, OsEntropy, SystemClock}, provider::{Message, Provider}, scheme::Sealing};
//! # use tower_webhook::inbox::{InboxStore, StoredState};
//! # let body = r#"{"event":"transfer.completed","data":{"id":"7b"}}"#;
//! # let sealed = |sender: Aella| {
//! #     let sealing = Sealing::new(SystemClock.now().unwrap(), &OsEntropy);
//! #     sender.seal(Message::new(body), &sealing).unwrap().map(|body| String::from_utf8(body.to_vec()).unwrap())
//! # };
//! # assert_eq!(service.clone().oneshot(sealed(aella()?)).await?.status(), 200);
//! # assert_eq!(service.oneshot(sealed(Aella::new(Secret::utf8("ae_sk_test_another")?)?)).await?.status(), 401);
//! # while inbox.stats(SystemClock.now().unwrap()).await?.done == 0 {
//! #     tokio::time::sleep(std::time::Duration::from_millis(10)).await;
//! # }
//! // On the signal to stop: what is in hand finishes, and the rest waits for the next start.
//! worker.stop().await;
//! # drop(inbox);
//! # for end in ["", "-wal", "-shm", ".lock"] {
//! #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
//! # }
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! A 2xx says that all events of a delivery that can be read are on disk. Each of them is handed over at least once, and again
//! after a crash in between, with a higher fence. [`Verdict`] says what becomes of it then; [`Backoff`] when it comes
//! again; and after so many attempts it is a dead letter, for people to look at and to
//! [replay](InboxStore::replay). Of several receivers each event goes to its own handler by [`Routes`]. A function from
//! [`Handed`] gets events of any provider as they were stored.
//!
//! | tier | the effect is | what makes it so | it happens |
//! |---|---|---|---|
//! | A | in the inbox's own database | `in_transaction` and `in_transaction_of` of either inbox | exactly once |
//! | B | elsewhere, unique by the event's key | a handler that passes the key on | once; the handler may run again |
//! | C | anything else | [`OnUnknown::Again`], the default | at least once |
//! | C | the same | [`OnUnknown::Park`] | at most once, and people look at what has no end |
//!
//! `docs/inbox.md` of the repository has all of it on one page: states, crash points, lanes, replay, retention, and what it costs.
//!
//! A key that is known with another payload is quarantined: acknowledged, kept, and never handled.
//!
//! What never arrived no inbox knows: [`Reconciliation`] compares it with the provider's own report.

mod accepting;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod effect;
mod entries;
mod handler;
#[cfg(feature = "postgres")]
mod in_postgres;
mod reconciliation;
mod sealed;
mod store;
#[cfg(test)]
mod tests;
#[cfg(feature = "sqlite")]
mod transaction;
mod typed;
mod worker;

pub(crate) use accepting::Engine as AcceptingEngine;
pub use accepting::{AcceptFuture, Accepting};
pub(crate) use entries::Entries;
pub use handler::{Handed, InboxHandler, IntoVerdict, Verdict};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use in_postgres::InPostgres;
pub use reconciliation::{Arrived, Reconciliation, ReportError};
pub use sealed::Sealed;
#[cfg(feature = "testing")]
pub(crate) use store::delegated;
pub use store::{
    Accepted, AnyInbox, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy,
    LeaseToken, Leased, NewEvent, Quota, ReceiverStats, Replayed, Stats, Stored, StoredState,
};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use store::{Disk, SqliteInbox, SqliteSetup, SqliteTransaction, Undone, rusqlite};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use store::{PostgresInbox, PostgresSetup, PostgresTransaction, tokio_postgres};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use transaction::InTransaction;
pub use typed::{Routes, Typed};
pub use worker::{Backoff, Ending, OnUnknown, Running, Worker};
