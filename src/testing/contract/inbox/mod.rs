//! The laws of a durable inbox, as a suite that any [`InboxStore`](crate::inbox::InboxStore) can run.
//!
//! [`check`] panics at the first broken law and names it and the case. All times are arguments of the store, so the suite
//! waits for none. What it cannot see it does not promise: that what is stored outlives a crash is for the store's own tests.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use tower_webhook::inbox::SqliteInbox;
//! use tower_webhook::testing::contract::inbox::{self, Subject};
//!
//! struct InAFile(std::path::PathBuf);
//!
//! impl Subject for InAFile {
//!     type Store = SqliteInbox;
//!
//!     async fn store(&self) -> SqliteInbox {
//!         let number = std::fs::read_dir(&self.0).unwrap().count();
//!         SqliteInbox::open(self.0.join(format!("{number}.db"))).await.unwrap()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let folder = std::env::temp_dir().join(format!("tower-webhook-contract-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! inbox::check(&InAFile(folder.clone())).await;
//! # std::fs::remove_dir_all(folder).unwrap();
//! # }
//! ```

mod accepting;
mod check;
mod cutting;
mod ending;
mod lanes;
mod law;
mod leasing;
mod people;
mod probe;
mod subject;

pub use check::check;
pub use law::Law;
pub use subject::Subject;
