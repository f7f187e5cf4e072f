//! From a specification to providers, layers and stores.

mod config;
mod custom;
mod endpoint;
mod forward;
mod keys;
mod provider;
mod secret;
mod store;
mod validity;

pub use config::{Config, Dedupe};
pub use endpoint::Endpoint;
pub use forward::Forward;

pub(super) use config::build;
