//! Receivers that die at named points, and what becomes of their events: judged by a ledger in a file, which outlives them.
//! With Redis: `redis/crash.rs`.

mod alone;
mod child;
mod here;
pub(crate) mod ledger;
#[cfg(feature = "cli")]
mod listen;
mod memory;
pub(crate) mod scene;
