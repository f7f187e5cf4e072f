//! The laws of a claim: who holds a key, how long, and with which fence.

use std::time::Duration;

use super::probe::{Call, Probe, give_up_on, run, token};
use super::subject::Subject;
use crate::idempotency::{Claim, DedupeStore as _, Held, Terms};

const NOW: Duration = Duration::ZERO;

/// L3.
pub(super) async fn fence_grows<B: Subject>(p: &Probe<'_, B>) {
    let first = p.acquires(token(1), "a first claim").await;
    p.expect(first == 1, "the first fence is 1", &first);
    p.waits(token(2), "a second claim while the first holds").await;

    p.holds(token(1), Call::Release(NOW), "a release").await;
    let released = p.acquires(token(2), "a claim after a release").await;
    p.expect(released > first, "the fence grows over a release", &released);

    p.holds(token(2), Call::Renew(p.terms.lease), "a renewal").await;
    p.pass(6).await;
    let ended = p.acquires(token(3), "a claim after the lease has passed").await;
    p.expect(ended > released, "the fence grows over the end of a lease", &ended);

    fence_outlives_its_first_retention(&p.on_key(1)).await;
    one_wins_a_race(&p.on_key(2)).await;
}

/// Tried every 12 of 20 ticks: each claim counts the retention anew.
async fn fence_outlives_its_first_retention<B: Subject>(p: &Probe<'_, B>) {
    let mut last = 0;
    for number in 1..=4 {
        let fence = p.acquires(token(number), "a claim within the retention of the last").await;
        p.expect(fence > last, "the fence grows over the first claim's retention", &fence);
        last = fence;
        p.pass(12).await;
    }
}

async fn one_wins_a_race<B: Subject>(p: &Probe<'_, B>) {
    let mut last = 0;
    for (round, tokens) in [("on an absent key", 1..=40), ("after a lease", 101..=140)] {
        let claims = p.race(tokens.map(token), round).await;
        let fences: Vec<u64> = claims
            .iter()
            .filter_map(|claim| if let Claim::Acquired { fence, .. } = claim { Some(*fence) } else { None })
            .collect();
        let others = claims.iter().filter(|claim| matches!(claim, Claim::InFlight { .. })).count();
        p.expect(fences.len() == 1 && others == 39, &format!("40 claims at once {round}: one Acquired"), &claims);
        p.expect(fences.iter().all(|fence| *fence > last), "the fence grows in a race", &fences);
        last = fences.iter().copied().max().unwrap_or_default();
        p.pass(6).await;
    }
}

/// L4.
pub(super) async fn strangers_change_nothing<B: Subject>(p: &Probe<'_, B>) {
    let (old, holder, stranger) = (token(1), token(2), token(3));
    p.has_nothing(stranger, "on an absent key").await;
    p.acquires(old, "a first claim, after calls on the absent key").await;

    p.has_nothing(stranger, "while another holds").await;
    p.pass(6).await;
    p.acquires(holder, "a claim after the lease, which no stranger renewed").await;
    p.has_nothing(old, "with an old token, while the next one holds").await;
    p.waits(stranger, "the next one still holds").await;

    p.holds(holder, Call::Release(p.ticks(4)), "the holder's release").await;
    for late in [old, holder, stranger] {
        p.loses(late, Call::Renew(p.ticks(100)), "on a released key").await;
        p.loses(late, Call::Complete(9), "on a released key").await;
    }
    p.loses(old, Call::Release(NOW), "on a released key").await;
    p.rests(stranger, "the release's delay still runs").await;
    p.pass(6).await;
    p.acquires(holder, "the holder again, after the delay").await;

    p.holds(holder, Call::Complete(1), "the holder's completion").await;
    p.has_nothing(old, "with an old token, on a done key").await;
    p.has_nothing(stranger, "on a done key").await;
    p.replays(stranger, 1, "the holder's answer stays").await;
}

/// L5.
pub(super) async fn repeats_agree<B: Subject>(p: &Probe<'_, B>) {
    let (mine, other) = (token(1), token(2));
    let first = p.acquires(mine, "a first claim").await;
    let again = p.acquires(mine, "the same claim again").await;
    p.expect(first == again, "the same claim has the same fence", &again);
    p.waits(other, "another's claim").await;
    p.waits(other, "another's claim again").await;

    p.holds(mine, Call::Renew(p.terms.lease), "a renewal").await;
    p.holds(mine, Call::Renew(p.terms.lease), "the same renewal again").await;
    p.pass(6).await;
    p.acquires(mine, "the same claim after its lease, which nobody else took").await;

    p.holds(mine, Call::Release(p.ticks(4)), "a release").await;
    p.call(mine, Call::Release(NOW), "the same release again, answered Ok or Lost").await;
    p.rests(other, "a repeated release does not shorten the delay").await;
    p.pass(6).await;
    p.acquires(other, "another's claim after the delay").await;
    p.loses(mine, Call::Release(NOW), "the release again, late").await;

    p.holds(other, Call::Complete(1), "a completion").await;
    p.holds(other, Call::Complete(1), "the same completion again").await;
    p.holds(other, Call::Complete(2), "a completion again, with another answer").await;
    for _ in 0..2 {
        p.replays(other, 1, "the first answer stays, for the one who did it").await;
        p.replays(mine, 1, "the first answer stays, for others").await;
    }

    let p = p.on_key(1);
    let claims = p.race((0..20).map(|_| mine), "one token").await;
    let same = claims.iter().all(|claim| *claim == Claim::Acquired { fence: 1, other_payload: false });
    p.expect(same, "20 copies of one claim at once: one fence", &claims);
}

/// L6.
pub(super) async fn unknown_is_decided<B: Subject>(p: &Probe<'_, B>) {
    for waits in 0..4 {
        let p = p.on_key(waits.into());
        let (mine, other) = (token(1), token(2));
        let case = |what: &str| format!("{what} that was given up after {waits} waits, again");

        give_up_on(p.store.claim(&p.key, &mine, &p.fingerprint, &p.terms), waits).await;
        p.acquires(mine, &case("a claim")).await;
        for call in [Call::Renew(p.terms.lease), Call::Complete(1)] {
            give_up_on(run(&*p.store, p.key, mine, call, p.terms.retention), waits).await;
            p.holds(mine, call, &case("a call")).await;
        }
        p.replays(other, 1, &case("a claim after a completion")).await;

        let p = p.on_key(u64::from(waits) + 100);
        p.acquires(mine, "a first claim").await;
        give_up_on(run(&*p.store, p.key, mine, Call::Complete(1), p.terms.retention), waits).await;
        match p.call(mine, Call::Release(NOW), "a release after it").await {
            Held::Ok => p.acquires(other, "the release won over a completion that was given up").await,
            Held::Lost(_) => p.replays(other, 1, "the completion that was given up won over a release").await,
        };
    }
}

/// L9.
pub(super) async fn keys_come_free<B: Subject>(p: &Probe<'_, B>) {
    p.acquires(token(1), "a first claim").await;
    p.pass(1).await;
    let retry_in = p.waits(token(2), "while the lease runs").await;
    p.expect(retry_in <= p.terms.lease, "what is left of a lease is no more than a lease", &retry_in);
    p.expect(!retry_in.is_zero(), "what is left of a lease is some time", &retry_in);
    p.subject.pass(retry_in).await;
    p.pass(1).await;
    p.acquires(token(2), "after the time that was told").await;

    p.pass(3).await;
    p.holds(token(2), Call::Renew(p.terms.lease), "a renewal").await;
    p.pass(2).await;
    p.waits(token(3), "while the renewed lease runs").await;
    p.pass(4).await;
    p.acquires(token(3), "after the renewed lease").await;

    p.holds(token(3), Call::Release(p.ticks(2)), "a release with a delay").await;
    p.rests(token(4), "within the delay").await;
    p.pass(3).await;
    p.acquires(token(4), "after the delay, long before the lease's end").await;
    p.holds(token(4), Call::Release(NOW), "a release without delay").await;
    p.acquires(token(5), "at once after it").await;

    let p = p.on_key(1).on_terms(Terms { retention: p.ticks(1), ..p.terms });
    p.acquires(token(1), "a claim whose retention is shorter than its lease").await;
    p.pass(2).await;
    p.waits(token(2), "the lease holds, though the retention has passed").await;
    p.pass(4).await;
    p.acquires(token(2), "after such a lease").await;
}
