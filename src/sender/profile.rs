//! How a provider delivers, as data: its ladder, what it takes for an answer, and what it does to a receiver that keeps failing.

use std::time::Duration;

use crate::provider::mambu::RetryPolicy;
use crate::provider::opp::RetrySchedule;
use crate::provider::{Delivered, Profile, Retries, aella, banking_circle, mambu, opp, sibs, standard_webhooks};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Second hand, from a connector's own tests. Published lengths of the test differ from this one's.
const OPP_ACTIVATION: &str = concat!(
    r#"{"type":"test","action":"webhook activation","payload":{"result":{"code":"000.100.110","#,
    r#""description":"Request successfully processed in 'Merchant in Integrator Test Mode'"}}}"#,
);

/// How a provider delivers. The fields are public, for what a test wants otherwise.
///
/// The ladders are those of [`provider`](crate::provider)'s profiles, with their sources; [`new`](Self::new) takes one over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveryProfile {
    /// The provider's name.
    pub name: &'static str,
    /// When it tries again.
    pub retries: Retries,
    /// How much longer or shorter than its step a wait may be. Default: not at all.
    pub jitter: Jitter,
    /// What it makes of a `Retry-After`. Default: nothing.
    pub retry_after: RetryAfter,
    /// How long it waits for an answer. Default: 30 seconds where nothing is published.
    pub answer_within: Duration,
    /// Which answers count. A redirect never does, and is never followed.
    pub delivered: Delivered,
    /// Whether the answer's body must be the acknowledgement that the provider reads. Default: no.
    pub reads_acknowledgement: bool,
    /// What is sent again. Default: the same bytes.
    pub payload: Payload,
    /// What a resend by hand carries. Default: the key of the first.
    pub resend: Resend,
    /// What happens when the ladder has come to its end. Default: the notification has failed, and nothing else.
    pub long_failure: LongFailure,
    /// The plaintext of the test that a new webhook has to acknowledge before it is active. Default: none is sent.
    pub activation: Option<&'static str>,
}

/// How far a wait may be from its step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// As the ladder says.
    None,
    /// Up to so many percent shorter or longer.
    Percent(u8),
}

/// What a sender makes of `Retry-After`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// Nothing, as most.
    Ignored,
    /// It waits as long as it is asked to, and at most until its ladder's end.
    Obeyed,
    /// It waits as it is asked to, but no shorter than its step and no longer than twice that.
    Clamped,
}

/// What is sent at a further try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// The bytes of the first try, signature, nonce and all.
    Stored,
    /// The same message, sealed again: with a new time, a new nonce and a new signature.
    Resealed,
}

/// What a resend by hand carries, for providers that send an idempotency key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Resend {
    /// The key of the first.
    SameKey,
    /// A new one, so that the key alone does not tell a repeat.
    NewKey,
}

/// What becomes of a webhook one of whose notifications has come to its ladder's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LongFailure {
    /// That notification has failed. The others go on.
    Fails,
    /// The whole webhook is switched off.
    SwitchesOff(Pending),
}

/// What becomes of what still waits when a webhook is switched off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Pending {
    /// It is deleted.
    Deleted,
    /// It is kept, and delivered when the webhook is switched on again.
    Kept,
}

impl DeliveryProfile {
    /// Whether each try is sealed anew.
    pub(super) fn seals_anew(&self) -> bool {
        self.payload == Payload::Resealed
    }

    /// By what is known of a provider, and nothing more: no jitter, the same bytes again, a failure that hurts nobody else.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            name: profile.name,
            retries: profile.retries.clone(),
            jitter: Jitter::None,
            retry_after: RetryAfter::Ignored,
            answer_within: profile.answer_within.unwrap_or(30 * SECOND),
            delivered: profile.delivered,
            reads_acknowledgement: false,
            payload: Payload::Stored,
            resend: Resend::SameKey,
            long_failure: LongFailure::Fails,
            activation: None,
        }
    }

    /// By the provider's name, where it is one of this crate's; any other by [`new`](Self::new).
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        match profile.name {
            "aella" => Self::aella(),
            "banking_circle" => Self::banking_circle(),
            "mambu" => Self::mambu(),
            "opp" => Self::opp(),
            "sibs" => Self::sibs(),
            "standard_webhooks" => Self::standard_webhooks(),
            _ => Self::new(profile),
        }
    }

    fn named(name: &'static str, retries: Retries) -> Self {
        Self::new(&Profile::new(name).retries(retries))
    }

    /// Mambu: five tries, with the waits that [`RetryPolicy::FiveAttempts`] assumes, since none are published. What was rendered
    /// at first is what is sent again; a resend by hand has a new key (second hand).
    #[must_use]
    pub fn mambu() -> Self {
        let profile = mambu::profile().retries(RetryPolicy::FiveAttempts.retries());
        Self { resend: Resend::NewKey, ..Self::new(&profile) }
    }

    /// The Open Payment Platform: 30 s for an answer, which has to be 200; 1, 2, 4, 8, 15, 30 min, 1 h, then hourly to five days.
    /// Then the whole webhook is switched off, and what waits is deleted, even if one message alone kept failing.
    /// How the ciphertext is wrapped is [`Opp::sealed_as`](opp::Opp::sealed_as)'s.
    #[must_use]
    pub fn opp() -> Self {
        let profile = opp::profile().retries(RetrySchedule::FiveDays.retries());
        let long_failure = LongFailure::SwitchesOff(Pending::Deleted);
        Self { long_failure, activation: Some(OPP_ACTIVATION), ..Self::new(&profile) }
    }

    /// The same with the newer tail (second hand): daily to thirty days.
    #[must_use]
    pub fn opp_daily() -> Self {
        Self { retries: RetrySchedule::ThirtyDays.retries(), ..Self::opp() }
    }

    /// Banking Circle: 10 s for an answer; 15, 30 s, 1, 10, 30 min, 1, 2, 6, 12, 24, 48 h. Then the subscription is switched off; what
    /// waits is kept until it is switched on again (second hand).
    #[must_use]
    pub fn banking_circle() -> Self {
        Self { long_failure: LongFailure::SwitchesOff(Pending::Kept), ..Self::new(&banking_circle::profile()) }
    }

    /// SIBS: seven tiers of 44 further tries in 16 days, then daily to 62 days, as [`sibs`](crate::provider::sibs) infers it from
    /// "two months". It reads the answer's body. Without `retries.then_every` the tiers are all there is.
    #[must_use]
    pub fn sibs() -> Self {
        Self { reads_acknowledgement: true, ..Self::new(&sibs::profile()) }
    }

    /// Aella publishes that it tries again, and not when. These waits double from 30 seconds to an hour, to the horizon that
    /// [`aella`](crate::provider::aella) assumes.
    #[must_use]
    pub fn aella() -> Self {
        let (profile, steps) = (aella::profile(), [30, 60, 120, 240, 480, 960, 1920].map(Duration::from_secs));
        let horizon = profile.retries.horizon();
        Self::new(&profile.retries(Retries::steps(steps).then_every(HOUR, horizon)))
    }

    /// Standard Webhooks, by the schedule that its documents recommend: 15 s for an answer, three days, each try with a new time
    /// and signature and the same id, and a wait that is a fifth off its step at most.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self {
            payload: Payload::Resealed,
            jitter: Jitter::Percent(20),
            retry_after: RetryAfter::Clamped,
            ..Self::new(&standard_webhooks::profile())
        }
    }

    /// For tests: one try, of a second, and switched off.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            answer_within: SECOND,
            long_failure: LongFailure::SwitchesOff(Pending::Deleted),
            ..Self::named("strict", Retries::steps([]))
        }
    }

    /// For tests: every second for a day, as it is asked to.
    #[must_use]
    pub fn patient() -> Self {
        Self { retry_after: RetryAfter::Obeyed, ..Self::named("patient", Retries::steps([]).then_every(SECOND, DAY)) }
    }

    /// For tests: half a second for an answer, and again at once, a hundred times, whatever it is asked to.
    #[must_use]
    pub fn hostile() -> Self {
        Self { answer_within: SECOND / 2, ..Self::named("hostile", Retries::steps([Duration::ZERO; 100])) }
    }
}
