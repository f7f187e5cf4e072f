//! A dedupe store for several receivers, in Redis or Valkey. Tested on Redis 6.2 and 7.0, and on Valkey 8.0.
//!
//! Every operation is on one key, and the server's clock decides, so receivers need not agree on the time. A first claim
//! and the repeat of a done event are one round trip of `SET NX PX` and `GET`, whose reply holds the claim's own token or
//! the mark of its key and event; all else is one script an operation, whose reply repeats the number of its call. So a
//! late or doubled reply reaches no other caller. A call that brought no answer is sent again with the same token within
//! the deadline, on a new connection where the old one is in doubt; when there is still no answer, the delivery is refused
//! and never run without its claim.
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
//! # Which settings give which promise
//!
//! | setting of the server | promise | without it |
//! |---|---|---|
//! | version 7 or Valkey | a full server takes completions, renewals and releases, and refuses new claims | version 6 refuses all of them, and lets scripts write where `min-replicas-to-write` forbids it; older ones are refused by the probe |
//! | `maxmemory-policy noeviction`, or no `maxmemory` | a live record is never forgotten; a full server is [`StoreError::Full`] | records are forgotten in silence: they all have an expiry, so `volatile-*` takes them too |
//! | `appendonly yes`, `appendfsync everysec` | a crash of the server loses no acknowledged claim, as long as the disk keeps up: while a flush takes longer than a second, Redis holds back what follows for up to two | a restart forgets every claim since the last snapshot |
//! | `appendfsync always` | the same without that condition, and for a loss of power (by Redis' own account; not tested here), at about a tenth of the speed | a loss of power may take the last second or two |
//! | replicas, and [`wait`](RedisSetup::wait) for as many | a failover to one of them loses no acknowledged claim | a failover forgets what the new master had not yet read; `min-replicas-to-write` is checked once a second and does not close that |
//!
//! [`RedisStore::probe`] looks at all of this but `appendfsync`. Many managed services begin with `volatile-lru`.
//!
//! # What a failover can cost
//!
//! A forgotten claim is an event that may be handled twice, never one that is lost. The one who held it is told: its
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
mod target;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::RedisError;
use tokio::time::{sleep, timeout};

use super::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use crate::delivery::{Fingerprint, KeyHash};
use fault::Fault;
use lines::{InHand, Lines};
use reply::Reply;
use script::{By, Call, Op};
use setup::Wait;
use shortcut::New;
use target::Line;

pub use enroll::EnrollError;
pub use report::{Finding, Report, Severity, Topic, Unfit};
pub use setup::RedisSetup;
pub use setup_error::SetupError;

/// A dedupe store in Redis or Valkey. See the [module](self) for what it promises, and with which settings.
pub struct RedisStore {
    lines: Lines,
    prefix: Cow<'static, str>,
    deadline: Duration,
    /// The time for one try.
    attempt: Duration,
    wait: Option<Wait>,
    cluster: bool,
    calls: AtomicU64,
}

/// Why a try did not bring a reply.
enum Failure {
    Final(StoreError),
    /// Worth another try, and what to tell when there is no time for one.
    Passing(StoreError),
}

impl RedisStore {
    /// Connects to the server at this URL, with every setting at its default.
    ///
    /// # Errors
    ///
    /// [`SetupError`] for an address that cannot be used, and when the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, SetupError> {
        Self::at(url).connect().await
    }

    /// The settings of a store at this URL.
    pub fn at(url: &str) -> RedisSetup {
        RedisSetup::new(url)
    }

    async fn call(&self, key: &KeyHash, token: &Token, op: Op<'_>) -> Result<Reply, StoreError> {
        let key = script::key_text(&self.prefix, key);
        self.answer(&Call { key, token, op, replicated: self.wait.is_some() }).await
    }

    /// What the server says, with as many tries as there is time for.
    async fn answer(&self, call: &Call<'_>) -> Result<Reply, StoreError> {
        let mut told = None;
        let tries = async {
            let mut pause = Duration::from_millis(10);
            loop {
                match self.attempt(call).await {
                    Ok(Reply::Corrupt) => return Err(StoreError::Corrupt),
                    Ok(reply) => return Ok(reply),
                    Err(Failure::Final(error)) => return Err(error),
                    // Once a try has ended in silence, what was asked may have happened.
                    Err(Failure::Passing(error)) if told != Some(StoreError::Timeout) => told = Some(error),
                    Err(Failure::Passing(_)) => {}
                }
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_millis(200));
            }
        };
        match timeout(self.deadline, tries).await {
            Ok(answer) => answer,
            Err(_) => Err(told.unwrap_or(StoreError::Timeout)),
        }
    }

    /// One try on one connection.
    async fn attempt(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let mut in_hand = match self.lines.take().await {
            Ok(in_hand) => in_hand,
            Err(error) => return Err(Failure::of(Fault::of(&error))),
        };
        match timeout(self.attempt, self.exchange(&mut in_hand, call)).await {
            Err(_) => {
                in_hand.broken();
                Err(Failure::Passing(StoreError::Timeout))
            }
            Ok(Ok(Reply::Stray)) => {
                in_hand.broken();
                Err(Failure::Passing(StoreError::Unavailable))
            }
            Ok(Ok(reply)) => {
                in_hand.answered();
                Ok(reply)
            }
            Ok(Err(Stop::TooFewReplicas)) => {
                in_hand.answered();
                Err(Failure::Final(StoreError::Unavailable))
            }
            Ok(Err(Stop::Fault(fault))) => {
                if fault == Fault::Broken {
                    in_hand.lost();
                } else {
                    in_hand.answered();
                }
                Err(Failure::of(fault))
            }
        }
    }

    /// Sends the call, then waits for replicas.
    async fn exchange(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Reply, Stop> {
        let reply = match shortcut(in_hand, call).await? {
            Some(reply) => reply,
            None => self.run(in_hand, call).await?,
        };
        match self.wait {
            Some(wait) => replicated(in_hand, wait).await.map(|()| reply),
            None => Ok(reply),
        }
    }

    /// Sends the script by its hash, then by its text where that is not known.
    async fn run(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut reply = self.send(in_hand, call, By::Hash).await;
        if let Err(Fault::NoScript) = reply {
            reply = self.send(in_hand, call, By::Text).await;
        }
        if reply == Err(Fault::Final(StoreError::Full)) && call.finishes() {
            let finished = self.send(in_hand, call, By::TextWhenFull).await;
            reply = finished.or(Err(Fault::Final(StoreError::Full)));
        }
        reply
    }

    async fn send(&self, in_hand: &mut InHand<'_>, call: &Call<'_>, by: By) -> Result<Reply, Fault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let value = in_hand.line.send(&call.command(by, number)).await?;
        Ok(Reply::read(&value, number))
    }
}

/// Why there is no reply.
enum Stop {
    Fault(Fault),
    TooFewReplicas,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        Self::of(&error)
    }
}

/// A claim without a script, where that suffices. Not in a cluster: of two commands, a slot that moves redirects one.
async fn shortcut(in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Option<Reply>, Fault> {
    let (Op::Claim { mark, terms }, Line::One(connection)) = (call.op, &mut in_hand.line) else { return Ok(None) };
    let new = New::of(call.token, mark, terms);
    let replies = connection.send_packed_commands(&new.ask(&call.key), 0, 2).await?;
    let reply = new.read(mark, replies)?;
    Ok(reply.filter(|reply| !(call.replicated && matches!(reply, Reply::Claim(Claim::Done { .. })))))
}

async fn replicated(in_hand: &mut InHand<'_>, wait: Wait) -> Result<(), Stop> {
    let mut command = redis::cmd("WAIT");
    command.arg(wait.replicas).arg(u64::try_from(wait.time.as_millis()).unwrap_or(u64::MAX));
    match in_hand.line.send(&command).await.map_err(Fault::from)? {
        redis::Value::Int(acknowledged) if acknowledged >= i64::from(wait.replicas) => Ok(()),
        redis::Value::Int(_) => Err(Stop::TooFewReplicas),
        _ => Err(Stop::Fault(Fault::Broken)),
    }
}

impl Failure {
    fn of(fault: Fault) -> Self {
        match fault {
            Fault::Final(error) => Self::Final(error),
            Fault::NoScript | Fault::Away | Fault::Broken => Self::Passing(StoreError::Unavailable),
        }
    }
}

fn held(reply: Reply) -> Result<Held, StoreError> {
    if let Reply::Held(held) = reply { Ok(held) } else { Err(StoreError::Corrupt) }
}

impl DedupeStore for RedisStore {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mark = &record::mark(key, fingerprint);
        match self.call(key, token, Op::Claim { mark, terms }).await? {
            Reply::Claim(claim) => Ok(claim),
            _ => Err(StoreError::Corrupt),
        }
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        held(self.call(key, token, Op::Renew { lease }).await?)
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let response = &response::encode(response);
        held(self.call(key, token, Op::Complete { response, retention }).await?)
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        held(self.call(key, token, Op::Release { delay }).await?)
    }
}

/// The address is not printed, since it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
