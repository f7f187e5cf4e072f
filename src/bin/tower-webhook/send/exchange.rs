//! One try: a connection of its own, one request, and what was answered.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use serde::Serialize;
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::REPLAYED;
use tower_webhook::sender::{self, NoAnswer};

use super::target::Target;

/// How much of an answer's body is printed.
const MAX_BODY: usize = 1024;

/// What came of one try. No status: there was no answer.
#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    replayed: bool,
    took_ms: u64,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// Sends one request and waits for its answer.
pub(crate) async fn attempt(target: &Target, request: Request<Bytes>, timeout: Duration) -> Answer {
    let start = Instant::now();
    let result = tokio::time::timeout(timeout, exchange(target, request)).await;
    let result = result.unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis()).into()));
    let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(sender::Answer { status, headers, body, .. }) => {
            let body = String::from_utf8_lossy(body.get(..MAX_BODY).unwrap_or(&body)).into_owned();
            let replayed = headers.contains_key(REPLAYED);
            Answer { status: Some(status.as_u16()), replayed, took_ms, body, error: None }
        }
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let error = Some(format!("{error}{cause}"));
            Answer { status: None, replayed: false, took_ms, body: String::new(), error }
        }
    }
}

/// By the first address that takes a connection.
async fn exchange(target: &Target, mut request: Request<Bytes>) -> Result<sender::Answer, BoxError> {
    *request.uri_mut() = target.uri.clone();
    request.headers_mut().entry(HOST).or_insert_with(|| target.host.clone());
    let mut result = Err("there is no address".into());
    for way in target.ways()? {
        match way.ask(&request).await {
            Err(error) if error.no_answer() == NoAnswer::Unreachable => result = Err(error.into()),
            heard => return Ok(heard?),
        }
    }
    result
}
