//! The signed time: what it says, how far it is off, and whether it is counted in another unit.

use http::HeaderMap;
use tower_webhook::clock::Timestamp;

use super::judge::Case;
use super::report::{State, Step, Why};
use super::sample::{Sample, TimePlace};
use super::words;

/// What the receiver says of the time. It looks at it last.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    Within,
    Outside,
    NotReached,
}

/// The time that the delivery says it was sent at.
pub(super) fn sent(headers: &HeaderMap, sample: &Sample) -> Option<Timestamp> {
    let place = sample.time.as_ref()?;
    time(&place.find(headers)?, place.in_milliseconds)
}

fn time(text: &str, in_milliseconds: bool) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    if in_milliseconds { Timestamp::from_millisecond(number).ok() } else { Timestamp::from_second(number).ok() }
}

/// Ten years: nobody sends so late.
const ABSURD: u64 = 10 * 31_557_600;

pub(super) fn step(case: &Case<'_>, place: &TimePlace, judged: Judged) -> Step {
    const NAME: &str = "timestamp";
    let unit = |milliseconds| if milliseconds { "milliseconds" } else { "seconds" };
    let Some(text) = place.find(&case.request.head.headers) else {
        return Step::new(NAME, State::NotReached, format!("{} has none", place.header));
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let saw = format!("it is no plain number; {} since 1970 are expected", unit(place.in_milliseconds));
        return Step::new(NAME, State::Failed, saw);
    }
    let off = |milliseconds| Some((time(&text, milliseconds)?, case.at)).map(|(sent, at)| (sent, distance(sent, at)));
    let other = off(!place.in_milliseconds).filter(|(_, distance)| *distance < ABSURD);
    let read = off(place.in_milliseconds);
    let wrong_unit = other.is_some() && read.is_none_or(|(_, distance)| distance >= ABSURD);
    let when = |sent: Timestamp| format!("{text}, {sent}: {}", words::from(case.at, sent));
    let saw = match read {
        Some((sent, _)) => when(sent),
        None => format!("{} digits, beyond any time", text.len()),
    };
    let saw = format!("{saw}; {}", place.tolerance());
    let is_off = wrong_unit || read.is_none_or(|(sent, distance)| distance > place.reach(sent < case.at));
    match judged {
        Judged::Within => return Step::ok(NAME, saw),
        Judged::NotReached if !is_off => return Step::new(NAME, State::Note, saw),
        Judged::NotReached | Judged::Outside => {}
    }
    if let (true, Some((sent, _))) = (wrong_unit, other) {
        let (sent_in, expected) = (unit(!place.in_milliseconds), unit(place.in_milliseconds));
        let why = Why::new(
            format!(
                "the timestamp is in {sent_in}, {expected} are expected: so read it is {}",
                words::from(case.at, sent)
            ),
            format!("set timestamp.unit of the endpoint, or have the sender write {expected}"),
        );
        return Step::failed(NAME, saw, why);
    }
    Step::failed(NAME, saw, age(case, place, read.map(|(sent, _)| sent)))
}

fn age(case: &Case<'_>, place: &TimePlace, sent: Option<Timestamp>) -> Why {
    let Some(sent) = sent else { return Why::new("the timestamp is beyond any time", "see how the sender writes it") };
    let off = words::span(distance(sent, case.at));
    let judged = format!("to judge as of then, say --at {sent}");
    if sent < case.at {
        return Why::new(
            format!("the timestamp is {off} old, {} are taken", words::span(place.past)),
            format!("raise timestamp.past where the sender repeats old signatures, or set both clocks; {judged}"),
        );
    }
    Why::new(
        format!("the timestamp lies {off} in the future, {} are taken", words::span(place.future)),
        format!("set both clocks by NTP, or raise timestamp.future; {judged}"),
    )
}

fn distance(one: Timestamp, other: Timestamp) -> u64 {
    one.as_second().saturating_sub(other.as_second()).unsigned_abs()
}
