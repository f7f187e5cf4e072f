//! Files that are damaged: opened or refused with a reason, and never a panic or a loop that does not end.

use super::*;
use crate::inbox::{Filter, InboxError, InboxErrorKind, StoredState};

/// For all that is asked of one file.
const LIMIT: Duration = Duration::from_secs(5);

/// The same numbers for the same seed, as SplitMix64 makes them.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((x ^ (x >> 31)) % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// A file and its log as a death leaves them, with events in each state.
async fn template(folder: &Folder) -> [Vec<u8>; 2] {
    let inbox = SqliteInbox::setup().page_size(1024).open(folder.file()).await.unwrap();
    let log = folder.0.join("inbox-wal");
    for key in 0..60 {
        accept(&inbox, NewEvent { lane: (key % 3 == 0).then(|| (key % 9).to_string()), ..event(key, "a") }, 0).await;
    }
    accept(&inbox, NewEvent { payload: vec![7; 5_000].into(), ..event(60, "a") }, 0).await;
    let held = lease(&inbox, 1, 30, 1).await;
    for (number, held) in held.iter().enumerate() {
        let _ = match number % 6 {
            0 => inbox.bury(held, "no", LanePolicy::BlockLane, at(2)).await.unwrap(),
            1 => inbox.retry(held, at(3), "later", at(2)).await.unwrap(),
            2 => inbox.park(held, "unknown", at(2)).await.unwrap(),
            3 | 4 => inbox.complete(held, at(2)).await.unwrap(),
            _ => continue,
        };
    }
    inbox.0.write(0, |_| Ok(())).await.unwrap();
    let checkpointed = rusqlite::Connection::open(folder.file()).unwrap();
    checkpointed.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    for key in 70..80 {
        accept(&inbox, event(key, "a"), 3).await;
    }
    [std::fs::read(folder.file()).unwrap(), std::fs::read(log).unwrap()]
}

fn damaged(dice: &mut Dice, [mut file, mut log]: [Vec<u8>; 2]) -> (Vec<u8>, Option<Vec<u8>>) {
    let kind = dice.below(8);
    let bytes = if kind < 5 { &mut file } else { &mut log };
    let place = dice.below(bytes.len());
    match kind {
        // Bits here and there, a page of zeros, one of rubbish, an end that is missing.
        0 | 1 | 5 => {
            for _ in 0..=dice.below(40) {
                let place = dice.below(bytes.len());
                bytes[place] ^= 1 << dice.below(8);
            }
        }
        2 | 6 => bytes[place / 1024 * 1024..].iter_mut().take(1024).for_each(|byte| *byte = 0),
        3 => bytes[place / 1024 * 1024..]
            .iter_mut()
            .take(1024)
            .for_each(|byte| *byte = u8::try_from(dice.below(256)).unwrap()),
        4 => bytes.truncate(place),
        _ => return (file, None),
    }
    (file, Some(log))
}

/// Everything that is asked of an inbox, and what it said.
async fn ask_all(path: PathBuf) -> Vec<InboxError> {
    let opened = SqliteInbox::setup().open(path).await;
    let inbox = match opened {
        Ok(inbox) => inbox,
        Err(error) => {
            assert!([InboxErrorKind::Unusable, InboxErrorKind::Unavailable].contains(&error.kind()), "{error}");
            return vec![error];
        }
    };
    let mut said = Vec::new();
    let held = inbox.lease(LeaseToken([9; 16]), 100, LEASE, at(10)).await;
    for held in held.iter().flatten() {
        said.extend(inbox.complete(held, at(11)).await.err());
    }
    said.extend(held.err());
    let everything = Filter::default();
    said.extend(inbox.accept(vec![event(90, "a"), event(3, "b")], at(12)).await.err());
    said.extend(inbox.next_due().await.err());
    said.extend(inbox.stats(at(12)).await.err());
    said.extend(inbox.list(&everything, 100).await.err());
    said.extend(inbox.show(EventId(2)).await.err());
    for state in StoredState::ALL {
        said.extend(inbox.list(&Filter { state: Some(state), ..Filter::default() }, 100).await.err());
    }
    said.extend(inbox.replay(&everything, 10, false, "ann", at(13)).await.err());
    said.extend(inbox.erase("key-7", at(14)).await.err());
    said.extend(inbox.purge(at(100), at(2_000_000)).await.err());
    said
}

/// By hand as many as `SEEDS` says.
#[tokio::test]
async fn a_damaged_file_is_used_or_refused_and_ends_nothing_else() {
    let folder = Folder::in_memory();
    let whole = template(&folder).await;
    let path = |seed: u64| folder.0.join(format!("damaged-{seed}"));
    let (mut refused, mut faulty, mut sound) = (0, 0, 0);
    let seeds = std::env::var("SEEDS").map_or(200, |text| text.parse::<u64>().unwrap());
    for seed in 0..seeds {
        // The first is the control.
        let (file, log) = if seed == 0 {
            (whole[0].clone(), Some(whole[1].clone()))
        } else {
            damaged(&mut Dice(seed), whole.clone())
        };
        std::fs::write(path(seed), file).unwrap();
        if let Some(log) = log {
            std::fs::write(folder.0.join(format!("damaged-{seed}-wal")), log).unwrap();
        }
        let asked = tokio::time::timeout(LIMIT, ask_all(path(seed))).await;
        let said = asked.unwrap_or_else(|_| panic!("{seed}: it does not end"));
        for error in &said {
            let text = error.to_string();
            assert!(!text.contains("panic") && !text.contains("writer is gone"), "{seed}: {text}");
        }
        assert!(seed != 0 || said.is_empty(), "{said:?}");
        match said[..] {
            [] => sound += 1,
            [_] => refused += 1,
            _ => faulty += 1,
        }
    }
    println!("{refused} said one error, {faulty} several, {sound} none");
    assert!(refused + faulty > seeds / 4 && sound > seeds / 10, "{refused}, {faulty}, {sound}");
}

/// An index that names an event which is not there: what cannot be dropped is not tried for ever.
#[tokio::test]
async fn a_purge_ends_though_an_index_names_what_is_not_there() {
    let folder = Folder::in_memory();
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    accept(&inbox, event(1, "a"), 0).await;
    accept(&inbox, event(2, "a"), 0).await;
    for held in lease(&inbox, 1, 10, 0).await {
        let _ = inbox.complete(&held, at(0)).await.unwrap();
    }
    drop(inbox);
    let text = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'state = 2', 'state = 9') \
                WHERE name = 'webhook_events_until'; PRAGMA writable_schema = RESET; DELETE FROM webhook_events WHERE id = 1; \
                PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'state = 9', 'state = 2') \
                WHERE name = 'webhook_events_until'";
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(text).unwrap();
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    let purged = tokio::time::timeout(LIMIT, inbox.purge(at(0), at(2_000_000))).await;
    let purged = purged.expect("it does not end");
    assert!(purged.as_ref().is_ok_and(|(_, keys)| *keys == 1) || purged.is_err(), "{purged:?}");
}

/// One row says nothing, in a file that is sound: it is set aside, and all others flow.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_dead_letter_and_no_others_fault() {
    for damage in [
        "key = x'00'",
        "fingerprint = x''",
        "headers = 'rubbish'",
        "receiver = CAST(x'ff' AS TEXT)",
        "lane = CAST(x'6cff' AS TEXT)",
        "attempts = -7",
        "state = 77",
    ] {
        let folder = Folder::in_memory();
        let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
        for key in 1..=2 {
            accept(&inbox, in_lane(key, "one"), 0).await;
        }
        accept(&inbox, event(3, "x"), 0).await;
        drop(inbox);
        // The whole lane, where that is damaged.
        let rows = if damage.starts_with("lane") { "id <= 2" } else { "id = 1" };
        let text = format!("UPDATE webhook_events SET {damage} WHERE {rows}");
        rusqlite::Connection::open(folder.file()).unwrap().execute_batch(&text).unwrap();

        let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
        let mut flowed = Vec::new();
        for second in 1..4 {
            for held in lease(&inbox, 1, 10, second).await {
                flowed.push(held.id.0);
                let _ = inbox.complete(&held, at(second)).await.unwrap();
            }
        }
        flowed.sort();
        let sound = if damage.starts_with("lane") { vec![3] } else { vec![2, 3] };
        assert_eq!(flowed, sound, "{damage}");
        let stats = inbox.stats(at(5)).await.unwrap();
        assert_eq!((stats.ready, stats.running), (0, 0), "{damage}: {stats:?}");
        assert_eq!(stats.dead + stats.done, 3, "{damage}: {stats:?}");
        let dead = inbox.list(&Filter { state: Some(StoredState::Dead), ..Filter::default() }, 9).await.unwrap();
        assert_eq!(dead[0].id, EventId(1), "{damage}");
        let reason = dead[0].reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with("its row cannot be read: "), "{damage}: {reason}");
        let shown = inbox.show(EventId(1)).await.unwrap().unwrap();
        assert!(shown.steps.iter().any(|(_, what, _)| what == "set aside"), "{damage}: {:?}", shown.steps);
        counts_are_true(&inbox).await;
    }
}

#[tokio::test]
async fn what_is_in_a_lane_that_cannot_be_read_can_be_erased() {
    let folder = Folder::in_memory();
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    accept(&inbox, in_lane(1, "one"), 0).await;
    let key = inbox.show(EventId(1)).await.unwrap().unwrap().stored.key;
    drop(inbox);
    let damage = "UPDATE webhook_events SET lane = CAST(x'6cff' AS TEXT)";
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(damage).unwrap();
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    assert_eq!(inbox.erase(&key, at(1)).await.unwrap(), 1);
    assert!(inbox.show(EventId(1)).await.unwrap().unwrap().payload.is_none());
    counts_are_true(&inbox).await;
}

/// The last event of a block has the names of all others in hand.
#[tokio::test]
async fn a_name_that_cannot_be_read_keeps_no_other_event_out() {
    let folder = Folder::in_memory();
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    accept(&inbox, event(1, "a"), 0).await;
    drop(inbox);
    let rubbish = "UPDATE webhook_events SET readable = CAST(x'ff' AS TEXT)";
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(rubbish).unwrap();
    // What it does not remember of the block it must read.
    let inbox = SqliteInbox::setup().open(folder.file()).await.unwrap();
    let events = (0..1_100_u32).map(|number| {
        let mut key = [9; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), ..event(9, "a") }
    });
    assert_eq!(inbox.accept(events.collect(), at(0)).await.unwrap().len(), 1_100);
    assert_eq!(lease(&inbox, 1, 2_000, 1).await.len(), 1_100);
    assert_eq!(inbox.stats(at(1)).await.unwrap().dead, 1);
}
