//! Every order of events that three workers and a bad network can bring about on one key.
//!
//! Each worker has one token. It may send every request twice, give up at any time, and lose any reply; a request runs
//! late, or after its worker has gone, and the lease may end at any moment. Breadth first, with a state in one `u64`.

#![allow(clippy::cast_possible_truncation, reason = "numbers of a few bits, put into one and taken out again")]

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::machine::{Machine, OPS, Op, WORKERS};
use super::model::Answer;

const OP_BITS: u32 = 3;
const NOTHING: u64 = 7;

/// What a worker is at.
const IDLE: u64 = 0;
const HOLDS: u64 = 1;
const GONE: u64 = 2;

/// The record, the workers, the requests on their way, and what was seen so far.
///
/// ```text
/// bit 0: record (6), seen fence (2), completions (2), ever done (1), events granted (2), event done (2);
/// bit 16: per worker its phase (2) and the operation that it awaits (3);
/// bit 32: per worker and operation, how many requests are on their way (2)
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct World(u64);

impl World {
    fn get(self, at: u32, bits: u32) -> u64 {
        self.0 >> at & ((1 << bits) - 1)
    }

    fn with(self, at: u32, bits: u32, value: u64) -> Self {
        Self(self.0 & !(((1 << bits) - 1) << at) | value << at)
    }

    fn record(self) -> usize {
        self.get(0, 6) as usize
    }

    fn fence(self) -> u64 {
        self.get(6, 2)
    }

    fn completions(self) -> u64 {
        self.get(8, 2)
    }

    fn was_done(self) -> bool {
        self.get(10, 1) == 1
    }

    /// The events that had the key.
    fn granted(self) -> u64 {
        self.get(11, 2)
    }

    /// The event that was done.
    fn done(self) -> u64 {
        self.get(13, 2)
    }

    fn phase(self, worker: usize) -> u64 {
        self.get(phase_at(worker), 2)
    }

    fn awaits(self, worker: usize) -> u64 {
        self.get(phase_at(worker) + 2, OP_BITS)
    }

    fn set_worker(self, worker: usize, phase: u64, awaits: u64) -> Self {
        self.with(phase_at(worker), 2, phase).with(phase_at(worker) + 2, OP_BITS, awaits)
    }

    fn on_their_way(self, worker: usize, op: usize) -> u64 {
        self.get(message_at(worker, op), 2)
    }
}

fn phase_at(worker: usize) -> u32 {
    16 + 5 * worker as u32
}

fn message_at(worker: usize, op: usize) -> u32 {
    32 + 2 * (worker * OPS.len() + op) as u32
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) violations: BTreeSet<&'static str>,
}

struct Explorer<'a> {
    machine: &'a Machine,
    seen: HashSet<World, BuildHasherDefault<Mixer>>,
    next: VecDeque<World>,
    violations: BTreeSet<&'static str>,
}

/// Explores all worlds, or until so many rules are broken.
pub(crate) fn explore(machine: &Machine, enough: usize) -> Report {
    let mut explorer =
        Explorer { machine, seen: HashSet::default(), next: VecDeque::new(), violations: BTreeSet::new() };
    let start = (0..WORKERS).fold(World(0), |world, worker| world.set_worker(worker, IDLE, NOTHING));
    explorer.push(start);
    while explorer.violations.len() < enough
        && let Some(world) = explorer.next.pop_front()
    {
        let ended = explorer.machine.0[world.record()].when_the_lease_ends;
        explorer.push(world.with(0, 6, ended as u64));
        for worker in 0..WORKERS {
            explorer.decide(world, worker);
            for op in 0..OPS.len() {
                if world.on_their_way(worker, op) > 0 {
                    explorer.arrive(world, worker, op);
                }
            }
        }
    }
    Report { states: explorer.seen.len(), violations: explorer.violations }
}

impl Explorer<'_> {
    fn push(&mut self, world: World) {
        if self.seen.insert(world) {
            self.next.push_back(world);
        }
    }

    /// What a worker may do of its own: ask, ask again, or give up.
    fn decide(&mut self, world: World, worker: usize) {
        let (phase, awaits) = (world.phase(worker), world.awaits(worker));
        match (phase, awaits) {
            (IDLE, NOTHING) => self.send(world, worker, Op::Claim as usize),
            (HOLDS, NOTHING) => {
                for op in [Op::Renew, Op::Complete, Op::Release] {
                    self.send(world, worker, op as usize);
                }
            }
            (GONE, _) => return,
            (_, again) => self.send(world, worker, again as usize),
        }
        if phase == HOLDS || awaits != NOTHING {
            self.push(world.set_worker(worker, GONE, NOTHING));
        }
    }

    /// At most twice the same request, and three in all, are on their way from one worker.
    fn send(&mut self, world: World, worker: usize, op: usize) {
        let same = world.on_their_way(worker, op);
        let all: u64 = (0..OPS.len()).map(|op| world.on_their_way(worker, op)).sum();
        if same < 2 && all < 3 {
            let sent = world.with(message_at(worker, op), 2, same + 1);
            self.push(sent.set_worker(worker, world.phase(worker), op as u64));
        }
    }

    /// A request runs. Its reply is lost, or comes to a worker that still waits for it.
    fn arrive(&mut self, world: World, worker: usize, op: usize) {
        let (answer, record) = &self.machine.0[world.record()].moves[op][worker];
        let left = world.on_their_way(worker, op) - 1;
        let ran = self.judge(world, worker, OPS[op], answer, *record);
        let ran = ran.with(message_at(worker, op), 2, left).with(0, 6, *record as u64);
        self.push(ran);
        if world.awaits(worker) == op as u64 {
            let holds = match OPS[op] {
                Op::Claim => answer.granted().is_some(),
                Op::Renew => *answer == Answer::Held,
                Op::Complete | Op::Release => false,
            };
            self.push(ran.set_worker(worker, if holds { HOLDS } else { GONE }, NOTHING));
        }
    }

    fn judge(&mut self, world: World, worker: usize, op: Op, answer: &Answer, record: usize) -> World {
        let (before, after) = (&self.machine.0[world.record()], &self.machine.0[record]);
        let (mut seen, event) = (world, self.machine.1[worker] as u64);
        if op == Op::Complete && *answer == Answer::Held && record != world.record() {
            seen = seen.with(8, 2, (world.completions() + 1).min(2)).with(13, 2, event);
            self.forbid(world.completions() >= 1, "two first completions");
        }
        if let Some(fence) = answer.granted() {
            self.forbid(world.was_done(), "acquired after done");
            self.forbid(before.holder != Some(worker) && fence <= world.fence(), "the fence did not grow");
            let granted = world.granted() | event;
            self.forbid((granted == 3) != matches!(answer, Answer::AcquiredOther(_)), "another payload was not told");
            seen = seen.with(6, 2, world.fence().max(fence)).with(11, 2, granted);
        }
        let replayed = matches!(answer, Answer::Done(..));
        self.forbid(replayed && world.done() != event, "another payload was replayed");
        let done = after.is_done;
        self.forbid(world.was_done() && !done, "a done record was lost");
        if done { seen.with(10, 1, 1) } else { seen }
    }

    fn forbid(&mut self, happened: bool, what: &'static str) {
        if happened {
            self.violations.insert(what);
        }
    }
}

/// One multiplication: the worlds are near each other, and an adversary has no part in them.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, _: &[u8]) {
        unreachable!("a world is one number");
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
