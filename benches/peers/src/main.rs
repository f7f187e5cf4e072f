//! What others cost who check signatures of webhooks for axum, in one run with us and by the method of the bench
//! `pipeline`: the server thread's CPU time per request, 64 connections, every variant with the same bytes in each round,
//! in rotated order, ratios taken round by round.
//!
//! References are handlers that check nothing: `Bytes`, `Json<T>`, `from_slice` and `from_str` into the same `T`. Every
//! variant that checks must first refuse a delivery whose body was changed by one bit.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml              # the tables, in under two minutes
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --smoke   # does every variant accept and refuse?
//! ```

#[path = "../../pipeline/client.rs"]
mod client;
mod deliveries;
#[path = "../../pipeline/envelope.rs"]
mod envelope;
#[expect(dead_code, reason = "shared with the other benches")]
#[path = "../../claims/rates.rs"]
mod rates;
#[path = "../../pipeline/server.rs"]
mod server;
#[path = "../../growth/transfer.rs"]
mod transfer;
mod variants;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use tower_webhook::error::BoxError;

use client::{CONNECTIONS, Client, Expected};
use deliveries::Sender;
use rates::Rounds;
use server::Server;
use variants::{REFERENCES, Variant};

/// A body's size, and how much of it is sent.
struct Plan {
    name: &'static str,
    bytes: usize,
    rounds: usize,
    /// Requests of a variant in a round that are not counted: connections, caches and predictors settle.
    warm: usize,
    requests: u32,
}

const PLANS: [Plan; 3] = [
    Plan { name: "0.7 KB", bytes: 0, rounds: 25, warm: 512, requests: 3_000 },
    Plan { name: "4 KB", bytes: 4 << 10, rounds: 15, warm: 256, requests: 1_500 },
    Plan { name: "64 KB", bytes: 64 << 10, rounds: 11, warm: 64, requests: 300 },
];

fn main() -> Result<(), BoxError> {
    let smokes = std::env::args().any(|arg| arg == "--smoke");
    let mut variants = variants::all()?;
    let server = Server::start(&mut variants)?;
    let mut sender = Sender::new()?;
    for variant in variants.iter().filter(|variant| variant.verifies) {
        refuses(variant, &sender.forged(0)?)?;
    }
    println!("{CONNECTIONS} connections, one server thread; CPU time of the server per request: median of the rounds");
    println!("ratios: median of the rounds (middle half); who verifies has refused a body changed by one bit\n");
    for plan in PLANS {
        let plan = if smokes { Plan { rounds: 1, requests: 64, warm: 64, ..plan } } else { plan };
        print(&plan, &variants, &measure(&plan, &variants, &server, &mut sender)?);
    }
    Ok(())
}

type Costs = HashMap<&'static str, Rounds>;

fn measure(plan: &Plan, variants: &[Variant], server: &Server, sender: &mut Sender) -> Result<Costs, BoxError> {
    let mut costs = Costs::new();
    for round in 0..=plan.rounds {
        let requests = sender.transfers(plan.warm + usize::try_from(plan.requests)?, plan.bytes)?;
        for variant in variants.iter().cycle().skip(round).take(variants.len()) {
            let cost = run(server, variant.address, requests.split_at(plan.warm));
            let cost = cost.map_err(|error| format!("{}: {error}", variant.name))?;
            // The first round is for page faults and growing maps.
            if round > 0 {
                let nanos = cost.as_secs_f64() * 1e9 / f64::from(plan.requests);
                costs.entry(variant.name).or_default().0.push(nanos);
            }
        }
    }
    Ok(costs)
}

/// The CPU time that the server took for the second part.
fn run(server: &Server, address: SocketAddr, (warm, counted): (&[Bytes], &[Bytes])) -> Result<Duration, BoxError> {
    let mut client = Client::connect(address)?;
    client.send(warm, Expected::Fresh)?;
    let before = server.cpu_time()?;
    client.send(counted, Expected::Fresh)?;
    Ok(server.cpu_time()?.saturating_sub(before))
}

/// A server that checks nothing would be the fastest.
fn refuses(variant: &Variant, forged: &Bytes) -> Result<(), BoxError> {
    let mut stream = TcpStream::connect(variant.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(forged)?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    match &status {
        b"HTTP/1.1 400" | b"HTTP/1.1 401" => Ok(()),
        other => Err(format!("{} answers a forged delivery {}", variant.name, String::from_utf8_lossy(other)).into()),
    }
}

fn print(plan: &Plan, variants: &[Variant], costs: &Costs) {
    let references = REFERENCES.map(|(name, column)| (costs.get(name), column));
    println!("body of {}, {} requests a round", plan.name, plan.requests);
    print!("{:26} {:40} {:>6} {:>9}", "variant", "what it does", "rounds", "ns");
    for (_, column) in references {
        print!("  {column:17}");
    }
    println!();
    for variant in variants {
        let Some(rounds) = costs.get(variant.name) else { continue };
        print!("{:26} {:40} {:6} {:9.0}", variant.name, variant.what, rounds.0.len(), rounds.median());
        for (reference, _) in references {
            print!("  {:17}", reference.map(|reference| rounds.of(reference)).unwrap_or_default());
        }
        println!();
    }
    println!();
}
