//! What safety costs: the server's CPU time per request of the whole stack, of parts of it, and of axum without any.
//!
//! One process, two threads. The server thread serves every variant on a port of its own; this thread keeps 64
//! connections busy with requests made beforehand and checks every answer. In each round every variant gets the same
//! bytes, in rotated order. CPU time is the server's threads', from `/proc`, so this runs on Linux alone. Neighbours that
//! use the cores make nanoseconds longer; many short rounds, each with its own ratios, keep the ratios.
//!
//! ```sh
//! cargo bench --bench pipeline                          # the table, in some minutes
//! cargo bench --bench pipeline -- --rounds 500 --only full --only again   # to tell what is one percent apart
//! cargo bench --bench pipeline -- --smoke               # does every variant answer 2xx?
//! cargo bench --bench pipeline -- --only full --only bare   # for a profiler; the server thread is called "server"
//! ```
//!
//! Without the `--bench` that `cargo bench` passes, as in `cargo test --all-targets`, it only smokes.

mod apps;
mod by_hand;
mod client;
mod deliveries;
mod envelope;
#[cfg(feature = "metrics")]
#[path = "../../src/bin/tower-webhook/listen/exposition.rs"]
#[allow(dead_code, reason = "nobody reads the numbers here")]
mod exposition;
mod measure;
mod server;
mod variants;
mod wire;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::Bytes;
use tower_webhook::error::BoxError;

use client::{Client, Expected};
use deliveries::Senders;
use measure::Costs;
use server::Server;
use variants::{Traffic, Variant};
use wire::wires;

struct Plan {
    rounds: usize,
    /// Counted requests of one variant in one round; fewer of large ones.
    requests: usize,
    only: Vec<String>,
}

impl Plan {
    fn from_args() -> Result<Self, BoxError> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        let named = |pair: &[String]| match pair {
            [flag, name] if flag == "--only" => Some(name.clone()),
            _ => None,
        };
        let only = args.windows(2).filter_map(named).collect();
        let rounds =
            args.iter().skip_while(|arg| *arg != "--rounds").nth(1).map_or(Ok(120), |number| number.parse())?;
        let rounds = if has("--bench") && !has("--smoke") { rounds } else { 1 };
        Ok(Self { rounds, requests: 1_000, only })
    }

    fn takes(&self, variant: &Variant) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == variant.name)
    }
}

/// Requests of each variant and round that are not counted: connections, caches and predictors settle.
const WARM: usize = 512;

fn main() -> Result<(), BoxError> {
    let plan = Plan::from_args()?;
    let mut variants = variants::all()?;
    variants.retain(|variant| plan.takes(variant));
    let server = Server::start(&mut variants)?;
    let mut senders = Senders::new()?;
    let repeated = wires(senders.aella(1)?)?;
    for variant in variants.iter().filter(|variant| variant.traffic == Traffic::Repeat) {
        Client::connect(variant.address)?.send(&repeated, Expected::Fresh)?;
    }
    let mut costs = Costs::default();
    for round in 0..=plan.rounds {
        let made = |variant: &Variant, senders: &mut Senders| make(variant.traffic, &plan, senders, &repeated);
        let mut requests = HashMap::new();
        for variant in &variants {
            if let Entry::Vacant(entry) = requests.entry(variant.traffic) {
                entry.insert(made(variant, &mut senders)?);
            }
        }
        for variant in variants.iter().cycle().skip(round).take(variants.len()) {
            let cost = run(&server, variant, requests.get(&variant.traffic).map(Vec::as_slice).unwrap_or_default())?;
            // The first round is for page faults and growing maps.
            if round > 0 {
                costs.add(variant.name, cost);
            }
        }
    }
    measure::print(&variants, &costs, plan.requests);
    Ok(())
}

/// The requests of one round, the first of which are not counted.
fn make(traffic: Traffic, plan: &Plan, senders: &mut Senders, repeated: &[Bytes]) -> Result<Vec<Bytes>, BoxError> {
    let count = (WARM + plan.requests) / traffic.weight();
    wires(match traffic {
        Traffic::Repeat => return Ok(repeated.iter().cycle().take(count).cloned().collect()),
        Traffic::Aella => senders.aella(count)?,
        Traffic::Opp => senders.opp(count)?,
        Traffic::Large => senders.large(count, 64 * 1024)?,
        Traffic::Huge => senders.large(count, 1_000_000)?,
    })
}

/// The CPU time that the server took for each of the counted requests.
fn run(server: &Server, variant: &Variant, requests: &[Bytes]) -> Result<Duration, BoxError> {
    let (warm, counted) = requests.split_at_checked(WARM / variant.traffic.weight()).ok_or("too few requests")?;
    let mut client = Client::connect(variant.address)?;
    client.send(warm, variant.expected())?;
    let before = server.cpu_time()?;
    client.send(counted, variant.expected()).map_err(|error| format!("{}: {error}", variant.name))?;
    Ok(server.cpu_time()?.saturating_sub(before) / u32::try_from(counted.len())?)
}
