//! A dedupe store for several receivers, in Redis or Valkey. Tested on Redis 6.2 and 7.0, and on Valkey 8.0.
//!
//! Every operation is on one key, and the server's clock decides, so receivers need not agree on the time. A first claim
//! and the repeat of a done event are one round trip of `SET NX PX` and `GET`, whose reply holds the claim's own token or
//! the mark of its key and event; all else is one script an operation, whose reply repeats the number of its call. So a
//! late or doubled reply reaches no other caller. The word to wait for replicas goes out in the same round trip. A call that brought no answer is sent again with the same token within
//! the deadline, on a new connection where the old one is in doubt; when there is still no answer, the delivery is refused
//! and never run without its claim. [`StoreError`](super::StoreError) then holds what the server or the connection said, without
//! its address and password.
//!
//! A clone of a store is the same store: one serves any number of receivers, whose names keep their keys apart.
//!
//! ```no_run
//! use tower_webhook::idempotency::RedisStore;
//! use tower_webhook::idempotency::redis::Severity;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://hook:password@127.0.0.1:6379").await?;
//! let report = store.probe().await?;
//! println!("{report}");
//! // A server that may evict live keys is refused, one that has no append-only file is warned of.
//! let report = report.lenient()?;
//! assert!(report.worst() < Severity::Refusal);
//! // store.enroll(&receiver.identity()).await?, for each receiver: whose its name on this server is
//! // receiver.dedupe(store)
//! # Ok(()) }
//! ```
//!
//! # Addresses
//!
//! | address | is |
//! |---|---|
//! | `redis://user:password@host:6379/0` | one server |
//! | `redis-sentinel://user:password@s1,s2:26379/name/0` | the master that these sentinels know by this name; user, password and database are the server's |
//! | `redis-cluster://user:password@h1,h2,h3:6379` | a cluster, known by some of its nodes |
//!
//! `rediss://`, `rediss-sentinel://` and `rediss-cluster://` are the same over TLS, with the feature `redis-tls`. Server
//! and sentinels are believed by the machine's roots, since a private authority is usual for Redis and belongs there, or by
//! one root that `root_certificate` names. Where the process has chosen no provider of cryptography for rustls before the
//! first such address is parsed, ring becomes it.
//!
//! The user needs these rights, and `+info` for [`probe`](RedisStore::probe), `+wait` for [`wait`](RedisSetup::wait):
//!
//! ```text
//! +evalsha +eval +get +set +pttl ~whd1:*
//! ```
//!
//! With `wait`, the key `whd1:wait` holds nothing: each claim writes it, so that what it found is waited for too.
//!
//! # Which settings give which promise
//!
//! | setting of the server | promise | without it |
//! |---|---|---|
//! | version 7 or Valkey | a full server takes completions, renewals and releases, and refuses new claims | version 6 refuses all of them, and lets scripts write where `min-replicas-to-write` forbids it; older ones are refused by the probe |
//! | `maxmemory-policy noeviction`, or no `maxmemory` | a live record is never forgotten; a full server is [`StoreErrorKind::Full`](super::StoreErrorKind::Full) | records are forgotten in silence: they all have an expiry, so `volatile-*` takes them too |
//! | `appendonly yes`, `appendfsync everysec` | a crash of the server loses no acknowledged claim, as long as the disk keeps up: while a flush takes longer than a second, Redis holds back what follows for up to two | a restart forgets every claim since the last snapshot |
//! | `appendfsync always` | the same without that condition, and for a loss of power (by Redis' own account; not tested here), at about a tenth of the speed | a loss of power may take the last second or two |
//! | replicas, and [`wait`](RedisSetup::wait) for as many | a failover to one of them loses no acknowledged claim | a failover forgets what the new master had not yet read; `min-replicas-to-write` is checked once a second and does not close that |
//!
//! [`RedisStore::probe`] looks at all of this but `appendfsync`. Many managed services begin with `volatile-lru`.
//!
//! # What a failover can cost
//!
//! A forgotten claim is an event that may be handled twice, never one that is lost. Its holder sees it: the
//! renewal or completion answers [`LostReason::Gone`](super::LostReason::Gone). Its fence begins at 1 again, so a downstream that
//! refuses old fences refuses the new claim too. `wait` counts acknowledgements and answers `Unavailable` when there are
//! too few; the claim then stands until its lease ends, and the same token may take it up. With more replicas than are
//! waited for, one that lacks the claim may be promoted: wait for all of them, or let Sentinel choose the most advanced.
//! Redis itself says that `WAIT` does not make it strongly consistent. `wait` is not for a cluster.
//!
//! A leap of the server's clock ends leases and records early, or late; two claims are told apart by their fences all the
//! same. Keep the clock in step.
//!
//! Where a handled event must never be handled again, let the effect and its mark be one transaction in a database, by the
//! event's key. A durable inbox that does so is planned and not there yet.
//!
//! # Sizing
//!
//! Measured with a million keys on Redis 7.0: 208 bytes for a key, held or done, and the response's type and body on top.
//! Memory is events in a second x seconds of retention x bytes: one event a second over 35 days is 3.0 million keys and
//! 0.63 GB, ten a second 6.3 GB. An append-only file and a fork to rewrite it take as much again.

mod address;
mod cause;
mod client;
mod enroll;
mod fault;
mod lines;
mod probe;
mod record;
mod reply;
mod report;
mod response;
mod script;
mod setup;
mod setup_error;
mod shortcut;
mod store;
mod target;
mod wait;

pub use enroll::EnrollError;
pub use report::{Finding, Report, Severity, Topic, Unfit};
pub use setup::RedisSetup;
pub use setup_error::SetupError;
pub use store::RedisStore;
