//! One file that says which endpoints there are, how each is proved, and where idempotency keys live.
//!
//! The program `tower-webhook` serves such a file; an application serves the same file with handlers of its own. Every key is
//! in `docs/configuration.md` of the repository. It goes in three steps, each of which can be taken by itself:
//!
//! | step | from | to |
//! |---|---|---|
//! | [`read`](read()), [`read_text`] | TOML | [`ConfigSpec`]: what the file says, as plain types that can be made and changed by hand too |
//! | [`ConfigSpec::build`], [`EndpointSpec::build`] | a specification | [`Config`]: providers, layers, limits, a store |
//! | [`Config::receiver`] | an [`Endpoint`] | a [`Receiver`](crate::Receiver), which wants a store and a handler |
//!
//! [`load`] takes the first two, and reports the faults of both in one go. A [`Fault`] names the file, the key, what is wrong
//! and what would be right. A key that nobody knows is a fault. Secrets stand in the file, in a variable or in a file of
//! their own ([`SecretSource`]); none is ever printed.
//!
//! ```
//! use tower_webhook::config::{self, ProviderSpec, SecretSource};
//! use tower_webhook::{Received, provider::AnyEvent};
//!
//! async fn on_event(event: Received<AnyEvent>) {
//!     println!("{}: {:?}", event.delivery().receiver(), event.shared());
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = r#"
//!     [[endpoint]]
//!     path = "/aella"
//!     provider = "aella"
//!     keys = [{ id = "2026-11", value = "ae_sk_test_example" }]
//! "#;
//! let spec = config::read_text("receiver.toml", file)?;
//! let config = spec.build()?;
//! let mut app: axum::Router = axum::Router::new();
//! for endpoint in &config.endpoints {
//!     let receiver = config.receiver(endpoint)?.dedupe(config.dedupe.store.clone());
//!     app = app.route_service(endpoint.path(), receiver.handle(on_event));
//! }
//!
//! // A specification is changed by hand as well, and built again.
//! let mut endpoint = spec.endpoints[0].clone();
//! endpoint.keys[0].secret = SecretSource::value("too short");
//! let faults = endpoint.build().unwrap_err();
//! assert!(faults.to_string().starts_with("keys[0].value: the secret has 9 bytes"), "{faults}");
//! # assert_eq!(spec.endpoints[0].provider.name(), "aella");
//! # Ok(()) }
//! ```

mod build;
mod fault;
mod overrides;
mod read;
mod spec;

use std::path::Path;
use std::time::Duration;

use crate::clock::Timestamp;
use fault::Found;

pub use build::{Config, Dedupe, Endpoint, Forward, Inbox, Tls, TlsClient};
pub use fault::{Fault, Faults};
pub use overrides::Overrides;
pub use spec::{
    AellaSpec, BankingCircleSpec, CandidateSpec, ConfigSpec, CredentialsSpec, CustomSpec, DedupeSpec, EndpointSpec,
    ForwardSpec, InboxRetentionSpec, InboxSpec, InboxStoreSpec, KeyEncoding, KeySpec, MambuSpec, OppSpec, PostgresSpec,
    ProofSpec, ProviderSpec, QuotaSpec, RateLimitSpec, RedisSpec, RetrySpec, SchemeSpec, SecretError, SecretSource,
    SecretText, SibsSpec, SignatureLayout, SignedSpec, SourcesSpec, StandardWebhooksSpec, StoreSpec, TimestampPlace,
    TimestampSpec, TlsClientSpec, TlsSpec, WaitSpec,
};

/// Reads and builds a file. Whether keys are valid by now is not looked at.
///
/// # Errors
///
/// All [`Faults`] of the file at once.
pub fn load(path: impl AsRef<Path>) -> Result<Config, Faults> {
    load_with(path, &Overrides::default(), None)
}

/// The same for whoever receives at this time: an endpoint all of whose keys are over is a fault, and one key that is over a
/// warning.
///
/// # Errors
///
/// As [`load`].
pub fn load_at(path: impl AsRef<Path>, now: Timestamp) -> Result<Config, Faults> {
    load_with(path, &Overrides::default(), Some(now))
}

/// As [`load`] or, with a time, [`load_at`], and these variables go before keys of the file.
///
/// # Errors
///
/// As [`load`]. A fault of a variable names it, and says nothing of its value.
pub fn load_with(path: impl AsRef<Path>, overrides: &Overrides, now: Option<Timestamp>) -> Result<Config, Faults> {
    let path = path.as_ref();
    let found = Found::in_file(path.display().to_string());
    let spec = read::file(path, overrides, &found);
    let config = spec.and_then(|spec| build::build(&spec, now, &found));
    found.or_faults(config)
}

/// Reads a file, and builds nothing: no secret is looked up.
///
/// # Errors
///
/// All [`Faults`] of what it says.
pub fn read(path: impl AsRef<Path>) -> Result<ConfigSpec, Faults> {
    read_with(path, &Overrides::default())
}

/// As [`read`](read()), and these variables go before keys of the file.
///
/// # Errors
///
/// As [`load_with`], of what the file and the variables say.
pub fn read_with(path: impl AsRef<Path>, overrides: &Overrides) -> Result<ConfigSpec, Faults> {
    let path = path.as_ref();
    let found = Found::in_file(path.display().to_string());
    let spec = read::file(path, overrides, &found);
    found.or_faults(spec)
}

/// Reads a text as if it stood in the file of this name, which need not exist: its faults call it so, and files of secrets
/// are looked for in its folder.
///
/// # Errors
///
/// As [`read`](read()).
pub fn read_text(name: impl AsRef<Path>, text: &str) -> Result<ConfigSpec, Faults> {
    let name = name.as_ref();
    let found = Found::in_file(name.display().to_string());
    let spec = read::text(name, text, &Overrides::default(), &found);
    found.or_faults(spec)
}

/// Reads a length of time as a configuration has it, such as `500ms`, `10s`, `5m`, `2h`, `7d`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    read::duration(text)
}
