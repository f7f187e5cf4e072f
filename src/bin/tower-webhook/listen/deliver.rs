//! The innermost service of an endpoint: forward the event if told to, say it, answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;
use tower_webhook::config::{Config, Endpoint};
use tower_webhook::gate::{Body, reject};
use tower_webhook::inbox::{EventId, Verdict};
use tower_webhook::provider::AnyEvent;
use tower_webhook::{Received, Rejection, RejectionKind};

use super::forward::Upstream;
use super::voice::Voice;
use crate::lines::Accepted;

/// Handles one event at a time.
#[derive(Clone)]
pub(super) struct Deliver {
    endpoint: Arc<str>,
    provider: &'static str,
    upstream: Option<Upstream>,
    /// Whether nothing of what an event says is printed.
    is_quiet: bool,
    voice: Voice,
}

impl Service<Request<Body>> for Deliver {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let deliver = self.clone();
        Box::pin(async move { Ok(deliver.one(request).await.unwrap_or_else(reject)) })
    }
}

impl Deliver {
    /// To the service of this endpoint, or to stdout.
    pub(super) fn of(config: &Config, endpoint: &Endpoint, voice: &Voice) -> Self {
        Self {
            upstream: Upstream::of(config, endpoint, voice),
            endpoint: endpoint.path().into(),
            provider: endpoint.provider_name(),
            is_quiet: config.is_quiet(endpoint),
            voice: voice.clone(),
        }
    }

    async fn one(&self, request: Request<Body>) -> Result<Response<Body>, Rejection> {
        let (mut head, _) = request.into_parts();
        let event: Received<AnyEvent> =
            head.extensions.remove().ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "no event"))?;
        // Nothing is begun whose line would have no room: an event that was handled is never left unsaid, and one that
        // was not can come again.
        self.voice.ready().await?;
        let line = || Accepted::new(&self.endpoint, self.provider, &event, self.is_quiet);
        let Some(upstream) = &self.upstream else {
            // The line is all that becomes of the event.
            self.voice.say_surely(&line()).await?;
            return Ok(Response::default());
        };
        let response = upstream.send(self.provider, &head, &event).await;
        if response.status().is_success() {
            self.voice.say(&line());
        }
        Ok(response)
    }

    /// The same for an event that was stored under this number before.
    pub(super) async fn stored(&self, id: EventId, event: &Received<AnyEvent>) -> Verdict {
        let line = || Accepted::new(&self.endpoint, self.provider, event, self.is_quiet).in_turn(id, event);
        let Some(upstream) = &self.upstream else {
            return match self.voice.say_at_last(&line()).await {
                Ok(()) => Verdict::Done,
                Err(error) => Verdict::dead(format!("the event cannot be written: {error}")),
            };
        };
        let verdict = upstream.send_stored(self.provider, event).await;
        if verdict == Verdict::Done {
            self.voice.say(&line());
        }
        verdict
    }
}
