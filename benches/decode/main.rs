//! What a delivery costs between the gate and the store: to open it, and to decode it to typed events with their keys.
//!
//! One thread, no HTTP. In each round every case runs for some milliseconds, right behind its reference, which is
//! `serde_json::Value` over the same text. Times are the thread's CPU time from `/proc`, so this runs on Linux alone, and
//! ratios are taken round by round, so that neighbours which use the cores change them little.
//!
//! ```sh
//! cargo bench --bench decode               # the table, in some ten seconds
//! cargo bench --bench decode -- --smoke    # does every case run?
//! cargo bench --bench decode -- --only sibs    # cases whose names begin so
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::TextEncoding;
use tower_webhook::error::BoxError;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;

const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const TRANSFER: &str = include_str!("../../tests/fixtures/aella/transfer.completed.json");
const OPP_PAYMENT: &str = include_str!("../../tests/fixtures/opp/payment.json");
const SIBS_PAYMENT: &str = include_str!("../../tests/fixtures/sibs/payment.json");
const NOTIFICATION: &str = include_str!("../../tests/fixtures/banking-circle/incoming-payment-processed.json");

/// Something to be measured, and the text of its reference.
struct Case {
    name: String,
    events: u32,
    text: Bytes,
    run: Box<dyn Fn() -> bool>,
}

fn main() -> Result<(), BoxError> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let (rounds, stint) = match has("--bench") && !has("--smoke") {
        true => (61, Duration::from_millis(6)),
        false => (1, Duration::ZERO),
    };
    let only = args.iter().skip_while(|arg| *arg != "--only").nth(1).map_or("", String::as_str);
    let cases: Vec<Case> = cases()?.into_iter().filter(|case| case.name.starts_with(only)).collect();
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..rounds {
        for (case, times) in cases.iter().zip(&mut times) {
            let reference = one(stint, || serde_json::from_slice::<Value>(&case.text).is_ok())?;
            times.push((one(stint, &case.run)?, reference));
        }
    }
    println!("{:36} {:>9} {:>12} {:>14}", "", "bytes", "ns an event", "of Value");
    for (case, times) in cases.iter().zip(times) {
        let cost = middle(times.iter().map(|(time, _)| time / f64::from(case.events)));
        let ratio = middle(times.iter().map(|(time, reference)| time / reference));
        println!("{:36} {:>9} {cost:>12.0} {ratio:>14.2}", case.name, case.text.len());
    }
    Ok(())
}

/// Nanoseconds of one run, over as many as this time has room for. One run before that tidies the allocator up behind
/// what ran last.
fn one(stint: Duration, run: impl Fn() -> bool) -> Result<f64, BoxError> {
    run();
    let (start, before, mut runs) = (Instant::now(), cpu_time()?, 0_u32);
    loop {
        if !black_box(run()) {
            return Err("a case does not run".into());
        }
        runs += 1;
        if start.elapsed() >= stint {
            return Ok((cpu_time()? - before).as_secs_f64() * 1e9 / f64::from(runs));
        }
    }
}

/// CPU time of this thread. The kernel adds up when a thread gives way.
fn cpu_time() -> Result<Duration, BoxError> {
    std::thread::yield_now();
    let line = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = line.split_ascii_whitespace().next().ok_or("no CPU time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn cases() -> Result<Vec<Case>, BoxError> {
    let mut cases = Vec::new();
    both(&mut cases, "aella", 1, TRANSFER.into(), || Ok(Aella::new(Secret::hex(KEY)?)?))?;
    both(&mut cases, "64 KB of aella", 1, large().into(), || Ok(Aella::new(Secret::hex(KEY)?)?))?;
    both(&mut cases, "opp", 1, OPP_PAYMENT.into(), || Ok(Opp::new(Secret::hex(KEY)?)?))?;
    both(&mut cases, "sibs", 1, SIBS_PAYMENT.into(), || Ok(Sibs::new(Secret::hex(KEY)?)?))?;
    for events in [1, 1000] {
        let (name, text) = (format!("banking circle of {events}"), batch(events)?);
        both(&mut cases, &name, events, text.clone().into(), || Ok(BankingCircle::new(Secret::hex(KEY)?)?))?;
        let wide = TextEncoding::Utf16Le.from_utf8(text.clone().into_bytes())?;
        let run = Box::new(move || TextEncoding::Utf16Le.to_utf8(wide.clone()).is_ok());
        cases.push(Case { name: format!("{name}, UTF-16 alone"), events, text: text.into(), run });
    }
    Ok(cases)
}

/// Opening a delivery of this text, and decoding it.
fn both<P: Provider + 'static>(
    cases: &mut Vec<Case>,
    name: &str,
    events: u32,
    text: Bytes,
    provider: impl Fn() -> Result<P, BoxError>,
) -> Result<(), BoxError> {
    let (opener, decoder, now) = (provider()?, provider()?, Timestamp::now());
    let (headers, body) = {
        let (head, body) = opener.seal(Message::new(text.clone()), &Sealing::new(now, &OsEntropy))?.into_parts();
        (head.headers, body)
    };
    let (plaintext, decoded_headers) = (text.clone(), headers.clone());
    let open = move || opener.scheme().open(&headers, body.clone(), now).is_ok();
    let decode = move || {
        decoder.decode(&decoded_headers, plaintext.clone()).is_ok_and(|found| u32::try_from(found.len()) == Ok(events))
    };
    cases.push(Case { name: format!("{name}, open"), events, text: text.clone(), run: Box::new(open) });
    cases.push(Case { name: format!("{name}, decode"), events, text, run: Box::new(decode) });
    Ok(())
}

/// A transfer of 64 KB, most of which is a member that nobody knows.
fn large() -> String {
    let step = r#"{"at":"2026-11-24T18:22:05.123Z","status":"pending","attempt":7,"fee":10.75,"note":"sent \"again\" to the bank"}"#;
    let steps = vec![step; 64 * 1024 / step.len()].join(",");
    TRANSFER.replacen("\"data\": {", &format!("\"data\": {{\"history\":[{steps}],"), 1)
}

/// A message of that many notifications, each with an id of its own.
fn batch(events: u32) -> Result<String, BoxError> {
    let (head, rest) = NOTIFICATION.split_once('[').ok_or("no list")?;
    let (one, tail) = rest.rsplit_once(']').ok_or("no list")?;
    let ids = (1..=events).map(|id| format!("-{id:012}\""));
    let all: Vec<String> = ids.map(|id| one.replacen("-000000000001\"", &id, 1)).collect();
    Ok(format!("{head}[{}]{tail}", all.join(",")))
}
