//! What the inbox in a file costs: events a second against the bare engine's own group commit, and whether it stays the same
//! with much that waits and much that is done.
//!
//! The floor is a plain loop of one thread on the same engine with the same settings: the least that must be written (a key
//! of 16 bytes in a unique index, a body of 1 KB, what is due), 64 events a transaction. In each round both store the same
//! number of events, in turns; the ratio is taken round by round.
//!
//! ```sh
//! cargo bench --features sqlite --bench inbox_engine             # some minutes, and some GB of disk
//! cargo bench --features sqlite --bench inbox_engine -- --accept # the ratio alone
//! cargo bench --features sqlite --bench inbox_engine -- --smoke  # does all of it run?
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes. The disk is that of the folder for temporary files.

mod events;
mod floor;
mod place;

use std::time::{Duration, Instant};

use tower_webhook::clock::Timestamp;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxStore as _, LeaseToken, SqliteInbox};

use events::{Keys, real};
use place::Place;

/// So many callers at once.
const TASKS: u64 = 64;

fn main() -> Result<(), BoxError> {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    let is_real = has("--bench") && !has("--smoke");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        accepted(if is_real { 9 } else { 1 }, if is_real { 64_000 } else { 640 }).await?;
        if has("--accept") {
            return Ok(());
        }
        let lengths: &[u64] = if is_real { &[1_000, 10_000, 100_000, 1_000_000] } else { &[100, 1_000] };
        waiting(lengths).await?;
        with_done(if is_real { 3_000_000 } else { 1_000 }).await
    })
}

async fn accepted(rounds: usize, number: u64) -> Result<(), BoxError> {
    let (mut floors, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let floor = floor::rate(number)?;
        let place = Place::new()?;
        let inbox = SqliteInbox::open(place.file()).await?;
        let took = accept(&inbox, &Keys::default(), number, TASKS).await?;
        let rate = real(number)? / took.0.as_secs_f64();
        floors.push(floor);
        ours.push(rate);
        ratios.push(rate / floor);
    }
    println!("accept, {TASKS} tasks, 1 KB: {:.0}/s", median(ours));
    println!("floor, groups of 64: {:.0}/s", median(floors));
    println!("of the floor: {:.2}", median(ratios));
    Ok(())
}

/// How long it took, and the 99th percentile of a call.
async fn accept(inbox: &SqliteInbox, keys: &Keys, number: u64, tasks: u64) -> Result<(Duration, Duration), BoxError> {
    let began = Instant::now();
    let mut running = Vec::new();
    for _ in 0..tasks {
        let (inbox, keys) = (inbox.clone(), keys.clone());
        running.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for _ in 0..number / tasks {
                let events = vec![keys.event()];
                let began = Instant::now();
                inbox.accept(events, Timestamp::now()).await?;
                took.push(began.elapsed());
            }
            Ok::<_, BoxError>(took)
        }));
    }
    let mut took = Vec::new();
    for task in running {
        took.extend(task.await??);
    }
    took.sort();
    let late = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok((began.elapsed(), late))
}

/// What a lease with its end costs, one by one, with so many that wait; and how long a file of them takes to open.
async fn waiting(lengths: &[u64]) -> Result<(), BoxError> {
    for length in lengths {
        let place = Place::new()?;
        let keys = Keys::default();
        let inbox = SqliteInbox::open(place.file()).await?;
        fill(&inbox, &keys, *length).await?;
        let (began, times) = (Instant::now(), (length / 2).min(2_000));
        for _ in 0..times {
            handle(&inbox, 1).await?;
        }
        let each = began.elapsed().as_secs_f64() * 1e6 / real(times)?;
        drop(inbox);
        let began = Instant::now();
        drop(SqliteInbox::open(place.file()).await?);
        println!("{length} wait: {each:.0} µs a lease and its end, opened in {:.0?}", began.elapsed());
    }
    Ok(())
}

/// The 99th percentile of an accept in an empty file, and in one with so many that are done.
async fn with_done(done: u64) -> Result<(), BoxError> {
    let place = Place::new()?;
    let (inbox, keys) = (SqliteInbox::open(place.file()).await?, Keys::default());
    let (_, empty) = accept(&inbox, &keys, 6_400, 8).await?;
    let mut filled = 0;
    while filled < done {
        fill(&inbox, &keys, 10_000.min(done)).await?;
        while handle(&inbox, 1_000).await? > 0 {}
        let _ = inbox.purge(Timestamp::now(), Timestamp::now()).await?;
        filled += 10_000;
    }
    let (_, full) = accept(&inbox, &keys, 6_400, 8).await?;
    println!("p99 of an accept, 8 tasks: {empty:.1?} in an empty file, {full:.1?} with {done} that are done");
    Ok(())
}

async fn fill(inbox: &SqliteInbox, keys: &Keys, number: u64) -> Result<(), BoxError> {
    for _ in 0..number.div_ceil(100) {
        let events = (0..100).map(|_| keys.event()).collect();
        inbox.accept(events, Timestamp::now()).await?;
    }
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
