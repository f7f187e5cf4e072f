//! A receiver with the wrong key for an hour: all is refused, and by the senders' ladders nothing is lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::sleep;
use tower_webhook::secret::KeySwap;
use tower_webhook::sender::storm::{Report, Storm};
use tower_webhook::sender::{Answer, Ledger, NoAnswer, Transport};

use super::{HOUR, NOW, Ours, ring, routes};

/// Longer than the longest ladder goes on behind the one before, so that no wait is cut short.
const HEAL: Duration = Duration::from_hours(60 * 24);
/// The receivers' key is right for so many requests at first.
const BEFORE: u64 = 20;

/// How a receiver deals with its wrong key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flaw {
    None,
    /// Nobody mends it.
    StaysWrong,
    /// Whoever was refused once is refused for ever.
    RemembersWho,
    /// What was refused once is known when it comes again.
    RemembersWhat,
    /// What is refused is answered well, so that the sender is content.
    SaysYes,
}

/// A receiver that is given the wrong key behind its first requests.
struct Misconfigured {
    ours: Ours,
    keys: KeySwap,
    flaw: Flaw,
    requests: AtomicU64,
    is_wrong: Arc<AtomicBool>,
    /// What was answered while it was wrong.
    said: Arc<Mutex<Vec<StatusCode>>>,
    refused: Mutex<HashSet<Bytes>>,
}

impl Misconfigured {
    fn break_it(&self) {
        self.keys.replace(ring([1])).unwrap();
        self.is_wrong.store(true, Ordering::Relaxed);
        let (keys, is_wrong, flaw) = (self.keys.clone(), Arc::clone(&self.is_wrong), self.flaw);
        tokio::spawn(async move {
            sleep(HOUR).await;
            if flaw != Flaw::StaysWrong {
                is_wrong.store(false, Ordering::Relaxed);
                keys.replace(ring([0])).unwrap();
            }
        });
    }

    /// By what it remembers the request.
    fn known_by(&self, request: &Request<Bytes>) -> Option<Bytes> {
        match self.flaw {
            Flaw::RemembersWho => Some(Bytes::copy_from_slice(request.uri().path().as_bytes())),
            Flaw::RemembersWhat => Some(request.body().clone()),
            _ => None,
        }
    }
}

impl Transport for Misconfigured {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        if self.requests.fetch_add(1, Ordering::Relaxed) == BEFORE {
            self.break_it();
        }
        let (is_wrong, known_by) = (self.is_wrong.load(Ordering::Relaxed), self.known_by(&request));
        if known_by.as_ref().is_some_and(|known| self.refused.lock().unwrap().contains(known)) {
            let is_who = self.flaw == Flaw::RemembersWho;
            return Ok(Answer::of(if is_who { StatusCode::UNAUTHORIZED } else { StatusCode::OK }));
        }
        let mut answer = self.ours.exchange(request).await?;
        if is_wrong {
            self.said.lock().unwrap().push(answer.status);
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.refused.lock().unwrap().extend(known_by);
            if self.flaw == Flaw::SaysYes {
                answer = Answer::of(StatusCode::OK);
            }
        }
        Ok(answer)
    }
}

/// What came of it, and what was said while the key was wrong.
struct Came {
    report: Report,
    said: Vec<StatusCode>,
    alarms: u64,
}

async fn misconfigured(flaw: Flaw, events: u64) -> Came {
    let (ledger, right, keys) = (Ledger::new(), KeySwap::new(ring([0])), KeySwap::new(ring([0])));
    let ours = Ours::new(&keys, &ledger, Duration::from_millis(1));
    let (alarms, said) = (ours.alarms.clone(), Arc::default());
    let target = Misconfigured {
        ours,
        keys,
        flaw,
        requests: AtomicU64::new(0),
        is_wrong: Arc::default(),
        said: Arc::clone(&said),
        refused: Mutex::default(),
    };
    let storm = Storm::new(routes(&right), target).ledger(&ledger).events(events).seed(26).starting_at(NOW);
    let storm = storm.insisting().compressed(1).concurrency(16).heal(HEAL);
    let report = storm.faults("duplicates=0.2,handler-fails=0.05".parse().unwrap()).run().await;
    let said = said.lock().unwrap().clone();
    Came { report, said, alarms: alarms.0.load(Ordering::Relaxed) }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_for_an_hour_refuses_all_and_loses_nothing() {
    let Came { report, said, alarms } = misconfigured(Flaw::None, 600).await;
    println!("{} refused within the hour, {report}", said.len());
    assert!(said.len() > 1000 && said.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{report}");
    assert_eq!(alarms, said.len() as u64, "each is an alarm: {report}");
    assert!(report.is_happy() && report.accepted == 600, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_stays_wrong_is_said_as_what_each_provider_makes_of_it() {
    let Came { report, said, .. } = misconfigured(Flaw::StaysWrong, 60).await;
    println!("{report}");
    assert!(said.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{report}");
    let off = |at: usize, name: &str, when: &str| {
        report.switched_off.get(at).is_some_and(|line| line.starts_with(name) && line.ends_with(when))
    };
    assert!(report.switched_off.len() == 2 && off(0, "/bank: ", " T+93 h") && off(1, "/opp: ", " T+120 h"), "{report}");
    assert!(report.unsettled > 0 && report.lost == 0 && report.wrongly_refused == 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn whoever_remembers_that_a_key_was_wrong_is_caught() {
    let Came { report, .. } = misconfigured(Flaw::RemembersWho, 100).await;
    assert!(report.unsettled > 0 && !report.switched_off.is_empty(), "{report}");
    let Came { report, .. } = misconfigured(Flaw::RemembersWhat, 100).await;
    assert!(report.lost > 0, "{report}");
    let Came { report, .. } = misconfigured(Flaw::SaysYes, 100).await;
    assert!(report.lost > 0, "{report}");
}
