//! Serves an example's routes: on the address that was given until Ctrl-C, or on a free port for as long as it is tried out.

use std::future::IntoFuture as _;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_webhook::delivery::Drain;

#[path = "play.rs"]
mod play;

pub(crate) use play::{BoxError, deliver};

/// A secret's text, from the environment or an example that anybody can read here.
pub(crate) fn secret(variable: &str, example: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| example.to_owned())
}

/// Serves until the end, and then lets what is in hand finish.
pub(crate) async fn run(
    app: Router,
    drain: Drain,
    try_out: impl AsyncFnOnce(SocketAddr) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let given = std::env::args().nth(1);
    let listener = TcpListener::bind(given.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");

    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
        drain.begin();
        drain.finished().await;
    };
    let server = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(shutdown).into_future());
    match given {
        Some(_) => tokio::signal::ctrl_c().await?,
        None => try_out(address).await?,
    }
    drop(stop);
    Ok(server.await??)
}
