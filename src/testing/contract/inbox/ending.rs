//! The laws of a lease's end.

use super::probe::{Call, Probe, RETRY, at, event, of};
use crate::inbox::{EventId, InboxStore, LeaseToken, Leased, StoredState};

pub(super) async fn attempts_are_counted<S: InboxStore>(p: &Probe<S>) {
    let id = p.stores(event(1, "counted"), 0).await;
    let held = p.leases_one(1, 0, "a first lease").await;
    p.expect(held.attempt == 1, "the first attempt is counted", &held);
    // It is counted before anything is handled: whoever crashes now has had it.
    let stored = p.stands(id, StoredState::Running, "while it is held").await;
    p.expect(stored.attempts == 1, "an attempt is counted by the lease", &stored);
    let held = p.leases_one(2, 30, "after a lease that ran out").await;
    p.expect(held.attempt == 2, "a lease that ran out was an attempt", &held);

    p.holds(&held, Call::Release, 31, "what is given back").await;
    let stored = p.stands(id, StoredState::Ready, "what was given back").await;
    p.expect(stored.attempts == 1, "what was given back does not count", &stored);
    let held = p.leases_one(3, 31, "what was given back is due at once").await;
    p.expect(held.attempt == 2, "what was given back does not count", &held);

    p.holds(&held, Call::Retry, 40, "a retry").await;
    let stored = p.stands(id, StoredState::Ready, "a retry").await;
    let is_so = stored.due_at == Some(at(40 + RETRY)) && stored.reason.as_deref() == Some("not yet");
    p.expect(is_so, "a retry is due when it was said, for the reason that was said", &stored);
    p.leases_none(4, 40 + RETRY - 1, "before a retry is due").await;
    let held = p.leases_one(4, 40 + RETRY, "a retry that is due").await;
    p.expect(held.attempt == 3, "each retry is an attempt", &held);
    p.holds(&held, Call::Complete, 46, "the end").await;
    let stored = p.stands(id, StoredState::Done, "the end").await;
    p.expect(stored.attempts == 3 && stored.fence == held.fence, "what is done keeps its numbers", &stored);
    p.leases_none(5, 10_000, "what is done").await;
    let due = p.answered(p.store.next_due().await, "next_due");
    p.expect(due.is_none(), "nothing waits", &due);
}

/// An end tells the next holder that there was one, whichever it is; a lease that ran out tells it that there was none.
pub(super) async fn unknown_is_said<S: InboxStore>(p: &Probe<S>) {
    let id = p.stores(event(1, "left"), 0).await;
    let held = p.leases_one(1, 0, "a first lease").await;
    p.expect(!held.outcome_unknown, "before the first lease there was none", &held);
    let mut second = 30;
    for call in Call::ALL.into_iter().filter(|call| !matches!(call, Call::Extend)) {
        let held = p.leases_one(2, second, "after a lease that ran out").await;
        p.expect(held.outcome_unknown, "a lease that ran out is said", &held);
        p.holds(&held, Call::Extend, second + 1, "the next holder").await;
        p.holds(&held, call, second + 2, "the next holder").await;
        second += 100;
        if matches!(call, Call::Complete | Call::Bury(_) | Call::Park) {
            p.replays(&of(id), second, "what has ended").await;
        }
        let held = p.leases_one(3, second, "after an end").await;
        p.expect(!held.outcome_unknown, &format!("{call:?} is an end"), &held);
        // This one is left.
        second += 30;
    }
    let left = p.leases_one(4, second, "after a lease that ran out").await;
    let other = p.stores(event(2, "beside it"), second + 29).await;
    let both = p.leases(5, 10, second + 30).await;
    let unknown = both.iter().filter(|held| held.outcome_unknown).map(|held| held.id).collect::<Vec<_>>();
    let is_so = both.len() == 2 && unknown == [left.id] && left.id != other;
    p.expect(is_so, "of two that are leased at once the one is said that was left", &both);
}

/// One bit off is off.
pub(super) async fn strangers_change_nothing<S: InboxStore>(p: &Probe<S>) {
    for (number, call) in (0..).zip(Call::ALL) {
        let second = i64::from(number) * 1000;
        let id = p.stores(event(number, "held"), second).await;
        let held = p.leases_one(1, second, "a lease").await;
        for stranger in strangers(&held) {
            for other in Call::ALL {
                p.loses(&stranger, other, second + 1, "another token or fence").await;
            }
            let stored = p.stands(id, StoredState::Running, "after a stranger's calls").await;
            let is_so = stored.attempts == 1 && stored.due_at == Some(at(second + 30)) && stored.reason.is_none();
            p.expect(is_so, "a stranger changes nothing", &stored);
        }
        p.leases_none(2, second + 29, "after a stranger's calls").await;
        p.holds(&held, call, second + 2, "the holder").await;
        p.stands(id, call.leads_to(), "the holder's call").await;
        if !matches!(call, Call::Extend) {
            for other in Call::ALL {
                p.loses(&held, other, second + 3, "a lease that has ended").await;
            }
            p.stands(id, call.leads_to(), "after calls of a lease that has ended").await;
        }
        finish(p, second + 100).await;
    }
    p.counts_are_true(100_000, "after strangers' calls").await;
}

fn strangers(held: &Leased) -> Vec<Leased> {
    let (mut first, mut last, mut fence, mut far, mut other) =
        (held.clone(), held.clone(), held.clone(), held.clone(), held.clone());
    let mut token = held.token.0;
    if let Some(byte) = token.first_mut() {
        *byte ^= 0x80;
    }
    first.token = LeaseToken(token);
    let mut token = held.token.0;
    if let Some(byte) = token.last_mut() {
        *byte ^= 1;
    }
    last.token = LeaseToken(token);
    fence.fence ^= 1;
    far.fence ^= 1 << 63;
    other.id = EventId(held.id.0 ^ (1 << 40));
    vec![first, last, fence, far, other]
}

/// What is still to be handled is handled.
async fn finish<S: InboxStore>(p: &Probe<S>, second: i64) {
    for held in p.leases(9, 100, second).await {
        p.holds(&held, Call::Complete, second, "what is left").await;
    }
}
