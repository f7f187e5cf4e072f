//! The service that the receiver forwards to: it notes each call in the ledger, and fails where the run wants it to.

use std::convert::Infallible;
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body as _;
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

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, ledger: Ledger) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, ledger.clone()))),
            // Out of descriptors, most likely: the next may be better.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, ledger: Ledger) {
    // Otherwise an answer waits for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let ledger = ledger.clone();
        async move { Ok::<_, Infallible>(answer(request, &ledger).await) }
    });
    // A receiver that was killed breaks its connections. What was under way is broken off with them.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, ledger: &Ledger) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(body) = read(body).await else { return of(StatusCode::PAYLOAD_TOO_LARGE) };
    let receiver = head.headers.get("tower-webhook-receiver").and_then(|name| name.to_str().ok()).unwrap_or_default();
    let call = ledger.called_by(receiver, event(&head.headers, &body), fence(&head.headers));
    of(handle(call).await)
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

fn fence(headers: &HeaderMap) -> Option<u64> {
    headers.get("tower-webhook-fence")?.to_str().ok()?.parse().ok()
}

fn of(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// The whole body. `None`: it is too long, or breaks off.
async fn read(body: Incoming) -> Option<Vec<u8>> {
    let mut body = std::pin::pin!(body);
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if all.len() + data.len() > MAX_BODY {
            return None;
        }
        all.extend_from_slice(&data);
    }
    Some(all)
}
