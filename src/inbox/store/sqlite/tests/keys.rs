//! A repeat is known wherever its key is: in memory, on its way into the table, or there.

use std::collections::HashMap;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::ffi::{Error, SQLITE_ERROR};

use super::*;
use crate::inbox::store::sqlite::fault::Fault;
use crate::inbox::store::sqlite::keys::Keys;
use crate::inbox::store::sqlite::ledger::Ledger;
use crate::inbox::store::sqlite::row::Micros;
use crate::inbox::store::sqlite::schema::STEPS;
use crate::inbox::store::sqlite::task::Write;
use crate::inbox::store::sqlite::{SqliteSetup, accept, retain};
use crate::inbox::{InboxError, InboxErrorKind};

/// So many are a batch here: of one event a time, all of it is in the table after four more.
const BATCH: i64 = 8;
const ALL: u8 = 40;

fn setup() -> SqliteSetup {
    SqliteSetup { batch: BATCH, ..SqliteSetup::default() }
}

async fn small(path: &Path) -> SqliteInbox {
    setup().open(path).await.unwrap()
}

/// Two keys each begin alike, and keys do not come in their order.
fn keyed(number: u8, says: &str) -> NewEvent {
    let mut key = [number; 32];
    key[..8].copy_from_slice(&u64::from(number / 2).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    NewEvent { key: KeyHash::from_bytes(key), ..event(number, says) }
}

/// The file as a death leaves it.
fn killed(folder: &Folder, name: &str) -> PathBuf {
    let copy = folder.0.join(name);
    std::fs::copy(folder.file(), &copy).unwrap();
    std::fs::copy(folder.0.join("inbox-wal"), folder.0.join(format!("{name}-wal"))).unwrap();
    copy
}

/// All so far are repeats, and another payload and another key are none. Leaves the file with two events more.
async fn knows_all_before(inbox: &SqliteInbox, number: u8) {
    for before in 1..=number {
        let accepted = inbox.accept(vec![keyed(before, "a")], at(1)).await.unwrap();
        assert_eq!(accepted, [Accepted::Duplicate(EventId(before.into()))], "{before} of {number}");
    }
    for (key, before) in [(number, true), (200, false)] {
        let accepted = inbox.accept(vec![keyed(key, "b")], at(1)).await.unwrap();
        assert!(matches!((&accepted[..], before), ([Accepted::Quarantined(_)], true) | ([Accepted::Stored(_)], false)));
    }
    keys_are_true(inbox).await;
}

#[tokio::test]
async fn a_repeat_is_known_in_each_phase_also_after_a_death_and_after_an_end() {
    let folder = Folder::in_memory();
    let inbox = small(&folder.file()).await;
    let (mut waits, mut halves) = (0, 0);
    for number in 1..=ALL {
        assert_eq!(accept(&inbox, keyed(number, "a"), 0).await, EventId(number.into()));
        let numbers = keys_are_true(&inbox).await;
        waits = waits.max(numbers.last - numbers.merged);
        halves += u8::from(numbers.merged < numbers.sealed && numbers.reached.0 > i64::MIN);
        for before in 1..=number {
            let accepted = inbox.accept(vec![keyed(before, "a")], at(1)).await.unwrap();
            assert_eq!(accepted, [Accepted::Duplicate(EventId(before.into()))], "{before} of {number}");
        }
        let copy = killed(&folder, &format!("killed-{number}"));
        drop(small(&copy).await);
        knows_all_before(&small(&copy).await, number).await;
        let copy = killed(&folder, &format!("died-{number}"));
        knows_all_before(&small(&copy).await, number).await;
    }
    assert!(halves > 5, "{halves} times a batch was half there");
    assert_eq!(waits, BATCH + 3);
}

/// An owner that always dies soon is as far with its keys as one that lives on.
#[tokio::test]
async fn what_went_into_the_table_need_not_go_again() {
    let folder = Folder::in_memory();
    for number in 1..=ALL {
        let inbox = small(&folder.file()).await;
        accept(&inbox, keyed(number, "a"), 0).await;
        let numbers = keys_are_true(&inbox).await;
        assert!(numbers.last - numbers.merged <= BATCH + 3, "{numbers:?}");
    }
}

#[tokio::test]
async fn what_a_group_did_that_was_undone_is_not_so() {
    let folder = Folder::in_memory();
    let inbox = small(&folder.file()).await;
    for number in 1..=ALL {
        let undone = inbox.0.write::<()>(0, move |write| {
            let stored = accept::accept(write, &[keyed(number, "b"), keyed(100, "b")], Micros::of(at(0)))?;
            assert!(matches!(stored[..], [Accepted::Stored(_), Accepted::Stored(_)]));
            write.keys.merge(write.connection, &mut write.ledger.numbers)?;
            Err(failed())
        });
        assert_eq!(undone.await.unwrap_err().kind(), InboxErrorKind::Unavailable);
        keys_are_true(&inbox).await;
        assert_eq!(accept(&inbox, keyed(number, "a"), 0).await, EventId(number.into()));
        for before in 1..=number {
            let accepted = inbox.accept(vec![keyed(before, "a")], at(1)).await.unwrap();
            assert_eq!(accepted, [Accepted::Duplicate(EventId(before.into()))], "{before} of {number}");
        }
    }
}

/// Neither what is undone, nor what went into the table, nor what was dropped takes room in memory.
#[test]
fn no_more_waits_than_what_the_table_does_not_have() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&STEPS.concat()).unwrap();
    let (mut keys, mut numbers) = (Keys::new(BATCH), Ledger::read(&connection).unwrap().numbers);
    for id in 1..=i64::from(ALL) {
        for is_undone in [true, false] {
            let before = numbers;
            keys.begin();
            keys.follow(&connection, before).unwrap();
            numbers.last = id;
            keys.add(id % 2, id);
            assert!(keys.of(id % 2).any(|waits| waits == id));
            keys.merge(&connection, &mut numbers).unwrap();
            if is_undone {
                numbers = before;
            } else {
                keys.committed(before, numbers);
            }
        }
        let before = numbers;
        keys.begin();
        if id % 3 == 0 {
            keys.forget(&connection, (id % 2, id), &mut numbers).unwrap();
        }
        keys.committed(before, numbers);
        assert_eq!(keys.of(id % 2).any(|waits| waits == id), id % 3 != 0, "{id}");
        let waiting = [0, 1].into_iter().flat_map(|prefix| keys.of(prefix)).count();
        assert!(waiting <= usize::try_from(numbers.last - numbers.merged).unwrap(), "{waiting}: {numbers:?}");
    }
    assert!(numbers.merged > 0, "{numbers:?}");
}

#[tokio::test]
async fn two_commands_of_one_group_with_one_key_are_one_event() {
    let folder = Folder::in_memory();
    let inbox = small(&folder.file()).await;
    let twice = inbox.0.write(0, |write| {
        let mut one = |says| accept::accept(write, &[keyed(1, says)], Micros::of(at(0)));
        Ok([one("a")?, one("a")?, one("b")?, one("b")?].concat())
    });
    let [
        Accepted::Stored(first),
        Accepted::Duplicate(again),
        Accepted::Quarantined(other),
        Accepted::Quarantined(same),
    ] = twice.await.unwrap()[..]
    else {
        panic!("they are others")
    };
    assert_eq!((first, other), (again, same));
    assert_ne!(first, other);
}

/// The first of the batch is dropped by the group with which it would go into the table.
#[tokio::test]
async fn a_key_that_goes_in_its_group_does_not_go_into_the_table() {
    let folder = Folder::in_memory();
    let inbox = small(&folder.file()).await;
    for number in 1..=8 {
        accept(&inbox, keyed(number, "a"), 0).await;
    }
    for held in lease(&inbox, 1, 8, 0).await {
        let _ = inbox.complete(&held, at(0)).await.unwrap();
    }
    let group = inbox.0.write(0, |write| {
        retain::drop_keys(write, Micros::of(at(2_000_000)))?;
        accept::accept(write, &[keyed(9, "a")], Micros::of(at(0)))
    });
    assert_eq!(group.await.unwrap(), [Accepted::Stored(EventId(9))]);
    keys_are_true(&inbox).await;
}

/// A key that a visitor drops while it waits takes no room in the table later.
#[tokio::test]
async fn a_key_that_is_gone_does_not_go_into_the_table() {
    for is_visitor in [false, true] {
        let folder = Folder::in_memory();
        let inbox = small(&folder.file()).await;
        for number in 1..=10 {
            accept(&inbox, keyed(number, "a"), 0).await;
        }
        for held in lease(&inbox, 1, 6, 0).await {
            let _ = inbox.complete(&held, at(0)).await.unwrap();
        }
        let visitor = setup().visit(folder.file()).await.unwrap();
        let purging = if is_visitor { &visitor } else { &inbox };
        assert_eq!(purging.purge(at(0), at(2_000_000)).await.unwrap(), (6, 6));
        for number in 20..=ALL {
            accept(&inbox, keyed(number, "a"), 0).await;
            keys_are_true(&inbox).await;
        }
        accept(&inbox, keyed(1, "a"), 0).await;
    }
}

fn failed() -> Fault {
    Fault::Failed(rusqlite::Error::SqliteFailure(Error::new(SQLITE_ERROR), None))
}

/// What is done to a file.
#[derive(Clone, Debug)]
enum Step {
    /// By its owner or by a visitor; in a group that is undone or is not.
    Accept {
        by_visitor: bool,
        is_undone: bool,
        events: Vec<(u8, bool)>,
    },
    /// So many are handled, and all that are done or kept apart go.
    Purge {
        by_visitor: bool,
        handled: usize,
    },
    Reopen,
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let events = || proptest::collection::vec((0..30_u8, proptest::bool::weighted(0.1)), 1..4);
    let accept =
        |by_visitor, is_undone| events().prop_map(move |events| Step::Accept { by_visitor, is_undone, events });
    let purge = (any::<bool>(), 0..9_usize).prop_map(|(by_visitor, handled)| Step::Purge { by_visitor, handled });
    let step = prop_oneof![
        12 => accept(false, false), 2 => accept(false, true), 2 => accept(true, false),
        1 => purge, 1 => Just(Step::Reopen), 1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..80)
}

/// Each payload of each key: its event, and whether that is kept apart.
type Model = HashMap<(u8, bool), (EventId, bool)>;

fn said_is_true(model: &mut Model, one: (u8, bool), said: Accepted) {
    let (key, says) = one;
    let expected = match (model.get(&one), model.contains_key(&(key, !says))) {
        (Some((id, false)), _) => Accepted::Duplicate(*id),
        (Some((id, true)), _) => Accepted::Quarantined(*id),
        (None, is_apart) => {
            let (Accepted::Stored(id) | Accepted::Quarantined(id)) = said else { panic!("{one:?} is new: {said:?}") };
            assert!(model.values().all(|(other, _)| *other != id), "{one:?}: {id} is another's");
            model.insert(one, (id, is_apart));
            if is_apart { Accepted::Quarantined(id) } else { Accepted::Stored(id) }
        }
    };
    assert_eq!(said, expected, "{one:?}");
}

async fn accept_all(inbox: &SqliteInbox, events: &[(u8, bool)], is_undone: bool) -> Result<Vec<Accepted>, InboxError> {
    let events: Vec<_> = events.iter().map(|(key, says)| keyed(*key, if *says { "b" } else { "a" })).collect();
    let work = move |write: &mut Write<'_>| {
        let accepted = accept::accept(write, &events, Micros::of(at(0)))?;
        if is_undone {
            write.keys.merge(write.connection, &mut write.ledger.numbers)?;
            return Err(failed());
        }
        Ok(accepted)
    };
    inbox.0.write(0, work).await
}

async fn go_through(steps: Vec<Step>) {
    let folder = Folder::in_memory();
    let (mut file, mut model) = (folder.file(), Model::new());
    let mut inbox = small(&file).await;
    let mut visitor = setup().visit(&file).await.unwrap();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Accept { by_visitor, is_undone, events } => {
                let by = if by_visitor { &visitor } else { &inbox };
                match accept_all(by, &events, is_undone).await {
                    Ok(said) => {
                        events.into_iter().zip(said).for_each(|(one, said)| said_is_true(&mut model, one, said));
                    }
                    Err(error) => assert!(is_undone, "{error}"),
                }
            }
            Step::Purge { by_visitor, handled } => {
                for held in lease(&inbox, 1, handled, 1).await {
                    let _ = inbox.complete(&held, at(1)).await.unwrap();
                    model.retain(|_, (id, _)| *id != held.id);
                }
                let by = if by_visitor { &visitor } else { &inbox };
                by.purge(at(2), at(2_000_000)).await.unwrap();
                model.retain(|_, (_, is_apart)| !*is_apart);
            }
            Step::Reopen | Step::Kill => {
                if matches!(step, Step::Kill) {
                    let copy = folder.0.join(number.to_string());
                    for end in ["", "-wal"] {
                        std::fs::copy(format!("{}{end}", file.display()), format!("{}{end}", copy.display())).unwrap();
                    }
                    file = copy;
                }
                drop((inbox, visitor));
                inbox = small(&file).await;
                visitor = setup().visit(&file).await.unwrap();
            }
        }
        let numbers = keys_are_true(&inbox).await;
        assert!(numbers.last - numbers.merged <= 3 * BATCH, "{numbers:?}");
    }
    for number in 0..30 {
        for says in [false, true] {
            let said = accept_all(&inbox, &[(number, says)], false).await.unwrap();
            said_is_true(&mut model, (number, says), said[0]);
        }
    }
    counts_are_true(&inbox).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    /// Against a plain map.
    #[test]
    fn whatever_happens_each_event_is_there_once(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(go_through(steps));
    }
}
