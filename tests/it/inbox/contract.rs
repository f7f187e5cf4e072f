//! The contract suite on the engine in a file, and engines with one flaw each, which fail at that law.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, Replayed, SqliteInbox, Stats, Stored,
};
use tower_webhook::testing::contract::inbox::{Law, Subject};

use super::Place;
use crate::delegated::delegated;

fn place() -> Place {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("tower-webhook-law-{}-{}.db", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    Place(std::env::temp_dir().join(name))
}

/// What is wrong with a [`Flawed`] engine.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    HeadersAreForgotten,
    NumbersGoBack,
    QuarantineIsADuplicate,
    OtherPayloadIsStored,
    LeasesOverlap,
    TokenIsIgnored,
    FenceIsIgnored,
    LateEndCounts,
    FenceStands,
    LeaseCountsNothing,
    ReleaseCounts,
    UnknownIsUnsaid,
    AttemptsAreUnknown,
    RetryIsDueAtOnce,
    PassedOverAreHeld,
    OthersArePassedOver,
    LanesAreIgnored,
    BlockIsSkipped,
    DeadIsUnsaid,
    CapIsIgnored,
    DryRunReplays,
    PagesBeginAgain,
    KeysGoWithBodies,
    PurgeDoesNothing,
    EraseDoesNothing,
    EraseForgetsTheKey,
    ErasableIsMiscounted,
    PurgeableIsMiscounted,
    AcceptIsOneByOne,
    DoneIsNotCounted,
    HeldIsNotCounted,
}

/// The engine in a file, with one flaw.
struct Flawed {
    flaw: Flaw,
    engine: SqliteInbox,
    held: Mutex<HashMap<EventId, Leased>>,
    place: Place,
}

impl Flawed {
    async fn at(place: Place, flaw: Flaw) -> Self {
        let engine = SqliteInbox::open(&place.0).await.unwrap();
        Self { flaw, engine, held: Mutex::default(), place }
    }

    /// Who it takes the caller for.
    fn holder(&self, held: &Leased) -> Leased {
        let known = self.held.lock().unwrap().get(&held.id).cloned();
        let Some(known) = known else { return held.clone() };
        let is_taken_for = match self.flaw {
            Flaw::TokenIsIgnored => held.fence == known.fence,
            Flaw::FenceIsIgnored => held.token == known.token,
            Flaw::LateEndCounts => held.fence < known.fence && held.token != known.token,
            _ => false,
        };
        if is_taken_for { known } else { held.clone() }
    }

    fn changed(&self, mut event: NewEvent) -> NewEvent {
        match self.flaw {
            Flaw::HeadersAreForgotten => event.headers.clear(),
            Flaw::LanesAreIgnored => event.lane = None,
            _ => {}
        }
        event
    }
}

/// What has no flaw.
macro_rules! sound {
    ($this:expr, $inbox:ident => $call:expr) => {{
        let $inbox = &$this.engine;
        $call
    }};
}

impl InboxStore for Flawed {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        let events = events.into_iter().map(|event| self.changed(event)).collect::<Vec<_>>();
        let mut accepted = match self.flaw {
            Flaw::AcceptIsOneByOne => {
                let mut all = Vec::new();
                for event in events {
                    all.extend(self.engine.accept(vec![event], now).await?);
                }
                all
            }
            _ => self.engine.accept(events, now).await?,
        };
        for accepted in &mut accepted {
            match (self.flaw, *accepted) {
                (Flaw::QuarantineIsADuplicate, Accepted::Quarantined(id)) => *accepted = Accepted::Duplicate(id),
                (Flaw::OtherPayloadIsStored, Accepted::Quarantined(id)) => *accepted = Accepted::Stored(id),
                (Flaw::NumbersGoBack, Accepted::Stored(id)) => *accepted = Accepted::Stored(EventId(-id.0)),
                _ => {}
            }
        }
        Ok(accepted)
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        let early = if let Flaw::LeasesOverlap = self.flaw { Duration::from_secs(5) } else { Duration::ZERO };
        let mut leased = self.engine.lease(token, most, lease, now + early).await?;
        for leased in &mut leased {
            self.held.lock().unwrap().insert(leased.id, leased.clone());
            match self.flaw {
                Flaw::FenceStands => leased.fence = 1,
                Flaw::LeaseCountsNothing => leased.attempt = 1,
                Flaw::UnknownIsUnsaid => leased.outcome_unknown = false,
                Flaw::AttemptsAreUnknown => leased.outcome_unknown = leased.attempt > 1,
                Flaw::DeadIsUnsaid => leased.follows_dead = false,
                Flaw::LeasesOverlap => leased.until = now + lease,
                _ => {}
            }
        }
        Ok(leased)
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        match self.flaw {
            Flaw::OthersArePassedOver => Ok(Vec::new()),
            Flaw::PassedOverAreHeld => {
                let mut leased = self.lease(token, most, lease, now).await?;
                leased.retain(|held| !receivers.contains(&held.event.receiver));
                Ok(leased)
            }
            _ => self.engine.lease_but_of(receivers, token, most, lease, now).await,
        }
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        self.engine.extend(&self.holder(held), lease, now).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.engine.complete(&self.holder(held), now).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        let due = if let Flaw::RetryIsDueAtOnce = self.flaw { now } else { due };
        self.engine.retry(&self.holder(held), due, reason, now).await
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        let lane = if let Flaw::BlockIsSkipped = self.flaw { LanePolicy::SkipAndFlag } else { lane };
        self.engine.bury(&self.holder(held), reason, lane, now).await
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.engine.park(&self.holder(held), reason, now).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        match self.flaw {
            Flaw::ReleaseCounts => self.engine.retry(held, now, "given back", now).await,
            _ => self.engine.release(&self.holder(held), now).await,
        }
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        let mut stats = self.engine.stats(now).await?;
        match self.flaw {
            Flaw::DoneIsNotCounted => stats.done = 0,
            Flaw::HeldIsNotCounted => stats.running = 0,
            _ => {}
        }
        Ok(stats)
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        let most = if let Flaw::CapIsIgnored = self.flaw { usize::MAX } else { most };
        let is_dry_run = is_dry_run && self.flaw != Flaw::DryRunReplays;
        self.engine.replay(filter, most, is_dry_run, by, now).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        match self.flaw {
            Flaw::KeysGoWithBodies => self.engine.purge(bodies_before, Timestamp::MAX).await,
            Flaw::PurgeDoesNothing => Ok((0, 0)),
            _ => self.engine.purge(bodies_before, now).await,
        }
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        match self.flaw {
            Flaw::EraseDoesNothing => Ok(1),
            Flaw::EraseForgetsTheKey => {
                let erased = self.engine.erase(key, now).await?;
                self.engine.purge(Timestamp::MIN, Timestamp::MAX).await?;
                Ok(erased)
            }
            _ => self.engine.erase(key, now).await,
        }
    }

    async fn purgeable(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        match self.flaw {
            Flaw::None => self.engine.purgeable(bodies_before, now).await,
            Flaw::PurgeableIsMiscounted => Ok((1, 1)),
            _ => Err(InboxError::new(InboxErrorKind::Unusable)),
        }
    }

    async fn erasable(&self, key: &str) -> Result<u64, InboxError> {
        match self.flaw {
            Flaw::None => self.engine.erasable(key).await,
            Flaw::ErasableIsMiscounted => Ok(1),
            _ => Err(InboxError::new(InboxErrorKind::Unusable)),
        }
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        let mut filter = filter.clone();
        if let Flaw::PagesBeginAgain = self.flaw {
            filter.after = None;
        }
        self.engine.list(&filter, most).await
    }

    delegated!(sound: next_due woken show);
}

struct InAFile(Flaw);

impl Subject for InAFile {
    type Store = Flawed;

    async fn store(&self) -> Flawed {
        Flawed::at(place(), self.0).await
    }

    async fn restarted(&self, store: Flawed) -> Option<Flawed> {
        let Flawed { engine, place, .. } = store;
        drop(engine);
        Some(Flawed::at(place, self.0).await)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_in_a_file_keeps_every_law() {
    for law in Law::ALL.iter().filter(|law| **law != Law::ErasedIsGone) {
        law.check(&InAFile(Flaw::None)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_engine_in_a_file_erases_disturbs_no_other() {
    Law::ErasedIsGone.check(&InAFile(Flaw::None)).await;
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_with_a_flaw_is_refused_at_its_law() {
    let flaws = [
        (Flaw::HeadersAreForgotten, Law::AcceptedWhole),
        (Flaw::NumbersGoBack, Law::AcceptedWhole),
        (Flaw::QuarantineIsADuplicate, Law::KeysAreKnown),
        (Flaw::OtherPayloadIsStored, Law::KeysAreKnown),
        (Flaw::LeasesOverlap, Law::OneHolder),
        (Flaw::LateEndCounts, Law::OneHolder),
        (Flaw::FenceIsIgnored, Law::OneHolder),
        (Flaw::FenceStands, Law::FencesGrow),
        (Flaw::LeaseCountsNothing, Law::AttemptsAreCounted),
        (Flaw::ReleaseCounts, Law::AttemptsAreCounted),
        (Flaw::RetryIsDueAtOnce, Law::AttemptsAreCounted),
        (Flaw::UnknownIsUnsaid, Law::UnknownIsSaid),
        (Flaw::AttemptsAreUnknown, Law::UnknownIsSaid),
        (Flaw::TokenIsIgnored, Law::StrangersChangeNothing),
        (Flaw::FenceIsIgnored, Law::StrangersChangeNothing),
        (Flaw::PassedOverAreHeld, Law::PassedOverWaits),
        (Flaw::OthersArePassedOver, Law::PassedOverWaits),
        (Flaw::LanesAreIgnored, Law::LanesGoInOrder),
        (Flaw::BlockIsSkipped, Law::DeadLettersAreObeyed),
        (Flaw::DeadIsUnsaid, Law::DeadLettersAreObeyed),
        (Flaw::CapIsIgnored, Law::ReplayIsBounded),
        (Flaw::DryRunReplays, Law::ReplayIsBounded),
        (Flaw::PagesBeginAgain, Law::ReplayIsBounded),
        (Flaw::KeysGoWithBodies, Law::KeysOutliveBodies),
        (Flaw::PurgeDoesNothing, Law::KeysOutliveBodies),
        (Flaw::EraseDoesNothing, Law::ErasedIsGone),
        (Flaw::EraseForgetsTheKey, Law::ErasedIsGone),
        (Flaw::ErasableIsMiscounted, Law::ErasedIsGone),
        (Flaw::PurgeableIsMiscounted, Law::KeysOutliveBodies),
        (Flaw::AcceptIsOneByOne, Law::GivenUpIsWhole),
        (Flaw::DoneIsNotCounted, Law::CountsAreTrue),
        (Flaw::HeldIsNotCounted, Law::CountsAreTrue),
    ];
    for (flaw, law) in flaws {
        let checked = AssertUnwindSafe(law.check(&InAFile(flaw))).catch_unwind().await;
        let broken = checked.expect_err(&format!("the suite passes {flaw:?}"));
        let said = text(&*broken);
        assert!(said.starts_with(&law.to_string()), "{flaw:?} fails elsewhere: {said}");
    }
    for law in Law::ALL {
        assert!(flaws.iter().any(|(_, of)| of == law), "no flaw shows that {law:?} is checked");
    }
}
