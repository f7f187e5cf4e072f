//! Extractors for axum handlers behind a receiver's layer.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::delivery::{Delivery, Received};
use crate::error::{Rejection, RejectionKind};
use crate::gate::reject;
use crate::observe::{Fact, Reporter};

/// Takes the typed event, as often as it is asked for. Without a receiver's layer in front, or with one for events of
/// another type, it answers 500 and reports why to the log.
impl<S, E> FromRequestParts<S> for Received<E>
where
    S: Send + Sync,
    E: Clone + Send + Sync + 'static,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| missing::<Self>(parts))
    }
}

/// What is known of the event's delivery, whatever its type.
impl<S: Send + Sync> FromRequestParts<S> for Delivery {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| missing::<Self>(parts))
    }
}

fn missing<T>(parts: &Parts) -> Rejection {
    let wanted = std::any::type_name::<T>();
    if let Some(delivery) = parts.extensions.get::<Delivery>() {
        // The receiver reports it.
        let detail = format!("no {wanted} here: the event is a {}", delivery.event_type());
        return Rejection::new(RejectionKind::Misassembled, detail);
    }
    let detail = format!("no {wanted} here: is the receiver's layer in front of this route?");
    let rejection = Rejection::new(RejectionKind::Misassembled, detail);
    Reporter::alone().report(Fact::Rejected(&rejection), None);
    rejection
}

/// The status of the kind and nothing else; the rejection rides in the extensions.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        reject(self)
    }
}
