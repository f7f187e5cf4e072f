//! Plays a provider: one delivery, and the answer that is expected to it.

use std::net::SocketAddr;

use http_body_util::Full;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::Sealing;

#[path = "client.rs"]
mod client;

pub(crate) use client::BoxError;

/// Seals the body as this provider does, sends it to `path`, and fails when the answer has another status.
pub(crate) async fn deliver(
    to: SocketAddr,
    path: &str,
    provider: &impl Provider,
    body: &'static str,
    expected: u16,
) -> Result<(), BoxError> {
    let now = SystemClock.now().ok_or("the clock failed")?;
    let mut request = provider.seal(Message::new(body), &Sealing::new(now, &OsEntropy))?;
    *request.uri_mut() = path.parse()?;
    let status = client::send(to, request.map(Full::new)).await?.status();
    println!("answered {status}");
    if status == expected { Ok(()) } else { Err(format!("answered {status} in place of {expected}").into()) }
}
