//! What a durable answer costs over HTTP: requests a second of a receiver whose every answer waits for a commit, against bare
//! axum that only reads the same bytes, and against the engine's own group commit without HTTP; and how long answers take.
//!
//! One process. Each variant has a server of one thread, which sleeps unless it is its turn, and this thread is the client:
//! 64 kept connections with a request under way on each, made beforehand, each a new event of 1 KB with its own proof. In each
//! round every variant gets the same bytes, in rotated order; ratios are taken round by round. `file` and `schema` are the inbox
//! in a file and in Postgres alone: 64 tasks that store events of 1 KB, with no HTTP, no proof and no JSON, in stores that grow as
//! the receivers' do. `floor` is SQLite's own group commit: one thread that writes the least that must be written, for nobody. What the client takes is part of every rate, since it shares the machine; CPU time is that of all threads
//! but the client's, and without Postgres's processes.
//!
//! ```sh
//! cargo bench --features postgres,sqlite --bench inbox             # some minutes
//! cargo bench --features postgres,sqlite --bench inbox -- --smoke  # does every variant answer 2xx?
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes. It needs Linux and Postgres's programs. The disk is that of
//! the folder for temporary files.

#[path = "../inbox_engine/accepting.rs"]
mod accepting;
mod client;
#[path = "../pipeline/deliveries.rs"]
#[expect(dead_code, reason = "it knows payments too")]
mod deliveries;
mod engine;
#[path = "../inbox_engine/events.rs"]
mod events;
#[path = "../inbox_engine/floor.rs"]
mod floor;
mod measure;
#[path = "../inbox_engine/place.rs"]
mod place;
#[path = "../../tests/it/ports.rs"]
#[expect(clippy::panic, clippy::unwrap_used, reason = "it is the tests' own")]
mod ports;
#[path = "../../tests/it/postgres/server.rs"]
#[expect(dead_code, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "it is the tests' own")]
mod postgres;
#[path = "../claims/rates.rs"]
mod rates;
mod served;
#[path = "../pipeline/wire.rs"]
mod wire;

use std::cell::RefCell;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{PostgresInbox, SqliteInbox};

use accepting::Took;
use client::Client;
use deliveries::Senders;
use engine::Engine;
use measure::{Table, cpu_time, percentile};
use place::Place;
use rates::real;
use served::{Served, Told};
use wire::wires;

/// So many connections, and so many tasks.
const MANY: usize = 64;
/// Of each request.
const BYTES: usize = 1024;

fn main() -> Result<(), BoxError> {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    let is_real = has("--bench") && !has("--smoke");
    let (rounds, requests, alone) = if is_real { (15, 6_400, 400) } else { (1, 640, 20) };
    let database = postgres::Server::start();
    rates_of_all(rounds, requests, &database.url())?;
    handled(alone, &database.url())
}

/// What has its turn in a round: whoever is connected to a server, or what has none.
enum Variant {
    Served(RefCell<Client>),
    Engine(Engine),
}

fn rates_of_all(rounds: usize, requests: usize, url: &str) -> Result<(), BoxError> {
    let (place, alone, least) = (Place::new()?, Place::new()?, Place::new()?);
    let (file, server) = (alone.file(), url.to_owned());
    let in_file = Engine::start(async || Ok(SqliteInbox::open(file).await?))?;
    let in_postgres = Engine::start(async move || Ok(PostgresInbox::setup().schema("alone").connect(&server).await?))?;
    let variants = [
        ("bare", "axum, `Bytes`", None, Variant::of(Served::bare()?)?),
        ("sqlite", "receiver, inbox in a file", Some("floor"), Variant::of(Served::sqlite(place.file(), None)?)?),
        ("file", "64 tasks, inbox in a file alone", Some("floor"), Variant::Engine(in_file)),
        ("floor", "SQLite alone, groups of 64", None, Variant::Engine(Engine::floor(least.file())?)),
        (
            "postgres",
            "receiver, inbox in Postgres",
            Some("schema"),
            Variant::of(Served::postgres(url, "rates", None)?)?,
        ),
        ("schema", "64 tasks, inbox in Postgres alone", None, Variant::Engine(in_postgres)),
    ];
    let mut senders = Senders::new()?;
    let mut table = Table::default();
    for round in 0..=rounds {
        let bodies = wires(senders.large(requests, BYTES)?)?;
        for (name, _, _, variant) in variants.iter().cycle().skip(round).take(variants.len()) {
            let (took, nanos) = variant.turn(&bodies)?;
            // The first round is for page faults and growing files.
            if round > 0 {
                table.add(name, requests, took, nanos)?;
            }
        }
    }
    println!("{MANY} connections, events of 1 KB, {requests} requests a round, {rounds} rounds");
    table.print(&variants.map(|(name, what, engine, _)| (name, what, engine)));
    Ok(())
}

impl Variant {
    fn of(served: Served) -> Result<Self, BoxError> {
        Client::connect(served.0, MANY).map(|client| Self::Served(RefCell::new(client)))
    }

    /// How long all took, and each; and how long threads were on a CPU.
    fn turn(&self, bodies: &[Bytes]) -> Result<(Took, Duration), BoxError> {
        match self {
            Self::Served(client) => {
                let (before, began) = (cpu_time()?, Instant::now());
                let each = client.try_borrow_mut()?.send(bodies)?;
                let all = began.elapsed();
                Ok(((all, each), cpu_time()?.saturating_sub(before)))
            }
            Self::Engine(engine) => {
                let events = engine.made(MANY, bodies.len());
                let before = cpu_time()?;
                let took = engine.accept(events)?;
                Ok((took, cpu_time()?.saturating_sub(before)))
            }
        }
    }
}

/// From the request's first byte until it is answered, and until a worker's handler has it; one at a time.
fn handled(times: usize, url: &str) -> Result<(), BoxError> {
    let place = Place::new()?;
    let mut senders = Senders::new()?;
    println!("\none request at a time, from its first byte, in microseconds");
    println!("{:10} {:>12} {:>12} {:>12} {:>12}", "inbox", "answer p50", "p99", "handler p50", "p99");
    let (told, hear) = channel::<Told>();
    let sqlite = Served::sqlite(place.file(), Some(told.clone()))?;
    for (name, served) in [("sqlite", sqlite), ("postgres", Served::postgres(url, "handled", Some(told))?)] {
        let mut client = Client::connect(served.0, 1)?;
        let (mut answers, mut handlers) = (Vec::new(), Vec::new());
        for request in wires(senders.large(times, BYTES)?)? {
            let began = Instant::now();
            answers.extend(client.send(&[request])?);
            handlers.push(hear.recv_timeout(Duration::from_secs(10))?.saturating_duration_since(began));
        }
        let [early, late] = [50, 99].map(|part| percentile(&answers, part).as_micros());
        let [soon, later] = [50, 99].map(|part| percentile(&handlers, part).as_micros());
        println!("{name:10} {early:12} {late:12} {soon:12} {later:12}");
    }
    println!("{:.0} requests each", real(u64::try_from(times)?)?);
    Ok(())
}
