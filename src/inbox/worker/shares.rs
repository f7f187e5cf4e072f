//! How many events of each receiver are in hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many events of each receiver are in hand.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<HashMap<String, usize>>);

/// What may be leased.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Room {
    /// None of these receivers' events.
    pub(super) but_of: Vec<String>,
    /// So many, even if they are all of one receiver.
    pub(super) most: usize,
}

impl Shares {
    /// For so many places, of which each receiver may have so many.
    pub(super) fn room(&self, places: usize, each: usize) -> Room {
        let shares = self.lock();
        let mut but_of: Vec<_> =
            shares.iter().filter(|(_, held)| **held >= each).map(|(name, _)| name.clone()).collect();
        but_of.sort_unstable();
        let left = shares.values().map(|held| each.saturating_sub(*held)).filter(|left| *left > 0).min();
        Room { but_of, most: places.min(left.unwrap_or(each)) }
    }

    /// One more of this receiver's, as long as the share lives.
    pub(super) fn take(self: &Arc<Self>, receiver: &str) -> Share {
        *self.lock().entry(receiver.to_owned()).or_default() += 1;
        Share { shares: Arc::clone(self), receiver: receiver.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event in hand.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    receiver: String,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.shares.lock();
        match shares.get_mut(&self.receiver) {
            Some(held) if *held > 1 => *held -= 1,
            _ => drop(shares.remove(&self.receiver)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lease_can_bring_one_receiver_more_than_its_share() {
        let shares = Arc::default();
        let room = |places, each| Shares::room(&shares, places, each);
        let of = |but_of: &[&str], most| Room { but_of: but_of.iter().map(|name| (*name).to_owned()).collect(), most };
        assert_eq!(room(16, 12), of(&[], 12));
        let mut held: Vec<_> = (0..11).map(|_| shares.take("a")).collect();
        assert_eq!(room(5, 12), of(&[], 1));
        held.push(shares.take("a"));
        assert_eq!(room(4, 12), of(&["a"], 4));
        held.push(shares.take("b"));
        assert_eq!(room(3, 12), of(&["a"], 3));
        assert_eq!(room(3, 1), of(&["a", "b"], 1));
        assert_eq!(room(3, usize::MAX), of(&[], 3));
        held.clear();
        assert_eq!(room(16, 12), of(&[], 12));
        assert!(shares.lock().is_empty());
    }
}
