//! What is judged by the head alone, check by check: path, address, method, content type and encoding.

use std::net::SocketAddr;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tower_webhook::gate::{HeadCheck as _, PeerAddr};
use tower_webhook::provider::Provider as _;

use super::case::Case;
use super::gzip;
use super::report::{State, Step, Why};
use super::words::tidy;

pub(super) fn path(case: &Case<'_>) -> Step {
    let (path, endpoint) = (case.request.head.uri.path(), case.endpoint.path());
    let name = format!("{endpoint} ({})", case.endpoint.provider_name());
    if path == endpoint {
        return Step::ok("endpoint", name);
    }
    let saw =
        format!("{name}; the request says {}: as it stands it would be a 404, unless a proxy changes it", tidy(path));
    Step::new("endpoint", State::Note, saw)
}

pub(super) fn source(case: &Case<'_>) -> Step {
    const NAME: &str = "source address";
    let Some(sources) = &case.endpoint.sources else { return Step::ok(NAME, "any is taken") };
    let networks = case.endpoint.spec.sources.iter().flat_map(|sources| &sources.networks);
    let networks = networks.map(String::as_str).collect::<Vec<_>>().join(", ");
    let Some(from) = case.from else {
        let saw = format!("cannot be known offline; taken are {networks}; --from ADDRESS judges one");
        return Step::new(NAME, State::Unknown, saw);
    };
    let mut head = case.request.head.clone();
    head.extensions.insert(PeerAddr(SocketAddr::new(from, 0)));
    match sources.check(&mut head) {
        Ok(()) => Step::ok(NAME, format!("taken from {from}")),
        Err(no) => {
            let fix = "put the sender's network into sources, or set trusted_proxies where it comes through a proxy";
            let why = Why::new(format!("the source address is not on the list: {}", no.detail()), fix);
            Step::failed(NAME, format!("{}; taken are {networks}", no.detail()), why)
        }
    }
}

pub(super) fn method(case: &Case<'_>) -> Step {
    let method = &case.request.head.method;
    let known = &case.endpoint.provider.profile().methods;
    if known.contains(method) {
        return Step::ok("method", method.as_str());
    }
    let known: Vec<&str> = known.iter().map(|method| method.as_str()).collect();
    let known = known.join(", ");
    let method = tidy(method.as_str());
    let why = Why::new(format!("the method {method} is not what this provider uses"), format!("send it by {known}"));
    Step::failed("method", format!("{method}, taken are {known}"), why)
}

pub(super) fn content_type(case: &Case<'_>) -> Step {
    const NAME: &str = "content type";
    let known = &case.endpoint.provider.profile().content_types;
    let Some(value) = case.headers().get(CONTENT_TYPE) else {
        return Step::ok(NAME, "none is said, which is taken");
    };
    let said = tidy(&String::from_utf8_lossy(value.as_bytes()));
    let essence = said.split(';').next().unwrap_or_default().trim();
    if known.is_empty() || known.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Step::ok(NAME, said);
    }
    let known = known.join(", ");
    let why = Why::new(format!("the content type {essence} is not what this provider uses"), format!("send {known}"));
    Step::failed(NAME, format!("{said}, taken are {known}"), why)
}

pub(super) fn content_encoding(case: &Case<'_>) -> Step {
    const NAME: &str = "content encoding";
    let values = case.headers().get_all(CONTENT_ENCODING);
    let is_none = |value: &[u8]| value.eq_ignore_ascii_case(b"identity") || value.eq_ignore_ascii_case(b"utf-8");
    let Some(value) = values.iter().find(|value| !is_none(value.as_bytes().trim_ascii())) else {
        return Step::ok(NAME, "none");
    };
    let said = tidy(&String::from_utf8_lossy(value.as_bytes()));
    if let Some(step) = gzip::taken(case, NAME, &said) {
        return step;
    }
    let why = Why::new(
        format!("the body is compressed: content encoding {said}"),
        "have the sender, or the proxy in between, send it as it is: a signature is over exact bytes; or let the endpoint take gzip",
    );
    Step::failed(NAME, format!("{said}, which is not taken"), why)
}

pub(super) fn body(case: &Case<'_>) -> Step {
    let (length, most) = (case.request.body.len(), case.endpoint.max_body);
    let unfinished = case.request.unfinished.as_ref();
    let too_long = |length: &usize| *length > most;
    let said = unfinished.and_then(|unfinished| unfinished.declared).filter(too_long);
    let said = said.map(|said| format!("Content-Length says {said} bytes"));
    let saw = format!("{length} bytes");
    if let Some(long) = said.or_else(|| too_long(&length).then(|| saw.clone())) {
        let why = Why::new(
            format!("the body is longer than the limit: {long}, {most} are taken"),
            "raise max_body of the endpoint, if the sender may send so much",
        );
        return Step::failed("body", saw, why);
    }
    match unfinished {
        Some(unfinished) => Step::failed("body", saw, unfinished.why.clone()),
        None => Step::ok("body", saw),
    }
}
