//! The admin address: `/live`, `/ready`, `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_webhook::gate::ResponseBody;

use super::connection::HEAD_DEADLINE;
use super::health::Health;
use super::numbers::Numbers;
use super::patient::Patient;

/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 64;
/// How long a peer may not read of its answer.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Prometheus's text.
const EXPOSITION: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Who knows the answers.
pub(super) struct Admin {
    pub(super) health: Arc<Health>,
    pub(super) numbers: Numbers,
}

/// Answers for ever.
pub(super) async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = Arc::clone(&connections).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let admin = Arc::clone(&admin);
                tokio::spawn(async move {
                    one(stream, admin).await;
                    drop(permit);
                });
            }
            // Out of descriptors, most likely: the next may be better.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// One question a connection, so that nobody keeps one for nothing.
async fn one(stream: TcpStream, admin: Arc<Admin>) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(answer(request.method(), request.uri().path(), &admin).await) }
    });
    // A connection that breaks is the peer's affair.
    let _ = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(Patient::new(TokioIo::new(stream), WRITE_DEADLINE), service)
        .await;
}

async fn answer(method: &Method, path: &str, admin: &Admin) -> Response<ResponseBody> {
    if !matches!(path, "/live" | "/ready" | "/metrics") {
        return text(StatusCode::NOT_FOUND, "not found\n");
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/ready" => match admin.health.ready().await {
            Ok(()) => text(StatusCode::OK, "ready\n"),
            Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        "/metrics" => {
            let mut response = text(StatusCode::OK, admin.numbers.text(admin.health.intake()).await);
            response.headers_mut().insert(CONTENT_TYPE, EXPOSITION);
            response
        }
        _ => text(StatusCode::OK, "live\n"),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
