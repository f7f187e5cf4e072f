//! The whole stack, from 0.7 KB to 50 MB.

use std::hint::black_box;

use tower_webhook::error::BoxError;
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::cpu::nanos;
use crate::envelope::Envelope;
use crate::rates::{Rounds, real};
use crate::requests::{basic, deliver, delivery, runtime};
use crate::transfer::transfer;
use crate::{Plan, deliveries};

const KIB: usize = 1024;
const MIB: usize = KIB * KIB;
const SIZES: [(&str, usize); 9] = [
    ("0.7 KB", 0),
    ("4 KB", 4 * KIB),
    ("16 KB", 16 * KIB),
    ("64 KB", 64 * KIB),
    ("256 KB", 256 * KIB),
    ("1 MB", MIB),
    ("4 MB", 4 * MIB),
    ("16 MB", 16 * MIB),
    ("50 MB", LARGEST),
];
const LARGEST: usize = 50 * MIB;

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    println!("body: Aella with Basic, HMAC, claim, typed event; references read the same bytes and nothing else");
    println!("{:>7} {:>6} {:>11} {:>8}  {:19} of from_str", "body", "rounds", "ns", "ns/byte", "of from_slice");
    let provider = deliveries::aella()?;
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).max_body(LARGEST);
    let service = receiver
        .dedupe(MemoryStore::new(1_000_000))
        .handle(async |event: Received<aella::Event>| drop(black_box(event)));
    let runtime = runtime()?;
    let whole = |documents: &[String]| {
        let made = documents.iter().map(|text| delivery(&provider, text.clone())).collect::<Result<Vec<_>, _>>()?;
        nanos(|| deliver(&runtime, &service, made))
    };
    let mut sent = 0;
    for (name, size) in SIZES.into_iter().filter(|(_, size)| *size <= LARGEST / plan.part) {
        let rounds = if size > 4 * MIB { plan.rounds.min(3) } else { plan.rounds };
        let [full, slice, text] = costs(size, rounds, &mut sent, whole)?;
        let (ns, length) = (full.median(), real(u64::try_from(transfer(0, size).len())?)?);
        println!("{name:>7} {rounds:6} {ns:11.0} {:8.2}  {:19} {}", ns / length, full.of(&slice), full.of(&text));
    }
    println!();
    Ok(())
}

/// Nanoseconds a document: of the whole stack, `from_slice` and `from_str`.
fn costs(
    size: usize,
    rounds: usize,
    sent: &mut usize,
    whole: impl Fn(&[String]) -> Result<f64, BoxError>,
) -> Result<[Rounds; 3], BoxError> {
    let count = (2 * MIB / size.max(1)).clamp(1, 600);
    let mut costs = [const { Rounds(Vec::new()) }; 3];
    // The first round is for page faults.
    for round in 0..=rounds {
        let documents: Vec<_> = (*sent..*sent + count).map(|number| transfer(number, size)).collect();
        *sent += count;
        for variant in [0, 1, 2].into_iter().cycle().skip(round).take(3) {
            let cost = match variant {
                0 => whole(&documents)?,
                1 => nanos(|| documents.iter().try_for_each(|text| from_slice(text)))?,
                _ => nanos(|| documents.iter().try_for_each(|text| from_str(text)))?,
            };
            if let Some(costs) = costs.get_mut(variant).filter(|_| round > 0) {
                costs.0.push(cost / real(u64::try_from(count)?)?);
            }
        }
    }
    Ok(costs)
}

fn from_slice(text: &str) -> Result<(), BoxError> {
    drop(black_box(serde_json::from_slice::<Envelope>(black_box(text.as_bytes()))?));
    Ok(())
}

fn from_str(text: &str) -> Result<(), BoxError> {
    let text = std::str::from_utf8(black_box(text.as_bytes()))?;
    drop(black_box(serde_json::from_str::<Envelope>(text)?));
    Ok(())
}
