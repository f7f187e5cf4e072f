//! Places for values of one kind, known by a number of four bytes. They come in blocks that never move, so that growing
//! copies nothing and keeps no room for twice as many; a place that was given up is used again before a new block is.

use std::mem;
use std::ops::Range;

/// How many places a block has.
pub(super) const BLOCK: u32 = 64;

pub(super) struct Slab<T> {
    blocks: Vec<Box<Block<T>>>,
    /// The first of the free places. Each knows the next.
    free: Option<u32>,
}

type Block<T> = [Place<T>; 64];

enum Place<T> {
    Taken(T),
    Free { next: Option<u32> },
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: None }
    }
}

impl<T> Slab<T> {
    /// Puts a value in a free place. `None`: there are no more numbers.
    pub(super) fn put(&mut self, value: T) -> Option<u32> {
        let number = self.free.or_else(|| self.grow())?;
        let place = self.place_mut(number)?;
        if let Place::Free { next } = mem::replace(place, Place::Taken(value)) {
            self.free = next;
        }
        Some(number)
    }

    /// Takes a value out. Its place is the first that is used again.
    pub(super) fn take(&mut self, number: u32) -> Option<T> {
        let next = self.free;
        let place = self.place_mut(number).filter(|place| matches!(place, Place::Taken(_)))?;
        let Place::Taken(value) = mem::replace(place, Place::Free { next }) else { return None };
        self.free = Some(number);
        Some(value)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        match self.blocks.get(block_of(number))?.get(index(number % BLOCK))? {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        match self.place_mut(number)? {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    /// All values and where they are, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.blocks.iter().flat_map(|block| block.iter())).filter_map(|(number, place)| match place {
            Place::Taken(value) => Some((number, value)),
            Place::Free { .. } => None,
        })
    }

    fn place_mut(&mut self, number: u32) -> Option<&mut Place<T>> {
        self.blocks.get_mut(block_of(number))?.get_mut(index(number % BLOCK))
    }

    /// One more block, all of it free. Only where nothing else is.
    #[inline(never)]
    fn grow(&mut self) -> Option<u32> {
        let first = u32::try_from(self.blocks.len()).ok()?.checked_mul(BLOCK)?;
        let mut numbers = first..first.checked_add(BLOCK)?;
        numbers.next();
        self.blocks.push(Box::new(std::array::from_fn(|_| Place::Free { next: numbers.next() })));
        Some(first)
    }
}

/// Which block that place is in.
pub(super) fn block_of(number: u32) -> usize {
    index(number / BLOCK)
}

/// The places of a block.
pub(super) fn numbers(block: usize) -> Range<u32> {
    let first = u32::try_from(block).unwrap_or(u32::MAX).saturating_mul(BLOCK);
    first..first.saturating_add(BLOCK)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
impl<T> Slab<T> {
    /// The size of a place, in bytes.
    pub(super) const PLACE: usize = size_of::<Place<T>>();

    /// How many places there are, free ones among them.
    pub(super) fn places(&self) -> usize {
        self.blocks.iter().map(|block| block.len()).sum()
    }

    /// How many of them are taken.
    pub(super) fn taken(&self) -> usize {
        self.blocks.iter().flat_map(|block| block.iter()).filter(|place| matches!(place, Place::Taken(_))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_where_it_was_put_until_it_is_taken() {
        let mut slab = Slab::default();
        let places: Vec<u32> = (0..200).map(|value: u32| slab.put(value * 7).unwrap()).collect();
        for (value, place) in (0..).zip(&places) {
            assert_eq!(slab.get(*place), Some(&(value * 7)), "in place {place}");
            assert!(numbers(block_of(*place)).contains(place), "place {place} is in its block");
        }
        *slab.get_mut(places[70]).unwrap() = 1;
        assert_eq!((slab.take(places[70]), slab.take(places[70])), (Some(1), None));
        assert_eq!(slab.get_mut(places[70]), None);
        assert_eq!((slab.get(places[70]), slab.get(1 << 30)), (None, None));
        assert_eq!(slab.get(places[71]), Some(&(71 * 7)));
    }

    #[test]
    fn free_places_are_used_before_there_are_new_ones() {
        let mut slab = Slab::default();
        let places: Vec<u32> = (0..128).map(|value| slab.put(value).unwrap()).collect();
        for round in 0..10 {
            for place in places.iter().skip(round % 3).step_by(2) {
                assert!(slab.take(*place).is_some(), "place {place} in round {round}");
            }
            while slab.taken() < 128 {
                slab.put(0).unwrap();
            }
            assert_eq!(slab.places(), 128, "after round {round}");
        }
        slab.put(0).unwrap();
        assert_eq!(slab.places(), 192);
    }
}
