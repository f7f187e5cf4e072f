//! The end of an attempt, in the store and for those who are told.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::super::handler::InboxHandler;
use super::super::store::{Ended, InboxError, InboxErrorKind, InboxStore, Leased};
use super::crew::Crew;
use super::ending::Ending;
use crate::delivery::LeaseLost;
use crate::mask::mask;
use crate::observe::{About, Fact};

/// The longest reason that is kept, in bytes.
const LONGEST: usize = 512;
/// Between two tries to end a lease: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is to become of an event's lease.
pub(super) enum End {
    Complete,
    /// By the handler itself.
    Ended(Ended),
    Retry {
        after: Duration,
        reason: String,
    },
    Bury {
        reason: String,
    },
    Park {
        reason: String,
    },
    Release,
}

pub(super) fn about(held: &Leased) -> About<'_> {
    About {
        receiver: &held.event.receiver,
        provider: &held.event.provider,
        key_id: held.event.key_id.as_deref(),
        proved_at: None,
        key: Some(held.event.key.as_bytes()),
        attempt: NonZeroU64::new(held.attempt.into()),
    }
}

impl<S: InboxStore, H: InboxHandler> Crew<S, H> {
    pub(super) async fn end(&self, held: &Leased, lost: &LeaseLost, mut end: End) -> Ending {
        if let End::Retry { reason, .. } | End::Bury { reason } | End::Park { reason } = &mut end {
            keep(reason);
        }
        let ended = match end {
            End::Ended(ended) => Ok(ended),
            _ => self.persist(held, lost, &end).await,
        };
        let ending = match ended {
            Ok(Ended::Done) => self.done(held, end),
            Ok(Ended::Lost) => {
                self.tell_lost(held, lost, 0);
                if let End::Complete | End::Ended(_) = end {
                    self.tell(held, &Fact::CompletionLost);
                }
                Ending::Lost
            }
            Err(error) => {
                self.tell(
                    held,
                    &match end {
                        End::Complete => Fact::CompletionUnknown(&error),
                        _ => Fact::ReleaseFailed(&error),
                    },
                );
                Ending::Unknown
            }
        };
        for told in &self.terms.told {
            told(held, &ending);
        }
        ending
    }

    /// An event that came too late to be begun.
    pub(super) async fn give_back(&self, held: &Leased, since: Instant) {
        let lost = LeaseLost::of(since, self.terms.lease);
        drop(self.end(held, &lost, End::Release).await);
    }

    fn done(&self, held: &Leased, end: End) -> Ending {
        let ending = match end {
            End::Complete | End::Ended(_) => Ending::Done,
            End::Retry { after, reason } => Ending::Retry { after, reason },
            End::Bury { reason } => Ending::Dead { reason },
            End::Park { reason } => Ending::Parked { reason },
            End::Release => Ending::Released,
        };
        if let Some(fact) = ending.fact() {
            self.tell(held, &fact);
        }
        ending
    }

    /// Tries until the store has said something, or the lease is over, and once in any case.
    async fn persist(&self, held: &Leased, lost: &LeaseLost, end: &End) -> Result<Ended, InboxError> {
        let (mut pause, most) = PAUSES;
        let mut is_unsure = false;
        loop {
            let late = |_| InboxError::new(InboxErrorKind::Unavailable).caused_by("it took too long to end a lease");
            let tried = timeout(self.terms.lease / 3, self.persist_once(held, end)).await.map_err(late).flatten();
            match tried {
                // An earlier try may have come through after all.
                Ok(Ended::Lost) if is_unsure => return Ok(Ended::Done),
                Ok(ended) => return Ok(ended),
                Err(error) if is_final(&error) || lost.left().is_none_or(|left| left <= pause) => return Err(error),
                Err(_) => is_unsure = true,
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(most);
        }
    }

    async fn persist_once(&self, held: &Leased, end: &End) -> Result<Ended, InboxError> {
        let now = self.now()?;
        match end {
            End::Ended(ended) => Ok(*ended),
            End::Complete => self.store.complete(held, now).await,
            End::Retry { after, reason } => {
                let due = now.checked_add(*after).unwrap_or(Timestamp::MAX);
                self.store.retry(held, due, reason, now).await
            }
            End::Bury { reason } => self.store.bury(held, reason, self.terms.lane_policy, now).await,
            End::Park { reason } => self.store.park(held, reason, now).await,
            End::Release => self.store.release(held, now).await,
        }
    }
}

fn is_final(error: &InboxError) -> bool {
    matches!(error.kind(), InboxErrorKind::Poisoned | InboxErrorKind::Unusable)
}

/// What is kept of a reason: a handler's words may be long, and quote what it was asked to book. What is masked grows no
/// longer, and no number is cut before it is masked.
fn keep(reason: &mut String) {
    shorten(reason, 2 * LONGEST);
    if let Cow::Owned(masked) = mask(reason) {
        *reason = masked;
    }
    shorten(reason, LONGEST);
}

/// At a letter's border.
fn shorten(reason: &mut String, most: usize) {
    let border = (0..=most.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at));
    reason.truncate(border.unwrap_or(0));
}
