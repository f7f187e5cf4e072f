//! Connections that know whether they have answered before, and whether anything came since they were last written to.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// What a connection has seen, as an extra of its [`Connected`].
#[derive(Clone, Default)]
pub(crate) struct Past(Arc<Seen>);

#[derive(Default)]
struct Seen {
    has_answered: AtomicBool,
    /// Since it was last written to.
    has_heard: AtomicBool,
}

impl Past {
    /// Whether it had answered before, and nothing has come of the next answer.
    pub(crate) fn is_stale(&self) -> bool {
        self.0.has_answered.load(Ordering::Relaxed) && !self.0.has_heard.load(Ordering::Relaxed)
    }

    fn writes(&self) {
        if self.0.has_heard.swap(false, Ordering::Relaxed) {
            self.0.has_answered.store(true, Ordering::Relaxed);
        }
    }
}

/// Makes such connections of another's.
#[derive(Clone)]
pub(crate) struct Remembering<C>(pub(crate) C);

impl<C: Service<Uri>> Service<Uri> for Remembering<C>
where
    C::Future: Send + 'static,
{
    type Response = TokioIo<Used<TokioIo<C::Response>>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            let stream = TokioIo::new(connecting.await?);
            Ok(TokioIo::new(Used { stream, past: Past::default() }))
        })
    }
}

/// A connection with its past.
pub(crate) struct Used<S> {
    stream: S,
    past: Past,
}

impl<T: Connection> Connection for Used<TokioIo<T>> {
    fn connected(&self) -> Connected {
        self.stream.inner().connected().extra(self.past.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Used<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.past.0.has_heard.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Used<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.past.writes();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.past.writes();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
