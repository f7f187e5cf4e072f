//! One try: a connection of its own, one request, and what was answered.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};
use http_body::Body as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;
use tower_webhook::error::BoxError;
use tower_webhook::gate::Body;
use tower_webhook::idempotency::REPLAYED;

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
        Ok((status, replayed, body)) => Answer { status: Some(status), replayed, took_ms, body, error: None },
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let error = Some(format!("{error}{cause}"));
            Answer { status: None, replayed: false, took_ms, body: String::new(), error }
        }
    }
}

async fn exchange(target: &Target, request: Request<Bytes>) -> Result<(u16, bool, String), BoxError> {
    let stream = TcpStream::connect(target.addresses.as_slice()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(origin_form(target, request)?).await?;
    let (head, body) = response.into_parts();
    let body = read(body).await;
    connection.abort();
    Ok((head.status.as_u16(), head.headers.contains_key(REPLAYED), body?))
}

fn origin_form(target: &Target, request: Request<Bytes>) -> Result<Request<Body>, BoxError> {
    let mut request = request.map(Body::from);
    let path = target.uri.path_and_query().ok_or("an address without a path")?;
    *request.uri_mut() = path.as_str().parse()?;
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(target.authority.as_str())?);
    }
    Ok(request)
}

/// The beginning of a body as text.
async fn read(body: hyper::body::Incoming) -> Result<String, BoxError> {
    let mut body = pin!(body);
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            let room = MAX_BODY - read.len();
            read.extend_from_slice(data.get(..room).unwrap_or(&data));
        }
        if read.len() >= MAX_BODY {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}
