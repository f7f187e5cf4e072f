//! The service that the receiver forwards to: it notes each call in the ledger, and fails where the run wants it to.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower_webhook::gate::Body;
use tower_webhook::sender::storm::Mark;
use tower_webhook::sender::{Call, Handling, Ledger};

/// The longest event that is read.
const MAX_BODY: usize = 64 * 1024 * 1024;
const SLOW: Duration = Duration::from_secs(1);

/// Whether anybody called. Clones are one.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<AtomicBool>);

impl Calls {
    pub(super) fn were_none(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, ledger: Ledger, calls: Calls) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                calls.0.store(true, Ordering::Relaxed);
                tokio::spawn(connection(stream, ledger.clone()));
            }
            // Out of descriptors, most likely: the next may be better.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, ledger: Ledger) {
    // Otherwise an answer waits for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let done = Done::default();
    let service = service_fn(|request| {
        let (ledger, done) = (ledger.clone(), Arc::clone(&done));
        async move { Ok::<_, Infallible>(answer(request, &ledger, &done).await) }
    });
    // A receiver that was killed breaks its connections. What was under way is broken off with them.
    let ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    let last = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Err(_), Some(number)) = (ended, last) {
        ledger.unheard(number);
    }
}

/// The event whose answer went over a connection last, if it was done. Who sends the next request has heard it.
type Done = Arc<Mutex<Option<u64>>>;

async fn answer(request: Request<Incoming>, ledger: &Ledger, done: &Done) -> Response<Body> {
    let note = |number| *done.lock().unwrap_or_else(PoisonError::into_inner) = number;
    note(None);
    let (head, body) = request.into_parts();
    // Too long, or broken off, where nobody reads what is answered.
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else { return of(StatusCode::PAYLOAD_TOO_LARGE) };
    let body = body.to_bytes();
    let call = ledger.called_by(&receiver(&head.headers), event(&head.headers, &body), fence(&head.headers));
    let call = call.with(&body);
    let number = call.number();
    let status = handle(call).await;
    note(number.filter(|_| status.is_success()));
    of(status)
}

async fn handle(call: Call) -> StatusCode {
    match call.handling() {
        Handling::FailsAtFirst | Handling::Poison => {
            call.failed();
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        Handling::Slow => sleep(SLOW).await,
        _ => {}
    }
    call.done();
    StatusCode::OK
}

/// Which event it is, by its key, or by what its body says.
fn event(headers: &HeaderMap, body: &[u8]) -> Option<u64> {
    let by_key = headers.get("tower-webhook-key").and_then(|key| Mark::find(key.as_bytes()));
    by_key.or_else(|| Mark::find(body)).map(Mark::number)
}

/// The receiver's name. What a header cannot hold of it, and `%`, stands there as `%XX`.
fn receiver(headers: &HeaderMap) -> String {
    let value = headers.get("tower-webhook-receiver").map_or(&b""[..], HeaderValue::as_bytes);
    let (mut name, mut rest) = (Vec::new(), value);
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.split_at_checked(2).filter(|_| *first == b'%');
        let byte = escaped.and_then(|(hex, _)| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        name.push(byte.unwrap_or(*first));
        rest = escaped.filter(|_| byte.is_some()).map_or(behind, |(_, rest)| rest);
    }
    String::from_utf8_lossy(&name).into_owned()
}

fn fence(headers: &HeaderMap) -> Option<u64> {
    headers.get("tower-webhook-fence")?.to_str().ok()?.parse().ok()
}

fn of(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_before_it_was_a_header() {
        for (value, name) in
            [("bank", "bank"), ("the bank", "the bank"), ("%C3%A9 %25", "é %"), ("%", "%"), ("%4", "%4")]
        {
            let headers = [("tower-webhook-receiver".parse().unwrap(), HeaderValue::from_static(value))];
            assert_eq!(receiver(&headers.into_iter().collect()), name, "{value}");
        }
        assert_eq!(receiver(&HeaderMap::new()), "");
    }
}
