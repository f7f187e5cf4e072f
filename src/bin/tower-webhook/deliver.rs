//! The innermost service of an endpoint: forward the event if told to, say it, answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;
use tower_webhook::gate::{Body, refusal};
use tower_webhook::{Received, Rejection, RejectionKind};

use crate::any::AnyEvent;
use crate::forward::Upstream;
use crate::lines::{self, Accepted};

/// Handles one event at a time.
#[derive(Clone)]
pub(crate) struct Deliver {
    pub(crate) endpoint: Arc<str>,
    pub(crate) provider: Arc<str>,
    pub(crate) upstream: Option<Upstream>,
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
        Box::pin(async move { Ok(deliver.one(request).await.unwrap_or_else(refusal)) })
    }
}

impl Deliver {
    async fn one(&self, request: Request<Body>) -> Result<Response<Body>, Rejection> {
        let (mut head, _) = request.into_parts();
        let event: Received<AnyEvent> =
            head.extensions.remove().ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "no event"))?;
        let response = match &self.upstream {
            Some(upstream) => upstream.send(&self.provider, &head, &event).await,
            None => Response::default(),
        };
        if response.status().is_success() {
            // Without an upstream the line is all that becomes of the event: unsaid is not handled.
            let said = lines::print(&Accepted::new(&self.endpoint, &self.provider, &event));
            if let (Err(error), None) = (said, &self.upstream) {
                return Err(Rejection::new(RejectionKind::HandlerFailed, "stdout is gone").with_source(error));
            }
        }
        Ok(response)
    }
}
