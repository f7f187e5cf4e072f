//! Opening and decoding: the headers of the scheme, the signature, its time, and what is inside.

use bytes::Bytes;
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::Provider as _;
use tower_webhook::scheme::Opened;
use tower_webhook::{Rejection, RejectionKind};

use super::case::Case;
use super::gzip;
use super::proofs;
use super::report::{State, Step, Told, Why};
use super::search::{self, Found, Outcome};
use super::timestamp::{self, Judged};

pub(super) struct Explained {
    pub(super) steps: Vec<Step>,
    pub(super) tried: usize,
}

pub(super) fn steps(case: &Case<'_>) -> Explained {
    let scheme = case.scheme();
    if !scheme.proves_sender() {
        let step = Step::new("signature", State::Note, "this provider signs nothing: the credentials are the proof");
        return Explained { steps: vec![step, decode(case, &case.request.body, true)], tried: 0 };
    }
    let opened = scheme.open(case.headers(), case.request.body.clone(), case.at);

    let mut steps = proofs::steps(case, opened.as_ref().err());
    let late = opened.as_ref().is_err_and(|no| no.kind() == RejectionKind::TimestampOutside);
    let mut tried = 0;
    let plaintext = match &opened {
        Ok(opened) => {
            steps.push(Step::ok("signature", fitted(scheme.name(), opened)));
            Some(opened.plaintext.clone())
        }
        Err(_) if late => {
            steps.push(Step::ok("signature", format!("{}: it fits", scheme.name())));
            timestamp::sent(case).and_then(|sent| opened_at(case, sent))
        }
        Err(no) => {
            let outcome = search::run(case);
            tried = outcome.tried;
            let (why, plaintext) = match outcome.found {
                Some(Found { why, plaintext }) => (why, plaintext),
                None => (nothing_fits(case, no, &outcome), None),
            };
            let saw = format!("{}: {}; {}", scheme.name(), no.detail(), keys(case));
            steps.push(Step::failed("signature", saw, why));
            plaintext
        }
    };
    let judged = match &opened {
        Ok(_) => Judged::Within,
        Err(_) if late => Judged::Outside,
        Err(_) => Judged::NotReached,
    };
    steps.extend(scheme.tolerance().map(|tolerance| timestamp::step(case, tolerance, judged)));
    steps.push(match plaintext {
        Some(plaintext) => decode(case, &plaintext, opened.is_ok()),
        None => Step::new("events", State::NotReached, "nothing was opened"),
    });
    Explained { steps, tried }
}

/// What is inside, as of then, whatever the times of the keys.
fn opened_at(case: &Case<'_>, then: Timestamp) -> Option<Bytes> {
    let mut spec = case.endpoint.spec.clone();
    for key in &mut spec.keys {
        (key.not_before, key.not_after) = (None, None);
    }
    let ageless = spec.build().ok()?;
    let opened = ageless.provider.scheme().open(case.headers(), case.request.body.clone(), then);
    opened.ok().map(|opened| opened.plaintext)
}

fn fitted(scheme: &str, opened: &Opened) -> String {
    match &opened.key_id {
        Some(id) => format!("{scheme}: it fits the key {id}"),
        None => format!("{scheme}: it fits"),
    }
}

/// Which keys were tried, and which were not and why.
fn keys(case: &Case<'_>) -> String {
    let keys = &case.endpoint.spec.keys;
    let tried = keys.iter().filter(|key| search::validity(key, case.at).is_none());
    let tried: Vec<&str> = tried.map(|key| key.id.as_str()).collect();
    let idle = keys.iter().filter_map(|key| Some((&key.id, search::validity(key, case.at)?)));
    let idle: Vec<String> = idle.map(|(id, validity)| format!("{id} ({validity})")).collect();
    let tried =
        if tried.is_empty() { "no key is valid".to_owned() } else { format!("keys tried: {}", tried.join(", ")) };
    if idle.is_empty() { tried } else { format!("{tried}; not valid at this time: {}", idle.join(", ")) }
}

/// No variation fits: what can honestly be said.
fn nothing_fits(case: &Case<'_>, no: &Rejection, outcome: &Outcome) -> Why {
    let body = &case.request.body;
    let tried = match outcome.left {
        None => format!("{} variations were tried", outcome.tried),
        Some(why) => format!("only {} variations were tried: {why}", outcome.tried),
    };
    if no.kind() != RejectionKind::SignatureMismatch {
        let cause = match no.kind() {
            RejectionKind::SignatureMissing | RejectionKind::HeaderRepeated => no.detail().to_owned(),
            RejectionKind::HeaderMalformed => proofs::first_problem(case).unwrap_or_else(|| no.detail().to_owned()),
            _ => format!("{} ({} bytes of body)", no.detail(), body.len()),
        };
        let fix =
            "have the sender write its headers and body as this provider does, and look for a proxy that changes them";
        return Why::new(cause, fix);
    }
    if let Some(altered) = &case.request.altered {
        return Why::new(altered.clone(), "capture the exact bytes, without an editor or a parser in between");
    }
    if body.starts_with(&[0x1F, 0x8B]) && gzip::otherwise(case).is_none() {
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
        format!(
            "no variation fits ({tried}): the body, the signature or a signed header was changed on its way, or the key \
             is none of this file"
        ),
        "compare the key with the sender's, and capture the exact bytes: no proxy, parser or editor in between",
    )
}

/// The events inside. When the delivery was opened by a variation alone, this is what would come next.
fn decode(case: &Case<'_>, plaintext: &Bytes, is_opened: bool) -> Step {
    const NAME: &str = "events";
    let plaintext = match gzip::to_read(case, plaintext, is_opened) {
        Ok(plaintext) => plaintext,
        Err(no) => return Step::failed(NAME, no.detail().to_owned(), gzip::not_gzip(&no)),
    };
    match case.endpoint.provider.decode(case.headers(), plaintext) {
        Ok(events) => {
            let first: Vec<String> =
                events.iter().take(3).map(|event| Told::new(event.key.as_str(), &event.event).line()).collect();
            let more = if events.len() > first.len() { ", …" } else { "" };
            let saw = format!("{}: {}{more}", events.len(), first.join(", "));
            let most = case.endpoint.provider.profile().max_events;
            if events.count() > most {
                let why = Why::new(format!("more than {most} events in one delivery"), "have the sender send fewer");
                return Step::failed(NAME, saw, why);
            }
            if let Some(no) = events.rejection() {
                return Step::failed(NAME, saw, undecoded(&no));
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
