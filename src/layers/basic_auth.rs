//! Basic authentication (RFC 7617): who sends these credentials is one of ours.

use std::fmt;
use std::sync::Arc;

use ctutils::{CtAssign as _, CtEq as _};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use sha2::{Digest, Sha256};
use tower_layer::Layer;
use zeroize::Zeroizing;

use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
use crate::gate::{Authenticated, HeadCheck, HeadGate};
use crate::scheme::stands_twice;
use crate::secret::Secret;

/// Demands Basic credentials before a byte of the body is read, and puts [`Authenticated`] into the request's extensions.
///
/// # Order
///
/// Behind a [`SourceIpLayer`](super::SourceIpLayer), which costs less than a digest, and in front of a
/// [`VerifyLayer`](super::VerifyLayer): a scheme that proves no sender looks for [`Authenticated`], and the header with the
/// credentials goes no further than that layer. Put it on the routes of the provider and not on the whole application,
/// else health checks are asked for a password too.
///
/// # Security
///
/// Basic credentials prove the sender on an encrypted connection only, and prove nothing about the body.
///
/// # Example
///
/// ```
/// use std::convert::Infallible;
///
/// use http::{Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_webhook::gate::Authenticated;
/// use tower_webhook::layers::{BasicAuthLayer, Credentials};
/// use tower_webhook::secret::Secret;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ours = Credentials::new("Aladdin", Secret::utf8("open sesame")?)?;
/// let service = ServiceBuilder::new().layer(BasicAuthLayer::new([ours])?).service(service_fn(
///     |request: Request<String>| async move {
///         assert_eq!(request.extensions().get::<Authenticated>().unwrap().username(), "Aladdin");
///         Ok::<_, Infallible>(Response::new(String::new()))
///     },
/// ));
///
/// let right = Request::post("/").header("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").body(String::new())?;
/// assert_eq!(service.clone().oneshot(right).await?.status(), StatusCode::OK);
///
/// let none = Request::post("/").body(String::new())?;
/// let refused = service.oneshot(none).await?;
/// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
/// assert_eq!(refused.headers()["www-authenticate"], r#"Basic realm="webhook", charset="UTF-8""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BasicAuthLayer {
    known: Vec<Known>,
    challenge: HeaderValue,
}

impl BasicAuthLayer {
    /// The most credentials that a request is compared with.
    pub const MAX: usize = 8;

    /// Takes any of these credentials.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Credentials`] for none, [`ConfigErrorKind::TooManyKeys`] over [`BasicAuthLayer::MAX`].
    pub fn new(credentials: impl IntoIterator<Item = Credentials>) -> Result<Self, ConfigError> {
        let known: Vec<_> = credentials.into_iter().collect();
        if known.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::Credentials("none are given")));
        }
        if known.len() > Self::MAX {
            return Err(ConfigError::new(ConfigErrorKind::TooManyKeys { most: Self::MAX }));
        }
        let challenge = HeaderValue::from_static(r#"Basic realm="webhook", charset="UTF-8""#);
        let known = known.into_iter().map(|credentials| credentials.known).collect();
        Ok(Self { known, challenge })
    }

    /// The realm in the challenge to a rejected sender. Default: `webhook`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Credentials`] for anything but printable ASCII without quotation mark and backslash.
    pub fn realm(mut self, realm: impl AsRef<str>) -> Result<Self, ConfigError> {
        let realm = realm.as_ref();
        let plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let challenge = HeaderValue::try_from(format!(r#"Basic realm="{realm}", charset="UTF-8""#));
        self.challenge = match challenge {
            Ok(challenge) if realm.bytes().all(plain) => challenge,
            _ => return Err(ConfigError::new(ConfigErrorKind::Credentials("the realm is not plain ASCII"))),
        };
        Ok(self)
    }

    /// The user names that are taken.
    pub fn usernames(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| &*known.username)
    }

    /// Whose credentials these are. Compares with every one of ours, in the same time wherever a difference lies.
    ///
    /// By their text: a decoder that takes no padding but the right one, and no stray bit, has one text for each pair.
    fn owner(&self, token: &[u8]) -> Option<&Known> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = u8::MAX;
        for (position, known) in (0..u8::MAX).zip(&self.known) {
            found.ct_assign(&position, known.digest.ct_eq(&given));
        }
        self.known.get(usize::from(found))
    }

    /// Whose credentials a head brings. Where there are some, they are marked as sensitive.
    pub(crate) fn judge(&self, headers: &mut HeaderMap) -> Result<&Arc<str>, Rejection> {
        let Some(value) = authorization(headers)? else {
            return Err(self.refuse(RejectionKind::CredentialsMissing, "no Authorization header, or a blank one"));
        };
        let Some(token) = basic_token(value) else {
            return Err(
                self.refuse(RejectionKind::CredentialsWrong, "the Authorization header is not of the Basic scheme")
            );
        };
        if let Some(owner) = self.owner(token) {
            return Ok(&owner.username);
        }
        let detail = match Encoding::Base64.decode(token).map(Zeroizing::new) {
            Ok(_) => "the Basic credentials are none of ours",
            Err(_) => "the Basic credentials are not Base64",
        };
        Err(self.refuse(RejectionKind::CredentialsWrong, detail))
    }

    fn refuse(&self, kind: RejectionKind, detail: &'static str) -> Rejection {
        Rejection::new(kind, detail).header(WWW_AUTHENTICATE, self.challenge.clone())
    }
}

impl<S> Layer<S> for BasicAuthLayer {
    type Service = HeadGate<BasicAuthLayer, S>;

    fn layer(&self, inner: S) -> Self::Service {
        HeadGate::new(Arc::new(self.clone()), inner)
    }
}

/// A user name with its password. A [`BasicAuthLayer`] keeps a digest of both, and no password.
#[derive(Clone)]
pub struct Credentials {
    known: Known,
    password: Secret,
}

/// What a receiver keeps of credentials.
#[derive(Clone)]
struct Known {
    username: Arc<str>,
    /// Of user name, colon and password in Base64, as they are sent.
    digest: [u8; 32],
}

impl Credentials {
    /// A user name and a password, both UTF-8. The password may hold a colon.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Credentials`] for what RFC 7617 cannot carry: an empty user name or one with a colon, a control
    /// character in either, a password that is not UTF-8.
    pub fn new(username: impl Into<Arc<str>>, password: Secret) -> Result<Self, ConfigError> {
        let username = username.into();
        if username.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::Credentials("the user name is empty")));
        }
        if username.contains(':') {
            return Err(ConfigError::new(ConfigErrorKind::Credentials("the user name holds a colon")));
        }
        let Ok(text) = std::str::from_utf8(password.expose()) else {
            return Err(ConfigError::new(ConfigErrorKind::Credentials("the password is not UTF-8")));
        };
        if username.chars().chain(text.chars()).any(char::is_control) {
            return Err(ConfigError::new(ConfigErrorKind::Credentials(
                "a control character in the user name or the password",
            )));
        }
        let pair = Zeroizing::new([username.as_bytes(), b":", text.as_bytes()].concat());
        let token = Zeroizing::new(Encoding::Base64.encode(&pair));
        let digest = Sha256::digest(token.as_bytes()).into();
        Ok(Self { known: Known { username, digest }, password })
    }

    /// The `Authorization` header that a sender with these credentials sends. It is marked as sensitive, so that `Debug` of
    /// a request does not show it.
    ///
    /// ```
    /// # use tower_webhook::{layers::Credentials, secret::Secret};
    /// # fn main() -> Result<(), tower_webhook::ConfigError> {
    /// let credentials = Credentials::new("Aladdin", Secret::utf8("open sesame")?)?;
    /// assert_eq!(credentials.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        let pair = Zeroizing::new([self.known.username.as_bytes(), b":", self.password.expose()].concat());
        let text = Zeroizing::new(format!("Basic {}", *Zeroizing::new(Encoding::Base64.encode(&pair))));
        // Base64 always is a header's value; what stands in for it would be refused.
        let mut header = HeaderValue::try_from(text.as_str()).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        header.set_sensitive(true);
        header
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.known.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("username", &self.username).finish_non_exhaustive()
    }
}

impl HeadCheck for BasicAuthLayer {
    fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        let username = self.judge(&mut head.headers)?;
        head.extensions.insert(Authenticated::new(Arc::clone(username)));
        Ok(())
    }
}

/// The one `Authorization` value, or none. It is marked as sensitive, so that `Debug` of the request does not show it.
fn authorization(headers: &mut HeaderMap) -> Result<Option<&[u8]>, Rejection> {
    if stands_twice(headers, &AUTHORIZATION) {
        return Err(Rejection::new(RejectionKind::HeaderRepeated, "Authorization stands more than once"));
    }
    let Some(value) = headers.get_mut(AUTHORIZATION) else { return Ok(None) };
    value.set_sensitive(true);
    let value = value.as_bytes().trim_ascii();
    Ok((!value.is_empty()).then_some(value))
}

/// What follows the scheme: its word in any case and one or more spaces (RFC 9110 section 11.4).
fn basic_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(5)?;
    let token = rest.trim_ascii_start();
    let spaces = rest.strip_suffix(token)?;
    let fits = scheme.eq_ignore_ascii_case(b"basic") && !spaces.is_empty() && spaces.iter().all(|byte| *byte == b' ');
    fits.then_some(token)
}
