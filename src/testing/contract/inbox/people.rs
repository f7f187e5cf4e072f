//! The laws of what people do: replay, purge, erase, and count.

use super::probe::{Call, KEY_UNTIL, LEASE, Probe, at, event, in_lane, of};
use crate::inbox::{Accepted, Filter, InboxStore, LanePolicy, LeaseToken, NewEvent, StoredState};

pub(super) async fn replay_is_bounded<S: InboxStore>(p: &Probe<S>) {
    for number in 0..5 {
        p.stores(event(number, "dead"), 0).await;
    }
    for held in p.leases(1, 10, 0).await {
        p.holds(&held, Call::Bury(LanePolicy::SkipAndFlag), 1, "each").await;
    }
    p.stores(event(9, "waits"), 1).await;
    let held = p.leases_one(1, 1, "one that is held").await;
    let dead = Filter { state: Some(StoredState::Dead), ..Filter::default() };
    let replay = async |most, is_dry_run| {
        let replayed = p.store.replay(&dead, most, is_dry_run, "ann", at(2)).await;
        let replayed = p.answered(replayed, "a replay");
        (replayed.matches, replayed.replayed)
    };
    let dry = replay(10, true).await;
    p.expect(dry == (5, 0), "a dry run counts alone", &dry);
    p.leases_none(2, 2, "after a dry run").await;
    let capped = replay(2, false).await;
    p.expect(capped == (5, 2), "no more is replayed than was asked for", &capped);
    let again = p.leases(2, 10, 2).await;
    p.expect(again.len() == 2, "what was replayed is due at once", &again);
    for held in &again {
        p.expect(held.attempt == 1, "what was replayed has its attempts anew", held);
        p.expect(held.event.payload == "dead" && held.event.key_until == at(KEY_UNTIL), "it is the same", held);
        let stored = p.stands(held.id, StoredState::Running, "what was replayed").await;
        p.expect(stored.replayed_by.as_deref() == Some("ann"), "who asked for it is known", &stored);
        p.holds(held, Call::Complete, 3, "what was replayed").await;
    }
    let duplicate = p.accept(vec![event(0, "dead")], 4).await;
    let is_duplicate = matches!(duplicate.as_slice(), [Accepted::Duplicate(_)]);
    p.expect(is_duplicate, "what was replayed keeps its key", &duplicate);
    let whole = Filter::default();
    let running = p.answered(p.store.replay(&of(held.id), 10, false, "ann", at(5)).await, "a replay");
    p.expect(running.replayed == 0, "what is held is not replayed", &running);
    p.holds(&held, Call::Complete, 6, "what was held").await;
    let all = p.answered(p.store.replay(&whole, 100, true, "ann", at(7)).await, "a dry run");
    p.expect(all.matches == 6 && all.replayed == 0, "all that has ended can be replayed", &all);
    let left = p.lists(&dead).await;
    let after = Filter { after: left.first().map(|stored| stored.id), ..dead };
    let next = p.lists(&after).await;
    let is_next = next.iter().map(|stored| stored.id).eq(left.iter().skip(1).map(|stored| stored.id));
    p.expect(is_next && next.len() == 2, "a page goes on after the one before", &next);
    for filter in filters() {
        let listed = p.lists(&filter).await.len();
        let replayed = p.answered(p.store.replay(&filter, 100, true, "ann", at(7)).await, "a dry run");
        let case = "what is listed is what a replay finds, and not all";
        p.expect(u64::try_from(listed) == Ok(replayed.matches) && listed == 3, case, &(filter, listed, replayed));
    }
}

/// Each of them finds the three dead letters that are left.
fn filters() -> [Filter; 2] {
    let dead = Filter { state: Some(StoredState::Dead), ..Filter::default() };
    [dead.clone(), Filter { reason: Some("no".to_owned()), event: Some("transfer.completed".to_owned()), ..dead }]
}

pub(super) async fn keys_outlive_bodies<S: InboxStore>(p: &Probe<S>) {
    let done = p.stores(event(1, "done"), 0).await;
    let held = p.leases_one(1, 0, "the first").await;
    p.holds(&held, Call::Complete, 10, "the first").await;
    let dead = p.stores(event(2, "dead"), 0).await;
    let held = p.leases_one(1, 10, "the second").await;
    p.holds(&held, Call::Bury(LanePolicy::SkipAndFlag), 10, "the second").await;
    let ready = p.stores(event(3, "ready"), 0).await;

    let purged = p.purges(10, 20, "a purge before a body's time").await;
    p.expect(purged == (0, 0), "nothing is over yet", &purged);
    let purged = p.purges(11, 20, "a purge").await;
    p.expect(purged == (1, 0), "the body of what is done goes alone", &purged);
    let shown = p.shows(done, "what is done").await;
    p.expect(shown.payload.is_none(), "a body that was dropped is gone", &shown);
    let again = p.accept(vec![event(1, "done")], 21).await;
    p.expect(again == [Accepted::Duplicate(done)], "a key outlives its body", &again);
    let replayed = p.answered(p.store.replay(&of(done), 10, false, "ann", at(21)).await, "a replay");
    p.expect(replayed.replayed == 0, "without a body nothing is replayed", &replayed);

    p.purges(11, KEY_UNTIL - 1, "a purge just before a key's time").await;
    let again = p.accept(vec![event(1, "done")], KEY_UNTIL - 1).await;
    p.expect(again == [Accepted::Duplicate(done)], "just before its time a key is known", &again);
    let (_, keys) = p.purges(KEY_UNTIL, KEY_UNTIL, "a purge at a key's time").await;
    p.expect(keys == 1, "the key of what is done goes at its time, and no other", &keys);
    for (id, says) in [(dead, b"dead".as_slice()), (ready, b"ready")] {
        let shown = p.shows(id, "what is not done is never dropped").await;
        p.expect(shown.payload.as_deref() == Some(says), "what is not done keeps its body", &shown);
    }
    let anew = p.stores(event(1, "done"), KEY_UNTIL).await;
    p.expect(anew != done, "after its time a key is new", &anew);
    p.counts_are_true(KEY_UNTIL, "after purges").await;
}

pub(super) async fn erased_is_gone<S: InboxStore>(p: &Probe<S>) {
    let first = p.stores(NewEvent { occurred_at: Some(at(0)), ..in_lane(1, "a") }, 0).await;
    let waits = p.stores(in_lane(2, "a"), 0).await;
    let last = p.stores(in_lane(3, "a"), 0).await;
    let held = p.leases_one(1, 0, "the first").await;
    let none = p.erases("key-77", 1).await;
    p.expect(none == 0, "nobody else's event is erased", &none);
    let one = p.erases("key-2", 1).await;
    p.expect(one == 1, "one event is erased", &one);
    let shown = p.shows(waits, "what was erased").await;
    p.expect(shown.payload.is_none() && shown.stored.lane.is_none(), "what was erased says nothing", &shown);
    p.leases_none(2, 2, "while the first is held: what waited was erased").await;
    p.holds(&held, Call::Extend, 2, "the first").await;
    p.holds(&held, Call::Retry, 3, "the first").await;
    let one = p.erases("key-3", 3).await;
    p.expect(one == 1, "one event is erased", &one);
    p.leases_none(2, 4, "the first rests: what waited was erased").await;
    let held = p.leases_one(3, 8, "the first again").await;
    p.expect(held.id == first, "the first again", &held);
    let next = p.stores(in_lane(4, "a"), 8).await;
    let one = p.erases("key-1", 9).await;
    p.expect(one == 1, "what is held is erased", &one);
    p.loses(&held, Call::Complete, 9, "what was erased").await;
    let held = p.leases_one(3, 9, "behind what was erased").await;
    p.expect(held.id == next, "the lane goes on", &held);
    for (id, number) in [(first, 1), (waits, 2), (last, 3)] {
        let again = p.accept(vec![in_lane(number, "a")], 10).await;
        p.expect(again == [Accepted::Duplicate(id)], "what was erased keeps its key", &again);
    }
    let twice = p.erases("key-1", 11).await;
    p.expect(twice == 0, "what was erased has nothing to erase", &twice);
    let bare = p.stores(event(5, "bare"), 11).await;
    let held = p.leases_one(4, 11, "the fifth").await;
    p.holds(&held, Call::Complete, 11, "the fifth").await;
    p.purges(12, 12, "a purge").await;
    let one = p.erases("key-5", 12).await;
    p.expect(one == 1, "what retention has left of an event is erased", &one);
    let shown = p.shows(bare, "what had no body").await;
    p.expect(shown.stored.state == StoredState::Done, "what had no body was done, and is", &shown);
    p.counts_are_true(11, "after what was erased").await;
}

pub(super) async fn counts_are_true<S: InboxStore>(p: &Probe<S>) {
    p.counts_are_true(0, "an empty inbox").await;
    let none = p.answered(p.store.next_due().await, "next_due");
    p.expect(none.is_none(), "in an empty inbox nothing waits", &none);
    for (number, call) in (0..).zip(Call::ALL) {
        p.stores(event(number, "counted"), 0).await;
        let held = p.leases_one(1, 0, "each").await;
        p.holds(&held, call, 1, "each").await;
        if matches!(call, Call::Release) {
            p.leases_one(1, 1, "what was given back").await;
        }
        p.counts_are_true(1, &format!("after {call:?}")).await;
    }
    p.accept(vec![event(0, "another")], 2).await;
    for number in 20..23 {
        p.stores(in_lane(number, "a"), 2).await;
    }
    p.counts_are_true(2, "with a lane").await;
    let stats = p.answered(p.store.stats(at(100)).await, "stats");
    p.expect((97.0..=98.0).contains(&stats.oldest_age), "the oldest waits since it is due", &stats);
    p.expect(stats.ready == 4 && stats.running == 2 && stats.quarantined == 1, "each is counted", &stats);
    let leased = p.store.lease(LeaseToken([7; 16]), 100, LEASE, at(1000)).await;
    let leased = p.answered(leased, "lease");
    // Two leases ran out, and one of the two may wait for the other.
    let is_one_at_a_time = leased.len() == 3 && leased.iter().any(|held| held.outcome_unknown);
    p.expect(leased.len() == 4 || is_one_at_a_time, "what is due is leased", &leased);
    p.counts_are_true(1000, "after leases that ran out").await;
}
