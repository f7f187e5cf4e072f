//! What the inbox in a file costs: events a second against the bare engine's own group commit, and whether it stays the same
//! with much that waits and much that is done.
//!
//! The floor is a plain loop of one thread on the same engine with the same settings: the least that must be written (a key
//! of 16 bytes in a unique index, a body of 1 KB, what is due), 64 events a transaction. In each round both store the same
//! number of events, made beforehand, in turns; the ratio is taken round by round. CPU time is that of all threads, callers' too.
//!
//! ```sh
//! cargo bench --features sqlite --bench inbox_engine             # some minutes, and some GB of disk
//! cargo bench --features sqlite --bench inbox_engine -- --accept # the ratio alone
//! cargo bench --features sqlite --bench inbox_engine -- --smoke  # does all of it run?
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes. The disk is that of the folder for temporary files.

mod accepting;
#[path = "../growth/cpu.rs"]
mod cpu;
mod events;
mod fill;
mod floor;
mod place;
#[path = "../claims/rates.rs"]
mod rates;

use std::time::{Duration, Instant};

use tower_webhook::clock::Timestamp;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxStore as _, LeaseToken, SqliteInbox};

use events::{Keys, first, hash};
use fill::{Kind, fill};
use floor::Floor;
use place::Place;
use rates::{Rounds, real};

/// So many callers at once.
const TASKS: u64 = 64;

fn main() -> Result<(), BoxError> {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    let is_real = has("--bench") && !has("--smoke");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        accepted(if is_real { 5 } else { 1 }, if is_real { 192_000 } else { 640 }).await?;
        if has("--accept") {
            return Ok(());
        }
        let lengths: &[u64] = if is_real { &[1_000, 10_000, 100_000, 1_000_000] } else { &[100, 1_000] };
        waiting(lengths).await?;
        passed_over(if is_real { 100_000 } else { 1_000 }).await?;
        with_done(if is_real { 3_000_000 } else { 1_000 }).await
    })
}

async fn accepted(rounds: usize, number: u64) -> Result<(), BoxError> {
    let mut all: [Rounds; 4] = Default::default();
    for _ in 0..rounds {
        let (floor, floor_nanos) = floor(number)?;
        let place = Place::new()?;
        let inbox = SqliteInbox::open(place.file()).await?;
        let took = accept(&inbox, &Keys::default(), number, TASKS).await?;
        let rate = real(number)? / took.all.as_secs_f64();
        let figures = [floor, rate, floor_nanos, took.nanos / real(number)?];
        all.iter_mut().zip(figures).for_each(|(rounds, figure)| rounds.0.push(figure));
    }
    let [floor, ours, floor_nanos, nanos] = &all;
    println!("accept, {TASKS} tasks, 1 KB: {:.0}/s, {:.0} ns of CPU an event", ours.median(), nanos.median());
    println!("floor, groups of 64: {:.0}/s, {:.0} ns of CPU an event", floor.median(), floor_nanos.median());
    println!("of the floor: {}, its CPU of ours: {}", ours.of(floor), floor_nanos.of(nanos));
    Ok(())
}

/// Events a second, and nanoseconds on a CPU for each.
fn floor(number: u64) -> Result<(f64, f64), BoxError> {
    let place = Place::new()?;
    let mut floor = Floor::open(place.file())?;
    let keys: Vec<_> = (0..number).map(|id| first(&hash(id))).collect();
    let mut took = 0.0;
    let nanos = cpu::nanos(|| {
        let began = Instant::now();
        floor.fill(&keys)?;
        took = began.elapsed().as_secs_f64();
        Ok(())
    })?;
    Ok((real(number)? / took, nanos / real(number)?))
}

/// How long it took, the 99th percentile of a call, and nanoseconds on a CPU.
struct Took {
    all: Duration,
    late: Duration,
    nanos: f64,
}

async fn accept(inbox: &SqliteInbox, keys: &Keys, number: u64, tasks: u64) -> Result<Took, BoxError> {
    let each = usize::try_from(number / tasks)?;
    let made = accepting::made(keys, usize::try_from(tasks)?, each);
    let before = cpu::spent("self")?;
    let (all, mut took) = accepting::accept(inbox, made).await?;
    took.sort();
    let late = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Took { all, late, nanos: cpu::spent("self")?.saturating_sub(before).as_secs_f64() * 1e9 })
}

/// What a lease with its end costs, one by one, with so many that wait; and how long a file of them takes to open.
async fn waiting(lengths: &[u64]) -> Result<(), BoxError> {
    for length in lengths {
        let place = Place::new()?;
        drop(SqliteInbox::open(place.file()).await?);
        fill(&place.file(), *length, Kind::Waiting)?;
        let began = Instant::now();
        let inbox = SqliteInbox::open(place.file()).await?;
        let opened = began.elapsed();
        let mut took = Rounds::default();
        for _ in 0..(length / 2).min(2_000) {
            let began = Instant::now();
            if handle(&inbox, 1).await? != 1 {
                return Err("nothing is due".into());
            }
            took.0.push(began.elapsed().as_secs_f64() * 1e6);
        }
        let first = took.0.first().copied().unwrap_or(f64::NAN);
        let each = took.median();
        println!(
            "{length} wait: opened in {opened:.1?}, the first lease and its end {first:.0} µs, the median {each:.0} µs"
        );
    }
    Ok(())
}

/// What a lease costs that goes through so many of a receiver which is passed over.
async fn passed_over(number: u64) -> Result<(), BoxError> {
    let place = Place::new()?;
    drop(SqliteInbox::open(place.file()).await?);
    fill(&place.file(), number, Kind::Waiting)?;
    let inbox = SqliteInbox::open(place.file()).await?;
    let (keys, mut took) = (Keys::default(), Rounds::default());
    for _ in 0..9 {
        let mut other = keys.event();
        other.receiver = "other".to_owned();
        inbox.accept(vec![other], Timestamp::now()).await?;
        let (passed, token, lease) = (["bench".to_owned()], LeaseToken([1; 16]), Duration::from_secs(600));
        let began = Instant::now();
        let leased = inbox.lease_but_of(&passed, token, 16, lease, Timestamp::now()).await?;
        took.0.push(began.elapsed().as_secs_f64() * 1e6);
        if leased.len() != 1 {
            return Err("the other receiver's event is leased alone".into());
        }
    }
    println!("{number} of another receiver are passed over: the median lease {:.0} µs", took.median());
    Ok(())
}

/// The 99th percentile of an accept in a file with few events, and in one with so many that are done, in turns.
async fn with_done(done: u64) -> Result<(), BoxError> {
    let (few, many, keys) = (Place::new()?, Place::new()?, Keys::default());
    drop(SqliteInbox::open(many.file()).await?);
    fill(&many.file(), done, Kind::Done)?;
    let inboxes = [SqliteInbox::open(few.file()).await?, SqliteInbox::open(many.file()).await?];
    // From here on keys go into their table, and more of them than come.
    for inbox in &inboxes {
        accept(inbox, &keys, 67_200.min(done), TASKS).await?;
    }
    let mut late = [Rounds::default(), Rounds::default()];
    for _ in 0..9 {
        for (inbox, late) in inboxes.iter().zip(&mut late) {
            late.0.push(accept(inbox, &keys, 3_200.min(done), 8).await?.late.as_secs_f64() * 1e6);
        }
    }
    let [few, many] = late;
    let (of_few, of_many, ratio) = (few.median(), many.median(), many.of(&few));
    println!(
        "p99 of an accept, 8 tasks: {of_few:.0} µs with few events, {of_many:.0} µs with {done} that are done: {ratio}"
    );
    Ok(())
}

/// Up to so many are leased and done.
async fn handle(inbox: &SqliteInbox, most: usize) -> Result<usize, BoxError> {
    let leased = inbox.lease(LeaseToken([1; 16]), most, Duration::from_secs(600), Timestamp::now()).await?;
    let ends = leased.iter().map(|held| inbox.complete(held, Timestamp::now()));
    for ended in futures_util::future::join_all(ends).await {
        let _ = ended?;
    }
    Ok(leased.len())
}
