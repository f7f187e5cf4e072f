//! From times to a table.

use std::collections::HashMap;
use std::time::Duration;
use std::{fs, thread};

use tower_webhook::error::BoxError;

use crate::rates::{Rounds, real};

/// How long all threads but this one have been on a CPU. Exact only while they sleep, so that they are given the time to.
pub(crate) fn cpu_time() -> Result<Duration, BoxError> {
    thread::sleep(Duration::from_millis(3));
    let this = fs::read_link("/proc/thread-self")?;
    let mut nanos = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        if this.file_name() != Some(thread.file_name().as_os_str()) {
            // Nanoseconds on a CPU, nanoseconds in the queue, time slices.
            let text = fs::read_to_string(thread.path().join("schedstat"))?;
            nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanos))
}

pub(crate) fn percentile(times: &[Duration], part: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() * part / 100).copied().unwrap_or_default()
}

/// Of a variant, one figure for each round.
#[derive(Default)]
struct Figures {
    rates: Rounds,
    nanos: Rounds,
    early: Rounds,
    late: Rounds,
}

#[derive(Default)]
pub(crate) struct Table(HashMap<&'static str, Figures>);

impl Table {
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        requests: usize,
        (all, each): (Duration, Vec<Duration>),
        cpu: Duration,
    ) -> Result<(), BoxError> {
        let requests = real(u64::try_from(requests)?)?;
        let figures = self.0.entry(name).or_default();
        figures.rates.0.push(requests / all.as_secs_f64());
        figures.nanos.0.push(cpu.as_secs_f64() * 1e9 / requests);
        figures.early.0.push(percentile(&each, 50).as_secs_f64() * 1e6);
        figures.late.0.push(percentile(&each, 99).as_secs_f64() * 1e6);
        Ok(())
    }

    /// A rate's ratio is the higher the better. Of each variant its name, what it does, and the engine that it is compared with.
    pub(crate) fn print(&self, variants: &[(&'static str, &'static str, Option<&'static str>)]) {
        let none = Figures::default();
        let of = |name: &str| self.0.get(name).unwrap_or(&none);
        println!("rates, CPU and times: medians of the rounds; ratios of rates: median of the rounds (middle half)\n");
        println!(
            "{:9} {:32} {:>9} {:18} {:18} {:>9} {:>9} {:>9}",
            "variant", "what it does", "a second", "of bare", "of engine", "CPU ns", "p50 us", "p99 us"
        );
        for (name, what, engine) in variants {
            let figures = of(name);
            let of_engine = engine.map(|engine| figures.rates.of(&of(engine).rates).to_string());
            println!(
                "{name:9} {what:32} {:9.0} {:18} {:18} {:9.0} {:9.0} {:9.0}",
                figures.rates.median(),
                figures.rates.of(&of("bare").rates),
                of_engine.unwrap_or_default(),
                figures.nanos.median(),
                figures.early.median(),
                figures.late.median(),
            );
        }
        println!("to reach: sqlite 0.25 of bare, and each 0.8 of its engine");
    }
}
