//! The laws of a record: what a store remembers, for whom, and how much.

use std::num::NonZeroU32;
use std::time::Duration;

use super::probe::{Call, Probe, token};
use super::subject::Subject;
use crate::idempotency::{Claim, Held, StoreErrorKind, Terms};

const NOW: Duration = Duration::ZERO;

/// L1.
pub(super) async fn one_completion<B: Subject>(p: &Probe<'_, B>) {
    let (late, holder, stranger) = (token(1), token(2), token(3));
    p.loses(stranger, Call::Complete(9), "of an absent key").await;
    p.acquires(late, "a claim, after a completion that found nothing").await;
    p.pass(6).await;
    p.acquires(holder, "a claim after the lease").await;
    p.loses(late, Call::Complete(9), "by the one whose lease has passed").await;
    p.loses(stranger, Call::Complete(9), "by one who never claimed").await;
    p.holds(holder, Call::Complete(1), "by the holder").await;
    p.loses(late, Call::Complete(9), "after the holder's").await;
    p.loses(stranger, Call::Complete(9), "by a stranger, after the holder's").await;
    p.replays(stranger, 1, "the holder's answer").await;

    let p = p.on_key(1);
    p.acquires(late, "a first claim").await;
    p.pass(6).await;
    p.acquires(holder, "a claim after the lease").await;
    let calls = (0..30).map(|turn| match turn % 3 {
        0 => (late, Call::Complete(9)),
        1 => (holder, Call::Complete(1)),
        _ => (stranger, Call::Complete(8)),
    });
    for (who, held) in p.race_calls(calls, "completions at once").await {
        p.expect((held == Held::Ok) == (who == holder), "of 30 completions at once only the holder's", &(who, held));
    }
    p.replays(stranger, 1, "the holder's answer, after a race").await;
}

/// L2.
pub(super) async fn done_stays<B: Subject>(p: &Probe<'_, B>) {
    let (holder, other) = (token(1), token(2));
    p.acquires(token(3), "a first claim").await;
    p.holds(token(3), Call::Release(NOW), "a release").await;
    let fence = p.acquires(holder, "a claim").await;
    p.pass(3).await;
    p.holds(holder, Call::Complete(1), "a completion").await;
    for who in [holder, other] {
        let told = p.replays(who, 1, "at once after a completion").await;
        p.expect(told == fence, "Done tells the fence of the claim that did it", &told);
    }
    p.loses(holder, Call::Release(NOW), "by the one who completed").await;
    p.loses(holder, Call::Renew(p.terms.lease), "by the one who completed").await;
    p.replays(other, 1, "after a late release and renewal").await;

    let claims = p.race((4..=40).map(token), "of a done key").await;
    let done = claims.iter().all(|claim| matches!(claim, Claim::Done { .. }));
    p.expect(done, "claims at once of a done key: all Done", &claims);

    p.pass(9).await;
    p.replays(other, 1, "long after the lease").await;
    p.pass(9).await;
    p.replays(other, 1, "within the retention, counted from the completion").await;
    p.pass(6).await;
    p.acquires(other, "after the retention, which no claim has made longer").await;
}

/// L7.
pub(super) async fn nothing_is_evicted<B: Subject>(p: &Probe<'_, B>) {
    let many = 500;
    for number in 0..many {
        let fence = p.on_key(number).acquires(token(1), "one of 500 keys").await;
        p.expect(fence == 1, "one of 500 keys is new", &fence);
        p.on_key(number).holds(token(1), Call::Complete(1), "one of 500 keys").await;
    }
    for number in 0..many {
        p.on_key(number).replays(token(2), 1, "one of 500 keys").await;
    }
    if let Some(store) = p.subject.bounded(4).await {
        a_full_store_says_so(&p.on_store(store)).await;
    }
}

async fn a_full_store_says_so<B: Subject>(p: &Probe<'_, B>) {
    let [done, released, ended, held, fifth] = [0, 1, 2, 3, 4].map(|number| p.on_key(number));
    ended.acquires(token(1), "the first of four keys").await;
    p.pass(6).await;
    for key in [&done, &released, &held] {
        key.acquires(token(1), "one of four keys").await;
    }
    done.holds(token(1), Call::Complete(1), "one of four keys").await;
    released.holds(token(1), Call::Release(NOW), "one of four keys").await;

    for turn in 0..3 {
        let refused = fifth.try_claim(token(1)).await;
        p.expect(
            refused == Err(StoreErrorKind::Full.into()),
            "a fifth key in a store for four: Full",
            &(turn, refused),
        );
        done.replays(token(2), 1, "a done key in a full store").await;
        held.waits(token(2), "a held key in a full store").await;
        held.holds(token(1), Call::Renew(p.terms.lease), "in a full store").await;
    }
    let fence = released.acquires(token(2), "a released key in a full store").await;
    p.expect(fence > 1, "the fence of a released key is kept in a full store", &fence);
    let fence = ended.acquires(token(2), "a key whose lease has passed, in a full store").await;
    p.expect(fence > 1, "the fence of an ended lease is kept in a full store", &fence);
    held.holds(token(1), Call::Complete(2), "in a full store").await;
    held.replays(token(2), 2, "what was done in a full store").await;

    p.pass(22).await;
    for number in 10..14 {
        p.on_key(number).acquires(token(1), "a new key in a store whose keys have expired").await;
    }
}

/// L8.
pub(super) async fn other_events_are_told<B: Subject>(p: &Probe<'_, B>) {
    let other = p.as_another_event();
    let (mine, next) = (token(1), token(2));
    p.acquires(mine, "a first claim").await;
    other.waits(next, "another event, while the key is held").await;
    other.waits(mine, "another event, with the holder's token").await;
    p.holds(mine, Call::Complete(1), "by the holder, whom another event has not touched").await;
    for who in [mine, next] {
        other.mismatches(who, "another event, when it is done").await;
    }
    p.replays(mine, 1, "the same event").await;
    p.pass(22).await;
    other.acquires(mine, "another event, after the retention").await;

    free_keys_go_to_other_events(&p.on_key(1)).await;
    a_token_claims_one_event(&p.on_key(2)).await;
    other_events_count_as_claims(&p.on_key(3)).await;
}

async fn free_keys_go_to_other_events<B: Subject>(p: &Probe<'_, B>) {
    let other = p.as_another_event();
    let (mine, next) = (token(1), token(2));
    p.acquires(mine, "a first claim").await;
    p.holds(mine, Call::Release(p.ticks(4)), "a release with a delay").await;
    other.rests(next, "another event, within the delay").await;
    p.pass(6).await;
    for _ in 0..2 {
        let fence = other.acquires_with_another_payload(next, "another event, after a release, and repeated").await;
        p.expect(fence == 2, "the fence grows from one event to another", &fence);
    }
    p.has_nothing(mine, "the one who held the key before").await;
    p.waits(mine, "the first event, while the other is held").await;
    other.holds(next, Call::Renew(p.terms.lease), "by the other event's holder").await;
    p.pass(6).await;
    let fence = p.acquires_with_another_payload(mine, "the first event again, after the other's lease").await;
    p.expect(fence == 3, "the fence grows back to the first event", &fence);
    p.holds(mine, Call::Release(NOW), "a release").await;
    p.acquires_with_another_payload(next, "the same event, of a record that has seen two").await;
    p.holds(next, Call::Complete(1), "a completion").await;
    other.mismatches(mine, "the other event, when the first is done").await;
    p.replays(mine, 1, "the event that was done").await;
    p.pass(22).await;
    p.acquires(mine, "after the retention, which forgets that there were two").await;
}

/// Its second event is another claim, and no repeat.
async fn a_token_claims_one_event<B: Subject>(p: &Probe<'_, B>) {
    let (other, mine) = (p.as_another_event(), token(1));
    p.acquires(mine, "a first claim").await;
    p.pass(6).await;
    let fence = other.acquires_with_another_payload(mine, "another event with the same token, after the lease").await;
    p.expect(fence == 2, "the fence grows from one event to another with one token", &fence);
}

async fn other_events_count_as_claims<B: Subject>(p: &Probe<'_, B>) {
    let once = p.on_terms(p.terms.max_attempts(NonZeroU32::MIN));
    let (other, mine, next) = (once.as_another_event(), token(1), token(2));
    once.acquires(mine, "the only claim").await;
    once.pass(6).await;
    other.is_poisoned(next, 1, "a second claim of one, of another event").await;
    once.is_poisoned(next, 1, "the first event, when the key is poisoned").await;
    other.is_poisoned(mine, 1, "another event, when the key is poisoned").await;
}

/// L11.
pub(super) async fn too_many_claims_poison<B: Subject>(p: &Probe<'_, B>) {
    let thrice = NonZeroU32::MIN.saturating_add(2);
    let limited = p.on_terms(p.terms.max_attempts(thrice));
    for number in 1..=3 {
        limited.acquires(token(number), "one of three claims").await;
        limited.acquires(token(number), "one of three claims, repeated").await;
        limited.waits(token(9), "while one of three holds").await;
        if number < 3 {
            limited.holds(token(number), Call::Release(NOW), "a release").await;
        }
    }
    limited.pass(6).await;
    limited.is_poisoned(token(4), 3, "a fourth claim of three").await;
    limited.has_nothing(token(3), "the last holder, after the poison").await;
    for number in [3, 4, 5] {
        limited.is_poisoned(token(number), 3, "any later claim").await;
        p.is_poisoned(token(number), 3, "a later claim without a limit").await;
    }

    let free = p.on_key(1);
    for number in 1..=30 {
        free.acquires(token(number), "one of many claims without a limit").await;
        free.holds(token(number), Call::Release(NOW), "a release").await;
    }
}

/// L12.
pub(super) async fn any_duration_is_taken<B: Subject>(p: &Probe<'_, B>) {
    let longest = [Duration::MAX, Duration::from_millis(u64::MAX), Duration::from_secs(1 << 40)];
    for (number, long) in (0..).zip(longest) {
        let p = p.on_key(number).on_terms(Terms::new(long).lease(long));
        let case = |what: &str| format!("{what} of {long:?}");
        p.acquires(token(1), &case("a lease")).await;
        p.waits(token(2), &case("a lease")).await;
        p.holds(token(1), Call::Renew(long), &case("a lease")).await;
        p.waits(token(2), &case("a renewed lease")).await;
        p.holds(token(1), Call::Complete(1), &case("a retention")).await;
        p.pass(2).await;
        p.replays(token(2), 1, &case("a retention")).await;

        let p = p.on_key(number + 100).on_terms(p.terms.lease(NOW));
        p.acquires(token(1), "a lease of no time").await;
        p.acquires(token(2), "another, after a lease of no time").await;
        p.holds(token(2), Call::Release(long), &case("a delay")).await;
        p.pass(2).await;
        p.rests(token(3), &case("a delay")).await;
    }
    let p = p.on_key(200).on_terms(Terms::new(NOW).lease(NOW));
    p.acquires(token(1), "no retention and no lease").await;
    p.pass(1).await;
    p.acquires(token(2), "a claim after no retention and no lease").await;
}
