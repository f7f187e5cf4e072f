//! One HTTP/1.1 request over a connection of its own, as a sender of webhooks makes it.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Sends the request and reads the whole answer, within ten seconds.
pub(crate) async fn send<B>(to: SocketAddr, mut request: Request<B>) -> Result<Response<Bytes>, BoxError>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    request.headers_mut().insert(HOST, HeaderValue::try_from(to.to_string())?);
    timeout(Duration::from_secs(10), async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(to).await?)).await?;
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    })
    .await?
}
