//! Which delivery gets which fault: by probability or at an index, from one seed, written as one line that replays it.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use super::chance::Chance;
use super::conduct::{Conduct, Cut, Lie};
use super::forge::Forgery;

const MILLION: u32 = 1_000_000;

/// What is done to a delivery.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// It comes again when it was answered, with the same bytes.
    Duplicate,
    /// It comes twice at once.
    Together,
    /// It must be refused.
    Forged(Forgery),
    /// Its connection behaves so. What does not come whole, or whose answer is lost, comes again.
    Sent(Conduct),
}

/// What chunked and slow deliveries come in.
const PIECE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// All of them, and their names in a line that replays a run.
const NAMES: [(Fault, &str); 19] = [
    (Fault::Duplicate, "duplicate"),
    (Fault::Together, "together"),
    (Fault::Forged(Forgery::BodyBit), "body-bit"),
    (Fault::Forged(Forgery::ProofBit), "proof-bit"),
    (Fault::Forged(Forgery::NoProof), "no-proof"),
    (Fault::Forged(Forgery::BlankProof), "blank-proof"),
    (Fault::Forged(Forgery::TwoProofs), "two-proofs"),
    (Fault::Forged(Forgery::HalfProof), "half-proof"),
    (Fault::Sent(Conduct::Chunked { bytes: PIECE, ornate: false }), "chunked"),
    (Fault::Sent(Conduct::Chunked { bytes: PIECE, ornate: true }), "ornate"),
    (Fault::Sent(Conduct::Slow { bytes: PIECE, pause: Duration::from_millis(1) }), "slow"),
    (Fault::Sent(Conduct::HalfCloses), "half-closed"),
    (Fault::Sent(Conduct::ExpectsContinue), "expecting"),
    (Fault::Sent(Conduct::Resets(Cut::BeforeHead)), "reset-before-head"),
    (Fault::Sent(Conduct::Resets(Cut::InHead)), "reset-in-head"),
    (Fault::Sent(Conduct::Resets(Cut::InBody)), "reset-in-body"),
    (Fault::Sent(Conduct::Resets(Cut::BehindBody)), "reset-behind-body"),
    (Fault::Sent(Conduct::Lies(Lie::Huge)), "huge-length"),
    (Fault::Sent(Conduct::Lies(Lie::TooSmall)), "short-length"),
];

impl Fault {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(fault, _)| *fault)
    }

    /// Its name in a line that replays a run.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(fault, _)| *fault == self).map_or("", |(_, name)| name)
    }

    /// How its connection behaves.
    #[must_use]
    pub fn conduct(self) -> Conduct {
        match self {
            Self::Sent(conduct) => conduct,
            Self::Duplicate | Self::Together | Self::Forged(_) => Conduct::Well,
        }
    }
}

/// Which delivery gets which fault. Written and read as `duplicate=0.2,body-bit=0.05,reset-in-body@17`: a share of all
/// deliveries, or the one with this number, counted from 0. `all=0.01` stands for each of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    /// In a million.
    shares: Vec<(Fault, u32)>,
    at: Vec<(Fault, u64)>,
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
    pub fn share(mut self, fault: Fault, in_a_million: u32) -> Result<Self, FaultError> {
        self.shares.push((fault, in_a_million));
        let all = self.shares.iter().try_fold(0_u32, |all, (_, share)| all.checked_add(*share));
        if all.is_some_and(|all| all <= MILLION) { Ok(self) } else { Err(FaultError::TooMany) }
    }

    /// With this fault for the delivery of this number.
    #[must_use]
    pub fn at(mut self, fault: Fault, number: u64) -> Self {
        self.at.push((fault, number));
        self
    }

    /// The fault of the delivery of this number: at most one, and the same for the same seed.
    #[must_use]
    pub fn of(&self, seed: u64, number: u64) -> Option<Fault> {
        if let Some((fault, _)) = self.at.iter().find(|(_, at)| *at == number) {
            return Some(*fault);
        }
        let mut drawn = Chance::new(seed).split(number).below(u64::from(MILLION));
        for (fault, share) in &self.shares {
            match drawn.checked_sub(u64::from(*share)) {
                Some(left) => drawn = left,
                None => return Some(*fault),
            }
        }
        None
    }
}

/// What is wrong with a text of faults.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FaultError {
    /// No fault has this name.
    Unknown(String),
    /// It is neither a share from 0 to 1 nor a number.
    Amount(String),
    /// The shares are more than all deliveries.
    TooMany,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "{name:?} is no fault"),
            Self::Amount(text) => write!(f, "{text:?} is neither NAME=SHARE, from 0 to 1, nor NAME@NUMBER"),
            Self::TooMany => f.write_str("the shares are more than 1 together"),
        }
    }
}

impl Error for FaultError {}

impl FromStr for Faults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        text.split(',').filter(|item| !item.trim().is_empty()).try_fold(Self::none(), |faults, item| {
            let wrong = || FaultError::Amount(item.to_owned());
            if let Some((name, number)) = item.split_once('@') {
                return Ok(faults.at(named(name)?, number.trim().parse().map_err(|_| wrong())?));
            }
            let (name, share) = item.split_once('=').ok_or_else(wrong)?;
            let share = millionths(share.trim()).ok_or_else(wrong)?;
            match name.trim() {
                "all" => Fault::all().try_fold(faults, |faults, fault| faults.share(fault, share)),
                name => faults.share(named(name)?, share),
            }
        })
    }
}

fn named(name: &str) -> Result<Fault, FaultError> {
    let found = Fault::all().find(|fault| fault.name() == name.trim());
    found.ok_or_else(|| FaultError::Unknown(name.trim().to_owned()))
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
        let shares = self.shares.iter().map(|(fault, share)| {
            let text = format!("{}.{:06}", share / MILLION, share % MILLION);
            format!("{}={}", fault.name(), text.trim_end_matches('0').trim_end_matches('.'))
        });
        let at = self.at.iter().map(|(fault, number)| format!("{}@{number}", fault.name()));
        f.write_str(&shares.chain(at).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_written_and_read_the_same() {
        for (text, written) in [
            ("", ""),
            ("duplicate=0.2, body-bit=0.05,reset-in-body@17", "duplicate=0.2,body-bit=0.05,reset-in-body@17"),
            ("slow=1", "slow=1"),
            ("slow=0.000001", "slow=0.000001"),
            ("slow=0", "slow=0"),
        ] {
            let faults: Faults = text.parse().unwrap();
            assert_eq!(faults.to_string(), written);
            assert_eq!(written.parse(), Ok(faults));
        }
        assert_eq!("all=0.01".parse::<Faults>().unwrap().shares.len(), Fault::all().count());
        for (text, error) in [
            ("nothing=0.1", FaultError::Unknown("nothing".into())),
            ("slow", FaultError::Amount("slow".into())),
            ("slow=2", FaultError::Amount("slow=2".into())),
            ("slow=0.0000001", FaultError::Amount("slow=0.0000001".into())),
            ("slow=-0.1", FaultError::Amount("slow=-0.1".into())),
            ("slow@x", FaultError::Amount("slow@x".into())),
            ("slow=0.6,together=0.6", FaultError::TooMany),
            ("all=0.1", FaultError::TooMany),
        ] {
            assert_eq!(text.parse::<Faults>(), Err(error), "{text}");
        }
    }

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Fault::all().map(Fault::name).collect();
        assert_eq!(names.len(), Fault::all().count());
        assert!(!names.contains(""));
    }

    #[test]
    fn a_seed_gives_the_same_faults_again_in_about_their_shares() {
        let faults: Faults = "duplicate=0.2,body-bit=0.05,slow@3".parse().unwrap();
        let run = |seed| (0..10_000).map(|number| faults.of(seed, number)).collect::<Vec<_>>();
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let count = |fault| run(7).iter().filter(|one| **one == Some(fault)).count();
        assert!((1_800..2_200).contains(&count(Fault::Duplicate)));
        assert!((400..600).contains(&count(Fault::Forged(Forgery::BodyBit))));
        let slow = Fault::Sent(Conduct::Slow { bytes: PIECE, pause: Duration::from_millis(1) });
        assert_eq!(run(7)[3], Some(slow));
        assert_eq!(count(Fault::Together), 0);
    }
}
