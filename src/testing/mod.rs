//! What this crate brings for tests: deliveries to an app as its provider sends them, the [contract suite](contract) that every
//! dedupe store must pass, and receivers that [crash](crash) at named points.

pub mod contract;
pub mod crash;
mod deliver;

pub use deliver::{DeliverError, TestSender, deliver};
