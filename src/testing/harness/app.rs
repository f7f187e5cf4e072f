//! The app under test, without its type.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::error::BoxError;
use crate::gate::Body;
use crate::testing::deliver::{DeliverError, answer};

type Answer = Pin<Box<dyn Future<Output = Result<Response<Bytes>, DeliverError>> + Send>>;

/// Any tower service, which is cloned for each call.
#[derive(Clone)]
pub(super) struct App(Arc<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>);

impl App {
    pub(super) fn new<S, R>(app: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        R: http_body::Body + Send + 'static,
        R::Data: Send,
        R::Error: Into<BoxError>,
    {
        let app = Mutex::new(app);
        Self(Arc::new(move |request| {
            let app = app.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(answer(app, request))
        }))
    }

    pub(super) async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, DeliverError> {
        (self.0)(request).await
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
