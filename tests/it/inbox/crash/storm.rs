//! Kills at random under load, by a signal that cannot be caught and by one that is: the storm's oracle is told of every call
//! and every effect that stands in the ledger of the handlers.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::inbox::Stats;
use tower_webhook::sender::storm::{Counts, Mark, Report, Route, Storm, Writer};
use tower_webhook::sender::{Call, DeliveryProfile, Tcp};
use tower_webhook::testing::crash::{Child, Death};

use super::place::{Kind, for_each_engine};
use super::scene::{How, start};
use crate::crash::ledger::Ledger;
use crate::deliveries::aella;

for_each_engine!(
    killed_at_random_under_load_it_loses_nothing,
    told_to_stop_under_load_it_ends_in_time_and_calls_nothing_again,
    whoever_answers_first_is_caught_by_kills,
);

type Oracle = tower_webhook::sender::Ledger;

/// So many events are begun in each life.
const PER_LIFE: u64 = 120;
/// At most so many events are in hand when a worker dies.
const IN_HAND: u64 = 16;
/// How long a sender goes on: by Aella's ladder, five days.
const LADDER: Duration = Duration::from_hours(5 * 24);
/// So much of a ladder there is for each kill: more than it takes to die and to come up, on a machine with other things to do.
const FOR_EACH: Duration = Duration::from_secs(2);

/// What came of it.
struct Came {
    report: Report,
    deaths: Vec<Death>,
    inbox: Stats,
    /// The longest that it took from a death until the child listened again.
    away: Duration,
    /// How long all the ends took, and how long a ladder does.
    ended_for: Duration,
    ladder: Duration,
}

/// How the child is ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Killed,
    Told,
}

async fn storm(kind: Kind, how: How, end: End, times: usize) -> Came {
    let (ledger, place, oracle) = (Ledger::new(), kind.place().await, Oracle::of_an_inbox());
    let child = start(&ledger, &place, how, vec![]).await;
    let watched = tokio::spawn(watch(ledger.path().to_owned(), oracle.clone()));
    let route = Route::new("aella", "/hook".parse().unwrap(), aella(), DeliveryProfile::aella(), Writer::Aella);
    // Whoever is sent to for the first time before the first kill must still be sent to after the last.
    let compressed = compressed(times);
    let storm =
        Storm::new([route], Tcp::new(child.address()).unwrap()).ledger(&oracle).concurrency(8).compressed(compressed);
    let storm = storm.starting_at(SystemClock.now().unwrap()).seed(7).heal(Duration::from_secs(10));
    let storm = storm.events(PER_LIFE * (times as u64 + 1)).faults("duplicates=0.1,bad=0.05".parse().unwrap());
    let counts = storm.counts();
    let began = Instant::now();
    let (report, (away, ended_for)) =
        tokio::join!(storm.run(), async { (ends(&child, end, times, &counts).await, began.elapsed()) });
    watched.abort();
    let ladder = LADDER / compressed;
    Came { report, deaths: child.deaths(), inbox: place.settled().await, away, ended_for, ladder }
}

/// How much faster than a provider's the ladders are, so that each outlasts so many kills.
fn compressed(kills: usize) -> u32 {
    let ladder = FOR_EACH * u32::try_from(kills.max(1)).unwrap();
    u32::try_from(LADDER.as_millis() / ladder.as_millis()).unwrap().min(20_000)
}

/// Ends it so often, each time when so many further events were begun, and a little later.
async fn ends(child: &Child, end: End, times: usize, counts: &Counts) -> Duration {
    let mut longest = Duration::ZERO;
    for time in 1..=times {
        while counts.begun() < PER_LIFE * time as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(time as u64 * 7919 % 30_000)).await;
        let began = Instant::now();
        match end {
            End::Killed => child.kill(),
            End::Told => {
                let id = child.id().unwrap().to_string();
                assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            }
        }
        child.risen(time).await.unwrap();
        longest = longest.max(began.elapsed());
    }
    longest
}

/// Tells the oracle what the handlers write down, as they do.
async fn watch(path: impl AsRef<Path>, oracle: Oracle) {
    let mut lines = BufReader::new(File::open(path).unwrap());
    let (mut line, mut calls) = (String::new(), HashMap::<u64, Call>::new());
    loop {
        if lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        let [what, fence, key] = line.trim_end().splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        let mark = Mark::find(key.as_bytes()).map(Mark::number);
        let number = mark.unwrap_or(u64::MAX);
        match what {
            "call" => drop(calls.insert(number, oracle.called(mark, Some(fence.parse().unwrap())))),
            // Without a call before it, it is one that was made twice.
            _ => match calls.remove(&number) {
                Some(call) => call.done(),
                None => oracle.called(mark, Some(0)).done(),
            },
        }
        line.clear();
    }
}

async fn killed_at_random_under_load_it_loses_nothing(kind: Kind) {
    let times = env::var("INBOX_KILLS").map_or(10, |times| times.parse().unwrap());
    let Came { report, deaths, inbox, away, ended_for, ladder } = storm(kind, How::ByKey, End::Killed, times).await;
    println!("{kind:?}, {times} kills in {ended_for:?} of a ladder's {ladder:?}, up again within {away:?}\n{report}");
    assert!(ended_for < ladder, "the kills outlast the senders, and prove nothing: {ended_for:?} of {ladder:?}");
    assert!(report.is_happy(), "{report}");
    assert_eq!((deaths.len(), inbox.dead), (times, 0), "{inbox:?}");
    assert!(deaths.iter().all(|death| death.status.code().is_none()), "{deaths:?}");
    assert!(report.called_again <= IN_HAND * times as u64, "no event is called again but by a kill: {report}");
    assert_eq!(inbox.done, report.events, "{report}");
}

async fn told_to_stop_under_load_it_ends_in_time_and_calls_nothing_again(kind: Kind) {
    let Came { report, deaths, inbox, away, .. } = storm(kind, How::ByKey, End::Told, 4).await;
    println!("up again within {away:?}\n{report}");
    assert!(report.is_happy() && report.called_again == 0, "{report}");
    assert!(deaths.len() == 4 && deaths.iter().all(|death| death.status.success()), "{deaths:?}");
    assert!(inbox.done == report.events && away < Duration::from_secs(10), "{away:?}, {inbox:?}");
}

async fn whoever_answers_first_is_caught_by_kills(kind: Kind) {
    let Came { report, .. } = storm(kind, How::AnsweringFirst, End::Killed, 3).await;
    assert!(report.lost > 0, "{report}");
}
