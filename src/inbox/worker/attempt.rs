//! One attempt at one event: the handler in a task of its own, and the lease renewed beside it.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};

use super::super::handler::{Handed, InboxHandler, Verdict, WallClock};
use super::super::store::{Ended, InboxStore, Leased};
use super::crew::Crew;
use super::end::{End, about};
use super::on_unknown::{OnUnknown, unknown};
use super::turn::Aborted;
use crate::delivery::{LeaseLost, caught, until};
use crate::fail_point::reach;
use crate::observe::{Fact, TraceParent, Traced};

/// How long a handler has, once it was told that its time is over.
const GRACE: Duration = Duration::from_millis(500);

/// The handler's task: an error where the runtime stops, or it panicked.
type Work = Pin<Box<dyn Future<Output = Result<Verdict, &'static str>> + Send>>;

impl<S: InboxStore, H: InboxHandler> Crew<S, H> {
    /// Has it handled, and ends its lease.
    pub(super) async fn attempt(&self, held: Leased, since: Instant) {
        let traced = Traced::attempt(&about(&held), || delivered_in(&held));
        traced.clone().around(self.attempt_inside(&traced, &held, since)).await;
    }

    async fn attempt_inside(&self, traced: &Traced, held: &Leased, since: Instant) {
        reach!(Claimed);
        let lost = LeaseLost::of(since, self.terms.lease);
        let end = if held.outcome_unknown && self.terms.on_unknown == OnUnknown::Park {
            End::Park { reason: unknown("the attempt before has no end") }
        } else if held.attempt > self.terms.backoff.attempts {
            // Those that were begun and never ended count too: it may be what kills the process.
            End::Bury { reason: "its attempts are used up, the last without an end".to_owned() }
        } else {
            self.handle(traced, held, &lost).await
        };
        reach!(Handled);
        let ending = self.end(held, &lost, end).await;
        if let Some(fact) = ending.fact() {
            traced.note(&fact);
        }
        reach!(Completed);
    }

    async fn handle(&self, traced: &Traced, held: &Leased, lost: &LeaseLost) -> End {
        let begun = Instant::now();
        let mut work = self.work(traced.clone(), held, lost);
        let limit = pin!(async {
            until(pin!(sleep(self.terms.limit)), pin!(self.control.hurried.wait())).await;
        });
        let kept = pin!(self.keep(held, lost));
        match until(pin!(&mut work), pin!(until(limit, kept))).await {
            Some(ended) => {
                self.tell(held, &Fact::HandlerEnded { after: begun.elapsed() });
                self.judge(held, ended)
            }
            None if self.control.hurried.initialized() => {
                lost.report();
                match self.terms.on_unknown {
                    OnUnknown::Again => End::Release,
                    OnUnknown::Park => End::Park { reason: unknown("the worker stopped within the attempt") },
                }
            }
            None => self.overdue(held, lost, work).await,
        }
    }

    /// The handler at work. Dropped, it is aborted.
    fn work(&self, traced: Traced, held: &Leased, lost: &LeaseLost) -> Work {
        let handed = Handed {
            event: held.event.clone(),
            id: held.id,
            token: held.token,
            fence: held.fence,
            attempt: held.attempt,
            follows_dead: held.follows_dead,
            outcome_unknown: held.outcome_unknown,
            leased_at: self.terms.clock.now().unwrap_or(held.until),
            lease_lost: lost.clone(),
            clock: WallClock(Arc::clone(&self.terms.clock)),
        };
        let handler = Arc::clone(&self.handler);
        let mut task = Aborted(tokio::spawn(caught(traced.around(async move { handler.handle(handed).await }))));
        Box::pin(async move {
            let gone = |_: JoinError| "the runtime stops";
            (&mut task.0).await.map_err(gone)?.map_err(|_| "the handler panicked")
        })
    }

    fn judge(&self, held: &Leased, ended: Result<Verdict, &'static str>) -> End {
        match ended.unwrap_or_else(|why| self.broken_off(why)) {
            Verdict::Done => End::Complete,
            Verdict::Ended(ended) => End::Ended(ended),
            Verdict::Dead { reason } => End::Bury { reason },
            Verdict::Park { reason } => End::Park { reason },
            Verdict::Retry { reason, .. } if held.attempt >= self.terms.backoff.attempts => End::Bury { reason },
            Verdict::Retry { after, reason } => {
                let rest = after.unwrap_or_else(|| self.terms.backoff.rest(held.attempt, self.random()));
                End::Retry { after: rest, reason }
            }
        }
    }

    /// The handler has not said how it ended.
    fn broken_off(&self, why: &str) -> Verdict {
        match self.terms.on_unknown {
            OnUnknown::Again => Verdict::retry(why),
            OnUnknown::Park => Verdict::park(unknown(why)),
        }
    }

    /// Without randomness all rest as long as they may.
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.terms.entropy.fill(&mut bytes).map_or(u64::MAX, |()| u64::from_le_bytes(bytes))
    }

    async fn overdue(&self, held: &Leased, lost: &LeaseLost, mut work: Work) -> End {
        self.tell(held, &Fact::HandlerTimedOut { after: self.terms.limit });
        lost.report();
        let late = Err("the handler took longer than its limit");
        let ended = timeout(GRACE, &mut work).await.unwrap_or(late);
        self.judge(held, ended)
    }

    /// Renews the lease for as long as it is polled.
    async fn keep(&self, held: &Leased, lost: &LeaseLost) {
        let third = self.terms.lease / 3;
        let (mut nap, mut failures) = (third, 0_u32);
        loop {
            sleep(nap).await;
            let since = Instant::now();
            match self.extend(held, third).await {
                Some(Ended::Done) => {
                    lost.renewed(since, self.terms.lease);
                    (nap, failures) = (third, 0);
                }
                Some(Ended::Lost) => {
                    lost.report();
                    self.tell_lost(held, lost, 0);
                    return pending().await;
                }
                None => {
                    failures = failures.saturating_add(1);
                    nap = third / 4;
                    if lost.is_lost() {
                        self.tell_lost(held, lost, failures);
                    }
                }
            }
        }
    }

    /// `None`: nobody can say.
    async fn extend(&self, held: &Leased, within: Duration) -> Option<Ended> {
        let now = self.now().ok()?;
        timeout(within, self.store.extend(held, self.terms.lease, now)).await.ok()?.ok()
    }

    /// Each loss once, wherever it is found.
    pub(super) fn tell_lost(&self, held: &Leased, lost: &LeaseLost, failed_renewals: u32) {
        if lost.is_news() {
            self.tell(held, &Fact::LeaseLost { failed_renewals });
        }
    }

    pub(super) fn tell(&self, held: &Leased, fact: &Fact<'_>) {
        self.terms.listeners.tell(fact, &about(held));
    }
}

/// Which trace the event's delivery was in.
fn delivered_in(held: &Leased) -> Option<TraceParent> {
    let mut headers = held.event.headers.iter();
    TraceParent::parse(&headers.find(|(name, _)| name == "traceparent")?.1)
}
