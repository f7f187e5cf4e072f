//! What several topics need: a scripted body, a scheme for tests, one connection to a server, and a log to look into.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tower_webhook::clock::Timestamp;
use tower_webhook::scheme::{Opened, Scheme, SealError, Sealing};
use tower_webhook::{Rejection, RejectionKind};

pub(crate) use crate::ports::free_address;
pub(crate) use crate::subscriber::Log;

/// Opens a body when `x-token` is `ok`, and hands it back in capitals.
pub(crate) struct TestScheme {
    pub(crate) proves: bool,
}

impl Scheme for TestScheme {
    fn name(&self) -> &'static str {
        "test"
    }

    fn proves_sender(&self) -> bool {
        self.proves
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, _: Timestamp) -> Result<Opened, Rejection> {
        match headers.get("x-token").is_some_and(|value| value == "ok") {
            true => Ok(Opened::new(body.to_ascii_uppercase().into(), Some("key-1".into()))),
            false => Err(Rejection::new(RejectionKind::SignatureMismatch, "another token")),
        }
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, _: &Sealing<'_>) -> Result<Bytes, SealError> {
        headers.insert("x-token", http::HeaderValue::from_static("ok"));
        Ok(plaintext)
    }
}

/// What a scripted body does next. After the last step it ends.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    Wait(Duration),
    Trailers,
    Fail,
}

/// A body that follows a script, again and again if told to, and counts how often it was asked.
pub(crate) struct Scripted {
    steps: Vec<Step>,
    at: usize,
    again: bool,
    waiting: Option<Pin<Box<Sleep>>>,
    hint: SizeHint,
    pub(crate) asked: Arc<Mutex<usize>>,
}

impl Scripted {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            at: 0,
            again: false,
            waiting: None,
            hint: SizeHint::default(),
            asked: Arc::default(),
        }
    }

    pub(crate) fn endless(mut self) -> Self {
        self.again = true;
        self
    }

    pub(crate) fn hint(mut self, hint: SizeHint) -> Self {
        self.hint = hint;
        self
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        *self.asked.lock().unwrap() += 1;
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            let at = if self.again { self.at % self.steps.len() } else { self.at };
            let step = self.steps.get(at).cloned();
            self.at += 1;
            return Poll::Ready(match step {
                Some(Step::Wait(time)) => {
                    self.waiting = Some(Box::pin(tokio::time::sleep(time)));
                    continue;
                }
                Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
                Some(Step::Trailers) => Some(Ok(Frame::trailers(HeaderMap::new()))),
                Some(Step::Fail) => Some(Err(io::ErrorKind::ConnectionReset.into())),
                None => None,
            });
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// A body that nobody may read.
pub(crate) struct Untouchable;

impl Body for Untouchable {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        panic!("the body was read")
    }
}

/// The bytes again and again, each time with another bit the wrong way round.
pub(crate) fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

/// A fresh connection to hyper with this service behind it, and the task that serves it.
pub(crate) async fn connect<S, R>(service: S) -> (TcpStream, JoinHandle<()>)
where
    S: tower::Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let serving = tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        // It ends with an error whenever the sender misbehaves.
        drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service).await);
    });
    (client, serving)
}

/// Writes all of it, and only then reads, until the server closes.
pub(crate) async fn exchange(mut client: TcpStream, request: &[u8]) -> io::Result<String> {
    client.write_all(request).await?;
    answer(&mut client).await
}

/// Reads until the server closes.
pub(crate) async fn answer(client: &mut TcpStream) -> io::Result<String> {
    let mut answer = String::new();
    let read = client.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("the server did not close")?;
    Ok(answer)
}

/// Why an answer refuses.
pub(crate) fn kind<B>(response: &Response<B>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

/// The text of an answer.
pub(crate) async fn text(response: http::Response<tower_webhook::gate::ResponseBody>) -> String {
    let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}
