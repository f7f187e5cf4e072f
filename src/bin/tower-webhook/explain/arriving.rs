//! The body of a recording as it comes to a receiver.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::files::Captured;

/// What is there in one piece, and behind it the end, or that it breaks off.
pub(super) struct Arriving {
    bytes: Option<Bytes>,
    breaks_off: bool,
}

impl Arriving {
    pub(super) fn of(request: &Captured) -> Self {
        let bytes = Some(request.body.clone()).filter(|bytes| !bytes.is_empty());
        Self { bytes, breaks_off: request.unfinished.is_some() }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        Poll::Ready(match this.bytes.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None => std::mem::take(&mut this.breaks_off).then(|| Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && !self.breaks_off
    }

    /// Of one that breaks off the head alone says how long it was to be.
    fn size_hint(&self) -> SizeHint {
        let length = self.bytes.as_ref().and_then(|bytes| u64::try_from(bytes.len()).ok());
        if self.breaks_off { SizeHint::default() } else { SizeHint::with_exact(length.unwrap_or(0)) }
    }
}
