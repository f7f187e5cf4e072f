//! From CPU times to a table.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::client::CONNECTIONS;
use crate::variants::Variant;

/// CPU time per request, of each variant in each round.
#[derive(Default)]
pub(crate) struct Costs(HashMap<&'static str, Vec<Duration>>);

impl Costs {
    pub(crate) fn add(&mut self, variant: &'static str, cost: Duration) {
        self.0.entry(variant).or_default().push(cost);
    }

    fn of(&self, variant: &str) -> &[Duration] {
        self.0.get(variant).map(Vec::as_slice).unwrap_or_default()
    }

    /// Round by round, what one costs against the other.
    fn ratios(&self, variant: &str, base: &str) -> Spread {
        let pairs = self.of(variant).iter().zip(self.of(base));
        Spread::new(pairs.map(|(cost, base)| cost.div_duration_f64(*base)).collect())
    }
}

/// The median of the rounds, and between which values the middle half of them lies.
struct Spread(Vec<f64>);

impl Spread {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Spread {
    /// The middle, and between which values the middle half lies.
    fn quarters(&self) -> Option<(f64, f64, f64)> {
        let quarter = self.0.len() / 4;
        Some((*self.0.get(self.0.len() / 2)?, *self.0.get(quarter)?, *self.0.iter().nth_back(quarter)?))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quarters() {
            Some((middle, low, high)) => f.pad(&format!("{middle:.2} ({low:.2}-{high:.2})")),
            None => f.pad("-"),
        }
    }
}

fn median(costs: &[Duration]) -> Duration {
    let mut costs = costs.to_vec();
    costs.sort();
    costs.get(costs.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn print(variants: &[Variant], costs: &Costs, requests: usize) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, one server thread, {CONNECTIONS} connections, {requests} requests a round");
    println!("CPU time of the server per request: median of the rounds; ratios: median of the rounds (middle half)\n");
    println!(
        "{:10} {:34} {:>6} {:>9}  {:17} {:>5}  {:17} {:>5}",
        "variant", "what it does", "rounds", "ns", "of bare", "reach", "of json", "reach"
    );
    for variant in variants {
        let rounds = costs.of(variant.name);
        println!(
            "{:10} {:34} {:6} {:9}  {:17} {:>5}  {:17} {:>5}",
            variant.name,
            variant.what,
            rounds.len(),
            median(rounds).as_nanos(),
            costs.ratios(variant.name, variant.bare()),
            variant.reach_of_bare.unwrap_or_default(),
            costs.ratios(variant.name, variant.json()),
            variant.reach_of_json.unwrap_or_default(),
        );
    }
    println!();
    for (variant, what) in
        [("metrics", "numbers for Prometheus beside the full stack"), ("again", "an identical stack")]
    {
        if let Some((middle, low, high)) = costs.ratios(variant, "full").quarters() {
            println!("{variant}: {what}: {middle:.3} of it, in the middle half of the rounds {low:.3} to {high:.3}");
        }
    }
}
