//! Opening and decoding: the headers of the scheme, the signature, its time, and what is inside.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::Provider as _;
use tower_webhook::scheme::Opened;
use tower_webhook::{Rejection, RejectionKind};

use super::judge::{Case, in_a_line};
use super::report::{State, Step, Why};
use super::sample::{Sample, TimePlace, ageless};
use super::search::{self, Outcome};
use super::words;

/// What a header in which anything may stand is called without being quoted.
const PREFIXES: [&str; 8] = ["sha256=", "sha512=", "sha1=", "v1=", "v1,", "v0=", "v1a,", "hmac-sha256="];

pub(super) struct Explained {
    pub(super) steps: Vec<Step>,
    pub(super) tried: usize,
}

pub(super) fn steps(case: &Case<'_>) -> Explained {
    let scheme = case.endpoint.provider.scheme();
    if !scheme.proves_sender() {
        let step = Step::new("signature", State::Note, "this provider signs nothing: the credentials are the proof");
        return Explained { steps: vec![step, decode(case, &case.request.body, true)], tried: 0 };
    }
    let endless = ageless(case.endpoint);
    let endless = endless.as_ref().unwrap_or(case.endpoint);
    let sample = Sample::of(case, endless);
    let headers = &case.request.head.headers;
    let opened = scheme.open(headers, case.request.body.clone(), case.at);

    let mut steps = header_steps(headers, &sample, opened.as_ref().err());
    let late = opened.as_ref().is_err_and(|no| no.kind() == RejectionKind::TimestampOutside);
    let mut tried = 0;
    let plaintext = match &opened {
        Ok(opened) => {
            steps.push(Step::ok("signature", fitted(scheme.name(), opened)));
            Some(opened.plaintext.clone())
        }
        Err(_) if late => {
            steps.push(Step::ok("signature", format!("{}: it fits", scheme.name())));
            sent(headers, &sample).and_then(|sent| {
                let opened = endless.provider.scheme().open(headers, case.request.body.clone(), sent);
                opened.ok().map(|opened| opened.plaintext)
            })
        }
        Err(no) => {
            let outcome = search::run(case, &sample);
            tried = outcome.tried;
            let why = outcome.why.clone().unwrap_or_else(|| nothing_fits(case, &sample, no, &outcome));
            let saw = format!("{}: {}; {}", scheme.name(), no.detail(), keys(case));
            steps.push(Step::failed("signature", saw, why));
            outcome.plaintext
        }
    };
    steps.extend(sample.time.as_ref().map(|place| timestamp(case, place, late)));
    steps.push(match plaintext {
        Some(plaintext) => decode(case, &plaintext, opened.is_ok()),
        None => Step::new("events", State::NotReached, "nothing was opened"),
    });
    Explained { steps, tried }
}

fn fitted(scheme: &str, opened: &Opened) -> String {
    match &opened.key_id {
        Some(id) => format!("{scheme}: it fits the key {id}"),
        None => format!("{scheme}: it fits"),
    }
}

/// One step for each header that carries a proof.
fn header_steps(headers: &HeaderMap, sample: &Sample, no: Option<&Rejection>) -> Vec<Step> {
    let step = |(name, right): &(HeaderName, String)| {
        let saw = describe(headers, name);
        let problem = problem(headers, name, right).filter(|_| no.is_some());
        let is_token = no.is_some_and(|no| no.kind() == RejectionKind::SignatureMismatch);
        match problem {
            Some(problem) if !is_token => Step::new(name.as_str(), State::Failed, format!("{saw}; {problem}")),
            Some(problem) => Step::new(name.as_str(), State::Note, format!("{saw}; {problem}")),
            None => Step::ok(name.as_str(), saw),
        }
    };
    sample.proofs.iter().map(step).collect()
}

fn describe(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.count()) {
        (None, _) => "missing".to_owned(),
        (Some(value), 0) => match value.to_str() {
            Ok(text) => {
                let (prefix, encoded) = words::split(text.trim());
                let prefix = match PREFIXES.iter().find(|known| **known == prefix) {
                    Some(known) => format!("{known:?} and "),
                    None if prefix.is_empty() => String::new(),
                    None => "text and ".to_owned(),
                };
                format!("stands once, {prefix}{}", words::shape(encoded))
            }
            Err(_) => "stands once, not ASCII".to_owned(),
        },
        (Some(_), more) => format!("stands {} times", more + 1),
    }
}

/// How a header differs from a right one, by its looks.
fn problem(headers: &HeaderMap, name: &HeaderName, right: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Some("it must stand once".to_owned()) };
    let (right_prefix, right) = words::split(right);
    let text = value.to_str().unwrap_or_default().trim();
    let (prefix, given) = words::split(text);
    let right_shape = words::shape(right);
    if given.len() != right.len() || words::shape(given) != right_shape {
        return Some(format!("{right_shape} are expected"));
    }
    let prefix_differs = PREFIXES.contains(&right_prefix) && prefix != right_prefix;
    prefix_differs.then(|| format!("{right_prefix:?} is expected in front"))
}

/// Which keys were tried, and which were not and why.
fn keys(case: &Case<'_>) -> String {
    let entries = case.endpoint.key_texts();
    let id = |entry: &toml::Table| entry.get("id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
    let tried = entries.iter().filter(|(entry, _)| search::validity(entry, case.at).is_none());
    let tried: Vec<String> = tried.map(|(entry, _)| id(entry)).collect();
    let idle = entries.iter().filter_map(|(entry, _)| Some((id(entry), search::validity(entry, case.at)?)));
    let idle: Vec<String> = idle.map(|(id, validity)| format!("{id} ({validity})")).collect();
    let tried =
        if tried.is_empty() { "no key is valid".to_owned() } else { format!("keys tried: {}", tried.join(", ")) };
    if idle.is_empty() { tried } else { format!("{tried}; not valid at this time: {}", idle.join(", ")) }
}

/// No variation fits: what can honestly be said.
fn nothing_fits(case: &Case<'_>, sample: &Sample, no: &Rejection, outcome: &Outcome) -> Why {
    let headers = &case.request.head.headers;
    let body = &case.request.body;
    let tried = format!("{}{} variations were tried", if outcome.all { "" } else { "only " }, outcome.tried);
    if no.kind() != RejectionKind::SignatureMismatch {
        let problem = sample.proofs.iter().find_map(|(name, right)| {
            let problem = problem(headers, name, right)?;
            Some(format!("{name}: {}; {problem}", describe(headers, name)))
        });
        let cause = match no.kind() {
            RejectionKind::SignatureMissing | RejectionKind::HeaderRepeated => no.detail().to_owned(),
            RejectionKind::HeaderMalformed => problem.unwrap_or_else(|| no.detail().to_owned()),
            _ => format!("{} ({} bytes of body)", no.detail(), body.len()),
        };
        let fix =
            "have the sender write its headers and body as this provider does, and look for a proxy that changes them";
        return Why::new(cause, fix);
    }
    if let Some(altered) = &case.request.altered {
        return Why::new(altered.clone(), "capture the exact bytes, without an editor or a parser in between");
    }
    if body.starts_with(&[0x1F, 0x8B]) {
        let cause = "the body is compressed (it begins like gzip), and what was signed is most likely not";
        return Why::new(cause, "have the sender, or the proxy in between, send it as it is");
    }
    if body.windows(3).any(|window| window == "\u{FFFD}".as_bytes()) {
        let cause = "the body has lost bytes: U+FFFD stands where they were";
        return Why::new(cause, "capture the exact bytes, without going through text");
    }
    if body.is_empty() {
        return Why::new("the body is empty, and no variation fits", "capture the request with its body");
    }
    Why::new(
        format!("no variation fits ({tried}): the body was changed on its way, or the key is none of this file"),
        "compare the key with the sender's, and capture the exact bytes: no proxy, parser or editor in between",
    )
}

/// The time that the delivery says it was sent at.
fn sent(headers: &HeaderMap, sample: &Sample) -> Option<Timestamp> {
    let place = sample.time.as_ref()?;
    time(&place.find(headers)?, place.in_milliseconds)
}

fn time(text: &str, in_milliseconds: bool) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    if in_milliseconds { Timestamp::from_millisecond(number).ok() } else { Timestamp::from_second(number).ok() }
}

/// Ten years: nobody sends so late.
const ABSURD: u64 = 10 * 31_557_600;

fn timestamp(case: &Case<'_>, place: &TimePlace, is_outside: bool) -> Step {
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
        None => format!("{text}, beyond any time"),
    };
    let saw = format!("{saw}; {}", place.tolerance());
    if !is_outside {
        let state = if wrong_unit { State::Note } else { State::Ok };
        return Step::new(NAME, state, saw);
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

/// The events inside. When the delivery was opened by a variation alone, this is what would come next.
fn decode(case: &Case<'_>, plaintext: &Bytes, is_opened: bool) -> Step {
    const NAME: &str = "events";
    match case.endpoint.provider.decode(&case.request.head.headers, plaintext) {
        Ok(events) => {
            let first: Vec<String> = events.iter().take(3).map(in_a_line).collect();
            let more = if events.len() > first.len() { ", …" } else { "" };
            let saw = format!("{}: {}{more}", events.len(), first.join(", "));
            let most = case.endpoint.provider.profile().max_events;
            if events.len() > most {
                let why = Why::new(format!("more than {most} events in one delivery"), "have the sender send fewer");
                return Step::failed(NAME, saw, why);
            }
            let state = if is_opened { State::Ok } else { State::Note };
            Step::new(NAME, state, saw)
        }
        Err(no) => Step::failed(NAME, no.detail().to_owned(), undecoded(&no)),
    }
}

fn undecoded(no: &Rejection) -> Why {
    let detail = no.detail();
    match no.kind() {
        RejectionKind::KeyMissing => Why::new(
            format!("there is no idempotency key: {detail}"),
            "have the sender send it, or let the key be made of something else (see the provider's key settings)",
        ),
        RejectionKind::PayloadMalformed if detail.contains("stands twice") => Why::new(
            format!("the sender is proved, but its JSON is ambiguous: {detail}"),
            "have the sender write each name once: parsers differ on which of the two counts",
        ),
        RejectionKind::PayloadMalformed => {
            let is = if detail.starts_with("not JSON") { "broken" } else { "not what this provider sends" };
            Why::new(
                format!("the sender is proved, but its JSON is {is}: {detail}"),
                "look at this place of the body at the sender: it signed what it sent",
            )
        }
        _ => Why::new(detail.to_owned(), "have the sender write it as this provider does"),
    }
}
