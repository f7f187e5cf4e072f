//! The verdict, by the receiver itself, and the steps that explain it.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;
use tower_webhook::clock::Timestamp;
use tower_webhook::config::Endpoint;
use tower_webhook::event::{Event, Project as _};
use tower_webhook::gate::{Body, PeerAddr};
use tower_webhook::provider::{AnyEvent, Decoded};
use tower_webhook::{Received, Receiver, Rejection};

use super::files::Captured;
use super::report::{Report, State, Step, Told, Verdict, Why};
use super::words::tidy;
use super::{basic, front, open};

/// What is to be explained.
pub(super) struct Case<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) others: Vec<&'a Endpoint>,
    pub(super) request: &'a Captured,
    pub(super) at: Timestamp,
    pub(super) from: Option<IpAddr>,
}

pub(super) fn judge(case: &Case<'_>) -> Result<Report, String> {
    let answer = receive(case)?;
    let mut steps: Vec<Step> =
        case.request.notes.iter().map(|note| Step::new("recording", State::Note, note.as_str())).collect();
    steps.extend([front::path(case), front::source(case), basic::step(case), front::method(case)]);
    steps.extend([front::content_type(case), front::content_encoding(case), front::body(case)]);
    let opened = open::steps(case);
    steps.extend(opened.steps);

    let (verdict, events) = match answer {
        Ok(events) => (Verdict::Accepted, events),
        Err(rejection) => (refused(&rejection, &steps), Vec::new()),
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

fn refused(rejection: &Rejection, steps: &[Step]) -> Verdict {
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

/// Hands the request to a receiver like the one that listens, without dedupe, and without the source list where the
/// address is not known.
fn receive(case: &Case<'_>) -> Result<Result<Vec<Told>, Rejection>, String> {
    let endpoint = case.endpoint;
    let mut receiver =
        Receiver::new(endpoint.name.as_str(), endpoint.provider.clone()).max_body(endpoint.max_body).clock(case.at);
    if let Some(layer) = &endpoint.basic_auth {
        receiver = receiver.basic_auth(layer);
    }
    if let (Some(layer), Some(_)) = (&endpoint.sources, case.from) {
        receiver = receiver.sources(layer);
    }
    let gathered = Gather::default();
    // Nothing is handled here, so nothing can be handled twice.
    let mut service = receiver.dangerous_without_dedupe().layer().layer(gathered.clone());

    let mut request = Request::from_parts(case.request.head.clone(), Body::from(case.request.body.clone()));
    if let Some(from) = case.from {
        request.extensions_mut().insert(PeerAddr(SocketAddr::new(from, 0)));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let response = runtime.block_on(async move {
        let Ok(()) = poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut service, cx)).await;
        service.call(request).await
    });
    let Ok(response) = response;
    Ok(match response.extensions().get::<Rejection>() {
        Some(rejection) => Err(rejection.clone()),
        None => Ok(std::mem::take(&mut *gathered.0.lock().unwrap_or_else(PoisonError::into_inner))),
    })
}

/// The handler: takes note of events.
#[derive(Clone, Default)]
struct Gather(Arc<Mutex<Vec<Told>>>);

impl Service<Request<Body>> for Gather {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Some(event) = request.extensions().get::<Received<AnyEvent>>() {
            let told = told(event.delivery().key().as_str(), event.event());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
        ready(Ok(Response::default()))
    }
}

fn told(key: &str, event: &AnyEvent) -> Told {
    Told { key: key.to_owned(), event: event.name().to_owned(), kind: kind(&event.project()) }
}

/// An event that a step saw, in a line.
pub(super) fn in_a_line(decoded: &Decoded<AnyEvent>) -> String {
    let told = told(decoded.key.as_str(), &decoded.event);
    format!("{} (key {}, kind {})", tidy(&told.event), tidy(&told.key), told.kind)
}

/// The name that the event's kind has in JSON.
fn kind(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    json.get("kind").and_then(|kind| kind.as_str()).unwrap_or("unknown").to_owned()
}
