//! A dedupe store for several receivers, in Redis or Valkey.

mod address;
mod fault;
mod lines;
mod probe;
mod reply;
mod report;
mod response;
mod script;
mod setup;
mod target;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::RedisError;
use tokio::time::{sleep, timeout};

use super::key::{Fingerprint, Key};
use super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use fault::Fault;
use lines::{InHand, Lines};
use reply::Reply;
use script::{By, Call, Op};
use setup::Wait;

pub use report::{Finding, Report, Severity, Topic, Unfit};
pub use setup::{RedisSetup, SetupError};

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

    async fn call(&self, key: &Key, token: &Token, op: Op<'_>) -> Result<Reply, StoreError> {
        let call = Call { key: script::key_text(&self.prefix, key), token, op };
        let mut told = None;
        let tries = async {
            let mut pause = Duration::from_millis(10);
            loop {
                match self.attempt(&call).await {
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
                    in_hand.broken();
                } else {
                    in_hand.answered();
                }
                Err(Failure::of(fault))
            }
        }
    }

    /// Sends the script by its hash, then by its text where that is not known, then waits for replicas.
    async fn exchange(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Reply, Stop> {
        let mut reply = self.send(in_hand, call, By::Hash).await;
        if let Err(Fault::NoScript) = reply {
            reply = self.send(in_hand, call, By::Text).await;
        }
        if reply == Err(Fault::Final(StoreError::Full)) && call.finishes() {
            let finished = self.send(in_hand, call, By::TextWhenFull).await;
            reply = finished.or(Err(Fault::Final(StoreError::Full)));
        }
        let reply = reply?;
        match self.wait {
            Some(wait) if reply.wrote() => replicated(in_hand, wait).await.map(|()| reply),
            _ => Ok(reply),
        }
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
        key: &Key,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        match self.call(key, token, Op::Claim { fingerprint, terms }).await? {
            Reply::Claim(claim) => Ok(claim),
            _ => Err(StoreError::Corrupt),
        }
    }

    async fn renew(&self, key: &Key, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        held(self.call(key, token, Op::Renew { lease }).await?)
    }

    async fn complete(
        &self,
        key: &Key,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let response = &response::encode(response);
        let write_again = self.wait.is_some();
        held(self.call(key, token, Op::Complete { response, retention, write_again }).await?)
    }

    async fn release(&self, key: &Key, token: &Token, delay: Duration) -> Result<Held, StoreError> {
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
