//! When to look at each block of rows next: at the earliest end in it, or before. A tree in which each node is the
//! smaller of its two, so that the next look of all is at the top.

use super::record::Moment;

/// The children of node `n` are `2n` and `2n + 1`. The first is node 1, and the lower half are the blocks.
#[derive(Default)]
pub(super) struct Looks(Vec<Moment>);

impl Looks {
    /// A block that is to be looked at by now: of several, the one that has waited longest.
    pub(super) fn due(&self, now: Moment) -> Option<usize> {
        let first = self.node(1);
        if now < first {
            return None;
        }
        let mut at = 1;
        while at < self.leaves() {
            at *= 2;
            if self.node(at) != first {
                at += 1;
            }
        }
        at.checked_sub(self.leaves())
    }

    /// Looks at the block at that time, and not before.
    pub(super) fn set(&mut self, block: usize, look: Moment) {
        while self.leaves() <= block {
            self.grow();
        }
        let mut at = self.leaves() + block;
        let mut least = look;
        while at > 0
            && let Some(node) = self.0.get_mut(at).filter(|node| **node != least)
        {
            *node = least;
            least = self.node(at).min(self.node(at ^ 1));
            at /= 2;
        }
    }

    /// Looks at the block at that time at the latest.
    pub(super) fn by(&mut self, block: usize, look: Moment) {
        if look < self.node(self.leaves() + block) || self.leaves() <= block {
            self.set(block, look);
        }
    }

    fn leaves(&self) -> usize {
        self.0.len() / 2
    }

    fn node(&self, at: usize) -> Moment {
        self.0.get(at).copied().unwrap_or(Moment::NEVER)
    }

    fn grow(&mut self) {
        let leaves = self.0.get(self.leaves()..).unwrap_or_default().to_vec();
        self.0 = vec![Moment::NEVER; (4 * leaves.len()).max(2)];
        for (block, look) in leaves.into_iter().enumerate() {
            self.set(block, look);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(nanos: u64) -> Moment {
        Moment::after_start(Duration::from_nanos(nanos))
    }

    #[test]
    fn nothing_is_due_where_nothing_was_set() {
        let mut looks = Looks::default();
        assert_eq!(looks.due(at(u64::MAX - 1)), None);
        looks.set(5, Moment::NEVER);
        assert_eq!(looks.due(at(u64::MAX - 1)), None);
    }

    #[test]
    fn of_all_that_was_set_the_earliest_is_due_and_not_before_its_time() {
        let (mut looks, mut plain, mut dice) = (Looks::default(), vec![u64::MAX; 100], 1_u64);
        for turn in 0..20_000_u64 {
            dice = dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            // More blocks as time goes on, so that the tree has grown with looks in it.
            let block = usize::try_from((dice >> 33) % (1 + turn / 200)).unwrap();
            let look = (dice >> 20) % 1000 + 1;
            if turn % 3 == 0 {
                looks.by(block, at(look));
                plain[block] = plain[block].min(look);
            } else {
                looks.set(block, at(look));
                plain[block] = look;
            }
            let first = *plain.iter().min().unwrap();
            assert_eq!(looks.due(at(first - 1)), None, "in turn {turn}");
            assert_eq!(looks.due(at(first)).map(|block| plain[block]), Some(first), "in turn {turn}");
        }
    }
}
