//! SIBS Gateway: the scheme of the [Open Payment Platform](super::opp) in Base64, acknowledged with JSON that names the
//! notification.
//!
//! Opening proves who sent a notification and hides it. It proves no time, so that an old delivery is told from a new one
//! by the id inside alone. A gateway that does not read its id in the answer sends again, for two months: the answer
//! comes from [`Provider::acknowledge`], whatever the handler says.
//!
//! | Fact | Value | How sure |
//! |---|---|---|
//! | Cipher | AES-256-GCM, no additional data; key of 32 bytes in Base64 | [decrypt] |
//! | Headers | `X-Initialization-Vector` (12 bytes) and `X-Authentication-Tag` (16 bytes), Base64. The page's own sample has a mistyped tag of 23 letters: such a tag is refused, not padded | [decrypt] |
//! | Body | Base64 text | [decrypt] |
//! | Content type | `text/plain` (older page), or `application/json` although the body is Base64 (2026) | both published, in conflict; either is taken |
//! | Inside | one JSON object, [`Payment`]; more members may come | [payload] |
//! | Amounts | a number (2026) or a string (older samples) | both published |
//! | Types of other members | not published; one that cannot be read as its type is absent, with a warning, unless it is an amount, a currency, a status or an id of the key | assumed |
//! | Key | `notificationID`; without one, `transactionID` and the [`Identity`](super::Identity) of what is said | [payload]; the second inferred |
//! | Connection test | `transactionID` is `WebhookTest` | second hand |
//! | Acknowledgement | 200 and `{"statusCode":"200","statusMsg":"Success","notificationID":"…"}`, or `"000"` (2026): [`AckCode`] | [handling]; the two conflict |
//! | Order | none | [handling] |
//! | Retries | 5 every 5 min, 4 hourly, 5 every 2 h, 6 every 4 h, 7 every 6 h, 8 every 12 h, 9 daily; stops two months after the first | [decrypt] |
//! | Horizon | 62 days, the longest two months. The tiers add up to 16 days; the last rhythm is taken to go on until then | inferred |
//! | Time to answer, resend by hand | not published; none is counted on | |
//!
//! [decrypt]: https://www.docs.pay.sibs.com/portugal/sibs-gateway/notifications/webhooks/decrypt/
//! [handling]: https://www.docs.pay.sibs.com/notifications/webhooks/handling-notifications/
//! [payload]: https://www.qly.docs.pay.sibs.com/?p=28809
//!
//! ```
//! use tower_webhook::clock::{OsEntropy, Timestamp};
//! use tower_webhook::provider::sibs::Sibs;
//! use tower_webhook::provider::{Message, Provider as _};
//! use tower_webhook::scheme::Sealing;
//! use tower_webhook::{RejectionKind, secret::Secret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sibs = Sibs::new(Secret::base64("AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=")?)?;
//! let now = Timestamp::UNIX_EPOCH;
//! let notification = r#"{"notificationID":"b6571d90","transactionID":"s2bf","paymentStatus":"Success"}"#;
//! let sent = sibs.seal(Message::new(notification), &Sealing::new(now, &OsEntropy))?;
//!
//! let opened = sibs.scheme().open(sent.headers(), sent.body().clone(), now)?;
//! let events = sibs.decode(sent.headers(), opened.plaintext)?;
//! assert_eq!(events[0].key.as_str(), "b6571d90");
//! let answer = sibs.acknowledge(&events).unwrap().body;
//! assert_eq!(answer, r#"{"statusCode":"200","statusMsg":"Success","notificationID":"b6571d90"}"#);
//!
//! let refused = sibs.scheme().open(sent.headers(), "AAAA".into(), now).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
//! # Ok(())
//! # }
//! ```

mod decode;
mod event;
mod model;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

pub use event::Event;
pub use model::{Merchant, Payment, PaymentAmount, ReturnStatus, Token};

use super::opp::cipher_headers;
use super::{Acknowledgement, Delivered, Events, Profile, Provider, Retries};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection};
use crate::scheme::{AesGcm, BodyForm, Scheme};
use crate::secret::KeyRing;

const DAY: Duration = Duration::from_hours(24);

/// SIBS Gateway, as a receiver sees it and as a sender plays it.
///
/// ```
/// use tower_webhook::provider::sibs::{self, Sibs};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let sibs = Sibs::new(Secret::base64("AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=")?)?;
/// let service = Receiver::new("sibs", sibs)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<sibs::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sibs {
    scheme: AesGcm,
    ack: AckCode,
    profile: Profile,
}

impl Sibs {
    /// A receiver of notifications under these keys, each of 32 bytes: `Secret::base64` of what the Backoffice shows.
    ///
    /// # Errors
    ///
    /// [`KeyLength`](crate::ConfigErrorKind::KeyLength).
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let body = BodyForm::Text(Encoding::Base64);
        let scheme = AesGcm::in_headers(keys, cipher_headers(), Encoding::Base64, body)?;
        Ok(Self { scheme, ack: AckCode::default(), profile: profile() })
    }

    /// The `statusCode` of the acknowledgement. Default: [`AckCode::TwoHundred`].
    #[must_use]
    pub fn ack_code(mut self, code: AckCode) -> Self {
        self.ack = code;
        self
    }

    /// Changes limits and timing. Default: as the table of this module says, and 1 MiB of body.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }
}

/// Which `statusCode` the gateway reads as an acknowledgement. Two pages state two.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AckCode {
    /// `"200"`, as docs.pay.sibs.com has it. The default.
    #[default]
    TwoHundred,
    /// `"000"`, as the pages of 2026 have it.
    TripleZero,
}

impl AckCode {
    /// The code as it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TwoHundred => "200",
            Self::TripleZero => "000",
        }
    }
}

pub(crate) fn profile() -> Profile {
    let tiers = [(5, 5), (4, 60), (5, 120), (6, 240), (7, 360), (8, 720), (9, 1440)];
    let steps = tiers.into_iter().flat_map(|(times, minutes)| std::iter::repeat_n(Duration::from_mins(minutes), times));
    Profile::new("sibs")
        .content_types(["text/plain", "application/json"])
        .retries(Retries::steps(steps.collect::<Vec<_>>()).then_every(DAY, 62 * DAY))
        .delivered(Delivered::OkOnly)
        .resend_window(Duration::ZERO)
}

impl Provider for Sibs {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("application/json"))
    }

    fn scheme(&self) -> &dyn Scheme {
        &self.scheme
    }

    fn decode(&self, _: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        decode::decode(plaintext)
    }

    /// 200 and the notification's own id, whatever the handler answered.
    fn acknowledge(&self, events: &Events<Event>) -> Option<Acknowledgement> {
        let code = self.ack.as_str();
        // The id is a text of the peer's: it is quoted anew.
        let id = events.first().and_then(|decoded| decoded.event.notification_id());
        let id = id.map(|id| serde_json::Value::from(id).to_string());
        let id = id.map(|id| format!(r#","notificationID":{id}"#)).unwrap_or_default();
        let body = format!(r#"{{"statusCode":"{code}","statusMsg":"Success"{id}}}"#);
        Some(Acknowledgement::new(HeaderValue::from_static("application/json"), body))
    }
}
