//! Programs of three calls, two at a time.

use real::collections::BTreeSet;
use real::sync::Arc;
use real::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::StatusCode;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::delivery::{Fingerprint, KeyHash};
use crate::memory::MemoryStore;
use crate::{Claim, DedupeStore, StoredResponse, Terms, Token};

const LONG: Duration = Duration::from_secs(3600);
const NONE: Duration = Duration::ZERO;

/// In words. Loom's own choice is too small for a build without optimisation.
const STACK: usize = 0x4000;

#[derive(Clone, Copy, Debug)]
enum Call {
    /// Claims the key for long.
    Take(u8),
    /// The same, for another event.
    TakeOther(u8),
    /// Claims it for no time. The record stays.
    Touch(u8),
    /// Claims it for no time, and the record is forgotten at once.
    Waste(u8),
    Renew(u8),
    Complete(u8),
    Release(u8),
    Sweep,
}
use Call::{Complete, Release, Renew, Sweep, Take, TakeOther, Touch, Waste};

type Program = &'static [Call];

/// The store as it is shipped, and the same source with loom's locks.
trait Subject: DedupeStore {
    fn clear_away(&self);
    fn keys(&self) -> usize;
}

impl Subject for tower_webhook::MemoryStore {
    fn clear_away(&self) {
        self.sweep();
    }

    fn keys(&self) -> usize {
        self.len()
    }
}

impl Subject for MemoryStore {
    fn clear_away(&self) {
        self.sweep();
    }

    fn keys(&self) -> usize {
        assert_eq!(self.is_empty(), matches!(self.len(), 0));
        self.len()
    }
}

fn call(store: &impl Subject, token: u8, call: Call) -> String {
    let event = if matches!(call, TakeOther(_)) { Fingerprint::of(b"other") } else { Fingerprint::of(b"e") };
    let who = Token::from_bytes([token; 16]);
    let key = |number| KeyHash::from_bytes([number; 32]);
    let claim = |terms, key| match store.claim(&key, &who, &event, &terms).now_or_never().unwrap() {
        Ok(Claim::InFlight { .. }) => "in flight".into(),
        claim => format!("{claim:?}"),
    };
    let held = match call {
        Take(number) | TakeOther(number) => return claim(Terms::new(LONG).lease(LONG), key(number)),
        Touch(number) => return claim(Terms::new(LONG).lease(NONE), key(number)),
        Waste(number) => return claim(Terms::new(NONE).lease(NONE), key(number)),
        Renew(number) => store.renew(&key(number), &who, LONG).now_or_never(),
        Complete(number) => {
            let response = StoredResponse::new(StatusCode::OK, None, Bytes::copy_from_slice(&[token]));
            store.complete(&key(number), &who, &response, LONG).now_or_never()
        }
        Release(number) => store.release(&key(number), &who, NONE).now_or_never(),
        Sweep => {
            store.clear_away();
            return String::new();
        }
    };
    format!("{:?}", held.unwrap())
}

/// What both were told, and what a third is told afterwards.
type Told = [Vec<String>; 3];

fn afterwards(store: &impl Subject) -> Vec<String> {
    store.clear_away();
    let keys = store.keys().to_string();
    [keys].into_iter().chain([1, 2].map(|key| call(store, 9, Take(key)))).collect()
}

/// What the shipped store tells them when one call follows the other, in every order.
fn one_by_one(room: usize, before: Program, programs: [Program; 2]) -> BTreeSet<Told> {
    let calls: usize = programs.iter().map(|program| program.len()).sum();
    let orders = (0..1_u32 << calls).filter(|order| order.count_ones() as usize == programs[1].len());
    let run = |order: u32| {
        let store = tower_webhook::MemoryStore::new(room);
        before.iter().for_each(|step| drop(call(&store, 8, *step)));
        let (mut told, mut rest) = ([vec![], vec![], vec![]], programs.map(|program| program.iter()));
        for at in 0..calls {
            let who = u8::from(order >> at & 1 == 1);
            let step = rest[usize::from(who)].next().unwrap();
            told[usize::from(who)].push(call(&store, who, *step));
        }
        told[2] = afterwards(&store);
        told
    };
    orders.map(run).collect()
}

/// Runs both at once, in every way, and finds each time an order that explains what they were told.
fn at_once(room: usize, before: Program, programs: [Program; 2], bound: Option<usize>) {
    let explained = Arc::new(one_by_one(room, before, programs));
    every_way(bound, move || {
        let (store, explained) = (MemoryStore::new(room), Arc::clone(&explained));
        before.iter().for_each(|step| drop(call(&store, 8, *step)));
        let run = |who: u8| {
            let store = store.clone();
            spawn(move || programs[usize::from(who)].iter().map(|step| call(&store, who, *step)).collect())
        };
        let threads = [run(0), run(1)];
        let [first, second] = threads.map(|thread| thread.join().unwrap());
        let told = [first, second, afterwards(&store)];
        assert!(explained.contains(&told), "{programs:?} after {before:?}: no order explains {told:?}");
    });
}

fn every_way(bound: Option<usize>, run: impl Fn() + Clone + Send + Sync + 'static) {
    let mut loom = loom::model::Builder::new();
    (loom.preemption_bound, loom.max_branches) = (bound, 100_000);
    loom.check(move || spawn(run.clone()).join().unwrap());
}

fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap()
}

#[test]
fn two_threads_on_one_key_are_told_what_some_order_tells() {
    let programs: [Program; 6] = [
        &[Take(1), Renew(1), Complete(1)],
        &[Take(1), Release(1), Take(1)],
        &[Touch(1), Complete(1), Take(1)],
        &[Touch(1), Renew(1), Release(1)],
        &[Waste(1), Take(1), Release(1)],
        &[Take(1), Take(1), Release(1)],
    ];
    for (at, first) in programs.iter().enumerate() {
        for second in &programs[at..] {
            at_once(2, &[], [first, second], None);
        }
    }
}

#[test]
fn two_threads_with_two_payloads_are_told_what_some_order_tells() {
    let other: Program = &[TakeOther(1), Release(1), TakeOther(1)];
    let programs: [Program; 3] =
        [&[Touch(1), Complete(1), Take(1)], &[Touch(1), Release(1), Take(1)], &[TakeOther(1), Complete(1), Take(1)]];
    for program in programs {
        at_once(2, &[], [program, other], None);
    }
}

#[test]
fn two_threads_on_two_keys_are_told_what_some_order_tells() {
    let programs: [Program; 2] = [&[Take(1), Take(2), Complete(1)], &[Take(2), Take(1), Complete(2)]];
    at_once(2, &[], programs, Some(3));
    at_once(1, &[], programs, Some(1));
}

/// From here on all locks are taken one after the other, and a thread is stopped only twice where it could go on.
#[test]
fn a_sweep_takes_nothing_that_lives() {
    let programs: [Program; 3] =
        [&[Take(1), Renew(1), Complete(1)], &[Waste(1), Take(1), Release(1)], &[Touch(1), Take(2), Complete(1)]];
    for program in programs {
        at_once(2, &[Waste(1)], [program, &[Sweep]], Some(2));
    }
}

#[test]
fn two_threads_at_the_bound_are_told_what_some_order_tells() {
    let cases: [(usize, Program, [Program; 2]); 4] = [
        (1, &[], [&[Take(1)], &[Take(2)]]),
        (1, &[Waste(3)], [&[Take(1)], &[Take(2)]]),
        (1, &[Waste(1)], [&[Take(1)], &[Take(2)]]),
        (2, &[Waste(3)], [&[Take(1)], &[Take(2), Release(2)]]),
    ];
    for (room, before, programs) in cases {
        at_once(room, before, programs, Some(2));
    }
}

/// Whoever finds the store full while another clears away must see the room that this makes.
#[test]
fn room_that_another_thread_makes_is_found() {
    at_once(2, &[Waste(3), Waste(4)], [&[Take(1)], &[Take(2)]], Some(2));
    at_once(1, &[], [&[Waste(1), Take(2)], &[Sweep]], Some(1));
}

#[test]
#[should_panic = "2 keys where 1 has room"]
fn a_bound_that_is_read_and_then_written_is_passed() {
    every_way(None, || {
        let used = loom::sync::Arc::new(AtomicUsize::new(0));
        let take = |used: &AtomicUsize| {
            let before = used.load(Ordering::Relaxed);
            used.store(before + 1, Ordering::Relaxed);
            before == 0
        };
        let other = loom::sync::Arc::clone(&used);
        let thread = spawn(move || take(&other));
        let granted = usize::from(take(&used)) + usize::from(thread.join().unwrap());
        assert_eq!(granted, 1, "{granted} keys where 1 has room");
    });
}
