//! What can be done to a delivery, and how it is called.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::sender::chance::Chance;
use crate::sender::conduct::{Break, Conduct, Cut, Lie};
use crate::sender::forge::Forgery;
use crate::sender::malformed::Malformed;

/// The share of a fault that is named without one.
const USUAL_SHARE: u32 = 10_000;
/// The same for a class.
const USUAL_CLASS_SHARE: u32 = 200_000;

/// What is done to a delivery, or by its handler.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// It comes again when it was answered, with the same bytes.
    Duplicate,
    /// It comes again, sealed anew.
    Resealed,
    /// It comes twice at once.
    Together,
    /// It comes a hundred times at once.
    Crowd,
    /// It was answered, and its sender did not hear it.
    LostAnswer,
    /// It comes again with other ids in headers that nothing proves.
    Relabelled,
    /// Its key comes again, with another body.
    OtherBody,
    /// Its body comes again, under another key: another event.
    OtherId,
    /// Its id comes to another receiver of the same provider as well: another event.
    OtherReceiver,
    /// The next overtakes it.
    Swapped,
    /// A hundred overtake it.
    Held,
    /// One that is too old comes as well.
    Stale,
    /// One from too far in the future comes as well.
    Early,
    /// Its sender's clock is behind, by no more than is allowed.
    ClockBehind,
    /// Its sender's clock is ahead, by no more than is allowed.
    ClockAhead,
    /// A forged one comes as well, before it or behind it.
    Forged(Forgery),
    /// One comes as well that is proved, and whose body no receiver can use.
    Malformed(Malformed),
    /// One without credentials comes as well.
    NoCredentials,
    /// One with a wrong password comes as well.
    WrongPassword,
    /// One comes as well that is sealed under a key that is not the receiver's, not valid yet, or not any more.
    WrongKey,
    /// It is sealed under another of the receiver's valid keys.
    OtherKey,
    /// Its connection behaves so. What does not come whole, or whose answer is lost, comes again.
    Sent(Conduct),
    /// Its handler fails at first.
    HandlerFails,
    /// Its handler takes a second.
    HandlerSlow,
    /// Its handler always fails.
    Poison,
}

/// Faults that are drawn together.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Class {
    /// The event comes more than once.
    Duplicates,
    /// Its key, or the key it is sealed under, is not as usual.
    Keys,
    /// What must be refused, since nothing proves it.
    Bad,
    /// Order and time.
    Order,
    /// What is proved, and no event.
    Bodies,
    /// Connections.
    Connections,
    /// Handlers.
    Handlers,
    /// What others must not suffer from.
    Load,
    /// Any of them.
    All,
}

const CLASSES: [(Class, &str); 9] = [
    (Class::Duplicates, "duplicates"),
    (Class::Keys, "keys"),
    (Class::Bad, "bad"),
    (Class::Order, "order"),
    (Class::Bodies, "bodies"),
    (Class::Connections, "connections"),
    (Class::Handlers, "handlers"),
    (Class::Load, "load"),
    (Class::All, "all"),
];

/// What chunked and slow deliveries come in.
const PIECE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// Those that are of no list of their own, with their names in a line that replays a run.
const NAMES: [(Fault, Class, &str); 38] = [
    (Fault::Duplicate, Class::Duplicates, "duplicate"),
    (Fault::Resealed, Class::Duplicates, "resealed"),
    (Fault::Together, Class::Duplicates, "together"),
    (Fault::Crowd, Class::Load, "crowd"),
    (Fault::LostAnswer, Class::Duplicates, "lost-answer"),
    (Fault::Relabelled, Class::Duplicates, "relabelled"),
    (Fault::OtherBody, Class::Keys, "other-body"),
    (Fault::OtherId, Class::Keys, "other-id"),
    (Fault::OtherKey, Class::Keys, "other-key"),
    (Fault::OtherReceiver, Class::Keys, "other-receiver"),
    (Fault::Swapped, Class::Order, "swapped"),
    (Fault::Held, Class::Order, "held"),
    (Fault::ClockBehind, Class::Order, "clock-behind"),
    (Fault::ClockAhead, Class::Order, "clock-ahead"),
    (Fault::Stale, Class::Bad, "stale"),
    (Fault::Early, Class::Bad, "early"),
    (Fault::NoCredentials, Class::Bad, "no-credentials"),
    (Fault::WrongPassword, Class::Bad, "wrong-password"),
    (Fault::WrongKey, Class::Bad, "wrong-key"),
    (Fault::Sent(Conduct::Chunked { bytes: PIECE, ornate: false }), Class::Connections, "chunked"),
    (Fault::Sent(Conduct::Chunked { bytes: PIECE, ornate: true }), Class::Connections, "ornate"),
    (Fault::Sent(Conduct::Slow { bytes: PIECE, pause: Duration::from_millis(1) }), Class::Connections, "slow"),
    (Fault::Sent(Conduct::StallsBeforeTheLast), Class::Connections, "stalled"),
    (Fault::Sent(Conduct::HalfCloses), Class::Connections, "half-closed"),
    (Fault::Sent(Conduct::ExpectsContinue), Class::Connections, "expecting"),
    (Fault::Sent(Conduct::Resets(Cut::BeforeHead)), Class::Connections, "reset-before-head"),
    (Fault::Sent(Conduct::Resets(Cut::InHead)), Class::Connections, "reset-in-head"),
    (Fault::Sent(Conduct::Resets(Cut::InBody)), Class::Connections, "reset-in-body"),
    (Fault::Sent(Conduct::Resets(Cut::BehindBody)), Class::Connections, "reset-behind-body"),
    (Fault::Sent(Conduct::Lies(Lie::Huge)), Class::Connections, "huge-length"),
    (Fault::Sent(Conduct::Lies(Lie::TooSmall)), Class::Connections, "short-length"),
    (Fault::Sent(Conduct::Lies(Lie::TooLarge)), Class::Connections, "long-length"),
    (Fault::Sent(Conduct::BehindRefused), Class::Connections, "behind-refused"),
    (Fault::Sent(Conduct::Http2(Break::Reset)), Class::Connections, "http2-reset"),
    (Fault::Sent(Conduct::Http2(Break::GoAway)), Class::Connections, "http2-go-away"),
    (Fault::HandlerFails, Class::Handlers, "handler-fails"),
    (Fault::HandlerSlow, Class::Handlers, "handler-slow"),
    (Fault::Poison, Class::Load, "poison"),
];

/// The names of a closed list, as they are written in a line: `BodyBit` is `body-bit`.
fn kebab(name: &dyn fmt::Debug) -> String {
    let mut written = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_ascii_uppercase() && !written.is_empty() {
            written.push('-');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

impl Fault {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let named = NAMES.iter().map(|(fault, ..)| *fault);
        let forged = Forgery::ALL.iter().map(|how| Self::Forged(*how));
        named.chain(forged).chain(Malformed::ALL.iter().map(|how| Self::Malformed(*how)))
    }

    /// Its name in a line that replays a run.
    #[must_use]
    pub fn name(self) -> String {
        match (self, NAMES.iter().find(|(fault, ..)| *fault == self)) {
            (Self::Forged(how), _) => kebab(&how),
            (Self::Malformed(how), _) => kebab(&how),
            (_, Some((.., name))) => (*name).to_owned(),
            (_, None) => String::new(),
        }
    }

    /// Whether it makes sense for one event alone.
    pub(super) fn needs_one_event(self) -> bool {
        matches!(self, Self::OtherBody | Self::OtherId | Self::OtherReceiver)
    }

    /// Whether it takes a second event.
    pub(super) fn has_twin(self) -> bool {
        matches!(self, Self::OtherId | Self::OtherReceiver)
    }

    /// What it belongs to.
    #[must_use]
    pub fn class(self) -> Class {
        let named = NAMES.iter().find(|(fault, ..)| *fault == self);
        let listed = if matches!(self, Self::Malformed(_)) { Class::Bodies } else { Class::Bad };
        named.map_or(listed, |(_, class, _)| *class)
    }
}

/// A fault, or one of a class.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Pick {
    /// This one.
    One(Fault),
    /// Any of these that can be done to the delivery.
    Any(Class),
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Pick {
    pub(super) fn named(name: &str) -> Result<Self, FaultError> {
        let class = CLASSES.iter().find(|(_, written)| *written == name).map(|(class, _)| Self::Any(*class));
        let fault = || Fault::all().find(|fault| fault.name() == name).map(Self::One);
        class.or_else(fault).ok_or_else(|| FaultError::Unknown(name.to_owned()))
    }

    fn name(self) -> String {
        match self {
            Self::One(fault) => fault.name(),
            Self::Any(class) => CLASSES.iter().find(|(one, _)| *one == class).map_or("", |(_, name)| name).to_owned(),
        }
    }

    pub(super) fn usual_share(self) -> u32 {
        match self {
            Self::One(_) => USUAL_SHARE,
            Self::Any(_) => USUAL_CLASS_SHARE,
        }
    }

    /// Whether it stands for this fault.
    pub(super) fn means(self, fault: Fault) -> bool {
        match self {
            Self::One(one) => fault == one,
            Self::Any(class) => class == Class::All || fault.class() == class,
        }
    }

    /// The fault that it stands for, if any can be done.
    pub(super) fn resolve(self, chance: &mut Chance, applies: &dyn Fn(Fault) -> bool) -> Option<Fault> {
        let fitting: Vec<_> = Fault::all().filter(|fault| self.means(*fault) && applies(*fault)).collect();
        let drawn = chance.below(fitting.len() as u64);
        fitting.get(usize::try_from(drawn).ok()?).copied()
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
            Self::Amount(text) => write!(f, "{text:?} is neither NAME, NAME=SHARE, from 0 to 1, nor NAME@NUMBER"),
            Self::TooMany => f.write_str("the shares are more than 1 together"),
        }
    }
}

impl Error for FaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_and_every_class_has_a_name_of_its_own() {
        let classes = CLASSES.iter().map(|(class, _)| Pick::Any(*class));
        let picks: Vec<_> = Fault::all().map(Pick::One).chain(classes).collect();
        let names: std::collections::HashSet<_> = picks.iter().map(|pick| pick.name()).collect();
        assert_eq!(names.len(), picks.len());
        assert!(picks.iter().all(|pick| Pick::named(&pick.name()) == Ok(*pick)));
    }
}
