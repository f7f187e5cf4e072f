//! Messages of Banking Circle, of 1 to 1000 events.

use std::hint::black_box;

use tower_webhook::error::BoxError;
use tower_webhook::provider::banking_circle::{self, BankingCircle};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::Plan;
use crate::cpu::nanos;
use crate::rates::{Rounds, real};
use crate::requests::{deliver, delivery, runtime};

/// One notification of 2 KB, in its message.
const MESSAGE: &str = include_str!("../../tests/fixtures/banking-circle/incoming-payment-processed.json");
const LARGEST: usize = 1000;

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    let notification = notification()?;
    println!("batch: Banking Circle with AES-256-GCM, UTF-16, claims, typed events of {} bytes", notification.len());
    println!("{:>7} {:>6} {:>11}  of serde_json::Value", "events", "rounds", "us an event");
    let provider = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars")?)?;
    let service = Receiver::new("bank", provider.clone())
        .dedupe(MemoryStore::new(1_000_000))
        .handle(async |event: Received<banking_circle::Event>| drop(black_box(event)));
    let runtime = runtime()?;
    let mut sent = 0;
    for events in [1, 10, 100, LARGEST].into_iter().filter(|events| *events <= LARGEST / plan.part) {
        let (mut ours, mut value) = (Rounds::default(), Rounds::default());
        for round in 0..=plan.rounds {
            let texts: Vec<_> =
                (0..LARGEST / events).map(|at| message(notification, sent + at * events, events)).collect();
            sent += LARGEST;
            let made = texts.iter().map(|text| delivery(&provider, text.clone())).collect::<Result<Vec<_>, _>>()?;
            let read = || nanos(|| texts.iter().try_for_each(|text| from_slice(text)));
            let (cost, reference) = if round % 2 == 0 {
                (nanos(|| deliver(&runtime, &service, made))?, read()?)
            } else {
                let reference = read()?;
                (nanos(|| deliver(&runtime, &service, made))?, reference)
            };
            if round > 0 {
                let all = real(u64::try_from(LARGEST)?)?;
                ours.0.push(cost / all);
                value.0.push(reference / all);
            }
        }
        println!("{events:7} {:6} {:11.2}  {}", plan.rounds, ours.median() / 1e3, ours.of(&value));
    }
    println!();
    Ok(())
}

/// The text of the notification alone.
fn notification() -> Result<&'static str, BoxError> {
    let (_, rest) = MESSAGE.split_once('[').ok_or("no list")?;
    let (inside, _) = rest.rsplit_once(']').ok_or("no end of the list")?;
    Ok(inside.trim())
}

fn message(notification: &str, first: usize, events: usize) -> String {
    let renamed = |number| notification.replacen("8000-000000000001", &format!("8000-{number:012}"), 1);
    let all: Vec<_> = (first..first + events).map(renamed).collect();
    format!("{{\"notifications\": [{}]}}", all.join(", "))
}

fn from_slice(text: &str) -> Result<(), BoxError> {
    drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(text.as_bytes()))?));
    Ok(())
}
