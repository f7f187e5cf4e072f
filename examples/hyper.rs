//! A receiver on plain hyper, without axum: every connection carries its peer's address, for the source list.
//!
//! `cargo run --example hyper` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `cargo run --example hyper -- 127.0.0.1:3000` serves until Ctrl-C and lets what is in hand finish.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::{Service, ServiceExt as _};
use tower_webhook::delivery::Drain;
use tower_webhook::gate::{PeerAddr, ResponseBody};
use tower_webhook::layers::SourceIpLayer;
use tower_webhook::provider::opp::{self, Opp};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/play.rs"]
mod play;

use play::BoxError;

async fn on_opp(event: Received<opp::Event>) -> Result<(), BoxError> {
    println!("opp {}: {:?}", event.delivery().key(), event.shared());
    Ok(())
}

/// Serves until `stop` is done, and then lets every connection finish its answer.
async fn serve<S>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<ResponseBody>, Error = Infallible, Future: Send>,
    S: Clone + Send + 'static,
{
    let (open, mut stop) = (GracefulShutdown::new(), pin!(stop));
    loop {
        let accepted = tokio::select! { accepted = listener.accept() => accepted, () = &mut stop => break };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_secs(1)).await; // Out of file descriptors, say: others may close some.
            continue;
        };
        let service = service.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddr(peer));
            request
        });
        let mut http = http1::Builder::new();
        // A sender that shuts its side down after the request still waits for its answer.
        let http = http.timer(TokioTimer::new()).half_close(true);
        let http = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::spawn(open.watch(http));
    }
    open.shutdown().await;
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let given = std::env::args().nth(1);
    let listener = TcpListener::bind(given.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}/");

    let sources = SourceIpLayer::new(["127.0.0.0/8", "::1"])?;
    let drain = Drain::new();
    let receiver = Receiver::new("opp", Opp::new(key("11")?)?).sources(&sources).drain(&drain);
    let (stop, stopped) = oneshot::channel::<()>();
    let drained = async move {
        let _ = stopped.await;
        drain.begin();
        drain.finished().await;
    };
    let service = receiver.dedupe(MemoryStore::new(1_000_000)).handle(on_opp);
    let server = tokio::spawn(serve(listener, service, drained));
    match given {
        Some(_) => tokio::signal::ctrl_c().await?,
        None => try_out(address).await?,
    }
    drop(stop);
    Ok(server.await?)
}

/// An example that anybody can read here: 64 digits, as the platform shows a key.
fn key(byte: &str) -> Result<Secret, ConfigError> {
    Secret::hex(byte.repeat(32))
}

/// Plays the platform: one good delivery, and one under a key that is not ours.
async fn try_out(receiver: SocketAddr) -> Result<(), BoxError> {
    play::deliver(receiver, "/", &Opp::new(key("11")?)?, events::opp::payment(), 200).await?;
    play::deliver(receiver, "/", &Opp::new(key("22")?)?, events::opp::payment(), 401).await
}
