use super::seal::Seals;
use super::*;
use crate::delivery::{Fingerprint, KeyHash};
use crate::secret::{Key, Secret};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn key(id: &str, byte: u8) -> Key {
    Key::new(id, Secret::bytes([byte; 32]).unwrap())
}

fn seals(keys: impl IntoIterator<Item = Key>) -> Seals {
    Seals::new(&KeyRing::new(keys).unwrap()).unwrap()
}

fn event(key: u8) -> NewEvent {
    let mut event = NewEvent::new(KeyHash::from_bytes([key; 32]), Fingerprint::of(b"a"), "canary", at(1_000_000));
    event.readable_key = format!("key-{key}");
    event
}

fn sealed(seals: &Seals, key: u8) -> NewEvent {
    let event = event(key);
    let (_, payload) = seals.seal(&event, &OsEntropy, at(0)).unwrap();
    NewEvent { payload, ..event }
}

#[test]
fn what_is_sealed_says_nothing_and_is_opened_by_its_key_alone() {
    let event = sealed(&seals([key("a", 1)]), 1);
    assert!(!event.payload.windows(6).any(|window| window == b"canary"));
    assert_eq!(seals([key("b", 2), key("a", 1)]).open(&event).unwrap(), "canary");
    assert_eq!(seals([key("a", 1).not_after(at(-9))]).open(&event).unwrap(), "canary", "its time is over");
    assert!(matches!(seals([key("b", 1)]).open(&event), Err(Unopened::KeyIsGone(id)) if id == "a"));
    assert!(matches!(seals([key("a", 2)]).open(&event), Err(Unopened::Changed)));
}

#[test]
fn no_bit_of_it_and_nothing_it_is_bound_to_may_change() {
    let seals = seals([key("a", 1)]);
    let event = sealed(&seals, 1);
    for at in 0..event.payload.len() * 8 {
        let mut payload = event.payload.to_vec();
        payload[at / 8] ^= 1 << (at % 8);
        assert!(seals.open(&NewEvent { payload: payload.into(), ..event.clone() }).is_err(), "{at}");
    }
    for length in 0..event.payload.len() {
        assert!(seals.open(&NewEvent { payload: event.payload.slice(..length), ..event.clone() }).is_err(), "{length}");
    }
    let moved = NewEvent { payload: event.payload.clone(), ..sealed(&seals, 2) };
    assert!(matches!(seals.open(&moved), Err(Unopened::Changed)));
    let renamed = NewEvent { readable_key: "key-2".to_owned(), ..event.clone() };
    assert!(matches!(seals.open(&renamed), Err(Unopened::Changed)));
    assert_eq!(seals.open(&event).unwrap(), "canary");
}

#[test]
fn the_newest_valid_key_seals_and_without_one_nothing_is() {
    let (late, early) = (key("late", 2).not_before(at(10)), key("early", 1).not_after(at(20)));
    let seals = seals([late, early]);
    let by = |now| seals.seal(&event(1), &OsEntropy, now).map(|(id, _)| id.to_string()).unwrap();
    assert_eq!([by(at(0)), by(at(10)), by(at(30))], ["early", "late", "late"]);
    let over = self::seals([key("a", 1).not_after(at(0))]);
    assert!(over.seal(&event(1), &OsEntropy, at(1)).is_err());
    let none = |_: &mut [u8]| Err(crate::clock::NoEntropy);
    assert!(seals.seal(&event(1), &none, at(0)).is_err());
}

#[test]
fn what_was_never_sealed_is_named() {
    assert!(matches!(seals([key("a", 1)]).open(&event(1)), Err(Unopened::Plain)));
}
