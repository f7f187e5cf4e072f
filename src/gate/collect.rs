//! A whole body within its limits: counted while it streams, never trusted for what it says about its own length.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::Version;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body::Body;
use http_body_util::LengthLimitError;
use tokio::time::{Instant, Sleep, sleep};

use super::BodyLimits;
use super::budget::{BodyBudget, Hold};
use super::reject::Rejected;
use super::rest::{After, Rest};
use crate::error::{BoxError, Rejection, RejectionKind};
use crate::fail_point::reach;

/// The most that is reserved before the bytes are there.
const START: usize = 16 * 1024;

/// When a sender may try again for whom there was no room. The longest body takes twice that.
const SOON: Duration = Duration::from_secs(5);

/// Frames taken in one turn. After so many the task yields, and the deadline is looked at.
const FRAMES_PER_TURN: usize = 64;

/// Reads a whole body. There is no timer, nor room for one, until the body makes us wait for the first time.
pub(super) struct Collect<B> {
    reader: Reader<B>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B: Body> Collect<B> {
    pub(super) fn new(head: &Parts, body: B, limits: BodyLimits, budget: &BodyBudget) -> Self {
        // A server's body knows what the header says.
        let declared = match body.size_hint().exact() {
            Some(length) => length,
            None => body.size_hint().lower().max(header_length(head)),
        };
        let most = limits.max_bytes.min(budget.longest());
        let time = limits.deadline;
        let bytes = Some((Gathered::default(), budget.hold(declared)));
        let reader = Reader { body: Some(Box::pin(body)), version: head.version, declared, most, time, bytes };
        Self { reader, deadline: None }
    }
}

impl<B> Collect<B>
where
    B: Body + Send + 'static,
{
    /// What is left of the body, for who does not wait for it.
    pub(super) fn rest(&mut self, head: &Parts) -> Rest {
        self.reader.body.take().map_or(Rest::Settled(After::Another), |body| Rest::of(head, body))
    }
}

fn header_length(head: &Parts) -> u64 {
    let header = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    header.unwrap_or(0)
}

impl<B> Future for Collect<B>
where
    B: Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<(Bytes, Hold), Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Poll::Ready(read) = this.reader.poll_read(cx) {
            return Poll::Ready(read);
        }
        let limit = this.reader.time;
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        // The clock is asked too: a body that uses up the task's budget in tokio would leave the timer none.
        if deadline.deadline() > Instant::now() {
            ready!(deadline.as_mut().poll(cx));
        }
        let rejection = Rejection::new(RejectionKind::BodyTimeout, format!("not complete within {limit:?}"));
        Poll::Ready(Err(Rejected { rejection, rest: Rest::Settled(After::unread(this.reader.version)) }))
    }
}

struct Reader<B> {
    // Boxed: the rest of one that is too long is read behind the answer, in a task of its own.
    body: Option<Pin<Box<B>>>,
    version: Version,
    declared: u64,
    /// The limit in bytes.
    most: usize,
    time: Duration,
    bytes: Option<(Gathered, Hold)>,
}

impl<B> Reader<B>
where
    B: Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, Hold), Rejected>> {
        if u64::try_from(self.most).is_ok_and(|most| self.declared > most) {
            return Poll::Ready(Err(self.too_large()));
        }
        for _ in 0..FRAMES_PER_TURN {
            let (Some(body), Some((gathered, hold))) = (&mut self.body, &mut self.bytes) else {
                return Poll::Ready(Err(aborted("polled after its end")));
            };
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(self.whole()),
                Some(Err(error)) => return Poll::Ready(Err(self.broken(error.into()))),
                Some(Ok(frame)) => frame,
            };
            // Trailers are not signed by anybody, and so not looked at.
            let Ok(data) = frame.into_data() else { continue };
            if data.remaining() > self.most.saturating_sub(gathered.len()) {
                return Poll::Ready(Err(self.too_large()));
            }
            if !hold.grow(data.remaining()) {
                return Poll::Ready(Err(self.overloaded()));
            }
            gathered.push(data);
            if body.is_end_stream() {
                return Poll::Ready(self.whole());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn whole(&mut self) -> Result<(Bytes, Hold), Rejected> {
        let (mut gathered, hold) = self.bytes.take().ok_or_else(|| aborted("polled after its end"))?;
        reach!(Collected);
        Ok((gathered.take(), hold))
    }

    fn too_large(&mut self) -> Rejected {
        self.amid(Rejection::new(RejectionKind::BodyTooLarge, format!("longer than {} bytes", self.most)))
    }

    /// An outer layer with a limit of its own cuts a body by an error.
    fn broken(&self, cause: BoxError) -> Rejected {
        if !sources(&*cause).any(|error| error.is::<LengthLimitError>()) {
            return aborted(cause);
        }
        let rejection = Rejection::new(RejectionKind::BodyTooLarge, "longer than an outer limit").caused_by(cause);
        Rejected { rejection, rest: Rest::Settled(After::unread(self.version)) }
    }

    fn overloaded(&mut self) -> Rejected {
        self.amid(overloaded())
    }

    /// Gives back what is there, and reads the rest for nobody.
    fn amid(&mut self, rejection: Rejection) -> Rejected {
        self.bytes = None;
        let rest = self.body.take().map(|body| Rest::of_long(self.version, body, self.time));
        Rejected { rejection, rest: rest.unwrap_or(Rest::Settled(After::Another)) }
    }
}

pub(super) fn overloaded() -> Rejection {
    Rejection::new(RejectionKind::Overloaded, "the bytes in flight reach the budget").retry_in(SOON)
}

fn aborted(cause: impl Into<BoxError>) -> Rejected {
    let rejection = Rejection::new(RejectionKind::BodyAborted, "the body broke off").caused_by(cause);
    Rejected { rejection, rest: Rest::Settled(After::Another) }
}

/// An error and what is behind it.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The bytes so far. A body of one frame is handed on without a copy.
#[derive(Default)]
struct Gathered {
    one: Bytes,
    many: BytesMut,
}

impl Gathered {
    fn len(&self) -> usize {
        self.one.len() + self.many.len()
    }

    fn push(&mut self, mut data: impl Buf) {
        if !data.has_remaining() {
            return;
        }
        if self.len() == 0 {
            self.one = data.copy_to_bytes(data.remaining());
            return;
        }
        if self.many.is_empty() {
            self.many.reserve(START.max(self.one.len() + data.remaining()));
            self.many.put(std::mem::take(&mut self.one));
        }
        self.many.put(data);
    }

    fn take(&mut self) -> Bytes {
        if self.many.is_empty() { std::mem::take(&mut self.one) } else { std::mem::take(&mut self.many).freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_is_handed_on_as_it_is() {
        let mut gathered = Gathered::default();
        let frame = Bytes::from(vec![7; 100]);
        let address = frame.as_ptr();
        gathered.push(Bytes::new());
        gathered.push(frame);
        gathered.push(Bytes::new());
        assert_eq!(gathered.take().as_ptr(), address);
    }

    #[test]
    fn several_frames_are_joined_in_order_with_a_modest_start() {
        let mut gathered = Gathered::default();
        for frame in ["one,", "", "two,", "three"] {
            gathered.push(frame.as_bytes());
        }
        assert!(gathered.many.capacity() <= START, "{}", gathered.many.capacity());
        assert_eq!(gathered.take(), "one,two,three");
        assert_eq!(gathered.len(), 0);
    }
}
