//! The same steps without the stack.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;
use tower_webhook::MemoryStore;
use tower_webhook::clock::OsEntropy;
use tower_webhook::delivery::{Fingerprint, Namespace};
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::{Claim, DedupeStore as _, StoredResponse, Terms};
use tower_webhook::provider::EventKey;

use crate::deliveries;
use crate::envelope::Envelope;

const A_WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the full stack does but an identity, in one handler with nothing around it: what is left to gain there.
pub(crate) fn by_hand() -> Result<Router, BoxError> {
    let keyed = hmac::Hmac::<Sha256>::new_from_slice(deliveries::KEY.as_bytes())?;
    let credentials = format!("{}:{}", deliveries::USERNAME, deliveries::PASSWORD);
    let expected: Arc<str> = format!("Basic {}", STANDARD.encode(credentials)).into();
    let (store, namespace, terms) =
        (MemoryStore::new(1_000_000), Namespace::new("", "aella", "aella"), Terms::new(A_WEEK));
    let read = async move |headers: HeaderMap, body: Bytes| {
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = given("x-aella-signature").unwrap_or_default();
        let mut tag = [0; 32];
        faster_hex::hex_decode(signature.as_bytes(), &mut tag)?;
        keyed.clone().chain_update(&body).verify_slice(&tag)?;
        if given("authorization") != Some(&*expected) {
            return Err("not the password".into());
        }
        let event: Envelope = tower_webhook::json::parse(&body)?;
        let (key, token) = (namespace.key(&EventKey::of(&[signature])), store.token(&OsEntropy)?);
        let Claim::Acquired { .. } = store.claim(&key, &token, &Fingerprint::from_bytes([0; 16]), &terms).await? else {
            return Err("not claimed".into());
        };
        drop(black_box(event));
        let response = StoredResponse::new(StatusCode::OK, None, Bytes::new());
        store.complete(&key, &token, &response, A_WEEK).await?;
        Ok::<_, BoxError>(())
    };
    let answered =
        async move |headers: HeaderMap, body: Bytes| read(headers, body).await.map_err(|_| StatusCode::BAD_REQUEST);
    Ok(Router::new().route("/", post(answered)))
}
