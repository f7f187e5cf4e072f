//! The signed time: what it says, how far it is off, and whether it is counted in another unit.

use tower_webhook::clock::Timestamp;
use tower_webhook::scheme::{Layout, ProofHeader, ProofRole, TimePlace, TimeUnit, Tolerance};

use super::case::Case;
use super::proofs;
use super::report::{State, Step, Why};
use super::words;

/// What the receiver says of the time. It looks at it last.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    Within,
    Outside,
    NotReached,
}

/// The time that the delivery says it was sent at.
pub(super) fn sent(case: &Case<'_>) -> Option<Timestamp> {
    let tolerance = case.scheme().tolerance()?;
    time(&find(case, tolerance)?, tolerance.unit())
}

/// The header in which the time stands.
fn header<'a>(case: &'a Case<'_>, tolerance: &Tolerance) -> Option<&'a ProofHeader> {
    let role = match tolerance.place() {
        TimePlace::Param(_) => ProofRole::Signature,
        _ => ProofRole::Time,
    };
    case.scheme().proofs().with_role(role)
}

/// The text that says the time.
fn find(case: &Case<'_>, tolerance: &Tolerance) -> Option<String> {
    let header = header(case, tolerance)?;
    let text = case.headers().get(proofs::name(case.headers(), header))?.to_str().ok()?.trim();
    let found = match (tolerance.place(), &header.layout) {
        (TimePlace::Param(param), Layout::Params { separator, .. }) => {
            let mut params = text.split(separator.as_str()).filter_map(|param| param.trim().split_once('='));
            params.find(|(name, _)| name == param)?.1
        }
        _ => text,
    };
    Some(found.to_owned())
}

fn time(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match unit {
        TimeUnit::Milliseconds => Timestamp::from_millisecond(number).ok(),
        _ => Timestamp::from_second(number).ok(),
    }
}

/// Ten years: nobody sends so late.
const ABSURD: u64 = 10 * 31_557_600;

pub(super) fn step(case: &Case<'_>, tolerance: &Tolerance, judged: Judged) -> Step {
    const NAME: &str = "timestamp";
    let (unit, other_unit) = match tolerance.unit() {
        TimeUnit::Milliseconds => ("milliseconds", (TimeUnit::Seconds, "seconds")),
        _ => ("seconds", (TimeUnit::Milliseconds, "milliseconds")),
    };
    let Some(text) = find(case, tolerance) else {
        let place = header(case, tolerance).map_or("the delivery", |header| header.name.as_str());
        return Step::new(NAME, State::NotReached, format!("{place} has none"));
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let saw = format!("it is no plain number; {unit} since 1970 are expected");
        return Step::new(NAME, State::Failed, saw);
    }
    let read = time(&text, tolerance.unit());
    let is_absurd = |sent: Timestamp| distance(sent, case.at) >= ABSURD;
    let saw = match read {
        Some(sent) => format!("{text}, {sent}: {}", words::from(case.at, sent)),
        None => format!("{} digits, beyond any time", text.len()),
    };
    let (past, future) = (tolerance.max_past().as_secs(), tolerance.max_future().as_secs());
    let saw = format!("{saw}; {} back and {} ahead are taken", words::span(past), words::span(future));
    let is_off = read.is_none_or(|sent| distance(sent, case.at) > if sent < case.at { past } else { future });
    match judged {
        Judged::Within => return Step::ok(NAME, saw),
        Judged::NotReached if !is_off => return Step::new(NAME, State::Note, saw),
        Judged::NotReached | Judged::Outside => {}
    }
    let otherwise = time(&text, other_unit.0).filter(|sent| !is_absurd(*sent));
    let why = match otherwise.filter(|_| read.is_none_or(is_absurd)) {
        Some(sent) => {
            let when = words::from(case.at, sent);
            Why::new(
                format!("the timestamp is in {}, {unit} are expected: so read it is {when}", other_unit.1),
                format!("set timestamp.unit of the endpoint, or have the sender write {unit}"),
            )
        }
        None => age(case, (past, future), read),
    };
    Step::failed(NAME, saw, why)
}

fn age(case: &Case<'_>, (past, future): (u64, u64), sent: Option<Timestamp>) -> Why {
    let Some(sent) = sent else { return Why::new("the timestamp is beyond any time", "see how the sender writes it") };
    let off = words::span(distance(sent, case.at));
    let judged = format!("to judge as of then, say --at {sent}");
    if sent < case.at {
        return Why::new(
            format!("the timestamp is {off} old, {} are taken", words::span(past)),
            format!("raise timestamp.past where the sender repeats old signatures, or set both clocks; {judged}"),
        );
    }
    Why::new(
        format!("the timestamp lies {off} in the future, {} are taken", words::span(future)),
        format!("set both clocks by NTP, or raise timestamp.future; {judged}"),
    )
}

fn distance(one: Timestamp, other: Timestamp) -> u64 {
    one.as_second().saturating_sub(other.as_second()).unsigned_abs()
}
