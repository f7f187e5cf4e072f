//! Deliveries in this process.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt as _};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;

use crate::deliveries::{PASSWORD, USERNAME};

pub(crate) type Delivery = Request<Full<Bytes>>;

pub(crate) fn basic() -> Result<BasicAuthLayer, BoxError> {
    Ok(BasicAuthLayer::new([Credentials::new(USERNAME, Secret::utf8(PASSWORD)?)?])?)
}

/// What this provider sends for the document, with credentials.
pub(crate) fn delivery(provider: &impl Provider, document: String) -> Result<Delivery, BoxError> {
    let mut request = provider.seal(Message::new(document), &Sealing::new(Timestamp::now(), &OsEntropy))?;
    let credentials = Encoding::Base64.encode(format!("{USERNAME}:{PASSWORD}").as_bytes());
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::try_from(format!("Basic {credentials}"))?);
    Ok(request.map(Full::new))
}

pub(crate) fn runtime() -> Result<Runtime, BoxError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Delivers all, one after the other. Each must be answered 2xx.
pub(crate) fn deliver<S, B>(runtime: &Runtime, service: &S, deliveries: Vec<Delivery>) -> Result<(), BoxError>
where
    S: Service<Delivery, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    runtime.block_on(async {
        for delivery in deliveries {
            let response = service.clone().oneshot(delivery).await.map_err(Into::into)?;
            if !response.status().is_success() {
                return Err(format!("answered {}", response.status()).into());
            }
        }
        Ok(())
    })
}
