//! The connections: one that all calls share, or some of which each call has one for itself.
//!
//! A connection whose call ended without a reply is not used again, so that no reply is read by a later caller.
//!
//! One is made in a task of its own, which may take longer than whoever asked for it waits: then it is there for the
//! next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::{RedisError, RedisResult};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use super::target::{Line, Target, too_late};

/// A call that was given up before this time says nothing about the connection: callers leave for reasons of their own, and
/// a new connection after each would cost more than it finds.
const MIN_SILENCE: Duration = Duration::from_millis(250);

pub(super) enum Lines {
    Shared(SharedLine),
    Own(Pool),
}

/// A connection in hand, for one call.
pub(super) struct InHand<'a> {
    pub(super) line: Line,
    from: From<'a>,
    since: Instant,
    answered: bool,
}

enum From<'a> {
    Shared(&'a SharedLine, u64),
    Own(&'a Pool, #[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit),
}

impl Lines {
    /// A connection for one call, made if there is none. It waits no longer than this for one that is being made.
    pub(super) async fn take(&self, patience: Duration) -> RedisResult<InHand<'_>> {
        let (line, from) = match self {
            Self::Shared(shared) => {
                let (line, number) = shared.line(patience).await?;
                (line, From::Shared(shared, number))
            }
            Self::Own(pool) => {
                let (line, permit) = pool.line(patience).await?;
                (line, From::Own(pool, permit))
            }
        };
        Ok(InHand { line, from, since: Instant::now(), answered: false })
    }
}

impl InHand<'_> {
    /// The call was answered: the connection is good for the next.
    pub(super) fn answered(mut self) {
        self.answered = true;
        if let From::Own(pool, _) = &self.from {
            lock(&pool.idle).push(self.line.clone());
        }
    }

    /// The connection was lost. A cluster's replaces its parts by itself.
    pub(super) fn lost(self) {
        if let Line::Cluster(_) = self.line { self.answered() } else { self.broken() }
    }

    /// The connection is of no more use, nor are those that were made before it.
    pub(super) fn broken(mut self) {
        self.answered = true;
        match &self.from {
            From::Shared(shared, number) => shared.retire(*number),
            From::Own(pool, _) => lock(&pool.idle).clear(),
        }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let From::Shared(shared, number) = &self.from
            && !self.answered
            && self.since.elapsed() >= MIN_SILENCE
        {
            shared.retire(*number);
        }
    }
}

type Connecting = Shared<BoxFuture<'static, Result<Line, RedisError>>>;

/// One connection for all calls. Whoever finds it gone makes a new one, and the others wait for that.
pub(super) struct SharedLine {
    target: Arc<Target>,
    time: Duration,
    current: Mutex<Current>,
}

struct Current {
    number: u64,
    line: Option<Connecting>,
}

impl SharedLine {
    pub(super) fn new(target: Arc<Target>, time: Duration) -> Self {
        Self { target, time, current: Mutex::new(Current { number: 0, line: None }) }
    }

    async fn line(&self, patience: Duration) -> RedisResult<(Line, u64)> {
        let (connecting, number) = {
            let mut current = lock(&self.current);
            let line = current.line.get_or_insert_with(|| connect(Arc::clone(&self.target), self.time)).clone();
            (line, current.number)
        };
        let connected = timeout(patience, connecting).await.map_err(|_| too_late())?;
        Ok((connected.inspect_err(|_| self.retire(number))?, number))
    }

    fn retire(&self, number: u64) {
        let mut current = lock(&self.current);
        if current.number == number {
            *current = Current { number: number.wrapping_add(1), line: None };
        }
    }
}

/// In a task of its own: the one who asked first may leave.
fn connect(target: Arc<Target>, time: Duration) -> Connecting {
    let task = tokio::spawn(async move { target.connect(time).await });
    async { task.await.unwrap_or_else(|_| Err(gone())) }.boxed().shared()
}

/// Connections of which a call has one for itself. Each is used again only after its call was answered.
pub(super) struct Pool {
    target: Arc<Target>,
    time: Duration,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Line>>>,
}

impl Pool {
    pub(super) fn new(target: Arc<Target>, time: Duration, most: usize) -> Self {
        Self { target, time, places: Arc::new(Semaphore::new(most)), idle: Arc::default() }
    }

    async fn line(&self, patience: Duration) -> RedisResult<(Line, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let idle = lock(&self.idle).pop();
        match idle {
            Some(line) => Ok((line, place)),
            None => timeout(patience, self.connect(place)).await.unwrap_or_else(|_| Err(too_late())),
        }
    }

    /// The place stays taken until the connection is there, or is none.
    async fn connect(&self, place: OwnedSemaphorePermit) -> RedisResult<(Line, OwnedSemaphorePermit)> {
        let (target, time, idle) = (Arc::clone(&self.target), self.time, Arc::clone(&self.idle));
        let (asker, answer) = oneshot::channel();
        tokio::spawn(async move {
            let connected = target.connect(time).await.map(|line| (line, place));
            if let Err(Ok((line, _place))) = asker.send(connected) {
                lock(&idle).push(line);
            }
        });
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// The runtime stops.
fn gone() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()
}

/// A panic while the lock was held leaves a whole value: nothing in there calls foreign code.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
