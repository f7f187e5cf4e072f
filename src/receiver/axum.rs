//! Extractors for axum handlers behind a receiver's layer.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::delivery::{Delivery, Received};
use crate::error::{Rejection, RejectionKind};
use crate::gate::reject;

/// Takes the typed event. Without a receiver's layer in front it answers 500 and says so in the log.
impl<S, E> FromRequestParts<S> for Received<E>
where
    S: Send + Sync,
    E: Clone + Send + Sync + 'static,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.remove().ok_or_else(missing::<Self>)
    }
}

/// What is known of the event's delivery, whatever its type.
impl<S: Send + Sync> FromRequestParts<S> for Delivery {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.get().cloned().ok_or_else(missing::<Self>)
    }
}

fn missing<T>() -> Rejection {
    let what = std::any::type_name::<T>();
    Rejection::new(
        RejectionKind::Misassembled,
        format!("no {what} here: is the receiver's layer in front of this route?"),
    )
}

/// The status of the kind and nothing else; the rejection rides in the extensions.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        reject(self)
    }
}
