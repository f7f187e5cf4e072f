//! The verdict, by the receiver itself, and the steps that explain it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use tower_service::Service;
use tower_webhook::gate::PeerAddr;
use tower_webhook::provider::AnyEvent;
use tower_webhook::{Received, Rejection};

use super::arriving::Arriving;
use super::case::Case;
use super::open::{self, Explained};
use super::report::{Report, State, Step, Told, Verdict, Why};
use super::{basic, front, gzip};

pub(super) fn judge(case: &Case<'_>) -> Result<Report, String> {
    let answer = receive(case)?;
    let mut steps: Vec<Step> =
        case.request.notes.iter().map(|note| Step::new("recording", State::Note, note.as_str())).collect();
    let malformed = case.request.malformed.as_ref();
    steps.extend(malformed.map(|why| Step::failed("http", why.cause.as_str(), why.clone())));
    steps.extend([front::path(case), front::source(case), basic::step(case), front::method(case)]);
    steps.extend([front::content_type(case), front::content_encoding(case), front::body(case)]);
    let opened = opened(case);
    steps.extend(opened.steps);

    let (verdict, events) = match (malformed, answer) {
        (Some(why), _) => (not_http(why.clone()), Vec::new()),
        (None, Ok(events)) => (Verdict::Accepted, events),
        (None, Err(rejection)) => (rejected(&rejection, &steps), Vec::new()),
    };
    Ok(Report {
        verdict,
        endpoint: case.endpoint.path().to_owned(),
        provider: Some(case.endpoint.provider_name().to_owned()),
        at: case.at.to_string(),
        steps,
        tried: opened.tried,
        events,
    })
}

/// The steps behind the body's own, over the bytes that are signed.
fn opened(case: &Case<'_>) -> Explained {
    match gzip::to_open(case) {
        Ok(body) if body == case.request.body => open::steps(case),
        Ok(body) => {
            let mut request = case.request.clone();
            request.compressed = Some(std::mem::replace(&mut request.body, body));
            open::steps(&Case { request: &request, ..*case })
        }
        Err(_) => {
            let not_reached = |name| Step::new(name, State::NotReached, "the body cannot be decompressed");
            Explained { steps: vec![not_reached("signature"), not_reached("events")], tried: 0 }
        }
    }
}

/// The server's own refusal, before there is a receiver.
fn not_http(why: Why) -> Verdict {
    let (status, kind, detail) = (400, "http_malformed".to_owned(), why.cause.clone());
    Verdict::Refused { status, kind, detail, likely_cause: why.cause, to_fix: why.fix }
}

fn rejected(rejection: &Rejection, steps: &[Step]) -> Verdict {
    let why = steps.iter().find_map(|step| Some(Why::new(step.cause.clone()?, step.fix.clone()?)));
    let detail = match std::error::Error::source(rejection) {
        Some(source) => format!("{}: {source}", rejection.detail()),
        None => rejection.detail().to_owned(),
    };
    let why = why.unwrap_or_else(|| Why::new(detail.clone(), "see the detail"));
    Verdict::Refused {
        status: rejection.status().as_u16(),
        kind: rejection.kind().as_str().to_owned(),
        detail,
        likely_cause: why.cause,
        to_fix: why.fix,
    }
}

/// Hands the request to the receiver that listens, without dedupe, and without the source list where the address is not
/// known.
fn receive(case: &Case<'_>) -> Result<Result<Vec<Told>, Rejection>, String> {
    let mut endpoint = case.endpoint.clone();
    endpoint.sources = endpoint.sources.filter(|_| case.from.is_some());
    // One request is never too many.
    endpoint.rate_limit = None;
    let receiver = case.config.receiver(&endpoint).map_err(|error| error.to_string())?.clock(case.at);
    let gathered: Arc<Mutex<Vec<Told>>> = Arc::default();
    let events = gathered.clone();
    // Nothing is handled here, so nothing can be handled twice.
    let mut service = receiver.dangerous_without_dedupe().handle(move |event: Received<AnyEvent>| {
        let told = Told::new(event.delivery().key().as_str(), event.event());
        events.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        std::future::ready(())
    });

    let mut request = Request::from_parts(case.request.head.clone(), Arriving::of(case.request));
    if let Some(from) = case.from {
        request.extensions_mut().insert(PeerAddr(SocketAddr::new(from, 0)));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let response = runtime.block_on(async move {
        let Ok(()) = poll_fn(|cx| Service::<Request<Arriving>>::poll_ready(&mut service, cx)).await;
        service.call(request).await
    });
    let Ok(response) = response;
    Ok(match response.extensions().get::<Rejection>() {
        Some(rejection) => Err(rejection.clone()),
        None => Ok(std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner))),
    })
}
