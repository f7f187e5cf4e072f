//! The laws of lanes.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::probe::{Call, LEASE, Probe, at, event, ids, in_lane, of};
use crate::inbox::{InboxStore, LanePolicy, LeaseToken, Leased, StoredState};

pub(super) async fn go_in_order<S: InboxStore>(p: &Probe<S>) {
    let first = p.stores(in_lane(1, "a"), 0).await;
    let second = p.stores(in_lane(2, "a"), 0).await;
    let third = p.stores(in_lane(3, "a"), 1).await;
    let other = p.stores(in_lane(4, "b"), 2).await;
    let free = p.stores(event(5, "in no lane"), 3).await;
    let held = p.leases(1, 10, 4).await;
    p.expect(ids(&held) == [first, other, free], "one of each lane, the longest due first", &held);
    let waits = p.shows(second, "the second of a lane").await.waits_for;
    p.expect(waits == Some(first), "the second waits for the first", &waits);
    for held in held.iter().skip(1) {
        p.holds(held, Call::Complete, 5, "others").await;
    }
    let [head, ..] = held.as_slice() else { p.broken("a head is held", &held) };
    p.holds(head, Call::Retry, 5, "the head").await;
    p.leases_none(2, 6, "the head rests, and keeps its turn").await;
    let head = p.leases_one(2, 10, "the head again").await;
    p.expect(head.id == first, "the head keeps its turn", &head);
    p.holds(&head, Call::Release, 11, "the head").await;
    let head = p.leases_one(3, 11, "the head once more").await;
    p.expect(head.id == first, "the head keeps its turn when it is given back", &head);
    let head = p.leases_one(4, 50, "the head after its lease").await;
    p.expect(head.id == first, "the head keeps its turn when its lease has run out", &head);
    p.holds(&head, Call::Complete, 51, "the head").await;
    for (id, call, second) in [(second, Call::Park, 51), (third, Call::Complete, 52)] {
        let held = p.leases_one(5, second, "the next of the lane").await;
        p.expect(held.id == id && !held.follows_dead, "the next of the lane", &held);
        p.holds(&held, call, second, "the next of the lane").await;
    }
    fair(p).await;
    many_at_once(p).await;
}

/// A long lane keeps no short one waiting.
async fn fair<S: InboxStore>(p: &Probe<S>) {
    for number in 100..120 {
        p.stores(in_lane(number, "long"), 1000).await;
    }
    let short = p.stores(in_lane(120, "short"), 1001).await;
    let lone = p.stores(event(121, "lone"), 1001).await;
    let mut order = Vec::new();
    for second in 1002..1024 {
        let [held] = &p.leases(1, 1, second).await[..] else { p.broken("one is leased", &order) };
        order.push(held.id);
        p.holds(held, Call::Complete, second, "one after the other").await;
    }
    let place = |id| order.iter().position(|of| *of == id);
    let is_fair = place(short).is_some_and(|place| place < 4) && place(lone).is_some_and(|place| place < 4);
    p.expect(is_fair, "a long lane keeps no other waiting", &order);
    p.expect(order.len() == 22, "all have had their turn", &order);
}

/// Several accept and several lease at once, and hold one of a lane in order.
async fn many_at_once<S: InboxStore>(p: &Probe<S>) {
    let mut tasks = JoinSet::new();
    for number in 200..240 {
        let store = Arc::clone(&p.store);
        let new = vec![in_lane(number, "x"), in_lane(number + 100, "y")];
        tasks.spawn(async move { store.accept(new, at(2000)).await.map(drop) });
    }
    for done in tasks.join_all().await {
        p.answered(done, "one of many");
    }
    let mut seen: Vec<Leased> = Vec::new();
    while seen.len() < 80 {
        let mut tasks = JoinSet::new();
        for token in 0..4 {
            let store = Arc::clone(&p.store);
            tasks.spawn(async move { store.lease(LeaseToken([token; 16]), 10, LEASE, at(2000)).await });
        }
        let held = tasks.join_all().await;
        let mut held = held.into_iter().flat_map(|held| p.answered(held, "one of many")).collect::<Vec<_>>();
        held.extend(p.leases(9, 10, 2000).await);
        let lanes = held.iter().map(|held| held.event.lane.clone()).collect::<BTreeSet<_>>();
        p.expect(!held.is_empty(), "a lane goes on", &seen.len());
        p.expect(lanes.len() == held.len(), "of a lane one is held at a time", &ids(&held));
        let mut tasks = JoinSet::new();
        for held in held.clone() {
            let store = Arc::clone(&p.store);
            tasks.spawn(async move { store.complete(&held, at(2000)).await.map(drop) });
        }
        for done in tasks.join_all().await {
            p.answered(done, "one of many");
        }
        for held in held {
            let mut before = seen.iter().filter(|seen| seen.event.lane == held.event.lane);
            p.expect(before.all(|seen| seen.id < held.id), "a lane goes in order", &held);
            seen.push(held);
        }
    }
    p.counts_are_true(2000, "after lanes").await;
}

pub(super) async fn dead_letters_are_obeyed<S: InboxStore>(p: &Probe<S>) {
    let skipped = p.stores(in_lane(1, "skip"), 0).await;
    let next = p.stores(in_lane(2, "skip"), 0).await;
    let held = p.leases_one(1, 0, "the first of a lane").await;
    p.expect(!held.follows_dead, "nothing is dead before the first", &held);
    p.holds(&held, Call::Bury(LanePolicy::SkipAndFlag), 1, "the first of a lane").await;
    let stored = p.stands(skipped, StoredState::Dead, "a dead letter").await;
    p.expect(stored.reason.as_deref() == Some("no use"), "a dead letter says why", &stored);
    let held = p.leases_one(1, 1, "the one after a dead letter").await;
    p.expect(held.id == next && held.follows_dead, "the next knows that one was skipped", &held);
    let later = p.stores(in_lane(3, "skip"), 1).await;
    // Replayed, it waits for the one that is held, and goes before later ones.
    p.replays(&of(skipped), 2, "a dead letter").await;
    p.leases_none(2, 3, "while the next is held").await;
    p.holds(&held, Call::Complete, 4, "the next").await;
    let held = p.leases_one(2, 4, "what was replayed").await;
    p.expect(held.id == skipped && held.attempt == 1, "what was replayed goes first, with attempts anew", &held);
    p.holds(&held, Call::Complete, 5, "what was replayed").await;
    let held = p.leases_one(2, 5, "the last of the lane").await;
    p.expect(held.id == later && !held.follows_dead, "nothing is dead any more", &held);
    p.holds(&held, Call::Complete, 6, "the last of the lane").await;
    blocks(p).await;
    p.counts_are_true(2000, "after dead letters").await;
}

async fn blocks<S: InboxStore>(p: &Probe<S>) {
    let first = p.stores(in_lane(10, "block"), 100).await;
    let next = p.stores(in_lane(11, "block"), 100).await;
    let held = p.leases_one(1, 100, "the first of a lane").await;
    p.holds(&held, Call::Bury(LanePolicy::BlockLane), 101, "the first of a lane").await;
    p.stands(first, StoredState::Dead, "a dead letter").await;
    p.leases_none(2, 1000, "behind a dead letter that blocks").await;
    let last = p.stores(in_lane(12, "block"), 1000).await;
    p.leases_none(2, 1001, "behind a dead letter that blocks, a new one").await;
    let waits = p.shows(next, "behind a dead letter").await.waits_for;
    p.expect(waits == Some(first), "it waits for the dead letter", &waits);
    let other = p.stores(in_lane(13, "other"), 1001).await;
    let held = p.leases_one(2, 1001, "another lane goes on").await;
    p.expect(held.id == other, "another lane goes on", &held);
    p.holds(&held, Call::Complete, 1002, "another lane").await;
    p.replays(&of(first), 1003, "a dead letter that blocks").await;
    let held = p.leases_one(3, 1003, "what was replayed").await;
    p.expect(held.id == first, "what was replayed has its turn", &held);
    p.holds(&held, Call::Complete, 1004, "what was replayed").await;
    for id in [next, last] {
        let held = p.leases_one(3, 1005, "behind what blocked").await;
        p.expect(held.id == id && !held.follows_dead, "the lane goes on", &held);
        p.holds(&held, Call::Complete, 1005, "behind what blocked").await;
    }
}
