//! What can go wrong: [`ConfigError`] while building, [`Rejection`] while receiving.
//!
//! A rejection never changes a service's error type. It becomes a response with a status and nothing else,
//! and rides in that response's extensions, so that logging and metrics outside can read its
//! [`kind`](Rejection::kind) and [`detail`](Rejection::detail). The table from kind to status is here and nowhere else.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::mask::{Masked, mask};

/// A boxed error of somebody else's.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a delivery was refused or not yet handled.
///
/// The peer sees [`status`](Self::status); the log may see everything that this type prints. It never holds a
/// secret or a payload; account and card numbers in its detail and in its source are [masked](crate::mask) when it is printed.
#[derive(Clone)]
pub struct Rejection(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: RejectionKind,
    detail: Cow<'static, str>,
    receiver: Option<Arc<str>>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Rejection {
    /// A rejection with a detail for the log. The detail must hold no secret and no payload.
    #[must_use]
    #[cold]
    pub fn new(kind: RejectionKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self(Arc::new(Inner { kind, detail, receiver: None, retry_after: None, headers: Vec::new(), source: None }))
    }

    /// The same rejection, by the receiver of this name.
    #[must_use]
    #[cold]
    pub fn received_by(self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        self.map(|inner| inner.receiver = Some(name))
    }

    /// The same rejection, with a hint when to try again. Sent as whole seconds, rounded up.
    #[must_use]
    #[cold]
    pub fn retry_in(self, after: Duration) -> Self {
        self.map(|inner| inner.retry_after = Some(after))
    }

    /// The same rejection, with a header for the answer, such as `Allow` for a 405. It must depend on the configuration
    /// alone: the peer sees it.
    #[must_use]
    #[cold]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.map(|inner| inner.headers.push((name, value)))
    }

    /// The same rejection, with the error that caused it.
    #[must_use]
    #[cold]
    pub fn caused_by(self, source: impl Into<BoxError>) -> Self {
        let source: BoxError = source.into();
        self.map(|inner| inner.source = Some(source.into()))
    }

    /// What class of rejection this is.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.0.kind
    }

    /// The status the peer sees.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.kind.status()
    }

    /// What the log may know and the peer may not.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The name of the receiver that refused, where it is known.
    #[must_use]
    pub fn receiver(&self) -> Option<&str> {
        self.0.receiver.as_deref()
    }

    /// When the sender is asked to try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The headers that the answer carries besides `Retry-After`.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    fn map(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.0.kind)
            .field("detail", &Masked(&self.0.detail))
            .field("receiver", &self.0.receiver)
            .field("retry_after", &self.0.retry_after)
            .field("source", &Masked(&self.0.source))
            .finish()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind, mask(&self.0.detail))
    }
}

impl StdError for Rejection {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:ident,)*) => {
        /// The classes of reject, each with one status.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum RejectionKind {
            $($(#[$doc])* $variant,)*
        }

        impl RejectionKind {
            /// Every kind, in the order of a delivery's way.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The status the peer sees.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            /// The stable name, in snake case, for logs and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The peer's address is not on the list.
    SourceForbidden "source_forbidden" FORBIDDEN,
    /// More requests from the peer's network than are taken.
    RateLimited "rate_limited" SERVICE_UNAVAILABLE,
    /// The provider does not use this method.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED,
    /// The provider does not use this content type.
    ContentTypeUnsupported "content_type_unsupported" UNSUPPORTED_MEDIA_TYPE,
    /// A content encoding that is not taken.
    ContentEncodingUnsupported "content_encoding_unsupported" UNSUPPORTED_MEDIA_TYPE,
    /// No Basic credentials.
    CredentialsMissing "credentials_missing" UNAUTHORIZED,
    /// Basic credentials that fit none of ours.
    CredentialsWrong "credentials_wrong" UNAUTHORIZED,
    /// The body is longer than the limit.
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE,
    /// The bytes of all bodies under way reach the budget.
    Overloaded "overloaded" SERVICE_UNAVAILABLE,
    /// The body was not complete within its deadline.
    BodyTimeout "body_timeout" REQUEST_TIMEOUT,
    /// The connection broke inside the body.
    BodyAborted "body_aborted" BAD_REQUEST,
    /// A header of the scheme is missing or blank.
    SignatureMissing "signature_missing" UNAUTHORIZED,
    /// A header that must stand once stands twice.
    HeaderRepeated "header_repeated" BAD_REQUEST,
    /// A header that cannot be read: wrong encoding or length.
    HeaderMalformed "header_malformed" BAD_REQUEST,
    /// A body that cannot be read before it is opened: wrong encoding, no envelope.
    BodyMalformed "body_malformed" BAD_REQUEST,
    /// Signature, tag, checksum or key does not fit. One answer for every cryptographic cause.
    SignatureMismatch "signature_mismatch" UNAUTHORIZED,
    /// The sender's keys could not be looked up.
    KeysUnavailable "keys_unavailable" SERVICE_UNAVAILABLE,
    /// The signed time lies outside the tolerance.
    TimestampOutside "timestamp_outside" UNAUTHORIZED,
    /// The opened payload is not what the provider sends: not JSON, a name twice, a member missing.
    PayloadMalformed "payload_malformed" BAD_REQUEST,
    /// More events in one delivery than are taken.
    TooManyEvents "too_many_events" PAYLOAD_TOO_LARGE,
    /// Nothing to make an idempotency key from.
    KeyMissing "key_missing" BAD_REQUEST,
    /// A known idempotency key with another payload.
    PayloadMismatch "payload_mismatch" UNPROCESSABLE_ENTITY,
    /// The same event is being handled right now.
    InFlight "in_flight" SERVICE_UNAVAILABLE,
    /// An earlier try of the event failed or asked for a pause, and it is too early for the next.
    Resting "resting" SERVICE_UNAVAILABLE,
    /// The event was tried too often; an operator has to look.
    Poisoned "poisoned" INTERNAL_SERVER_ERROR,
    /// The handler failed.
    HandlerFailed "handler_failed" INTERNAL_SERVER_ERROR,
    /// The handler asked for a later try.
    HandlerRetry "handler_retry" SERVICE_UNAVAILABLE,
    /// The handler took longer than its limit and was dropped. What became of its effects is unknown.
    HandlerTimedOut "handler_timed_out" SERVICE_UNAVAILABLE,
    /// The lease was lost while the handler ran, and nobody else has finished.
    LeaseLost "lease_lost" SERVICE_UNAVAILABLE,
    /// The dedupe store is down or full.
    StoreUnavailable "store_unavailable" SERVICE_UNAVAILABLE,
    /// The receiver drains and takes nothing new.
    Draining "draining" SERVICE_UNAVAILABLE,
    /// The stack is assembled wrongly: no verification in front, or no clock.
    Misassembled "misassembled" INTERNAL_SERVER_ERROR,
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something cannot be built. Always returned from a constructor, never a panic. It prints no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(ConfigErrorKind);

impl ConfigError {
    /// An error of this kind, for schemes and providers of your own.
    #[must_use]
    pub fn new(kind: ConfigErrorKind) -> Self {
        Self(kind)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ConfigErrorKind {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for ConfigError {}

/// What is wrong with something that cannot be built.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A secret is empty.
    EmptySecret,
    /// A secret is shorter than allowed. Lengths in bytes.
    ShortSecret {
        /// The least that is taken.
        least: usize,
        /// What was given.
        given: usize,
    },
    /// A secret has not the one length its cipher needs. Lengths in bytes.
    KeyLength {
        /// What the cipher needs.
        needed: usize,
        /// What was given.
        given: usize,
    },
    /// A secret begins or ends in white space: most likely a copied line end.
    SecretEdge,
    /// A value is not in the encoding it claims. Names the encoding, not the value.
    Encoding(&'static str),
    /// A key ring without a key.
    NoKeys,
    /// More keys than a request may be tried against.
    TooManyKeys {
        /// The most that is taken.
        most: usize,
    },
    /// Two keys with the same id.
    KeyIdTwice(String),
    /// A key whose time of validity ends before it begins. Names it.
    KeyNeverValid(String),
    /// Credentials that RFC 7617 cannot carry, or none.
    Credentials(&'static str),
    /// A network that is not CIDR.
    Network(String),
    /// A header name that HTTP does not know.
    HeaderName(String),
    /// Not a JSON pointer (RFC 6901).
    JsonPointer(String),
    /// A retention shorter than the sender may repeat itself. Both in seconds.
    Retention {
        /// The least: retry horizon and resend window, and a fifth on top.
        least: u64,
        /// What was given.
        given: u64,
    },
    /// A number or duration outside what is taken.
    OutOfRange(&'static str),
    /// No algorithm of this name.
    Algorithm(String),
    /// A template of what is signed that cannot be read, or does not fit the rest. Says why.
    Template(String),
    /// The template leaves the body out, so that nothing would prove it.
    BodyUnsigned,
    /// Parts of a scheme that do not go together. Says why.
    Scheme(&'static str),
    /// The template signs what by its name is a time, and no tolerance is set. Names it.
    TimestampUnchecked(String),
    /// A tolerance is set for a time that the template does not sign. Names it.
    TimestampUnsigned(String),
    /// Nothing to make idempotency keys from.
    NoEventKey,
}

impl fmt::Display for ConfigErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptySecret => f.write_str("the secret is empty"),
            Self::ShortSecret { least, given } => {
                write!(f, "the secret has {given} bytes, at least {least} are needed")
            }
            Self::KeyLength { needed, given } => {
                write!(f, "the key has {given} bytes, exactly {needed} are needed")
            }
            Self::SecretEdge => f.write_str("the secret begins or ends in white space"),
            Self::Encoding(name) => write!(f, "the value is not {name}"),
            Self::NoKeys => f.write_str("the key ring holds no key"),
            Self::TooManyKeys { most } => write!(f, "more than {most} keys"),
            Self::KeyIdTwice(id) => write!(f, "two keys are called {id:?}"),
            Self::KeyNeverValid(id) => write!(f, "the key {id:?} is never valid: its time ends before it begins"),
            Self::Credentials(why) => write!(f, "credentials: {why}"),
            Self::Network(text) => write!(f, "{text:?} is not a network such as 192.0.2.0/24"),
            Self::HeaderName(text) => write!(f, "{text:?} is not a header name"),
            Self::JsonPointer(text) => write!(f, "{text:?} is not a JSON pointer such as /data/id"),
            Self::Retention { least, given } => write!(
                f,
                "a retention of {given} s is shorter than the {least} s in which the sender may repeat itself"
            ),
            Self::OutOfRange(what) => write!(f, "{what} is out of range"),
            Self::Algorithm(name) => write!(f, "{name:?} is not an algorithm such as hmac-sha256"),
            Self::Template(why) => write!(f, "the template of what is signed: {why}"),
            Self::BodyUnsigned => f.write_str("the body is not signed, and nothing else proves it"),
            Self::Scheme(why) => write!(f, "the scheme: {why}"),
            Self::TimestampUnchecked(name) => {
                write!(f, "a timestamp is signed but no tolerance is set: {name:?}")
            }
            Self::TimestampUnsigned(name) => {
                write!(f, "a tolerance is set but the timestamp is not signed: {name:?}")
            }
            Self::NoEventKey => f.write_str("nothing tells one event from another: no place of a key is set"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_is_a_success_and_every_kind_prints() {
        for kind in RejectionKind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind}");
            let rejection = Rejection::new(*kind, "why");
            assert_eq!(rejection.to_string(), format!("{kind}: why"));
        }
    }

    #[test]
    fn a_rejection_that_was_cloned_keeps_its_source_through_every_change() {
        let first =
            Rejection::new(RejectionKind::StoreUnavailable, "why").caused_by(ConfigError::new(ConfigErrorKind::NoKeys));
        let changed = first.clone().received_by("shop").retry_in(Duration::from_secs(1));
        for rejection in [first, changed] {
            assert_eq!(
                rejection.source().and_then(|source| source.downcast_ref()),
                Some(&ConfigError::new(ConfigErrorKind::NoKeys))
            );
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = RejectionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RejectionKind::ALL.len());
    }
}
