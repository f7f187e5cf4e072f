//! What this crate brings for tests: deliveries to an app as its provider sends them, and the [contract suite](contract)
//! that every dedupe store must pass.

pub mod contract;
mod deliver;

pub use deliver::{DeliverError, TestSender, deliver};
