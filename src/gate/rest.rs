//! Reading for nobody: what is left of a body when its request has been judged.
//!
//! A server that closes a connection with unread bytes in it resets it. A sender that is still writing then loses the
//! answer, and a proxy in front makes a 502 of it. So a short rest is read before the answer, after which the connection
//! can carry the next request; of a long one the answer says `Connection: close`, and the rest is read behind it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, Response, Version};
use http_body::Body;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use super::framing::unambiguous;

/// The most that is read before the answer, in bytes.
const NEAR: usize = 64 * 1024;
const NEAR_TIME: Duration = Duration::from_secs(1);

/// The most that is read behind the answer, in bytes. The largest delivery that a known provider sends has 50 MB.
const FAR: usize = 64 * 1024 * 1024;
const FAR_TIME: Duration = Duration::from_secs(10);

/// What a frame costs besides its bytes, so that empty frames come to an end too.
const FRAME: usize = 1024;

/// Of so many bodies the rest is read at a time; of others it is dropped, whatever becomes of the answer.
static READERS: Semaphore = Semaphore::const_new(256);

/// Gives this answer to a request whose body nobody has read: with `Connection: close` where the rest of the body is too
/// much to be read first.
///
/// For routers' own rejections, such as a 404, so that a sender that is still writing gets to see them. Up to 64 KiB are
/// read within a second before the answer, and up to 64 MiB within ten seconds behind it, of at most 256 bodies at a time
/// in the process; nothing of it is kept. A sender that waits for `100 Continue` is answered at once. In HTTP/2 one stream
/// leaves the others alone, and nothing is done. Where two readers may differ on where the body ends, nothing follows on the
/// connection.
///
/// It reads in a tokio runtime with its timer, and outside of one says `Connection: close`.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use tower_webhook::gate::answer_early;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let not_found = || Response::builder().status(StatusCode::NOT_FOUND).body(String::new()).unwrap();
///
/// let short = answer_early(Request::new("x".repeat(1000)), not_found()).await;
/// assert!(!short.headers().contains_key("connection"));
///
/// let long = answer_early(Request::new("x".repeat(1_000_000)), not_found()).await;
/// assert_eq!(long.headers()["connection"], "close");
/// # }
/// ```
pub async fn answer_early<B, R>(request: Request<B>, response: Response<R>) -> Response<R>
where
    B: Body + Send + 'static,
{
    let (head, body) = request.into_parts();
    let rest = Rest::of(&head, body);
    drop(head);
    let after = rest.await;
    after.mark(response)
}

/// What can follow on a connection after an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    Another,
    Nothing,
}

impl After {
    /// Nothing can follow where a part of the body is unread, but in HTTP/2.
    pub(super) fn unread(version: Version) -> Self {
        if version < Version::HTTP_2 { Self::Nothing } else { Self::Another }
    }

    pub(super) fn mark<R>(self, mut response: Response<R>) -> Response<R> {
        if self == Self::Nothing {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The wait before an answer.
pub(super) enum Rest {
    Settled(After),
    Reading(Pin<Box<dyn Future<Output = After> + Send>>),
}

impl Rest {
    /// Of a body that has not been touched.
    pub(super) fn of<B: Body + Send + 'static>(head: &Parts, body: B) -> Self {
        Self::among(&READERS, head, body)
    }

    /// Of a body that has turned out too long: it is answered at once, and read on for so long.
    pub(super) fn of_long<B: Body + Send + 'static>(version: Version, body: Pin<Box<B>>, time: Duration) -> Self {
        if let (true, Ok(runtime), Ok(place)) =
            (version < Version::HTTP_2, Handle::try_current(), READERS.try_acquire())
        {
            runtime.spawn(discard(body, time, place));
        }
        Self::Settled(After::unread(version))
    }

    fn among<B: Body + Send + 'static>(readers: &'static Semaphore, head: &Parts, body: B) -> Self {
        // Where nobody can say for sure where this body ends, what stands behind it is no request, whatever it was refused for.
        if unambiguous(&head.headers).is_err() {
            return Self::Settled(After::unread(head.version));
        }
        if head.version >= Version::HTTP_2 || body.is_end_stream() {
            return Self::Settled(After::Another);
        }
        let (Ok(runtime), Ok(place)) = (Handle::try_current(), readers.try_acquire()) else {
            return Self::Settled(After::Nothing);
        };
        let is_long = body.size_hint().lower() > u64::try_from(NEAR).unwrap_or(u64::MAX);
        let mut body = Box::pin(body);
        // To ask for the body would be the `100 Continue` that its sender waits for.
        if is_long || head.headers.contains_key(EXPECT) {
            runtime.spawn(discard(body, FAR_TIME, place));
            return Self::Settled(After::Nothing);
        }
        Self::Reading(Box::pin(async move {
            match timeout(NEAR_TIME, read_on(&mut body, NEAR)).await {
                Ok(End::Reached) => return After::Another,
                Ok(End::Broken) => {}
                Ok(End::TooFar) | Err(_) => drop(runtime.spawn(discard(body, FAR_TIME, place))),
            }
            After::Nothing
        }))
    }
}

impl Future for Rest {
    type Output = After;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<After> {
        match &mut *self {
            Self::Settled(after) => Poll::Ready(*after),
            Self::Reading(reading) => reading.as_mut().poll(cx),
        }
    }
}

async fn discard<B: Body>(mut body: Pin<Box<B>>, time: Duration, place: SemaphorePermit<'static>) {
    let _ = timeout(time, read_on(&mut body, FAR)).await;
    drop(place);
}

#[derive(Debug, Eq, PartialEq)]
enum End {
    Reached,
    Broken,
    TooFar,
}

async fn read_on<B: Body>(body: &mut Pin<Box<B>>, most: usize) -> End {
    let mut left = most;
    loop {
        let length = match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => return End::Reached,
            Some(Err(_)) => return End::Broken,
            Some(Ok(frame)) => frame.data_ref().map_or(0, Buf::remaining),
        };
        let Some(less) = left.checked_sub(length.saturating_add(FRAME)) else { return End::TooFar };
        left = less;
        consume_budget().await;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// So many frames of one length.
    struct Frames {
        left: usize,
        length: usize,
        seen: Arc<AtomicUsize>,
    }

    impl Frames {
        fn new(left: usize, length: usize) -> (Self, Arc<AtomicUsize>) {
            let seen = Arc::new(AtomicUsize::new(0));
            (Self { left, length, seen: Arc::clone(&seen) }, seen)
        }
    }

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.seen.fetch_add(1, Ordering::Relaxed);
            let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
            self.left = left;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; self.length])))))
        }
    }

    fn head(version: Version, expects: bool) -> Parts {
        let mut request = Request::builder().version(version);
        if expects {
            request = request.header(EXPECT, "100-continue");
        }
        request.body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn reading_on_ends_after_so_many_bytes_or_frames() {
        for length in [0, 1024, 1024 * 1024] {
            let (body, seen) = Frames::new(usize::MAX, length);
            assert_eq!(read_on(&mut Box::pin(body), FAR).await, End::TooFar);
            assert_eq!(seen.load(Ordering::Relaxed), FAR / (length + FRAME) + 1, "{length}");
        }
    }

    #[tokio::test]
    async fn a_rest_that_is_near_keeps_the_connection_and_one_byte_more_ends_it() {
        for (length, after) in [(NEAR - FRAME, After::Another), (NEAR - FRAME + 1, After::Nothing)] {
            let (body, _) = Frames::new(1, length);
            assert_eq!(Rest::of(&head(Version::HTTP_11, false), body).await, after, "{length}");
        }
    }

    #[tokio::test]
    async fn who_waits_for_leave_to_write_is_answered_without_it_and_streams_are_left_alone() {
        for (version, expects, after, asked) in [
            (Version::HTTP_11, false, After::Another, 2),
            (Version::HTTP_10, false, After::Another, 2),
            (Version::HTTP_11, true, After::Nothing, 0),
            (Version::HTTP_2, false, After::Another, 0),
            (Version::HTTP_2, true, After::Another, 0),
        ] {
            let (body, seen) = Frames::new(1, 10);
            assert_eq!(Rest::of(&head(version, expects), body).await, after, "{version:?} {expects}");
            assert_eq!(seen.load(Ordering::Relaxed), asked, "{version:?} {expects}");
        }
    }

    #[tokio::test]
    async fn one_reader_too_many_reads_nothing() {
        static ONE: Semaphore = Semaphore::const_new(1);
        for (others, after, asked) in [(0, After::Another, 2), (1, After::Nothing, 0)] {
            let taken = ONE.try_acquire_many(others).unwrap();
            let (body, seen) = Frames::new(1, 10);
            assert_eq!(Rest::among(&ONE, &head(Version::HTTP_11, false), body).await, after, "{others}");
            assert_eq!(seen.load(Ordering::Relaxed), asked, "{others}");
            drop(taken);
        }
        assert_eq!(ONE.available_permits(), 1, "all places are given back");
    }

    #[test]
    fn without_a_runtime_the_rest_is_dropped_and_nothing_panics() {
        let (body, seen) = Frames::new(1, 10);
        assert!(matches!(Rest::of(&head(Version::HTTP_11, false), body), Rest::Settled(After::Nothing)));
        let (long, _) = Frames::new(1, 10);
        let rest = Rest::of_long(Version::HTTP_11, Box::pin(long), FAR_TIME);
        assert!(matches!(rest, Rest::Settled(After::Nothing)));
        assert_eq!(seen.load(Ordering::Relaxed), 0);
    }
}
