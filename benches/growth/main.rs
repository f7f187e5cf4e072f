//! How cost grows: with the body, with the events of a batch, with the keys of a ring, with connections.
//!
//! Bodies, batches and rings are measured in this process, through the receiver's service; connections over HTTP, with
//! the server in a process of its own. Figures are CPU time of all threads, from `/proc`, so this runs on Linux alone.
//! In each round every variant gets the same documents, in rotated order; ratios are taken round by round. What grows
//! with the number of keys in a store is measured by the bench `claims`.
//!
//! ```sh
//! cargo bench --bench growth                # the tables, in some two minutes
//! cargo bench --bench growth -- --smoke     # does every variant answer 2xx?
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes.

mod batches;
mod bodies;
#[expect(dead_code, reason = "shared with the bench `pipeline`")]
#[path = "../pipeline/client.rs"]
mod client;
mod connections;
mod cpu;
#[expect(dead_code, reason = "shared with the bench `pipeline`")]
#[path = "../pipeline/deliveries.rs"]
mod deliveries;
#[path = "../pipeline/envelope.rs"]
mod envelope;
#[path = "../claims/rates.rs"]
mod rates;
mod requests;
mod rings;
mod transfer;
#[path = "../pipeline/wire.rs"]
mod wire;

use tower_webhook::error::BoxError;

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// Bodies, batches and connections that are no more than this part of the largest.
    part: usize,
}

fn main() -> Result<(), BoxError> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, variant] = args.as_slice()
        && flag == "--serve"
    {
        return connections::serve(variant);
    }
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let plan = match has("--bench") && !has("--smoke") {
        true => Plan { rounds: 15, part: 1 },
        false => Plan { rounds: 1, part: 10 },
    };
    println!("CPU time of all threads: median of the rounds; ratios: median of the rounds (middle half)\n");
    bodies::print(plan)?;
    batches::print(plan)?;
    rings::print(plan)?;
    connections::print(plan)
}
