//! Rings of 1 to 5 keys, of which the sender has the last.

use std::hint::black_box;

use tower_webhook::error::BoxError;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::scheme::MacAlgorithm;
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::cpu::nanos;
use crate::rates::{Rounds, real};
use crate::requests::{basic, deliver, delivery, runtime};
use crate::transfer::transfer;
use crate::{Plan, deliveries};

const COUNT: usize = 600;

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    println!("ring: Aella with Basic, HMAC, claim, typed event, 0.7 KB; signed with the last key");
    println!("{:>7} {:>6} {:>11}  of one key", "keys", "rounds", "ns");
    let sender = deliveries::aella()?;
    let mut services = Vec::new();
    for keys in 1..=KeyRing::MAX {
        let provider = Aella::new(ring(keys)?)?.algorithm(MacAlgorithm::HmacSha256)?;
        let receiver = Receiver::new("aella", provider).basic_auth(&basic()?).dedupe(MemoryStore::new(1_000_000));
        services.push(receiver.handle(async |event: Received<aella::Event>| drop(black_box(event))));
    }
    let runtime = runtime()?;
    let mut costs = vec![Rounds::default(); services.len()];
    for round in 0..=plan.rounds {
        let documents: Vec<_> = (0..COUNT).map(|at| transfer(round * COUNT + at, 0)).collect();
        let mut turns: Vec<_> = services.iter().zip(&mut costs).collect();
        let turn = round % turns.len();
        turns.rotate_left(turn);
        for (service, costs) in turns {
            let made = documents.iter().map(|text| delivery(&sender, text.clone())).collect::<Result<Vec<_>, _>>()?;
            let cost = nanos(|| deliver(&runtime, service, made))?;
            if round > 0 {
                costs.0.push(cost / real(u64::try_from(COUNT)?)?);
            }
        }
    }
    let one = costs.first().ok_or("no ring")?;
    for (costs, keys) in costs.iter().zip(1..) {
        println!("{keys:7} {:6} {:11.0}  {}", plan.rounds, costs.median(), costs.of(one));
    }
    println!();
    Ok(())
}

fn ring(keys: usize) -> Result<KeyRing, BoxError> {
    let others = (1..keys).map(|at| Ok(Key::new(format!("key-{at}"), Secret::utf8(format!("ae_sk_test_other_{at}"))?)));
    let last = std::iter::once_with(|| Ok::<_, BoxError>(Key::new("last", Secret::utf8(deliveries::KEY)?)));
    Ok(KeyRing::new(others.chain(last).collect::<Result<Vec<_>, _>>()?)?)
}
