//! [`Log`]: facts as events of `tracing`.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use tracing::field::DisplayValue;

use super::fact::{About, Fact, Observer};
use crate::error::{Rejection, RejectionKind};
use crate::mask::{Masked, mask};

/// Writes facts to `tracing`, under the target `tower_webhook`. Never a secret or a payload.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Log;

macro_rules! log {
    ($level:ident, $about:expr, $message:literal $(, $field:ident = $value:expr)*) => {
        tracing::$level!(
            target: "tower_webhook",
            receiver = named($about.receiver), provider = named($about.provider), key_id = $about.key_id,
            key = $about.key.map(short), attempt = $about.attempt.map(NonZeroU64::get), $($field = $value,)* $message
        )
    };
}

impl Observer for Log {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        match fact {
            Fact::Handled => log!(debug, about, "event handled"),
            Fact::Stored { id } => log!(debug, about, "event stored", id = id),
            Fact::Replayed => log!(debug, about, "event was handled before"),
            Fact::Accepted { events } => log!(debug, about, "delivery accepted", events = events),
            Fact::KeyUsed { scheme } => log!(debug, about, "delivery proved", scheme = scheme),
            Fact::CandidateFits { scheme, is_proved: true } => {
                log!(debug, about, "the candidate fits", scheme = scheme)
            }
            Fact::Rejected(rejection) => rejected(rejection, about),
            Fact::Failed(rejection) => failed(rejection, about),
            // Numbers, for who adds them up.
            Fact::Answered { .. } | Fact::HandlerEnded { .. } => {}
            rare => observe_rare(rare, about),
        }
    }
}

/// Enough to find an event's other lines.
fn short(key: &[u8; 32]) -> String {
    faster_hex::Hex::new(key.get(..4).unwrap_or_default()).to_string()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An error with all of its causes, of which some are a handler's own words.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> DisplayValue<Masked<Chain<'a>>> {
    tracing::field::display(Masked(Chain(error)))
}

struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn named(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

/// What no delivery should lead to.
#[cold]
fn observe_rare(fact: &Fact<'_>, about: &About<'_>) {
    match fact {
        Fact::MembersAbsent { names } => {
            log!(warn, about, "members that cannot be read are absent", members = names.join(", "));
        }
        Fact::AcknowledgedUnhandled(rejection) => {
            log!(error, about, "event acknowledged and not handled", detail = &*mask(rejection.detail()));
        }
        Fact::CandidateFits { scheme, .. } => {
            log!(warn, about, "the candidate fits a delivery that was refused", scheme = scheme);
        }
        Fact::CandidateRefuses { scheme, rejection } => {
            let kind = rejection.kind().as_str();
            let detail = &*mask(rejection.detail());
            log!(warn, about, "the candidate would refuse", scheme = scheme, kind = kind, detail = detail);
        }
        Fact::OtherPayload => {
            log!(error, about, "the key was known with another payload that nobody completed; the event runs");
        }
        Fact::LeaseLost { failed_renewals } => {
            log!(warn, about, "lease lost while the event is handled", failed_renewals = failed_renewals);
        }
        Fact::RenewedLate => log!(warn, about, "lease renewed only after it had run out"),
        Fact::HandlerSlow { after } => log!(warn, about, "handler still at work", seconds = after.as_secs()),
        Fact::HandlerTimedOut { after } => {
            log!(error, about, "handler at its limit, and about to be dropped", seconds = after.as_secs());
        }
        Fact::CompletionLate => log!(warn, about, "event done and answered, the store does not know it yet"),
        Fact::CompletionUnknown(error) => {
            log!(error, about, "event done, completion unknown to the store", source = chain(*error));
        }
        Fact::CompletionLost => log!(error, about, "event done and answered, and taken by another meanwhile"),
        Fact::ReleaseFailed(error) => {
            log!(warn, about, "release failed", source = chain(*error))
        }
        Fact::StoreDown(error) => {
            log!(debug, about, "the store cannot say", source = chain(*error))
        }
        Fact::Unprotected(error) => {
            log!(error, about, "event handled without protection against repeats", source = chain(*error));
        }
        Fact::Quarantined { id } => {
            log!(error, about, "the key was stored with another payload: kept apart, never handled", id = id);
        }
        Fact::RetryLater { after, reason } => {
            log!(warn, about, "stored event to be tried again", milliseconds = millis(*after), reason = &*mask(reason));
        }
        Fact::Buried { reason } => log!(error, about, "stored event is a dead letter", reason = &*mask(reason)),
        Fact::Parked { reason } => log!(error, about, "stored event is parked", reason = &*mask(reason)),
        Fact::SetAside { id, reason } => {
            log!(
                error,
                about,
                "stored event cannot be read: set aside, and handed to nobody",
                id = id,
                reason = &*mask(reason)
            );
        }
        Fact::DeadLettersPile { dead, quota } => {
            log!(error, about, "dead letters pile up, and wait for people", dead = dead, quota = quota);
        }
        Fact::ForgetsAtExit => log!(
            warn,
            about,
            "the dedupe store forgets when the process ends: what a sender repeats after that is handled again"
        ),
        _ => {}
    }
}

macro_rules! log_rejection {
    ($level:ident, $about:expr, $rejection:expr, $message:literal) => {
        log!(
            $level,
            $about,
            $message,
            kind = $rejection.kind().as_str(),
            status = $rejection.status().as_u16(),
            detail = &*mask($rejection.detail()),
            source = $rejection.source().map(chain)
        )
    };
}

#[cold]
fn rejected(rejection: &Rejection, about: &About<'_>) {
    match rejection.kind() {
        RejectionKind::Misassembled => log_rejection!(error, about, rejection, "delivery rejected"),
        // Whoever floods a receiver must not flood its log too.
        RejectionKind::Draining | RejectionKind::RateLimited => {
            log_rejection!(debug, about, rejection, "delivery rejected");
        }
        _ => log_rejection!(warn, about, rejection, "delivery rejected"),
    }
}

#[cold]
fn failed(rejection: &Rejection, about: &About<'_>) {
    match rejection.kind() {
        RejectionKind::Misassembled | RejectionKind::Poisoned | RejectionKind::HandlerTimedOut => {
            log_rejection!(error, about, rejection, "event not handled");
        }
        RejectionKind::InFlight | RejectionKind::Resting => {
            log_rejection!(debug, about, rejection, "event not handled");
        }
        _ => log_rejection!(warn, about, rejection, "event not handled"),
    }
}
