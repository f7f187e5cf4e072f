//! How a request goes over its connection: well, or as real senders and the networks between do it now and then.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How a request goes over its connection. It is put into the request's extensions.
///
/// A request that goes well or in chunks shares its connection with those before and behind it; all others have their own, and
/// say `connection: close`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Conduct {
    /// At once, with its length.
    #[default]
    Well,
    /// In chunks of this many bytes, without a length.
    Chunked {
        /// Of each chunk.
        bytes: NonZeroUsize,
        /// With an extension at each chunk, and a trailer.
        ornate: bool,
    },
    /// The body piece by piece, with a pause behind each.
    Slow {
        /// Of each piece.
        bytes: NonZeroUsize,
        /// Behind each piece.
        pause: Duration,
    },
    /// All but the last byte, and then nothing, until the sender's own time is over.
    StallsBeforeTheLast,
    /// The connection is reset, and no answer is waited for.
    Resets(Cut),
    /// The sender's side of the connection is closed behind the request.
    HalfCloses,
    /// The head states another length.
    Lies(Lie),
    /// It says that it will wait for leave to send the body, and does not wait.
    ExpectsContinue,
    /// Behind a copy of itself without its proof, on the same connection where that one's answer leaves it open. The answer is that
    /// of the second.
    BehindRefused,
    /// In frames of HTTP/2, to who may not speak it, and broken off in the middle of the body. No answer is waited for.
    Http2(Break),
}

impl Conduct {
    /// Whether the receiver has the whole request, as it was sealed.
    #[must_use]
    pub fn comes_whole(self) -> bool {
        match self {
            Self::Well | Self::Chunked { .. } | Self::Slow { .. } | Self::HalfCloses => true,
            Self::ExpectsContinue | Self::BehindRefused => true,
            Self::Resets(cut) => cut == Cut::BehindBody,
            Self::StallsBeforeTheLast | Self::Lies(_) | Self::Http2(_) => false,
        }
    }
}

/// Where a connection is reset.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Cut {
    /// Before the first byte.
    BeforeHead,
    /// In the middle of the head.
    InHead,
    /// In the middle of the body.
    InBody,
    /// Behind the last byte: the receiver has all of it, and the sender hears nothing. To reset it when the receiver has begun to
    /// answer is the same for the receiver, which cannot tell when its answer was lost.
    BehindBody,
}

/// By which frame of HTTP/2 a request ends. The connection is closed behind it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Break {
    /// `RST_STREAM`: the request is taken back.
    Reset,
    /// `GOAWAY`: the sender leaves.
    GoAway,
}

/// What length a head states.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Lie {
    /// 10^18.
    Huge,
    /// One byte less than there are.
    TooSmall,
    /// One byte more than there are.
    TooLarge,
}
