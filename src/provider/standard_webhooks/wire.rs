//! The scheme of the specification, by either kind of key.

use std::fmt;
use std::time::Duration;

use super::either::Either;
use super::spelling::{Names, SVIX, Spelling, WEBHOOK};
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
pub(super) struct Proof {
    keys: KeyRing,
    kind: Kind,
    scheme: Box<dyn Scheme>,
}

/// Which signatures it has.
enum Kind {
    Shared,
    #[cfg(feature = "asymmetric")]
    Public {
        signing: Option<Secret>,
    },
}

impl Proof {
    pub(super) fn shared(keys: KeyRing, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        Self::build(keys, Kind::Shared, spelling, age)
    }

    #[cfg(feature = "asymmetric")]
    pub(super) fn public(keys: KeyRing, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        Self::build(keys, Kind::Public { signing: None }, spelling, age)
    }

    #[cfg(feature = "asymmetric")]
    pub(super) fn signing_key(self, key: Secret, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        match self.kind {
            Kind::Public { .. } => Self::build(self.keys, Kind::Public { signing: Some(key) }, spelling, age),
            Kind::Shared => Err(ConfigError::new(ConfigErrorKind::Scheme(
                "a shared secret signs and verifies; there is no other key",
            ))),
        }
    }

    pub(super) fn rebuilt(self, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        Self::build(self.keys, self.kind, spelling, age)
    }

    pub(super) fn scheme(&self) -> &dyn Scheme {
        &*self.scheme
    }

    fn build(keys: KeyRing, kind: Kind, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        let scheme = |names| kind.scheme(keys.clone(), names, age);
        let scheme = match spelling {
            Spelling::Either => Box::new(Either::new(scheme(&WEBHOOK)?, scheme(&SVIX)?)),
            Spelling::Webhook | Spelling::Svix => scheme(spelling.sealed())?,
        };
        Ok(Self { keys, kind, scheme })
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("keys", &self.keys).field("scheme", &self.scheme.name()).finish_non_exhaustive()
    }
}

impl Kind {
    fn scheme(&self, keys: KeyRing, names: &Names, age: Age) -> Result<Box<dyn Scheme>, ConfigError> {
        match self {
            Self::Shared => Ok(Box::new(Hmac::new(MacAlgorithm::HmacSha256, signed("v1,", names, age)?, keys)?)),
            #[cfg(feature = "asymmetric")]
            Self::Public { signing } => {
                let scheme = Ed25519::new(signed("v1a,", names, age)?, keys)?;
                Ok(Box::new(match signing {
                    Some(key) => scheme.signing_key(key)?,
                    None => scheme,
                }))
            }
        }
    }
}

fn signed(prefix: &'static str, names: &Names, age: Age) -> Result<Signed, ConfigError> {
    let template = format!("{{header:{}}}.{{header:{}}}.{{body}}", names.id, names.timestamp);
    let signed = Signed::new(names.signature.clone(), Encoding::Base64)
        .prefix(prefix)
        .list(" ")
        .template(Template::parse(&template)?)
        .split_strictly();
    Ok(match age {
        Age::Within { past, future } => {
            let tolerance = Tolerance::header(names.timestamp.clone(), TimeUnit::Seconds);
            signed.timestamp(tolerance.past(past).future(future))
        }
        Age::Any => signed.dangerous_without_tolerance(),
    })
}
