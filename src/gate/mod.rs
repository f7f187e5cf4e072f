//! The tower shell, written once: a [`HeadGate`] judges a request by its head, a [`BodyGate`] reads the whole body
//! within bounds and judges that. What they check is somebody else's business.
//!
//! A rejection is an answer: the inner service is not called, its error type is not touched, and the [`Rejection`] rides
//! in the response's extensions. The sender gets to see it even while it is still writing: see [`answer_early`].

mod body;
mod budget;
mod buffer;
mod collect;
mod compressed;
mod evidence;
mod framing;
mod head;
mod offload;
mod open;
mod reject;
mod response_body;
mod rest;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Extensions;
use http::request::Parts;

use crate::error::Rejection;

pub use body::Body;
pub(crate) use body::{leave_outside, tell_length};
pub use budget::BodyBudget;
pub use buffer::{BodyFuture, BodyGate};
pub use compressed::Compression;
pub use evidence::{Authenticated, Verified};
pub use head::{HeadFuture, HeadGate};
pub(crate) use offload::{is_long, offload};
pub(crate) use reject::Exit;
pub use reject::{Responder, reject};
pub use response_body::ResponseBody;
pub use rest::answer_early;

/// The address at the other end of the connection. Who serves with plain hyper puts it into the request's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddr(pub SocketAddr);

/// A check that needs the head of a request alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a check of heads",
    note = "a `HeadGate` asks a `HeadCheck`; `BasicAuthLayer` and `SourceIpLayer` are checks, and layers by themselves"
)]
pub trait HeadCheck: Send + Sync + 'static {
    /// Looks at the head, and may leave evidence in its extensions.
    ///
    /// # Errors
    ///
    /// The rejection to answer with. Nobody sees the body then.
    fn check(&self, head: &mut Parts) -> Result<(), Rejection>;
}

/// A check that needs the whole body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a check of bodies",
    note = "a `BodyGate` asks a `BodyCheck`; `VerifyLayer` is a check, and a layer by itself"
)]
pub trait BodyCheck: Send + Sync + 'static {
    /// How much body is read, and for how long.
    fn limits(&self) -> BodyLimits;

    /// What becomes of a compressed body. Default: [`Compression::Refuse`].
    fn compression(&self) -> Compression {
        Compression::default()
    }

    /// Looks at the head, before a byte of the body is read. Default: every head passes.
    ///
    /// # Errors
    ///
    /// The rejection to answer with. Nobody sees the body then.
    fn check_head(&self, head: &Parts) -> Result<(), Rejection> {
        let _ = head;
        Ok(())
    }

    /// Looks at the head for what [`check`](Self::check) would refuse whatever the body, so that nobody waits for a body in
    /// vain. It is asked once the body has to be waited for, and not where all of it is there; before a peer is asked for the
    /// body that [`Expect: 100-continue`](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1) holds back; before long
    /// work; and before a body is decompressed. Default: every head passes.
    ///
    /// # Errors
    ///
    /// The rejection to answer with.
    fn check_ahead(&self, head: &Parts) -> Result<(), Rejection> {
        let _ = head;
        Ok(())
    }

    /// What comes before all else: what the head alone decides, such as credentials, and what has to be asked for, such as keys
    /// that are looked up. That goes into the request's extensions, before [`check_head`](Self::check_head) looks at the
    /// head. Default: nothing.
    fn prepare(&self, head: &mut Parts) -> Preparation {
        let _ = head;
        Preparation::Nothing
    }

    /// Looks at head and body, and hands back the body for the inner service, which may be another.
    ///
    /// # Errors
    ///
    /// The rejection to answer with.
    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection>;
}

/// What a [`BodyCheck`] has to ask for before it looks at a request.
#[non_exhaustive]
pub enum Preparation {
    /// Nothing.
    Nothing,
    /// It is known at once.
    Ready(Result<Extensions, Rejection>),
    /// It takes a while. The future must have a time limit of its own.
    Pending(Pin<Box<dyn Future<Output = Result<Extensions, Rejection>> + Send>>),
}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Ready(_) => "Ready",
            Self::Pending(_) => "Pending",
        })
    }
}

/// How much body is read, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BodyLimits {
    /// The longest body, in bytes. Default: 1 MiB.
    pub max_bytes: usize,
    /// The time for the whole body, counted from the first moment of waiting. Default: 10 seconds.
    pub deadline: Duration,
}

impl BodyLimits {
    /// The longest body, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The time for the whole body. Default: 10 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024, deadline: Duration::from_secs(10) }
    }
}
