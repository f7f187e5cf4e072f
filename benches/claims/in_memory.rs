//! The store in memory, in a process of its own for each figure of memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::StatusCode;
use tower_webhook::delivery::KeyHash;
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::{Claim, DedupeStore as _, MemoryStore, StoredResponse, Terms};

use crate::rates::{Rounds, real};
use crate::{Plan, event, key, token};

const THREADS: u64 = 2;
/// The reference, keys that are claimed alone, and keys that are claimed and completed one by one.
const CASES: [&str; 3] = ["bare", "held", "done"];
/// Keys in a store, and rounds.
const SIZES: [(u64, usize); 4] = [(10_000, 7), (100_000, 7), (1_000_000, 7), (10_000_000, 3)];
/// A child claims at least so many keys, in several small stores.
const LEAST: u64 = 1_000_000;
const MAX_STORES: u64 = 100;
const RETENTION: Duration = Duration::from_secs(28 * 24 * 3600);

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    println!("Memory: {THREADS} threads, the key's hash included (median of the rounds, middle half)\n");
    println!(
        "{:>9} {:5} {:>13} {:>7}  {:19} {:>13}  {:19} {:>11}  {:19}",
        "keys", "what", "new a second", "ns each", "of bare", "repeat", "of bare", "bytes a key", "of bare"
    );
    for (keys, rounds) in SIZES {
        let (keys, rounds) = (keys / plan.part, rounds.min(plan.rounds));
        let mut figures = CASES.map(|_| [const { Rounds(Vec::new()) }; 3]);
        for round in 0..rounds {
            let mut cases: Vec<_> = CASES.iter().zip(&mut figures).collect();
            cases.rotate_left(round % CASES.len());
            for (case, figures) in cases {
                for (figure, told) in figures.iter_mut().zip(ask(case, keys)?) {
                    figure.0.push(told);
                }
            }
        }
        let [bare, ..] = &figures;
        for (case, told) in CASES.iter().zip(&figures) {
            let [new, repeat, bytes] = told;
            let [of_new, of_repeat, of_bytes] =
                [0, 1, 2].map(|at| told.get(at).zip(bare.get(at)).map(|(a, b)| a.of(b)));
            println!(
                "{keys:9} {case:5} {:13.0} {:7.0}  {:19} {:13.0}  {:19} {:11.1}  {:19}",
                new.median(),
                1e9 * real(THREADS)? / new.median(),
                of_new.unwrap_or_default(),
                repeat.median(),
                of_repeat.unwrap_or_default(),
                bytes.median(),
                of_bytes.unwrap_or_default()
            );
        }
    }
    println!("\nto reach: 3,000,000 new a second at 1 million keys, 64 bytes a done key at 10 million\n");
    Ok(())
}

/// New and repeated claims a second, and bytes a key, as a new process finds them.
fn ask(case: &str, keys: u64) -> Result<Vec<f64>, BoxError> {
    let told = Command::new(std::env::current_exe()?).args(["--in-memory", case, &keys.to_string()]).output()?;
    if !told.status.success() {
        return Err(String::from_utf8_lossy(&told.stderr).into_owned().into());
    }
    let told = String::from_utf8(told.stdout)?;
    told.split_whitespace().map(|word| Ok(word.parse()?)).collect()
}

/// The child's side of [`ask`].
pub(crate) fn measure(case: &str, keys: u64) -> Result<(), BoxError> {
    let before = resident()?;
    let stores: Vec<_> = (0..(LEAST / keys).clamp(1, MAX_STORES))
        .map(|_| Ok((Bare::default(), MemoryStore::new(usize::try_from(keys)?))))
        .collect::<Result<_, BoxError>>()?;
    let of = |number: u64| stores.get(usize::try_from(number / keys).unwrap_or(usize::MAX));
    let bare = |number| of(number).is_some_and(|(bare, _)| bare.claim(&key(number)));
    let claim = |number, by| claim(&of(number)?.1, number, by);
    let is_first = |number| claim(number, number) == Some(Claim::Acquired { fence: 1, other_payload: false });
    let all = keys * u64::try_from(stores.len())?;
    let new = rate(all, |number| match case {
        "bare" => bare(number),
        "held" => is_first(number),
        _ => is_first(number) && of(number).is_some_and(|(_, store)| complete(store, number)),
    })?;
    let bytes = real(resident()?.saturating_sub(before))? / real(all)?;
    let repeat = rate(all, |number| match case {
        "bare" => !bare(number),
        "held" => matches!(claim(number, u64::MAX), Some(Claim::InFlight { .. })),
        _ => matches!(claim(number, u64::MAX), Some(Claim::Done { .. })),
    })?;
    println!("{new} {repeat} {bytes}");
    Ok(())
}

fn claim(store: &MemoryStore, number: u64, by: u64) -> Option<Claim> {
    store.claim(&key(number), &token(by), &event(), &Terms::new(RETENTION)).now_or_never()?.ok()
}

fn complete(store: &MemoryStore, number: u64) -> bool {
    let response = StoredResponse::new(StatusCode::OK, None, Bytes::new());
    store.complete(&key(number), &token(number), &response, RETENTION).now_or_never().is_some_and(|held| held.is_ok())
}

/// How often a second the threads do it, each number once.
fn rate(times: u64, run: impl Fn(u64) -> bool + Sync) -> Result<f64, BoxError> {
    const AT_ONCE: u64 = 64;
    let next = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                    if from >= times {
                        return;
                    }
                    for number in from..times.min(from + AT_ONCE) {
                        assert!(run(number), "key {number} was answered as it may not be");
                    }
                }
            });
        }
    });
    Ok(real(times)? / start.elapsed().as_secs_f64())
}

/// The bytes of memory that this process has.
fn resident() -> Result<u64, BoxError> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).ok_or("no second field")?.parse()?;
    Ok(pages * 4096)
}

/// Less than any store needs: who has been there, and until when.
struct Bare(Vec<Mutex<Until>>);

type Until = HashMap<[u8; 16], u64, BuildHasherDefault<First>>;

impl Default for Bare {
    fn default() -> Self {
        Self((0..64).map(|_| Mutex::default()).collect())
    }
}

impl Bare {
    /// Whether the key is new.
    fn claim(&self, key: &KeyHash) -> bool {
        let [shard, rest @ ..] = *key.as_bytes();
        let shard = self.0.get(usize::from(shard) % self.0.len());
        let first = rest.first_chunk().copied().unwrap_or_default();
        shard.is_some_and(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).insert(first, 1).is_none())
    }
}

/// The keys are hashes already.
#[derive(Default)]
struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}
