//! A run: deliveries so many at a time, until all is settled, or the time for it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::Request;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::counts::Counts;
use super::fault::{Fault, Pick};
use super::mark::Mark;
use super::plan::Plan;
use super::report::{Report, on_the_ladder};
use super::route::{Route, Theme};
use super::watched::{Watched, watch};
use crate::sender::chance::Chance;
use crate::sender::ledger::{Handling, Ledger};
use crate::sender::transport::Transport;

/// For each request at once so many deliveries may be open: most of them wait for their next try.
const OPEN: usize = 16;
/// Events are about so many accounts, by their numbers.
const LANES: u64 = 16;
/// What overtakes a delivery that is held.
const OVERTAKING: u64 = 100;

/// So often at least is something tried while it heals.
const HEALING_TRIES: u32 = 30;
/// So many tenths of the time for healing something is tried for, though its ladder is at its end: waits that are cut short bring it
/// there too soon.
const HEALING_TENTHS: u32 = 9;

/// What all deliveries of a run share.
pub(super) struct Run<T> {
    pub(super) targets: Vec<Watched<T>>,
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    pub(super) counts: Counts,
    pub(super) at_once: Semaphore,
    /// Of answers that count, in microseconds.
    pub(super) took: Mutex<Vec<u32>>,
    /// Which endpoint would have been switched off, and when on its ladder.
    pub(super) switched_off: Mutex<BTreeMap<String, Duration>>,
    /// Deliveries without the fault that was aimed at them.
    spared: Mutex<Vec<u64>>,
    routes: Vec<Route>,
    /// Which faults can be done to a delivery of each route.
    applicable: Vec<Vec<Fault>>,
    began: Instant,
    /// How many deliveries have begun; past the last one, all of them and more.
    turn: watch::Sender<u64>,
    /// When the last one had begun.
    heals_since: OnceLock<Instant>,
}

/// A delivery of one or more events.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) number: u64,
    pub(super) route: Route,
    pub(super) fault: Option<Fault>,
    pub(super) events: Vec<u64>,
    /// The event of the same body under another key.
    pub(super) twin: Option<u64>,
    /// Another receiver of the same provider, which gets the event's id too.
    pub(super) other: Option<Route>,
    pub(super) themes: Vec<Theme>,
    pub(super) chance: Chance,
}

impl<T: Transport> Run<T> {
    pub(super) fn new(routes: Vec<Route>, targets: Vec<T>, ledger: Ledger, plan: Plan, counts: Counts) -> Self {
        let applicable = routes.iter().map(|route| applicable(route, &routes, &plan)).collect();
        let targets = targets.into_iter().map(|target| Watched::new(target, &ledger)).collect();
        Self {
            targets,
            ledger,
            counts,
            at_once: Semaphore::new(plan.concurrency),
            took: Mutex::default(),
            switched_off: Mutex::default(),
            spared: Mutex::default(),
            plan,
            routes,
            applicable,
            began: Instant::now(),
            turn: watch::Sender::new(0),
            heals_since: OnceLock::new(),
        }
    }

    pub(super) async fn run(self: Arc<Self>) -> Report {
        let mut open = JoinSet::new();
        let most = self.plan.concurrency.saturating_mul(OPEN).max(256);
        let Some(first) = self.draw(0) else { return self.report(0) };
        let watched = Arc::clone(&self);
        let watch = tokio::spawn(async move { watch(&watched.targets, &watched.ledger).await });
        let mut number = 1;
        let is_open = self.open(first).await;
        while is_open && self.counts.begun() < self.plan.events {
            while open.try_join_next().is_some() {}
            if open.len() >= most && timeout(self.plan.heal, open.join_next()).await.is_err() {
                // Nobody answers any more.
                break;
            }
            let Some(delivery) = self.draw(number) else { break };
            let run = Arc::clone(&self);
            open.spawn(async move {
                run.deliver(delivery).await;
                run.counts.count_ended();
            });
            number += 1;
            self.turn.send_replace(number);
            // Whoever is never waited for must let others run.
            tokio::task::yield_now().await;
        }
        self.heals_since.get_or_init(Instant::now);
        self.turn.send_replace(u64::MAX);
        self.heal(&mut open).await;
        drop(open);
        watch.abort();
        self.report(number)
    }

    fn report(&self, deliveries: u64) -> Report {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = Report::of(&self.ledger, &self.counts, &mut took);
        let switched_off = self.switched_off.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |(name, time): (&String, &Duration)| {
            format!("{name}: its provider would have switched this webhook off at {}", on_the_ladder(*time))
        };
        report.switched_off = switched_off.iter().map(said).collect();
        report.not_done = self.not_done(deliveries);
        report
    }

    /// The faults that were aimed at a delivery and not done, and why.
    fn not_done(&self, deliveries: u64) -> Vec<String> {
        let spared = self.spared.lock().unwrap_or_else(PoisonError::into_inner);
        let aimed = self.plan.faults.aimed();
        let why = |(at, (pick, number)): (usize, &(Pick, u64))| {
            let is_second = aimed.iter().take(at).any(|(_, other)| other == number);
            let why = match *number {
                0 => "the first delivery opens the way, and has no fault".to_owned(),
                past if past >= deliveries => format!("the deliveries were 0 to {}", deliveries.saturating_sub(1)),
                _ if is_second => "another one was".to_owned(),
                spare if spared.contains(&spare) => "it cannot be done to this delivery".to_owned(),
                _ => return None,
            };
            Some(format!("{pick}@{number} was not done: {why}"))
        };
        aimed.iter().enumerate().filter_map(why).collect()
    }

    /// The delivery of this number, and its events. `None`: there are no routes.
    fn draw(&self, number: u64) -> Option<Delivery> {
        // Apart from the one that draws the fault, so that no route has faults of its own.
        let mut chance = Chance::new(self.plan.seed).split(number).split(1);
        let at = usize::try_from(chance.below(self.routes.len() as u64)).ok()?;
        let (route, applicable) = (self.routes.get(at)?.clone(), self.applicable.get(at)?);
        let left = self.plan.events.saturating_sub(self.counts.begun());
        let size = (1 + chance.below(route.author.most())).min(left).max(1);
        let applies = |fault: Fault| applicable.contains(&fault) && (size == 1 || !fault.needs_one_event());
        let drawn = || self.plan.faults.of(self.plan.seed, number, &applies);
        // The first opens the way: it is not the one to be strange. A twin needs room for itself.
        let fault = Some(()).filter(|()| number > 0).and_then(|()| drawn());
        let fault = fault.filter(|fault| !fault.has_twin() || left > 1);
        if fault.is_none() && self.plan.faults.aimed().iter().any(|(_, at)| *at == number) {
            self.spared.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        }
        let handling = match fault {
            Some(Fault::HandlerFails) => Handling::FailsAtFirst,
            Some(Fault::HandlerSlow) => Handling::Slow,
            Some(Fault::Poison) => Handling::Poison,
            _ => Handling::Works,
        };
        let name = format!("{}, {}", route.name, fault.map_or_else(|| "no fault".to_owned(), Fault::name)).into();
        let events: Vec<u64> = (0..size).map(|_| self.enter(handling, &name)).collect();
        let themes = events.iter().map(|event| Theme::new(self.mark(*event), chance.draw())).collect();
        let twin = fault.is_some_and(Fault::has_twin).then(|| self.enter(Handling::Works, &name));
        let other = self.routes.iter().find(|other| other.is_other_of(&route)).cloned();
        let other = other.filter(|_| fault == Some(Fault::OtherReceiver));
        if let (Some(other), Some(twin), Some(event)) = (&other, twin, events.first()) {
            self.ledger.elsewhere(*event, &*other.name, twin);
        }
        Some(Delivery { number, route, fault, events, twin, other, themes, chance })
    }

    /// A new event.
    fn enter(&self, handling: Handling, name: &Arc<str>) -> u64 {
        self.counts.count_begun();
        let event = self.ledger.enter_named(handling, name);
        self.ledger.in_lane(event, event % LANES);
        event
    }

    pub(super) fn mark(&self, event: u64) -> Mark {
        Mark::new(self.plan.stamp, event)
    }

    pub(super) fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.plan.epoch.saturating_add(elapsed).unwrap_or(self.plan.epoch)
    }

    /// Waits so long; but when the last event was sent, no longer than a share of the time that is left for healing.
    pub(super) async fn wait(&self, wait: Duration) {
        let mut turns = self.turn.subscribe();
        let is_healing = turns.wait_for(|turn| *turn == u64::MAX);
        if timeout(wait, is_healing).await.is_ok() {
            sleep(wait.min(self.plan.heal / HEALING_TRIES)).await;
        }
    }

    /// Whether it is tried again at the end of its ladder, after a wait.
    pub(super) async fn goes_on(&self) -> bool {
        let heal = self.plan.heal;
        let goes_on = self.heals_since.get().is_some_and(|since| since.elapsed() < heal / 10 * HEALING_TENTHS);
        if goes_on {
            sleep(heal / HEALING_TRIES).await;
        }
        goes_on
    }

    /// Waits until so many later deliveries have begun as the fault has it.
    pub(super) async fn overtaken(&self, delivery: &Delivery) {
        let by = match delivery.fault {
            Some(Fault::Swapped) => 1,
            Some(Fault::Held) => OVERTAKING,
            _ => return,
        };
        let due = delivery.number.saturating_add(1 + by);
        // The sender is this run's own, and never gone.
        let _ = self.turn.subscribe().wait_for(|turn| *turn >= due).await;
    }
}

/// What can be done to a delivery of this route, tried on one.
fn applicable(route: &Route, all: &[Route], plan: &Plan) -> Vec<Fault> {
    let message = route.author.write(&[Theme::sample()]);
    let sample = route.seal(&message, plan.epoch).unwrap_or_else(|_| Request::new(bytes::Bytes::new()));
    let applies = |fault: &Fault| match fault {
        Fault::OtherReceiver => all.iter().any(|other| other.is_other_of(route)),
        fault => route.applies(*fault, &message, &sample),
    };
    plan.faults.possible().filter(applies).collect()
}
