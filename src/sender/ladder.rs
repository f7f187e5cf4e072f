//! Where on its ladder a notification is, and when its next try is due.

use std::time::Duration;

use super::chance::Chance;
use super::profile::{DeliveryProfile, Jitter, RetryAfter};

/// The tries of one notification so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    /// How many waits there were.
    waits: usize,
    /// Their sum: when the last try was due, counted from the first.
    reached: Duration,
}

impl Ladder {
    /// Whether there was a try before.
    pub(super) fn is_begun(&self) -> bool {
        self.waits > 0
    }

    /// When the last try was due, counted from the first.
    pub(super) fn reached(&self) -> Duration {
        self.reached
    }

    /// The wait before the next try. `None`: there is none.
    pub(super) fn next(
        &mut self,
        profile: &DeliveryProfile,
        asked: Option<Duration>,
        chance: &mut Chance,
    ) -> Option<Duration> {
        let retries = &profile.retries;
        let step = retries.steps.get(self.waits).copied().or(retries.then_every)?;
        let end = retries.horizon();
        // A rhythm ends at its horizon, and so does a wait that was asked for. Steps go as far as they go.
        let is_step = self.waits < retries.steps.len();
        let left = end.saturating_sub(self.reached);
        if !is_step && left.is_zero() {
            return None;
        }
        let wait = match (profile.retry_after, asked) {
            (RetryAfter::Obeyed, Some(asked)) => asked.min(left.max(step)),
            (RetryAfter::Clamped, Some(asked)) => asked.clamp(step, step.saturating_mul(2)),
            _ => jittered(step, profile.jitter, chance),
        };
        let wait = if is_step { wait } else { wait.min(left) };
        self.waits += 1;
        self.reached = self.reached.saturating_add(wait);
        Some(wait)
    }
}

fn jittered(step: Duration, jitter: Jitter, chance: &mut Chance) -> Duration {
    let Jitter::Percent(percent) = jitter else { return step };
    let percent = u64::from(percent.min(100));
    let share = 100 - percent + chance.below(2 * percent + 1);
    step.saturating_mul(u32::try_from(share).unwrap_or(100)) / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Profile, Retries};

    fn waits(profile: &DeliveryProfile, asked: Option<u64>) -> Vec<u64> {
        let (mut ladder, mut chance) = (Ladder::default(), Chance::new(1));
        let asked = asked.map(Duration::from_secs);
        std::iter::from_fn(|| ladder.next(profile, asked, &mut chance)).map(|wait| wait.as_secs()).collect()
    }

    fn total(profile: &DeliveryProfile) -> (usize, u64) {
        let waits = waits(profile, None);
        (waits.len() + 1, waits.iter().sum())
    }

    fn tiers_alone(mut profile: DeliveryProfile) -> DeliveryProfile {
        profile.retries.then_every = None;
        profile
    }

    /// What a sender tries, a receiver remembers: as long as its room's profile says, and longer than the ladder.
    #[test]
    fn ladders_and_what_counts_are_those_of_the_provider_s_room() {
        let rooms = [
            (DeliveryProfile::mambu(), crate::provider::mambu::profile()),
            (DeliveryProfile::opp(), crate::provider::opp::profile()),
            (DeliveryProfile::opp_daily(), crate::provider::opp::profile()),
            (DeliveryProfile::banking_circle(), crate::provider::banking_circle::profile()),
            (DeliveryProfile::sibs(), crate::provider::sibs::profile()),
            (DeliveryProfile::aella(), crate::provider::aella::profile()),
            (DeliveryProfile::standard_webhooks(), crate::provider::standard_webhooks::profile()),
        ];
        for (sends, receives) in rooms {
            assert_eq!((sends.name, sends.delivered), (receives.name, receives.delivered));
            let steady = DeliveryProfile { jitter: Jitter::None, ..sends };
            assert!(Duration::from_secs(total(&steady).1) < receives.retention(), "{}", steady.name);
        }
    }

    #[test]
    fn ladders_have_the_tries_and_the_span_that_are_published() {
        let day = 24 * 3600;
        for (profile, tries, seconds) in [
            (DeliveryProfile::mambu(), 5, 1111 * 60),
            (DeliveryProfile::opp(), 126, 5 * day),
            (DeliveryProfile::opp_daily(), 38, 30 * day),
            (
                DeliveryProfile::banking_circle(),
                12,
                15 + 30 + 60 + 600 + 1800 + 3600 + 7200 + (6 + 12 + 24 + 48) * 3600,
            ),
            (DeliveryProfile::sibs(), 91, 62 * day),
            (tiers_alone(DeliveryProfile::sibs()), 45, 5 * 300 + (4 + 5 * 2 + 6 * 4 + 7 * 6 + 8 * 12 + 9 * 24) * 3600),
            (DeliveryProfile::aella(), 127, 5 * day),
            (DeliveryProfile::strict(), 1, 0),
            (DeliveryProfile::patient(), 86_401, day),
            (DeliveryProfile::hostile(), 101, 0),
        ] {
            assert_eq!(total(&profile), (tries, seconds), "{}", profile.name);
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_ignored_obeyed_or_clamped() {
        let mut profile =
            DeliveryProfile::new(&Profile::new("test").retries(Retries::steps([10, 20].map(Duration::from_secs))));
        assert_eq!(waits(&profile, Some(15)), [10, 20]);
        profile.retry_after = RetryAfter::Obeyed;
        assert_eq!(waits(&profile, Some(15)), [15, 15]);
        assert_eq!(waits(&profile, Some(1_000_000)), [30, 20], "no longer than its ladder, or its step");
        profile.retry_after = RetryAfter::Clamped;
        assert_eq!(waits(&profile, Some(15)), [15, 20]);
        assert_eq!(waits(&profile, Some(1_000_000)), [20, 40]);
        assert_eq!(waits(&profile, None), [10, 20]);
    }

    #[test]
    fn a_jittered_wait_is_near_its_step_and_the_same_for_the_same_seed() {
        let mut chance = Chance::new(3);
        let step = Duration::from_secs(100);
        let drawn: Vec<_> = (0..1000).map(|_| jittered(step, Jitter::Percent(20), &mut chance).as_secs()).collect();
        assert!(drawn.iter().all(|wait| (80..=120).contains(wait)));
        assert!(drawn.contains(&80) && drawn.contains(&120), "both ends are reached");
        let mut again = Chance::new(3);
        assert_eq!(jittered(step, Jitter::Percent(20), &mut again).as_secs(), drawn[0]);
        assert_eq!(jittered(step, Jitter::None, &mut chance), step);
    }
}
