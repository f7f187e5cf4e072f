//! The law of calls that are given up: at each of their waits.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::probe::{Call, KEY_UNTIL, LEASE, Probe, RETRY, at, event, in_lane, of, run};
use crate::inbox::{Accepted, EventId, Filter, InboxStore, LeaseToken, StoredState};

/// More waits than any call has.
const MOST: u32 = 40;
/// So often it is looked again where a call that was given up may be on its way.
const LOOKS: u32 = 1000;

/// Polls a call so often, and drops it. `None`: it was dropped before its end.
async fn cut<F: Future>(call: F, polls: u32) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        left = left.saturating_sub(1);
        match call.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub(super) async fn given_up_is_whole<S: InboxStore>(p: &Probe<S>) {
    accept(p).await;
    for (number, call) in (0..).zip(Call::ALL) {
        end(p, call, 1000 * (number + 1)).await;
    }
    lease(p).await;
    replay(p).await;
    reads(p).await;
    erase(p).await;
    purge(p).await;
    p.counts_are_true(KEY_UNTIL, "after calls that were given up").await;
}

async fn accept<S: InboxStore>(p: &Probe<S>) {
    for polls in 1..=MOST {
        let new = || vec![in_lane(polls, "a"), event(polls + 100, "b"), in_lane(polls + 200, "a")];
        let is_over = cut(p.store.accept(new(), at(0)), polls).await.is_some();
        let repeated = p.accept(new(), 0).await;
        let stored = repeated.iter().filter(|accepted| matches!(accepted, Accepted::Stored(_))).count();
        let known = repeated.iter().filter(|accepted| matches!(accepted, Accepted::Duplicate(_))).count();
        let case = "an accept that was given up has stored all or none";
        p.expect(stored == 3 && !is_over || known == 3, case, &(polls, &repeated));
        let again = p.accept(new(), 0).await;
        let known = again.iter().all(|accepted| matches!(accepted, Accepted::Duplicate(_)));
        p.expect(known, "what was repeated is known", &again);
        for held in p.leases(1, 10, 0).await {
            p.holds(&held, Call::Complete, 0, "what was accepted").await;
        }
        let held = p.leases_one(1, 0, "of a lane the second").await;
        p.holds(&held, Call::Complete, 0, "what was accepted").await;
        if is_over {
            return;
        }
    }
}

async fn end<S: InboxStore>(p: &Probe<S>, call: Call, first: u32) {
    let second = i64::from(first);
    for polls in 1..=MOST {
        let id = p.stores(event(first + polls, "ended"), second).await;
        let held = p.leases_one(1, second, "what is to be ended").await;
        let is_over = cut(run(&*p.store, &held, call, second), polls).await.is_some();
        let repeated = p.call(&held, call, second).await;
        let stored = p.stands(id, call.leads_to(), &format!("{call:?} was given up, and repeated: {repeated:?}")).await;
        let attempts = if let Call::Release = call { 0 } else { 1 };
        p.expect(stored.attempts == attempts, "what was given up and repeated is counted once", &stored);
        let due = match call {
            Call::Extend => Some(at(second + 30)),
            Call::Retry => Some(at(second + RETRY)),
            Call::Release => Some(at(second)),
            Call::Complete | Call::Bury(_) | Call::Park => None,
        };
        p.expect(stored.due_at == due, "it is due once", &stored);
        left(p, usize::from(due.is_some()), second + 100).await;
        if is_over {
            return;
        }
    }
}

/// So many are left, and end. Who leases may pass over what a call that comes late looks at in that moment.
async fn left<S: InboxStore>(p: &Probe<S>, count: usize, second: i64) {
    let mut found = 0;
    for _ in 0..LOOKS {
        for held in p.leases(2, 10, second).await {
            p.holds(&held, Call::Complete, second, "what is left").await;
            found += 1;
        }
        if found >= count {
            break;
        }
    }
    p.expect(found == count, "what was given up leaves what it says", &(found, count));
}

async fn lease<S: InboxStore>(p: &Probe<S>) {
    for polls in 1..=MOST {
        let second = i64::from(polls) * 100 + 20_000;
        let new = (0..3).map(|number| event(20_000 + polls * 10 + number, "leased")).collect();
        p.accept(new, second).await;
        let is_over = cut(p.store.lease(LeaseToken([1; 16]), 2, LEASE, at(second)), polls).await.is_some();
        let rest = p.leases(2, 10, second).await;
        p.expect((1..=3).contains(&rest.len()), "a lease that was given up holds what it holds, or nothing", &rest);
        let mut all = Vec::new();
        // What has no end may be leased one at a time.
        for _ in 0..LOOKS {
            for held in p.leases(3, 10, second + 30).await {
                p.expect(held.attempt <= 2, "no attempt is counted twice", &held);
                p.holds(&held, Call::Complete, second + 31, "the last holder").await;
                all.push(held);
            }
            if all.len() >= 3 {
                break;
            }
        }
        p.expect(all.len() == 3, "what a lease that was given up held comes back when it ends", &all);
        if is_over {
            return;
        }
    }
}

async fn replay<S: InboxStore>(p: &Probe<S>) {
    for polls in 1..=MOST {
        let second = i64::from(polls) * 100 + 40_000;
        let id = p.stores(event(40_000 + polls, "replayed"), second).await;
        let held = p.leases_one(1, second, "what is to be replayed").await;
        p.holds(&held, Call::Park, second, "what is to be replayed").await;
        // Of this state: a call that was dropped may still come to its end, and late it finds nothing.
        let filter = Filter { state: Some(StoredState::Parked), ..of(id) };
        let is_over = cut(p.store.replay(&filter, 1, false, "ann", at(second)), polls).await.is_some();
        p.answered(p.store.replay(&filter, 1, false, "ann", at(second)).await, "a replay");
        p.stands(id, StoredState::Ready, "a replay that was given up, and repeated").await;
        let mut all = Vec::new();
        for _ in 0..LOOKS {
            all.extend(p.leases(1, 10, second).await);
            if !all.is_empty() {
                break;
            }
        }
        p.expect(all.len() == 1 && all.iter().all(|held| held.attempt == 1), "it has its attempts anew", &all);
        for held in all {
            p.holds(&held, Call::Complete, second, "what was replayed").await;
        }
        if is_over {
            return;
        }
    }
}

async fn reads<S: InboxStore>(p: &Probe<S>) {
    let all = Filter::default();
    let before = p.lists(&all).await.len();
    for polls in 1..=8 {
        cut(p.store.list(&all, 10), polls).await;
        cut(p.store.stats(at(0)), polls).await;
        cut(p.store.next_due(), polls).await;
        cut(p.store.show(EventId(1)), polls).await;
    }
    let after = p.lists(&all).await.len();
    p.expect(before == after, "reads that were given up change nothing", &(before, after));
}

async fn erase<S: InboxStore>(p: &Probe<S>) {
    for polls in 1..=MOST {
        let id = p.stores(event(60_000 + polls, "erased"), 60_000).await;
        let key = format!("key-{}", 60_000 + polls);
        let is_over = cut(p.store.erase(&key, at(60_000)), polls).await.is_some();
        p.answered(p.store.erase(&key, at(60_000)).await, "erase");
        let shown = p.shows(id, "an erase that was given up, and repeated").await;
        p.expect(shown.payload.is_none() && shown.stored.state == StoredState::Done, "it is erased", &shown);
        p.leases_none(1, 60_000, "what was erased").await;
        if is_over {
            return;
        }
    }
}

async fn purge<S: InboxStore>(p: &Probe<S>) {
    for polls in 1..=MOST {
        let is_over = cut(p.store.purge(at(KEY_UNTIL), at(KEY_UNTIL)), polls).await.is_some();
        let done = Filter { state: Some(StoredState::Done), ..Filter::default() };
        let mut left = Vec::new();
        for _ in 0..LOOKS {
            // Not counted before: what was given up may go meanwhile.
            p.answered(p.store.purge(at(KEY_UNTIL), at(KEY_UNTIL)).await, "a purge");
            left = p.lists(&done).await;
            if left.is_empty() {
                break;
            }
        }
        p.expect(left.is_empty(), "what is over is gone", &left);
        for number in 0..3 {
            p.stores(event(80_000 + number, "purged"), 80_000).await;
        }
        for held in p.leases(1, 10, KEY_UNTIL - 1).await {
            p.holds(&held, Call::Complete, 80_001, "what is to be purged").await;
        }
        if is_over {
            return;
        }
    }
}
