//! One connection: its TLS, where there is a certificate, and its HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tower_webhook::gate::{PeerAddr, ResponseBody};

use super::open::Member;
use super::patient::Patient;
use super::serving::Serving;
use super::streams::Streams;
use super::tls;
use crate::lines::Rejected;

/// The time for the head of a request, and for a handshake before it.
pub(super) const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Requests that one connection of HTTP/2 has in hand at a time.
const MAX_STREAMS: u32 = 100;
/// The longest headers of one request, in bytes, as they are when they are unpacked.
const MAX_HEADERS: u32 = 16 * 1024;
/// What one request of HTTP/2 may send before somebody reads it, in bytes, and all of a connection together.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// So often a peer is asked whether it is there, and for so long its word is waited for.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// A peer that was told of the end and has nothing in hand has so long to go.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves one connection to its end. What the server refused by itself is told; a connection that breaks is the peer's
/// affair.
pub(super) async fn serve(
    serving: Arc<Serving>,
    stream: TcpStream,
    peer: SocketAddr,
    mut member: Member,
) -> Option<Rejected<'static>> {
    let now = serving.now();
    let (tls, write_deadline) = (now.config.tls.clone(), now.config.write_deadline);
    // It may be long until this connection ends, and what is read meanwhile is another.
    drop(now);
    let Some(tls) = tls else {
        let stream = Patient::new(TokioIo::new(stream), write_deadline);
        return refused(one_by_one(serving, stream, peer, member).await);
    };
    let stream = tokio::select! {
        stream = tls::handshake(tls.server, stream, HEAD_DEADLINE) => stream,
        () = member.told() => return None,
    };
    let (stream, is_http2) = match stream {
        Ok(stream) => stream,
        Err(error) => return Rejected::in_the_handshake(&error),
    };
    let stream = Patient::new(TokioIo::new(stream), write_deadline);
    refused(match is_http2 {
        true => many(serving, stream, peer, member).await,
        false => one_by_one(serving, stream, peer, member).await,
    })
}

fn refused(ended: hyper::Result<()>) -> Option<Rejected<'static>> {
    ended.err().as_ref().and_then(Rejected::by_the_server)
}

/// HTTP/1.1. A peer that has shut its side down after its request still gets its answer.
async fn one_by_one<S>(serving: Arc<Serving>, stream: S, peer: SocketAddr, member: Member) -> hyper::Result<()>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .half_close(true)
        .serve_connection(stream, service(serving, peer, Streams::new()));
    drive(connection, member, Rest::Never).await
}

/// HTTP/2. What hyper allows of requests that are reset, by either side, and of heads in many pieces stays as it is: beyond it the
/// connection is ended.
async fn many<S>(serving: Arc<Serving>, stream: S, peer: SocketAddr, member: Member) -> hyper::Result<()>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let streams = Streams::new();
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_DEADLINE)
        .serve_connection(stream, service(serving, peer, streams.clone()));
    drive(connection, member, Rest::Counted(streams)).await
}

fn service(
    serving: Arc<Serving>,
    peer: SocketAddr,
    streams: Streams,
) -> impl Service<Request<Incoming>, Response = Response<ResponseBody>, Error = Infallible, Future: Send + 'static> {
    hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let in_hand = streams.begin();
        request.extensions_mut().insert(PeerAddr(peer));
        // Whatever takes its place meanwhile, it is answered by what it came to.
        let now = serving.now();
        async move {
            let response = now.routes.answer(request).await;
            drop(in_hand);
            Ok::<_, Infallible>(response)
        }
    })
}

/// When a connection has had nothing in hand for too long.
enum Rest {
    /// Its HTTP knows by itself.
    Never,
    Counted(Streams),
}

impl Rest {
    async fn of(&self, time: Duration) {
        match self {
            Self::Never => std::future::pending().await,
            Self::Counted(streams) => streams.rest(time).await,
        }
    }
}

/// Drives a connection to its end. Told to end, or at rest for too long, it takes nothing new and finishes what is in hand.
async fn drive<C: GracefulConnection<Error = hyper::Error>>(
    connection: C,
    mut member: Member,
    rest: Rest,
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = member.told() => {}
        () = rest.of(HEAD_DEADLINE) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => ended,
        () = rest.of(FAREWELL) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::super::open::Open;
    use super::*;

    /// The kinds of the frames in what a server wrote (RFC 9113, section 4.1).
    fn kinds(mut bytes: &[u8]) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let [_, high, low, kind, ..] = bytes {
            kinds.push(*kind);
            bytes = bytes.get(9 + usize::from(*high) * 256 + usize::from(*low)..).unwrap();
        }
        kinds
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_at_rest_is_told_to_go_and_left_though_it_does_not_answer() {
        const GOAWAY: u8 = 7;
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        theirs.write_all(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &empty_settings].concat()).await.unwrap();
        let service = hyper::service::service_fn(async |_| Ok::<_, Infallible>(Response::new(ResponseBody::default())));
        let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(ours), service);
        let (open, streams, start) = (Open::new(), Streams::new(), Instant::now());
        let in_hand = streams.begin();
        let work = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(in_hand);
        };
        let (ended, ()) = tokio::join!(drive(connection, open.member(), Rest::Counted(streams)), work);
        ended.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(60) + HEAD_DEADLINE + FAREWELL);
        let mut written = Vec::new();
        theirs.read_to_end(&mut written).await.unwrap();
        assert!(kinds(&written).contains(&GOAWAY), "{written:?}");
    }
}
