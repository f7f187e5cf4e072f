//! Reading on for nobody: what is left of a body that was refused for its length.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Buf;
use http_body::Body;
use tokio::runtime::Handle;
use tokio::task::coop::consume_budget;

/// The most that is read on, in bytes. The largest delivery that a known provider sends has 50 MB.
const MOST: usize = 64 * 1024 * 1024;

/// What a frame costs besides its bytes, so that empty frames come to an end too.
const FRAME: usize = 1024;

/// Reads on in a task of its own while the 413 is already on its way.
///
/// A server that closes a connection with unread bytes resets it, and a sender that is still writing loses the answer.
pub(super) fn discard<B>(body: B, deadline: Duration)
where
    B: Body + Send + Unpin + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(tokio::time::timeout(deadline, read_on(body)));
    }
}

async fn read_on<B: Body + Unpin>(mut body: B) {
    let mut left = MOST;
    while let Some(length) = next_length(&mut body).await {
        let Some(less) = left.checked_sub(length.saturating_add(FRAME)) else { return };
        left = less;
        consume_budget().await;
    }
}

async fn next_length<B: Body + Unpin>(body: &mut B) -> Option<usize> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?.ok()?;
    Some(frame.data_ref().map_or(0, Buf::remaining))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// Frames of one length without an end.
    struct Endless(usize, Arc<AtomicUsize>);

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; self.0])))))
        }
    }

    #[tokio::test]
    async fn reading_on_ends_after_so_many_bytes_or_frames() {
        for length in [0, 1024, 1024 * 1024] {
            let frames = Arc::new(AtomicUsize::new(0));
            read_on(Endless(length, Arc::clone(&frames))).await;
            assert_eq!(frames.load(Ordering::Relaxed), MOST / (length + FRAME) + 1, "{length}");
        }
    }

    #[test]
    fn without_a_runtime_the_rest_is_dropped_and_nothing_panics() {
        let frames = Arc::new(AtomicUsize::new(0));
        discard(Endless(0, Arc::clone(&frames)), Duration::from_secs(1));
        assert_eq!(frames.load(Ordering::Relaxed), 0);
    }
}
