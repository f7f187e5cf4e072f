//! Plays a provider: one delivery, and the answer that is expected to it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::{Tcp, Transport as _};

pub(crate) use tower_webhook::error::BoxError;

/// Seals the message as this provider does, sends it to `path`, and fails when the answer has another status.
pub(crate) async fn deliver(
    to: SocketAddr,
    path: &str,
    provider: &impl Provider,
    message: impl Into<Message>,
    expected: u16,
) -> Result<(), BoxError> {
    let now = SystemClock.now().ok_or("the clock failed")?;
    let mut request = provider.seal(message.into(), &Sealing::new(now, &OsEntropy))?;
    *request.uri_mut() = path.parse()?;
    let status = timeout(Duration::from_secs(10), Tcp::new(to)?.exchange(request)).await??.status;
    println!("answered {status}");
    if status == expected { Ok(()) } else { Err(format!("answered {status} in place of {expected}").into()) }
}
