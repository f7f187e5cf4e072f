//! What is reported of deliveries and their events: each [`Fact`] once, to every [`Observer`] of a receiver.
//!
//! [`Log`] is always one of them: it writes to `tracing`, under the target `tower_webhook`.
//!
//! # Traces
//!
//! Each delivery to a [`Receiver`](crate::Receiver) is a span of `tracing`, `delivery`, at the level of information, and handlers run
//! inside it. It has the fields `receiver`, `provider`, `trace_id` and `parent_span_id` where the request has a valid
//! [`TraceParent`], `events`, `key` and `attempt` where there is one event, and at its end `outcome` and `reason`, in the words of
//! `docs/metrics.md`. It stands in the span that is there already, such as that of a layer in front. Nobody who sends can write
//! into a field.
//!
//! Each attempt of a [`Worker`](crate::inbox::Worker) is a span of its own, `attempt`, without a parent, and with `linked_trace_id` and
//! `linked_span_id`: which trace the delivery was in. `docs/run.md` shows how both become links and parents of OpenTelemetry.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use tower_webhook::observe::{About, Fact, Observer};
//!
//! /// Counts what was handled, for metrics of your own.
//! #[derive(Clone, Default)]
//! struct Handled(Arc<AtomicU64>);
//!
//! impl Observer for Handled {
//!     fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
//!         if let (Fact::Handled, "aella-ng") = (fact, about.receiver) {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//! # use tower_webhook::{MemoryStore, Received, Receiver, provider::aella::{self, Aella}, secret::Secret};
//! # fn build() -> Result<(), tower_webhook::ConfigError> {
//!
//! let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//! let handled = Handled::default();
//! let service = Receiver::new("aella-ng", aella)
//!     .observer(handled.clone())
//!     .dedupe(MemoryStore::new(1_000_000))
//!     .handle(|event: Received<aella::Event>| async move {});
//! # Ok(()) }
//! ```

mod fact;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod outcome;
mod reporter;
mod trace_parent;
mod traced;

#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use self::metrics::{InboxLevels, Known, METRICS, Metrics, bounds};
pub use fact::{About, Fact, Observer};
pub use log::Log;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use reporter::Listeners;
pub(crate) use reporter::{Reporter, Scope};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use trace_parent::TRACEPARENT;
pub use trace_parent::TraceParent;
pub(crate) use traced::Traced;
