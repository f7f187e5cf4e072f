//! A receiver that dies, a sender that tries again until it is answered, and a wait until its inbox is empty.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tower_webhook::inbox::Stats;
use tower_webhook::provider::{Message, Retries};
use tower_webhook::sender::{DeliveryProfile, RetryAfter, State, Tcp, Webhook};
use tower_webhook::testing::crash::{Child, Crash, Crashing, Death};

use super::child::NAME;
use super::place::{Kind, Place};
use crate::crash::ledger::{Judgement, Ledger};
use crate::deliveries::aella;

/// So late a wrong child does what it should have done.
pub(super) const LATE: Duration = Duration::from_millis(200);

/// So many calls hang.
pub(super) const HANGING: u64 = 5;

/// What the child does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum How {
    /// Its effect is made once by the event's key.
    ByKey,
    /// Its effect is made whenever the handler is called.
    Blindly,
    /// The handler takes its process along at the first attempt, before its effect.
    DyingBefore,
    /// The same behind it.
    DyingBehind,
    /// The same, and no key is looked at.
    DyingBehindBlindly,
    /// The first event takes its process along whenever it is handled.
    Poisoned,
    /// The first calls do not end by themselves.
    Hanging,
    /// Wrongly: deliveries are answered before they are stored.
    AnsweringFirst,
    /// Wrongly: events are done before they are handled.
    CompletingFirst,
}

impl How {
    const ALL: [Self; 9] = [
        Self::ByKey,
        Self::Blindly,
        Self::DyingBefore,
        Self::DyingBehind,
        Self::DyingBehindBlindly,
        Self::Poisoned,
        Self::Hanging,
        Self::AnsweringFirst,
        Self::CompletingFirst,
    ];

    pub(super) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|how| format!("{how:?}") == name).unwrap()
    }

    /// Under load an event is in hand at more deaths than a poisonous one is given.
    pub(super) fn attempts(self) -> u32 {
        if self == Self::Poisoned { 0 } else { 50 }
    }
}

/// What came of a scene.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) judged: Judgement,
    pub(super) deaths: Vec<Death>,
    /// The tries of all events together.
    pub(super) tries: usize,
    pub(super) inbox: Stats,
}

/// A child that dies so often as it is told.
pub(super) struct Scene {
    pub(super) kind: Kind,
    pub(super) how: How,
    pub(super) crashes: Vec<Crash>,
    pub(super) events: usize,
    pub(super) deaths: usize,
}

impl Scene {
    /// One event, and a death at this point.
    pub(super) fn dying_at(crash: impl Into<Crash>, how: How, kind: Kind) -> Self {
        Self { kind, how, crashes: vec![crash.into()], events: 1, deaths: 1 }
    }

    /// Sends the events, and judges when each of them is answered, and nothing is left to be handled.
    pub(super) async fn play(self) -> Came {
        let (ledger, place) = (Ledger::new(), self.kind.place().await);
        let child = start(&ledger, &place, self.how, self.crashes.clone()).await;
        let (keys, tries) = send(&child, self.events).await;
        tokio::time::timeout(Duration::from_secs(60), child.risen(self.deaths)).await.expect("it dies").unwrap();
        let inbox = place.settled().await;
        Came { judged: ledger.judge(&keys), deaths: child.deaths(), tries, inbox }
    }
}

/// Sends so many events until each is answered: their keys, and the tries of all together.
pub(super) async fn send(child: &Child, events: usize) -> (Vec<String>, usize) {
    let target = format!("http://{}/hook", child.address()).parse().unwrap();
    let webhook = Webhook::new(target, aella(), persistent(), Tcp::new(child.address()).unwrap());
    let keys: Vec<_> = (0..events)
        .map(|id| {
            let data = format!(r#""data":{{"id":"x-{id}","status":"Success","amount":10000}}"#);
            let body = format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z",{data}}}"#);
            webhook.send(Message::new(body)).unwrap();
            format!("transfer.completed|x-{id}")
        })
        .collect();
    tokio::time::timeout(Duration::from_secs(60), webhook.settled()).await.expect("it settles");
    let history = webhook.history();
    for notification in &history {
        assert_eq!(notification.state, State::Sent, "{:?}", notification.attempts);
    }
    let tries = history.iter().map(|notification| notification.attempts.len()).sum();
    (keys, tries)
}

pub(super) async fn start(ledger: &Ledger, inbox: &Place, how: How, crashes: Vec<Crash>) -> Child {
    let (ledger, inbox) = (ledger.path().to_owned(), inbox.variables());
    let command = move |listen: SocketAddr| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([NAME, "--exact", "--ignored", "--nocapture"]);
        command.env("LISTEN", listen.to_string()).env("LEDGER", &ledger).env("HOW", format!("{how:?}"));
        command.envs(inbox.clone());
        command
    };
    Crashing::new(command).crashes(crashes).start().await.unwrap()
}

/// Ten tries a second for a minute, whatever it is asked to.
fn persistent() -> DeliveryProfile {
    let mut profile = DeliveryProfile::patient();
    profile.retries = Retries::steps([]).then_every(Duration::from_millis(100), Duration::from_secs(60));
    profile.retry_after = RetryAfter::Ignored;
    profile.answer_within = Duration::from_secs(10);
    profile
}
