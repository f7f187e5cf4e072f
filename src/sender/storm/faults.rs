//! Which delivery gets which fault: by share or at an index, from one seed, written as one line that replays it.

use std::fmt;
use std::str::FromStr;

use super::fault::{Fault, FaultError, Pick};
use crate::sender::chance::Chance;

const MILLION: u32 = 1_000_000;

/// Which delivery gets which fault. Written and read as `duplicates=0.2,body-bit=0.05,reset-in-body@17`: a share of all
/// deliveries, or the one with this number, counted from 0; the first of a run opens the way and has no fault. A class (`duplicates`, `keys`, `order`, `bad`, `bodies`, `connections`,
/// `handlers`, `load`, `all`) stands for any of its faults that can be done to the delivery. Without a share a fault has 0.01 and a class
/// 0.2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    /// In a million.
    shares: Vec<(Pick, u32)>,
    at: Vec<(Pick, u64)>,
}

impl Faults {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// With this fault for so many deliveries in a million. All shares together are at most a million.
    ///
    /// # Errors
    ///
    /// [`FaultError`] when they are more.
    pub fn share(mut self, pick: Pick, in_a_million: u32) -> Result<Self, FaultError> {
        self.shares.push((pick, in_a_million));
        let all = self.shares.iter().try_fold(0_u32, |all, (_, share)| all.checked_add(*share));
        if all.is_some_and(|all| all <= MILLION) { Ok(self) } else { Err(FaultError::TooMany) }
    }

    /// With this fault for the delivery of this number.
    #[must_use]
    pub fn at(mut self, pick: Pick, number: u64) -> Self {
        self.at.push((pick, number));
        self
    }

    /// These and those.
    ///
    /// # Errors
    ///
    /// [`FaultError`] when all shares together are more than a million.
    pub fn and(self, others: Self) -> Result<Self, FaultError> {
        let both = others.at.into_iter().fold(self, |both, (pick, number)| both.at(pick, number));
        others.shares.into_iter().try_fold(both, |both, (pick, share)| both.share(pick, share))
    }

    /// Those that are aimed at one delivery, with its number.
    pub(super) fn aimed(&self) -> &[(Pick, u64)] {
        &self.at
    }

    /// Those that can come out of it.
    pub(super) fn possible(&self) -> impl Iterator<Item = Fault> {
        let picks = || self.shares.iter().map(|(pick, _)| *pick).chain(self.at.iter().map(|(pick, _)| *pick));
        Fault::all().filter(move |fault| picks().any(|pick| pick.means(*fault)))
    }

    /// The fault of the delivery of this number, among those that can be done to it: at most one, and the same for the same seed.
    #[must_use]
    pub fn of(&self, seed: u64, number: u64, applies: &dyn Fn(Fault) -> bool) -> Option<Fault> {
        let mut chance = Chance::new(seed).split(number);
        if let Some((pick, _)) = self.at.iter().find(|(_, at)| *at == number) {
            return pick.resolve(&mut chance, applies);
        }
        let mut drawn = chance.below(u64::from(MILLION));
        for (pick, share) in &self.shares {
            match drawn.checked_sub(u64::from(*share)) {
                Some(left) => drawn = left,
                None => return pick.resolve(&mut chance, applies),
            }
        }
        None
    }
}

impl FromStr for Faults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).try_fold(Self::none(), |faults, item| {
            let wrong = || FaultError::Amount(item.to_owned());
            if let Some((name, number)) = item.split_once('@') {
                return Ok(faults.at(Pick::named(name.trim())?, number.trim().parse().map_err(|_| wrong())?));
            }
            let (name, share) =
                item.split_once('=').map_or((item, None), |(name, share)| (name.trim(), Some(share.trim())));
            let pick = Pick::named(name)?;
            let share = share.map_or(Some(pick.usual_share()), millionths).ok_or_else(wrong)?;
            faults.share(pick, share)
        })
    }
}

/// A decimal from 0 to 1, exactly: what a run draws must not depend on how a machine rounds.
fn millionths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > 6 || !digits(whole) || !digits(part) {
        return None;
    }
    let part: u32 = format!("{part:0<6}").parse().ok()?;
    let all = whole.parse::<u32>().ok()?.checked_mul(MILLION)?.checked_add(part)?;
    (all <= MILLION).then_some(all)
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = self.shares.iter().map(|(pick, share)| {
            let text = format!("{}.{:06}", share / MILLION, share % MILLION);
            format!("{pick}={}", text.trim_end_matches('0').trim_end_matches('.'))
        });
        let at = self.at.iter().map(|(pick, number)| format!("{pick}@{number}"));
        f.write_str(&shares.chain(at).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sender::storm::fault::Class;

    #[test]
    fn a_line_is_read_and_written_and_read_the_same() {
        for (text, written) in [
            ("", ""),
            ("duplicate=0.2, body-bit=0.05,reset-in-body@17", "duplicate=0.2,body-bit=0.05,reset-in-body@17"),
            ("slow=1", "slow=1"),
            ("slow=0.000001", "slow=0.000001"),
            ("slow=0", "slow=0"),
            ("slow", "slow=0.01"),
            ("all,duplicates=0.2,poison@3", "all=0.2,duplicates=0.2,poison@3"),
        ] {
            let faults: Faults = text.parse().unwrap();
            assert_eq!(faults.to_string(), written);
            assert_eq!(written.parse(), Ok(faults));
        }
        for (text, error) in [
            ("nothing=0.1", FaultError::Unknown("nothing".into())),
            ("slow=", FaultError::Amount("slow=".into())),
            ("slow=2", FaultError::Amount("slow=2".into())),
            ("slow=0.0000001", FaultError::Amount("slow=0.0000001".into())),
            ("slow=-0.1", FaultError::Amount("slow=-0.1".into())),
            ("slow@x", FaultError::Amount("slow@x".into())),
            ("slow=0.6,together=0.6", FaultError::TooMany),
        ] {
            assert_eq!(text.parse::<Faults>(), Err(error), "{text}");
        }
        let half = || "slow=0.6".parse::<Faults>().unwrap();
        assert_eq!(half().and(half()), Err(FaultError::TooMany));
    }

    #[test]
    fn a_seed_gives_the_same_faults_again_in_about_their_shares() {
        let faults: Faults = "duplicate=0.2,bad=0.05,slow@3".parse().unwrap();
        let run = |seed| (0..10_000).map(|number| faults.of(seed, number, &|_| true)).collect::<Vec<_>>();
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let count = |fits: &dyn Fn(Fault) -> bool| run(7).iter().filter(|one| one.is_some_and(fits)).count();
        assert!((1_800..2_200).contains(&count(&|fault| fault == Fault::Duplicate)));
        assert!((400..600).contains(&count(&|fault| fault.class() == Class::Bad)));
        assert_eq!(run(7)[3].map(Fault::name).as_deref(), Some("slow"));
        assert_eq!(count(&|fault| fault == Fault::Together), 0);
    }

    #[test]
    fn what_cannot_be_done_to_a_delivery_is_not_drawn_for_it() {
        let faults: Faults = "bad=1".parse().unwrap();
        let drawn: Vec<_> = (0..100).filter_map(|at| faults.of(1, at, &|fault| fault == Fault::WrongKey)).collect();
        assert_eq!(drawn, [Fault::WrongKey; 100]);
        assert!((0..100).all(|at| faults.of(1, at, &|_| false).is_none()));
    }
}
