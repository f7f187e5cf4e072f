//! A service that books what its bank, its core banking system and its shop report.

mod app;
mod bank;
mod ledger;
pub mod shop;

pub use app::{Secrets, Stop, app, serve};
pub use bank::{Notification, booked};
pub use ledger::{Entry, Ledger, LedgerDown, on_mambu};
