//! A receiver that dies, and a sender that tries again until it is answered.

use std::process::Command;
use std::time::{Duration, Instant};

use tower_webhook::provider::{Message, Retries};
use tower_webhook::sender::{DeliveryProfile, RetryAfter, State, Tcp, Webhook};
use tower_webhook::testing::crash::{Child, Crash, Crashing, Death};

use super::child::NAME;
use super::ledger::{Judgement, Ledger};
use crate::deliveries::aella;

/// Of the child's claims.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// So long behind its answer a wrong handler makes its effect.
pub(super) const LATE: Duration = Duration::from_millis(500);

/// How the child's handler makes its effect.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// Once by the event's key.
    ByKey,
    /// Whenever it is called.
    Blindly,
    /// It takes its process along, before the effect, when it is called with the first fence.
    DyingAtFirst,
    /// Wrongly: behind its answer, when nobody can be told any more that it failed.
    Later,
}

impl How {
    const ALL: [Self; 4] = [Self::ByKey, Self::Blindly, Self::DyingAtFirst, Self::Later];

    pub(super) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|how| format!("{how:?}") == name).unwrap()
    }
}

/// What came of a scene.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) judged: Judgement,
    pub(crate) deaths: Vec<Death>,
    /// The tries of all events together.
    pub(crate) tries: usize,
}

/// A child with a memory store, or with one at this address, that dies as it is told.
pub(crate) struct Scene {
    pub(crate) redis: Option<String>,
    pub(crate) how: How,
    pub(crate) crashes: Vec<Crash>,
    pub(crate) events: usize,
}

impl Scene {
    /// One event, one death.
    pub(crate) fn of_one(redis: Option<&str>, how: How, crash: impl Into<Crash>) -> Self {
        Self { redis: redis.map(str::to_owned), how, crashes: vec![crash.into()], events: 1 }
    }

    /// Sends the events, and judges when each of them is answered.
    pub(crate) async fn play(self) -> Came {
        let ledger = Ledger::new();
        let child = self.start(&ledger).await;
        let target = format!("http://{}/hook", child.address()).parse().unwrap();
        let webhook = Webhook::new(target, aella(), persistent(), Tcp::new(child.address()).unwrap());
        // Events of scenes that share a store are told apart by the file of each.
        let scene = ledger.path().file_name().unwrap().to_str().unwrap().to_owned();
        let keys = (0..self.events).map(|number| format!("{scene}-{number}"));
        let keys = keys.map(|id| {
            let data = format!(r#""data":{{"id":"{id}","status":"Success","amount":10000}}"#);
            let body = format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z",{data}}}"#);
            webhook.send(Message::new(body)).unwrap();
            format!("transfer.completed|{id}")
        });
        let keys = keys.collect::<Vec<_>>();
        tokio::time::timeout(Duration::from_secs(60), webhook.settled()).await.expect("it settles");
        let history = webhook.history();
        for notification in &history {
            assert_eq!(notification.state, State::Sent, "{:?}", notification.attempts);
        }
        let tries = history.iter().map(|notification| notification.attempts.len()).sum();
        let end = Instant::now() + LATE * 4;
        while matches!(self.how, How::Later) && !ledger.judge(&keys).lost.is_empty() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Came { judged: ledger.judge(&keys), deaths: child.deaths(), tries }
    }

    pub(super) async fn start(&self, ledger: &Ledger) -> Child {
        let (redis, how, ledger) = (self.redis.clone(), self.how, ledger.path().to_owned());
        let command = move |listen: std::net::SocketAddr| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args([NAME, "--exact", "--ignored", "--nocapture"]);
            command.env("LISTEN", listen.to_string()).env("LEDGER", &ledger).env("HOW", format!("{how:?}"));
            command.envs(redis.iter().map(|url| ("REDIS", url)));
            command
        };
        Crashing::new(command).crashes(self.crashes.iter().copied()).start().await.unwrap()
    }
}

/// Five tries a second for a minute, whatever it is asked to.
fn persistent() -> DeliveryProfile {
    let mut profile = DeliveryProfile::patient();
    profile.retries = Retries::steps([]).then_every(Duration::from_millis(200), Duration::from_secs(60));
    profile.retry_after = RetryAfter::Ignored;
    profile.answer_within = Duration::from_secs(10);
    profile
}
