//! The laws of what comes in.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::probe::{Call, KEY_UNTIL, Probe, at, event, of};
use crate::inbox::{Accepted, EventId, Filter, InboxStore, NewEvent, StoredState};

pub(super) async fn accepted_whole<S: InboxStore>(p: &Probe<S>) {
    comes_back_as_it_was(p).await;
    several_at_once(p).await;
    p.expect(p.accept(Vec::new(), 0).await.is_empty(), "of no events nothing is said", &());
    p.counts_are_true(10, "after it was accepted").await;
}

/// Whatever a peer wrote: a zero, a backslash, a quote, and more than fits into the page of an index.
async fn comes_back_as_it_was<S: InboxStore>(p: &Probe<S>) {
    let odd = |what: &str| format!("{what} \0\\0\\\\'\"\u{1F980}{}", "long ".repeat(4000));
    let stored = NewEvent {
        readable_key: odd("key"),
        receiver: odd("receiver"),
        tenant: Some(odd("tenant")),
        provider: odd("provider"),
        event: odd("event"),
        lane: Some(odd("lane")),
        occurred_at: Some(at(-7)),
        key_id: Some(odd("key id")),
        headers: vec![("x-empty".to_owned(), String::new()), ("x-odd".to_owned(), odd("header"))],
        ..event(1, "\0 any \u{1F980} bytes")
    };
    let id = p.stores(stored.clone(), 3).await;
    let held = p.leases_one(1, 3, "what was accepted is due at once").await;
    p.expect(held.id == id && held.attempt == 1 && held.fence > 0, "the first lease", &held);
    p.expect(whole(&stored) == whole(&held.event), "an event comes back as it was", &held.event);
    let plain = NewEvent { readable_key: String::new(), event: String::new(), ..event(2, "") };
    p.stores(plain.clone(), 3).await;
    let bare = p.leases_one(1, 3, "an event that says nothing").await;
    p.expect(whole(&plain) == whole(&bare.event), "an event comes back as it was", &bare.event);

    let by_key = Filter { key: Some(stored.readable_key.clone()), ..Filter::default() };
    let found = p.lists(&by_key).await;
    p.expect(found.len() == 1 && found.iter().all(|found| found.id == id), "it is found by its key", &found);
    let shown = p.shows(id, "what was accepted").await;
    p.expect(shown.payload.as_ref() == Some(&stored.payload), "its payload is shown", &shown);
    p.expect(shown.stored.received_at == at(3) && shown.stored.key == stored.readable_key, "its row is shown", &shown);
    for held in [held, bare] {
        p.holds(&held, Call::Complete, 4, "the first lease").await;
    }
}

async fn several_at_once<S: InboxStore>(p: &Probe<S>) {
    let new = (10..40).map(|number| event(number, "several")).collect::<Vec<_>>();
    let accepted = p.accept(new.clone(), 5).await;
    let mut last = None;
    for accepted in accepted {
        let Accepted::Stored(id) = accepted else { p.broken("all of a delivery are Stored", &accepted) };
        p.expect(Some(id) > last, "numbers grow in the order of the delivery", &id);
        last = Some(id);
    }
    let mixed = vec![event(10, "several"), event(40, "new"), event(11, "other"), event(40, "new")];
    let accepted = p.accept(mixed, 6).await;
    let is_so = matches!(
        accepted.as_slice(),
        [Accepted::Duplicate(_), Accepted::Stored(new), Accepted::Quarantined(_), Accepted::Duplicate(again)] if new == again
    );
    p.expect(is_so, "of a mixed delivery each is what it is", &accepted);
}

pub(super) async fn keys_are_known<S: InboxStore>(p: &Probe<S>) {
    let first = p.stores(event(1, "paid"), 0).await;
    let again = p.accept(vec![event(1, "paid")], 1).await;
    p.expect(again == [Accepted::Duplicate(first)], "the same again is a duplicate of the first", &again);

    let other = quarantines(p, event(1, "paid twice"), 2).await;
    p.expect(other != first, "what is quarantined has a number of its own", &other);
    let once_more = quarantines(p, event(1, "paid twice"), 3).await;
    p.expect(once_more == other, "the same payload is quarantined once", &once_more);
    let third = quarantines(p, event(1, "paid thrice"), 3).await;
    p.expect(third != other, "a third payload is quarantined too", &third);
    let again = p.accept(vec![event(1, "paid")], 4).await;
    p.expect(again == [Accepted::Duplicate(first)], "the first is still known by its payload", &again);

    let held = p.leases_one(1, 5, "what is quarantined is never handled").await;
    p.expect(held.id == first && held.event.payload == "paid", "the first is never overwritten", &held);
    p.holds(&held, Call::Complete, 6, "the first").await;
    let again = p.accept(vec![event(1, "paid")], 7).await;
    p.expect(again == [Accepted::Duplicate(first)], "what is done is still known", &again);
    p.leases_none(2, KEY_UNTIL - 1, "a duplicate of what is done").await;
    let shown = p.shows(other, "what is quarantined").await;
    p.expect(shown.payload.as_deref() == Some(b"paid twice"), "what is quarantined is kept", &shown);
    let replayed = p.answered(p.store.replay(&of(other), 10, false, "ann", at(8)).await, "a replay");
    p.expect(replayed.replayed == 0, "what is quarantined is not replayed", &replayed);
    p.stands(other, StoredState::Quarantined, "after a replay").await;

    one_of_many(p).await;
    p.counts_are_true(10, "with some quarantined").await;
}

async fn quarantines<S: InboxStore>(p: &Probe<S>, event: NewEvent, second: i64) -> EventId {
    match p.accept(vec![event], second).await.first() {
        Some(Accepted::Quarantined(id)) => *id,
        other => p.broken("a known key with another payload is Quarantined", &other),
    }
}

/// The same key from many senders at once, with two payloads.
async fn one_of_many<S: InboxStore>(p: &Probe<S>) {
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let store = Arc::clone(&p.store);
        let says = if number % 2 == 0 { "even" } else { "odd" };
        tasks.spawn(async move { store.accept(vec![event(2, says), event(3, "both")], at(9)).await });
    }
    let answers = tasks.join_all().await;
    let answers = answers.into_iter().map(|answer| p.answered(answer, "one of many")).collect::<Vec<_>>();
    for place in 0..2 {
        let of_one = answers.iter().filter_map(|answer| answer.get(place));
        let stored = of_one.filter(|accepted| matches!(accepted, Accepted::Stored(_))).count();
        p.expect(stored == 1, "of many at once with one key one is Stored", &answers);
    }
    let held = p.leases(3, 10, 9).await;
    p.expect(held.len() == 2, "of many at once one of a key is handled", &held);
}

/// All of an event, which prints less by itself.
fn whole(event: &NewEvent) -> String {
    let NewEvent { readable_key, fingerprint, tenant, provider, lane, occurred_at, .. } = event;
    let NewEvent { key_id, headers, payload, key_until, .. } = event;
    let named = (readable_key, fingerprint, tenant, provider, lane, occurred_at);
    format!("{event:?} {named:?} {:?}", (key_id, headers, payload, key_until))
}
