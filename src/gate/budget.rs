//! How many bytes of bodies are in memory at a time, over all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bound on the bytes of all bodies that are read or handled at a time. Clones share one budget.
///
/// Bytes are counted as they arrive, never because of a `Content-Length`, and are free again when the delivery has been
/// answered or refused, or its sender has hung up. Beyond the budget a delivery is answered 503 with `Retry-After`.
///
/// A quarter of it is for short bodies alone, of up to [`BodyBudget::SHORT`] bytes: however many large ones are under
/// way, ordinary deliveries find room. Short bodies take from the rest too, large ones never from the quarter.
///
/// # Security
///
/// It bounds what strangers can cost, since nobody is known before the whole body is there. What is counted is what came
/// over the wire. A body that comes in pieces may take twice its length, and while one is opened and decoded several times
/// as much; that happens to as many large bodies at a time as the machine has cores.
///
/// ```
/// use tower_webhook::gate::BodyBudget;
/// use tower_webhook::provider::aella::{self, Aella};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// # fn build() -> Result<(), tower_webhook::ConfigError> {
/// let budget = BodyBudget::new(512 * 1024 * 1024);
/// let provider = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let aella = Receiver::new("aella-ng", provider).body_budget(&budget); // and others beside it
/// let service = aella.dedupe(MemoryStore::new(1_000_000)).handle(|event: Received<aella::Event>| async move {});
/// assert_eq!(budget.in_flight(), 0);
/// # Ok(()) }
/// # build().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    short: Share,
    rest: Share,
}

impl BodyBudget {
    /// The longest body that takes from the share of short ones: 64 KiB.
    pub const SHORT: usize = 64 * 1024;

    /// The least that a budget has where none is set: 256 MiB.
    pub const MIN: usize = 256 * 1024 * 1024;

    /// A budget of so many bytes. A body longer than three quarters of it, and than 64 KiB, never finds room, and is
    /// refused as too large.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let short = bytes / 4;
        Self(Arc::new(Shares { short: Share::new(short), rest: Share::new(bytes - short) }))
    }

    /// What is used where none is set, for bodies up to this length: twice that, and 256 MiB at least.
    #[must_use]
    pub fn for_bodies_of(max_bytes: usize) -> Self {
        Self::new(max_bytes.saturating_mul(2).max(Self::MIN))
    }

    /// The bytes that are in memory now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.short.taken().saturating_add(self.0.rest.taken())
    }

    /// The longest body that can ever find room, in bytes.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.0.rest.all.max(self.0.short.all.min(Self::SHORT))
    }

    /// Room for one body, none of which is there yet.
    pub(super) fn hold(&self, declared: u64) -> Hold {
        let is_short = usize::try_from(declared).is_ok_and(|length| length <= Self::SHORT);
        Hold { budget: self.clone(), bytes: 0, is_short }
    }
}

#[derive(Debug)]
struct Share {
    all: usize,
    left: AtomicUsize,
}

impl Share {
    fn new(bytes: usize) -> Self {
        Self { all: bytes, left: AtomicUsize::new(bytes) }
    }

    fn taken(&self) -> usize {
        self.all.saturating_sub(self.left.load(Ordering::Relaxed))
    }

    /// The counts guard no other memory, so that no order is asked for.
    fn take(&self, bytes: usize) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The bytes of one body, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    budget: BodyBudget,
    bytes: usize,
    is_short: bool,
}

impl Hold {
    /// Whether so many bytes more can ever find room.
    pub(super) fn may_grow(&self, bytes: usize) -> bool {
        self.bytes.saturating_add(bytes) <= self.budget.longest()
    }

    /// Counts bytes that have arrived. False: there is no room, and nothing more is counted.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let Shares { short, rest } = &*self.budget.0;
        let total = self.bytes.saturating_add(bytes);
        if self.is_short && total <= BodyBudget::SHORT && short.take(bytes) {
            self.bytes = total;
            return true;
        }
        // What outgrows the share of short bodies, or finds it used up, is counted in the other as a whole.
        if !rest.take(if self.is_short { total } else { bytes }) {
            return false;
        }
        if self.is_short {
            short.give_back(self.bytes);
            self.is_short = false;
        }
        self.bytes = total;
        true
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let Shares { short, rest } = &*self.budget.0;
        let share = if self.is_short { short } else { rest };
        share.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHORT: usize = BodyBudget::SHORT;

    #[test]
    fn a_large_body_gets_all_but_the_quarter_of_short_ones_and_not_a_byte_more() {
        for (bytes, fits) in [(6 * SHORT, true), (6 * SHORT + 1, false)] {
            let budget = BodyBudget::new(8 * SHORT);
            assert_eq!(budget.longest(), 6 * SHORT);
            assert_eq!(budget.hold(1 << 40).grow(bytes), fits, "{bytes}");
            assert_eq!(budget.in_flight(), 0, "given back");
        }
    }

    #[test]
    fn short_bodies_find_room_beside_large_ones_until_theirs_and_the_rest_are_used_up() {
        let budget = BodyBudget::new(8 * SHORT);
        let mut large = budget.hold(1 << 40);
        assert!(large.grow(6 * SHORT - 1) && !large.grow(2) && large.grow(1));
        let mut short = [budget.hold(0), budget.hold(0), budget.hold(0)];
        assert!(short[0].grow(SHORT) && short[1].grow(SHORT) && !short[2].grow(1));
        drop(large);
        assert!(short[2].grow(SHORT), "of the rest");
        assert_eq!(budget.in_flight(), 3 * SHORT);
    }

    #[test]
    fn a_body_that_outgrows_the_short_ones_leaves_their_share() {
        let budget = BodyBudget::new(8 * SHORT);
        let mut growing = budget.hold(0);
        assert!(growing.grow(SHORT));
        assert_eq!((budget.0.short.taken(), budget.0.rest.taken()), (SHORT, 0));
        assert!(growing.grow(1));
        assert_eq!((budget.0.short.taken(), budget.0.rest.taken()), (0, SHORT + 1));
        let mut large = budget.hold(1 << 40);
        assert!(large.grow(5 * SHORT - 1));
        let mut other = budget.hold(0);
        assert!(other.grow(SHORT) && !other.grow(1), "and where there is no room it stays where it is");
        assert_eq!((budget.0.short.taken(), budget.0.rest.taken()), (SHORT, 6 * SHORT));
    }

    #[test]
    fn the_default_holds_two_of_the_longest() {
        for (max, longest) in [(1, 192 << 20), (50 << 20, 192 << 20), (200 << 20, 300 << 20)] {
            assert_eq!(BodyBudget::for_bodies_of(max).longest(), longest);
        }
        assert_eq!(BodyBudget::for_bodies_of(usize::MAX).longest(), usize::MAX - usize::MAX / 4);
        assert!(!BodyBudget::new(0).hold(0).grow(1) && BodyBudget::new(0).hold(0).grow(0));
    }

    proptest! {
        /// Whatever comes and goes, no share is overdrawn, and what is held is what is counted.
        #[test]
        fn nothing_is_lost_or_counted_twice(
            steps in prop::collection::vec((0..8usize, any::<bool>(), 0..3 * SHORT), 1..200),
        ) {
            let budget = BodyBudget::new(8 * SHORT);
            let mut holds: Vec<Option<Hold>> = (0..8).map(|_| None).collect();
            for (at, is_large, bytes) in steps {
                match holds[at].take() {
                    Some(hold) if bytes % 3 == 0 => drop(hold),
                    hold => {
                        let mut hold = hold.unwrap_or_else(|| budget.hold(if is_large { 1 << 40 } else { 0 }));
                        let (before, grown) = (hold.bytes, hold.grow(bytes));
                        prop_assert_eq!(hold.bytes, if grown { before + bytes } else { before });
                        holds[at] = Some(hold);
                    }
                }
                let held: usize = holds.iter().flatten().map(|hold| hold.bytes).sum();
                prop_assert_eq!(budget.in_flight(), held);
                prop_assert!(held <= 8 * SHORT);
            }
            holds.clear();
            prop_assert_eq!(budget.in_flight(), 0);
        }
    }
}
