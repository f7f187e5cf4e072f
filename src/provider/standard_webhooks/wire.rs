//! The scheme of the specification, by either kind of key.

use std::time::Duration;

use http::HeaderName;

use crate::encoding::Encoding;
use crate::error::ConfigError;
#[cfg(feature = "asymmetric")]
use crate::error::ConfigErrorKind;
#[cfg(feature = "asymmetric")]
use crate::scheme::Ed25519;
use crate::scheme::{Hmac, MacAlgorithm, Scheme, Signed, Template, TimeUnit, Tolerance};
use crate::secret::KeyRing;
#[cfg(feature = "asymmetric")]
use crate::secret::Secret;

/// How the three headers are called.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Spelling {
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    #[default]
    Webhook,
    /// `svix-id`, `svix-timestamp`, `svix-signature`.
    Svix,
}

impl Spelling {
    pub(super) fn id(self) -> HeaderName {
        match self {
            Self::Webhook => HeaderName::from_static("webhook-id"),
            Self::Svix => HeaderName::from_static("svix-id"),
        }
    }

    fn timestamp(self) -> HeaderName {
        match self {
            Self::Webhook => HeaderName::from_static("webhook-timestamp"),
            Self::Svix => HeaderName::from_static("svix-timestamp"),
        }
    }

    fn signature(self) -> HeaderName {
        match self {
            Self::Webhook => HeaderName::from_static("webhook-signature"),
            Self::Svix => HeaderName::from_static("svix-signature"),
        }
    }
}

/// How old a delivery may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Age {
    Within { past: Duration, future: Duration },
    Any,
}

impl Default for Age {
    fn default() -> Self {
        let usual = Duration::from_mins(5);
        Self::Within { past: usual, future: usual }
    }
}

/// What proves a delivery, with the keys to build it anew.
#[derive(Debug)]
pub(super) enum Proof {
    Shared {
        keys: KeyRing,
        scheme: Box<Hmac>,
    },
    #[cfg(feature = "asymmetric")]
    Public {
        keys: KeyRing,
        signing: Option<Secret>,
        scheme: Box<Ed25519>,
    },
}

impl Proof {
    pub(super) fn shared(keys: KeyRing, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed("v1,", spelling, age)?, keys.clone())?;
        Ok(Self::Shared { keys, scheme: Box::new(scheme) })
    }

    #[cfg(feature = "asymmetric")]
    pub(super) fn public(
        keys: KeyRing,
        signing: Option<Secret>,
        spelling: Spelling,
        age: Age,
    ) -> Result<Self, ConfigError> {
        let mut scheme = Ed25519::new(signed("v1a,", spelling, age)?, keys.clone())?;
        if let Some(key) = &signing {
            scheme = scheme.signing_key(key)?;
        }
        Ok(Self::Public { keys, signing, scheme: Box::new(scheme) })
    }

    #[cfg(feature = "asymmetric")]
    pub(super) fn signing_key(self, key: Secret, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        match self {
            Self::Public { keys, .. } => Self::public(keys, Some(key), spelling, age),
            Self::Shared { .. } => Err(ConfigError::new(ConfigErrorKind::Scheme(
                "a shared secret signs and verifies; there is no other key",
            ))),
        }
    }

    pub(super) fn rebuilt(self, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        match self {
            Self::Shared { keys, .. } => Self::shared(keys, spelling, age),
            #[cfg(feature = "asymmetric")]
            Self::Public { keys, signing, .. } => Self::public(keys, signing, spelling, age),
        }
    }

    pub(super) fn scheme(&self) -> &dyn Scheme {
        match self {
            Self::Shared { scheme, .. } => &**scheme,
            #[cfg(feature = "asymmetric")]
            Self::Public { scheme, .. } => &**scheme,
        }
    }
}

fn signed(prefix: &'static str, spelling: Spelling, age: Age) -> Result<Signed, ConfigError> {
    let template = format!("{{header:{}}}.{{header:{}}}.{{body}}", spelling.id(), spelling.timestamp());
    let signed = Signed::new(spelling.signature(), Encoding::Base64)
        .prefix(prefix)
        .list(" ")
        .template(Template::parse(&template)?)
        .split_strictly();
    Ok(match age {
        Age::Within { past, future } => {
            signed.timestamp(Tolerance::header(spelling.timestamp(), TimeUnit::Seconds).past(past).future(future))
        }
        Age::Any => signed.dangerous_without_tolerance(),
    })
}
