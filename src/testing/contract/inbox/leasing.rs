//! The laws of a lease: who holds an event, how long, and with which fence.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::probe::{Call, KEY_UNTIL, LEASE, Probe, at, event, ids, of};
use super::subject::Subject;
use crate::inbox::{InboxStore, LanePolicy, LeaseToken, NewEvent, StoredState};

pub(super) async fn one_holder<S: InboxStore>(p: &Probe<S>) {
    let id = p.stores(event(1, "held"), 0).await;
    p.leases_none(1, -1, "before it is due").await;
    let first = p.leases_one(1, 0, "a first lease").await;
    p.expect(first.until == at(30), "it is held for as long as was asked for", &first);
    p.leases_none(2, 29, "while it is held").await;
    p.leases_none(1, 29, "while it is held, by its own holder").await;
    p.holds(&first, Call::Extend, 20, "within the lease").await;
    p.leases_none(2, 49, "while it is held for longer").await;
    let due = p.answered(p.store.next_due().await, "next_due");
    p.expect(due == Some(at(50)), "the next is due when the lease ends", &due);
    let second = p.leases_one(2, 50, "after the lease").await;
    p.expect(second.id == id && second.fence > first.fence, "a lease that ran out is another's", &second);
    for call in Call::ALL {
        p.loses(&first, call, 51, "a late holder").await;
    }
    p.stands(id, StoredState::Running, "after a late holder's calls").await;
    p.leases_none(3, 79, "after a late holder's calls").await;
    same_token_again(p).await;
    many_at_once(p).await;
}

/// Of two leases with one token the fence tells which is meant.
async fn same_token_again<S: InboxStore>(p: &Probe<S>) {
    let held = p.leases_one(3, 200, "after the lease").await;
    let again = p.leases_one(3, 231, "the same token again, after the lease").await;
    for call in Call::ALL {
        p.loses(&held, call, 232, "an earlier lease of the same token").await;
    }
    p.stands(again.id, StoredState::Running, "after the calls of an earlier lease").await;
    p.holds(&again, Call::Complete, 233, "the later lease").await;
    for call in Call::ALL {
        p.loses(&again, call, 234, "a lease that has ended").await;
    }
    p.stands(again.id, StoredState::Done, "after the calls of a lease that has ended").await;
}

async fn many_at_once<S: InboxStore>(p: &Probe<S>) {
    let new = (100..140).map(|number| event(number, "one of many")).collect();
    p.accept(new, 300).await;
    let mut tasks = JoinSet::new();
    for token in 10..18 {
        let store = Arc::clone(&p.store);
        tasks.spawn(async move { store.lease(LeaseToken([token; 16]), 7, LEASE, at(300)).await });
    }
    let leased = tasks.join_all().await;
    let mut held = leased.into_iter().flat_map(|leased| p.answered(leased, "one of many")).collect::<Vec<_>>();
    // Whoever came second may have been passed over, and asks again.
    held.extend(p.leases(20, 100, 300).await);
    let unique = held.iter().map(|held| held.id).collect::<BTreeSet<_>>();
    p.expect(held.len() == 40 && unique.len() == 40, "of many at once each is held by one", &ids(&held));
    let fences = held.iter().map(|held| held.fence).collect::<BTreeSet<_>>();
    p.expect(!fences.contains(&0), "a fence of a lease is above 0", &fences);
}

pub(super) async fn fences_grow<B: Subject>(subject: &B, p: Probe<B::Store>) {
    let id = p.stores(event(1, "fenced"), 0).await;
    let mut last = 0;
    let mut second = 0;
    let retries = [Call::Retry, Call::Release, Call::Extend];
    for call in Call::ALL.into_iter().filter(|call| !matches!(call, Call::Complete)).chain(retries) {
        let held = p.leases_one(1, second, "the next lease").await;
        p.expect(held.fence > last, "the fence grows with each lease", &held);
        last = held.fence;
        p.holds(&held, call, second + 1, "the next lease").await;
        second += 100;
        if matches!(call, Call::Bury(_) | Call::Park) {
            p.replays(&of(id), second, "what is dead or parked").await;
        }
    }
    let held = p.leases_one(1, second, "the last lease").await;
    p.holds(&held, Call::Complete, second, "the last lease").await;
    p.replays(&of(id), second + 1, "what is done").await;
    let again = p.leases_one(2, second + 1, "after a replay of what was done").await;
    p.expect(again.fence > held.fence, "the fence grows over a replay of what was done", &again);
    p.holds(&again, Call::Complete, second + 2, "after a replay").await;
    forgotten(&p, again.fence).await;
    restarted(subject, p).await;
}

/// A key that was forgotten begins no fence anew.
async fn forgotten<S: InboxStore>(p: &Probe<S>, last: u64) {
    p.purges(0, KEY_UNTIL, "a purge").await;
    p.stores(event(1, "fenced"), KEY_UNTIL).await;
    let held = p.leases_one(1, KEY_UNTIL, "a key that was forgotten").await;
    p.expect(held.fence > last, "the fence grows over a key that was forgotten", &held);
    p.holds(&held, Call::Bury(LanePolicy::SkipAndFlag), KEY_UNTIL, "a key that was forgotten").await;
}

async fn restarted<B: Subject>(subject: &B, p: Probe<B::Store>) {
    let second = KEY_UNTIL + 10;
    let id = p.stores(event(2, "restarted"), second).await;
    let before = p.leases_one(1, second, "before a restart").await;
    let (law, store) = p.into_parts();
    let Some(store) = store else { return };
    let Some(store) = subject.restarted(store).await else { return };
    let p = Probe::new(law, store);
    let after = p.leases_one(2, second + 30, "after a restart and the lease").await;
    p.expect(after.id == id && after.fence > before.fence, "the fence grows over a restart", &after);
    p.expect(after.attempt == 2, "attempts stay counted over a restart", &after);
    p.loses(&before, Call::Complete, second + 31, "a holder of before the restart").await;
    p.counts_are_true(second + 31, "after a restart").await;
}

pub(super) async fn passed_over<S: InboxStore>(p: &Probe<S>) {
    let of = |number, receiver: &str| NewEvent { receiver: receiver.to_owned(), ..event(number, "whose") };
    let slow = (1..4).map(|number| of(number, "slow")).collect();
    p.accept(slow, 0).await;
    let other = p.stores(of(4, "other"), 1).await;
    let leased = p.store.lease_but_of(&["slow".to_owned()], LeaseToken([1; 16]), 10, LEASE, at(2)).await;
    let mut held = p.answered(leased, "lease_but_of");
    p.expect(ids(&held).contains(&other), "who is not passed over is leased", &held);
    // An engine may pass over nobody. Those that it says nothing of are due as before.
    held.extend(p.leases(2, 10, 2).await);
    let unique = held.iter().map(|held| held.id).collect::<BTreeSet<_>>();
    p.expect(held.len() == 4 && unique.len() == 4, "who was passed over is leased when nobody is", &ids(&held));
}
