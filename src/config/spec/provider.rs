//! Which provider an endpoint receives, and what can be said of it.

use std::time::Duration;

use http::HeaderName;

use super::custom::CustomSpec;
use crate::json::Pointer;
use crate::provider::Lookup;
use crate::provider::banking_circle::{HeaderNames, RetryCount, UnreadablePolicy};
use crate::provider::mambu::KeyPolicy;
use crate::provider::opp::RetrySchedule;
use crate::provider::sibs::AckCode;
use crate::provider::standard_webhooks::Spelling;
use crate::scheme::MacAlgorithm;

/// A provider, with its settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProviderSpec {
    /// [`provider::aella`](crate::provider::aella).
    Aella(AellaSpec),
    /// [`provider::banking_circle`](crate::provider::banking_circle).
    BankingCircle(BankingCircleSpec),
    /// [`provider::custom`](crate::provider::custom).
    Custom(CustomSpec),
    /// [`provider::mambu`](crate::provider::mambu).
    Mambu(MambuSpec),
    /// [`provider::opp`](crate::provider::opp).
    Opp(OppSpec),
    /// [`provider::sibs`](crate::provider::sibs).
    Sibs(SibsSpec),
    /// [`provider::standard_webhooks`](crate::provider::standard_webhooks).
    StandardWebhooks(StandardWebhooksSpec),
}

impl ProviderSpec {
    /// The names of all providers, as they are written in a configuration.
    pub const NAMES: [&'static str; 7] =
        ["mambu", "aella", "opp", "sibs", "banking_circle", "standard_webhooks", "custom"];

    /// The provider of this name with its usual settings; `-` is taken for `_`. `None` for a name that is not known, and
    /// for `custom`, which has no usual settings.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.replace('-', "_").as_str() {
            "aella" => Self::Aella(AellaSpec::default()),
            "banking_circle" => Self::BankingCircle(BankingCircleSpec::default()),
            "mambu" => Self::Mambu(MambuSpec::default()),
            "opp" => Self::Opp(OppSpec::default()),
            "sibs" => Self::Sibs(SibsSpec::default()),
            "standard_webhooks" => Self::StandardWebhooks(StandardWebhooksSpec::default()),
            _ => return None,
        })
    }

    /// The name, one of [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Aella(_) => "aella",
            Self::BankingCircle(_) => "banking_circle",
            Self::Custom(_) => "custom",
            Self::Mambu(_) => "mambu",
            Self::Opp(_) => "opp",
            Self::Sibs(_) => "sibs",
            Self::StandardWebhooks(_) => "standard_webhooks",
        }
    }
}

/// Aella's settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AellaSpec {
    /// The header of the signature. Default: `x-aella-signature`.
    pub header: Option<HeaderName>,
    /// The MAC. Default: HMAC-SHA-512.
    pub mac: Option<MacAlgorithm>,
}

/// Banking Circle's settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BankingCircleSpec {
    /// The names of its headers.
    pub headers: HeaderNames,
    /// What becomes of a notification that cannot be read.
    pub unreadable: UnreadablePolicy,
    /// How often it tries again, where somebody knows.
    pub retries: Option<RetryCount>,
}

/// Mambu's settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MambuSpec {
    /// A header that the template fills with a secret, which is one of the endpoint's keys. Default: none, and Basic auth
    /// proves the sender.
    pub static_header: Option<HeaderName>,
    /// Where the template says what the event is. Default: nowhere.
    pub event: Option<Lookup>,
    /// What becomes of a delivery without an idempotency key.
    pub key_policy: KeyPolicy,
    /// Members of the body that make the key. Default: none, and the header does.
    pub key_from_body: Vec<Pointer>,
}

/// The Open Payment Platform's settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OppSpec {
    /// How long it tries again, where somebody knows.
    pub retries: Option<RetrySchedule>,
}

/// SIBS Gateway's settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SibsSpec {
    /// What it reads as an acknowledgement.
    pub status_code: AckCode,
}

/// The settings of Standard Webhooks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StandardWebhooksSpec {
    /// Whether deliveries are signed by Ed25519 (`v1a`), and the keys are public ones. Default: by HMAC (`v1`).
    pub is_asymmetric: bool,
    /// How the headers are called.
    pub headers: Spelling,
    /// How old a delivery may be. Default: 5 minutes.
    pub past: Duration,
    /// How far in the future a delivery's time may lie. Default: 5 minutes.
    pub future: Duration,
}

impl Default for StandardWebhooksSpec {
    fn default() -> Self {
        let usual = Duration::from_mins(5);
        Self { is_asymmetric: false, headers: Spelling::default(), past: usual, future: usual }
    }
}
