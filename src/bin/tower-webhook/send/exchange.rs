//! One try: a connection of its own, one request, and what was answered.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use serde::Serialize;
use tower_webhook::config::TlsClient;
use tower_webhook::error::BoxError;
use tower_webhook::gate::Body;
use tower_webhook::idempotency::REPLAYED;
use tower_webhook::sender::{self, NoAnswer};

use super::target::Target;
use crate::way::Way;

/// How much of an answer's body is printed.
const MAX_BODY: usize = 1024;

/// How much of it is read: as much as over http.
const MAX_READ: usize = 1024 * 1024;

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
        Ok(Heard { status, headers, body }) => {
            let body = String::from_utf8_lossy(body.get(..MAX_BODY).unwrap_or(&body)).into_owned();
            let replayed = headers.contains_key(REPLAYED);
            Answer { status: Some(status.as_u16()), replayed, took_ms, body, error: None }
        }
        Err(error) => {
            let error = Some(said(&*error));
            Answer { status: None, replayed: false, took_ms, body: String::new(), error }
        }
    }
}

/// What was answered.
struct Heard {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn exchange(target: &Target, mut request: Request<Bytes>) -> Result<Heard, BoxError> {
    *request.uri_mut() = target.uri.clone();
    match &target.tls {
        Some(tls) => by_tls(tls, request).await,
        None => in_clear(target, request).await,
    }
}

/// By the first address that takes a connection.
async fn in_clear(target: &Target, mut request: Request<Bytes>) -> Result<Heard, BoxError> {
    request.headers_mut().entry(HOST).or_insert_with(|| target.host.clone());
    let mut result = Err("there is no address".into());
    for way in target.ways()? {
        match way.ask(&request).await {
            Err(error) if error.no_answer() == NoAnswer::Unreachable => result = Err(error.into()),
            heard => {
                let sender::Answer { status, headers, body, .. } = heard?;
                return Ok(Heard { status, headers, body });
            }
        }
    }
    result
}

async fn by_tls(tls: &TlsClient, request: Request<Bytes>) -> Result<Heard, BoxError> {
    let response = Way::of(Some(tls)).request(request.map(Body::from)).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_READ).collect().await?.to_bytes();
    Ok(Heard { status: head.status, headers: head.headers, body })
}

/// An error by what caused it, since what is above that says no more.
fn said(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    let deepest = deepest.to_string();
    if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>().filter(|_| !is_unbelieved(&deepest))
    {
        let what = if error.is_connect() { "nobody took the connection" } else { "the connection gave no answer" };
        return format!("{what}: {deepest}");
    }
    let hint = if deepest.ends_with("UnknownIssuer") { "; give the PEM file of its authority by --ca" } else { "" };
    match is_unbelieved(&deepest) {
        true => format!("the receiver is not believed: {deepest}{hint}"),
        false if error.source().is_some() => format!("{error}: {deepest}"),
        false => deepest,
    }
}

fn is_unbelieved(cause: &str) -> bool {
    cause.starts_with("invalid peer certificate")
}
