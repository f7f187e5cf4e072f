//! The Redis store against real servers. They count time by themselves, so these tests run in real time: they poll with a
//! deadline, and sleep only where a lease or a retention must really pass.

mod contract;
mod server;

use std::any::Any;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_webhook::idempotency::Key;

/// Where a store with this prefix keeps this key.
fn key_text(prefix: &str, key: &Key) -> String {
    format!("{prefix}{{{}}}", URL_SAFE_NO_PAD.encode(key.as_bytes()))
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or_else(|| panic.downcast_ref::<&str>().unwrap_or(&""), String::as_str)
}
