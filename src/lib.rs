//! Receive payment and banking webhooks: proved, decrypted, deduplicated, and handed over as typed events.
//!
//! A [`Receiver`] joins a [`provider`] with a dedupe store and a handler, and becomes a tower service for axum
//! and hyper. It judges address and credentials before it reads a body, verifies or decrypts the exact bytes, decodes
//! them into one or more events, and runs the handler once per event, however often the sender repeats itself.
//!
//! ```
//! use tower_webhook::provider::aella::{self, Aella};
//! use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
//!
//! # fn build() -> Result<axum::Router, tower_webhook::ConfigError> {
//! let provider = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//! // In memory for one process; what it remembers is gone with it.
//! let aella = Receiver::new("aella-ng", provider).dedupe(MemoryStore::new(1_000_000)).handle(
//!     |event: Received<aella::Event>| async move {
//!         println!("{} {:?}", event.delivery().key(), event.shared());
//!     },
//! );
//! let app = axum::Router::new().route_service("/aella", aella);
//! # Ok(app) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use tower::ServiceExt;
//! # use tower_webhook::{clock::{OsEntropy, SystemClock, Clock}, provider::{Message, Provider}, scheme::Sealing};
//! # let sender = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//! # let forger = Aella::new(Secret::utf8("ae_sk_test_another")?)?;
//! # let body = r#"{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{"id":"7b","status":"Success","amount":10000}}"#;
//! # for (sender, status) in [(sender, 200), (forger, 401)] {
//! #     let sealing = Sealing::new(SystemClock.now().unwrap(), &OsEntropy);
//! #     let mut request = sender.seal(Message::new(body), &sealing)?.map(axum::body::Body::from);
//! #     *request.uri_mut() = "/aella".parse()?;
//! #     assert_eq!(build()?.oneshot(request).await?.status(), status);
//! # }
//! # Ok(()) }
//! ```
//!
//! # Where to start
//!
//! | you want | look at |
//! |---|---|
//! | a service with a handler, with a state, for batches; or a layer in front of your routes | [`receiver`] |
//! | to know what a provider sends, and how sure that is | [`provider::aella`], [`provider::banking_circle`], [`provider::mambu`], [`provider::opp`], [`provider::sibs`], [`provider::standard_webhooks`] |
//! | one event type for all providers | [`event::Event`] through [`Received::shared`] |
//! | single layers, stacked by hand | [`layers`], [`idempotency::IdempotencyLayer`] |
//! | to answer when an event is stored, and handle it later | `inbox` |
//! | the rules of claims, leases and fences; a store of your own | [`idempotency`], [`idempotency::DedupeStore`] |
//! | endpoints in a file, handlers in your code | `config` |
//! | any other sender, without code of its own | [`provider::custom`] with a [`scheme::Template`] |
//! | a provider of your own | [`provider::Provider`] with a [`scheme`] |
//! | old and new keys side by side, to rotate them | [`secret::KeyRing`] |
//! | keys that change while deliveries come | [`secret::KeySwap`] |
//! | several replicas, or keys of events that outlive a restart | `idempotency::RedisStore` |
//! | keys that are looked up, tenant by tenant | [`receiver::Tenants`] |
//! | metrics, or logs of your own | [`observe`] |
//! | to stop without losing what is in hand | [`delivery::Drain`] |
//! | what a rejection means | [`RejectionKind`] |
//! | another answer to rejected deliveries | [`gate::Responder`] |
//! | to test your app, and what it promises | `testing::Harness` |
//! | to test a handler alone | `Received::for_test` |
//! | to test what a crash does to your effects | `testing::crash` |
//! | to play a provider | `sender` |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `asymmetric` | no | `scheme::Signature` (RSA, ECDSA P-256, to verify), `scheme::Ed25519`, and `v1a` of [`provider::standard_webhooks`] |
//! | `axum` | yes | [`Received`] and [`Delivery`] as extractors, [`Rejection`] as a response |
//! | `cli` | no | the program `tower-webhook` |
//! | `config` | no | `config`: the program's configuration file, for applications with handlers of their own; with `asymmetric`, `gzip`, `postgres-tls`, `redis-tls` and `sqlite`, since a file may name them |
//! | `gzip` | no | `gate::Compression`: bodies that come compressed by gzip |
//! | `metrics` | no | `observe::Metrics`: what becomes of deliveries as numbers, for any recorder |
//! | `otel` | no | `observe::Metrics::of_meter`: the same for a `Meter` of OpenTelemetry |
//! | `redis` | no | [`idempotency::RedisStore`](crate::idempotency), a dedupe store for several receivers |
//! | `redis-tls` | no | the same over TLS |
//! | `sender` | no | `sender`: the provider's side, with its ladders, its history and its reaction to failure |
//! | `postgres` | no | `inbox`: a durable inbox in Postgres, for several receivers, and its worker |
//! | `postgres-tls` | no | the same over TLS |
//! | `sqlite` | no | `inbox`: a durable inbox in a file, and its worker |
//! | `testing` | no | `sender`, and `testing`: a harness around an app, deliveries as the provider sends them, the contract suite for dedupe stores, and receivers that crash at named points; `Received::for_test`. Never for production |
//!
//! A feature adds API and changes nothing else.
//!
//! # Promises
//!
//! - Never a 2xx for a delivery that was not handled, or stored in an inbox, unless a route asks for it by name
//!   ([`Mismatch::AcknowledgeUnhandled`](idempotency::Mismatch::AcknowledgeUnhandled)).
//! - A rejected peer gets a status and nothing more, unless a [`Responder`](gate::Responder) of yours adds to it; [`Rejection`] in the response's extensions has the rest for you.
//! - No layer changes a service's error type.
//! - The API may change until 1.0, with every change in the changelog. The oldest compiler is Rust 1.95.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod delivery;
pub mod encoding;
pub mod error;
pub mod event;
mod fail_point;
pub mod gate;
pub mod idempotency;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod inbox;
pub mod json;
pub mod layers;
pub mod mask;
pub mod observe;
pub mod provider;
pub mod receiver;
pub mod scheme;
pub mod secret;
#[cfg(feature = "sender")]
pub mod sender;
#[cfg(feature = "testing")]
pub mod testing;

pub use delivery::{Delivery, Outcome, Received};
pub use error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
pub use idempotency::MemoryStore;
pub use receiver::Receiver;

/// The README's examples, compiled and run.
#[cfg(all(doctest, feature = "axum", feature = "redis", feature = "testing"))]
#[doc = include_str!("../README.md")]
struct Readme;
