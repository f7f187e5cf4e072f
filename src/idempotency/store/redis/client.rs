//! How a call reaches the server: with as many tries as there is time for, each on a connection that is good.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::{sleep, timeout};

use super::super::{Claim, StoreError, StoreErrorKind, Token};
use super::cause::Cause;
use super::fault::{Failed, Fault};
use super::lines::{InHand, Lines};
use super::reply::Reply;
use super::script::{self, By, Call, Op};
use super::shortcut::New;
use super::wait::{self, Wait};
use crate::delivery::KeyHash;

/// The first pause between two tries. Each is twice the one before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// A server that restarts is found again within a tenth of the usual deadline.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Client {
    pub(super) lines: Lines,
    pub(super) prefix: Cow<'static, str>,
    pub(super) deadline: Duration,
    /// The time for one try.
    pub(super) attempt: Duration,
    pub(super) wait: Option<Wait>,
    pub(super) cluster: bool,
    pub(super) calls: AtomicU64,
}

/// Why a try did not bring a reply.
enum Failure {
    Final(StoreError),
    /// Worth another try, and what to answer when there is no time for one.
    Passing(StoreError),
}

impl Client {
    pub(super) async fn call(&self, key: &KeyHash, token: &Token, op: Op<'_>) -> Result<Reply, StoreError> {
        let key = script::key_text(&self.prefix, key);
        self.answer(&Call { key, token, op, replicated: self.wait.is_some() }).await
    }

    /// What the server says, with as many tries as there is time for.
    pub(super) async fn answer(&self, call: &Call<'_>) -> Result<Reply, StoreError> {
        let mut last: Option<StoreError> = None;
        let tries = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match self.attempt(call).await {
                    Ok(Reply::Corrupt) => return Err(StoreErrorKind::Corrupt.into()),
                    Ok(reply) => return Ok(reply),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Passing(error)) => last = Some(worse(last.take(), error)),
                }
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
        };
        match timeout(self.deadline, tries).await {
            Ok(answer) => answer,
            Err(_) => Err(last.unwrap_or(StoreErrorKind::Timeout.into())),
        }
    }

    /// One try on one connection.
    async fn attempt(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let mut in_hand = match self.lines.take(self.attempt).await {
            Ok(in_hand) => in_hand,
            Err(error) => return Err(Failure::of(error.into())),
        };
        match timeout(self.attempt, self.exchange(&mut in_hand, call)).await {
            Err(_) => {
                in_hand.broken();
                Err(Failure::Passing(StoreErrorKind::Timeout.into()))
            }
            Ok(Ok(Reply::Stray)) => {
                in_hand.broken();
                Err(Failure::Passing(unavailable(Cause::new("the server answered another call"))))
            }
            Ok(Ok(reply)) => {
                in_hand.answered();
                Ok(reply)
            }
            Ok(Err(failed)) => {
                if failed.fault == Fault::Broken {
                    in_hand.lost();
                } else {
                    in_hand.answered();
                }
                Err(Failure::of(failed))
            }
        }
    }

    async fn exchange(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Reply, Failed> {
        match self.shortcut(in_hand, call).await? {
            Some(reply) => Ok(reply),
            None => self.run(in_hand, call).await,
        }
    }

    /// A claim without a script, where that suffices. Not in a cluster: of two commands, a slot that moves redirects one.
    async fn shortcut(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Option<Reply>, Failed> {
        let (Op::Claim { mark, terms }, false) = (call.op, self.cluster) else { return Ok(None) };
        let new = New::of(call.token, mark, terms);
        let mut commands = new.ask(&call.key);
        let Some(wait) = self.wait else {
            let [set, got] = in_hand.line.send_all(&commands).await?;
            return new.read(mark, set, got);
        };
        wait::mark_time(&mut commands, &self.prefix, new.life);
        wait.ask(&mut commands);
        let [set, got, marked, waited] = in_hand.line.send_all(&commands).await?;
        let reply = new.read(mark, set, got)?;
        wait.read(waited)?;
        let is_done = matches!(reply, Some(Reply::Claim(Claim::Done { .. })));
        Ok(reply.filter(|_| !is_done || marked == Value::Okay))
    }

    /// Sends the script by its hash, then by its text where that is not known.
    async fn run(&self, in_hand: &mut InHand<'_>, call: &Call<'_>) -> Result<Reply, Failed> {
        let mut reply = self.send(in_hand, call, By::Hash).await;
        if is(&reply, Fault::NoScript) {
            reply = self.send(in_hand, call, By::Text).await;
        }
        if is(&reply, Fault::Final(StoreErrorKind::Full)) && call.finishes() {
            // Where that is no way either, what is said of the first is what matters: it is full.
            return self.send(in_hand, call, By::TextWhenFull).await.or(reply);
        }
        reply
    }

    async fn send(&self, in_hand: &mut InHand<'_>, call: &Call<'_>, by: By) -> Result<Reply, Failed> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let command = call.command(by, number);
        let Some(wait) = self.wait else {
            return Ok(Reply::read(&in_hand.line.send(&command).await?, number));
        };
        let mut commands = Pipeline::with_capacity(2);
        wait.ask(commands.add_command(command));
        let [value, waited] = in_hand.line.send_all(&commands).await?;
        // What failed wrote nothing to wait for.
        let reply = Reply::read(&value.extract_error()?, number);
        wait.read(waited).map(|()| reply)
    }
}

fn is(reply: &Result<Reply, Failed>, fault: Fault) -> bool {
    reply.as_ref().is_err_and(|failed| failed.fault == fault)
}

/// Once a try has ended in silence, what was asked may have happened, whatever becomes of the next.
fn worse(earlier: Option<StoreError>, error: StoreError) -> StoreError {
    earlier.filter(|earlier| earlier.kind() == StoreErrorKind::Timeout).unwrap_or(error)
}

fn unavailable(cause: Cause) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable).caused_by(cause)
}

impl Failure {
    fn of(Failed { fault, cause }: Failed) -> Self {
        match fault {
            Fault::Final(kind) => Self::Final(StoreError::new(kind).caused_by(cause)),
            Fault::NoScript | Fault::Away | Fault::Broken => Self::Passing(unavailable(cause)),
        }
    }
}
