//! Which receiver answers at which path.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tower_layer::Layer as _;
use tower_service::Service;
use tower_webhook::config::{Config, Endpoint};
use tower_webhook::gate::{ResponseBody, answer_early};
use tower_webhook::idempotency::Repeats;
use tower_webhook::inbox::{Accepted, NewEvent};
use tower_webhook::{ConfigError, Rejection};

use super::alarms::Alarms;
use super::deliver::Deliver;
use super::ground::Ground;
use super::opening::Intake;
use super::voice::Voice;
use crate::lines::{Duplicate, Rejected, Stored, Unhandled};

/// What the library lets a handler take.
const HANDLER_LIMIT: Duration = Duration::from_secs(5 * 60);
/// How much of an unknown path is printed.
const MAX_PATH: usize = 256;

type Answer = Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>;
type Route = Box<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

/// All endpoints of a file.
pub(super) struct Routes {
    by_path: HashMap<String, Route>,
    voice: Voice,
}

impl Routes {
    pub(super) fn new(config: &Config, intake: &Intake, ground: &Ground) -> Result<Self, ConfigError> {
        let mut by_path = HashMap::new();
        for endpoint in &config.endpoints {
            by_path.insert(endpoint.path().to_owned(), route(config, endpoint, intake, ground)?);
        }
        Ok(Self { by_path, voice: ground.voice.clone() })
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        match self.by_path.get(request.uri().path()) {
            Some(route) => route(request).await,
            None => self.unknown(request).await,
        }
    }

    async fn unknown(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let path: String = request.uri().path().chars().take(MAX_PATH).collect();
        self.voice.mention(&Rejected::no_endpoint(&path));
        let mut response = Response::new(ResponseBody::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        answer_early(request, response).await
    }
}

fn route(config: &Config, endpoint: &Endpoint, intake: &Intake, ground: &Ground) -> Result<Route, ConfigError> {
    let voice = &ground.voice;
    let limit = handler_limit(endpoint.forward.as_ref().map(|forward| forward.timeout));
    let mut receiver = config.receiver(endpoint)?.settings(|settings| settings.handler_limit(limit))?;
    receiver = receiver.drain(&ground.drain).observer(Alarms::new(endpoint.path(), voice));
    if let Some(metrics) = &ground.metrics {
        receiver = receiver.observer(metrics.clone());
    }
    Ok(match intake {
        Intake::Claimed(store) => {
            let deliver = Deliver::of(config, endpoint, voice);
            answered(receiver.dedupe(store.clone()).layer().layer(deliver), endpoint, voice)
        }
        Intake::Kept(inbox) => {
            let (path, provider, told) = (endpoint.path().to_owned(), endpoint.provider_name(), voice.clone());
            let tell = move |event: &NewEvent, became| accepted(&told, &path, provider, event, became);
            answered(receiver.inbox(inbox).on_accepted(tell), endpoint, voice)
        }
    })
}

/// This service, whose answers are told of.
fn answered<S>(service: S, endpoint: &Endpoint, voice: &Voice) -> Route
where
    S: Service<Request<Incoming>, Response = Response<ResponseBody>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let (path, name) = (Arc::<str>::from(endpoint.path()), Arc::<str>::from(endpoint.name.as_str()));
    let voice = voice.clone();
    Box::new(move |request: Request<Incoming>| {
        let mut service = service.clone();
        let (path, name, voice) = (Arc::clone(&path), Arc::clone(&name), voice.clone());
        Box::pin(async move {
            let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
            let Ok(response) = service.call(request).await;
            mention(&voice, &path, &name, &response);
            response
        })
    })
}

/// What became of an event that was to be kept.
fn accepted(voice: &Voice, endpoint: &str, provider: &str, event: &NewEvent, became: Accepted) {
    match became {
        Accepted::Stored(id) => voice.note(&Stored::new(endpoint, provider, id, event)),
        Accepted::Quarantined(id) => voice.note(&Unhandled::quarantined(id, &event.readable_key)),
        _ => voice.mention(&Duplicate::new(endpoint, &event.receiver, &event.readable_key)),
    }
}

/// An upstream that may take longer than the library lets a handler take gets its time, and a moment to be answered for.
fn handler_limit(upstream: Option<Duration>) -> Duration {
    upstream.unwrap_or_default().saturating_add(Duration::from_secs(10)).max(HANDLER_LIMIT)
}

/// One line for each repeat and for a rejection. Events that were handled have been said by then.
fn mention(voice: &Voice, endpoint: &str, receiver: &str, response: &Response<ResponseBody>) {
    for key in response.extensions().get::<Repeats>().map(Repeats::keys).unwrap_or_default() {
        voice.mention(&Duplicate::new(endpoint, receiver, key.as_str()));
    }
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        voice.mention(&Rejected::new(endpoint, receiver, response.status().as_u16(), rejection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_gets_the_time_that_the_file_gives_it() {
        for (upstream, limit) in [(None, 300), (Some(10), 300), (Some(290), 300), (Some(291), 301), (Some(3600), 3610)]
        {
            let limit = Duration::from_secs(limit);
            assert_eq!(handler_limit(upstream.map(Duration::from_secs)), limit, "{upstream:?}");
        }
        assert_eq!(handler_limit(Some(Duration::MAX)), Duration::MAX);
    }
}
