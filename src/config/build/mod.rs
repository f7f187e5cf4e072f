//! From a specification to providers, layers and stores.

mod candidate;
mod config;
mod custom;
mod endpoint;
mod fixed;
mod forward;
mod inbox;
mod keys;
mod provider;
mod reload;
mod secret;
mod store;
mod tls;
mod validity;

pub use config::{Config, Dedupe};
pub use endpoint::Endpoint;
pub use forward::Forward;
pub use inbox::Inbox;
pub use tls::{Tls, TlsClient};

pub(super) use config::build;
