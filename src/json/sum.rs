//! The sum behind an [`Identity`]: what is hashed of each value, and where it stands.

use xxhash_rust::xxh3::xxh3_128;

const MEMBER: u8 = 0x01;
const ELEMENT: u8 = 0x02;

/// What a value is.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Kind {
    Object = 0x10,
    Array = 0x11,
    Text = 0x12,
    /// A number, a truth value or null.
    Bare = 0x13,
}

/// Adds up the values of a document, of each first the place and then what it is.
pub(super) struct Sum {
    sum: u128,
    /// What is hashed next: the place of the next value.
    input: Vec<u8>,
}

impl Sum {
    /// The next value is the outermost.
    pub(super) fn new() -> Self {
        let mut input = Vec::with_capacity(192);
        input.extend_from_slice(&[0; 16]);
        Self { sum: 0, input }
    }

    /// The next value is a member of the object with this hash.
    pub(super) fn member(&mut self, around: u128, name: &[u8]) {
        self.inside(around, MEMBER, name.len() as u64);
        self.input.extend_from_slice(name);
    }

    /// The next value is an element of the array with this hash.
    pub(super) fn element(&mut self, around: u128, index: u64) {
        self.inside(around, ELEMENT, index);
    }

    fn inside(&mut self, around: u128, how: u8, number: u64) {
        let mut place = [0; 25];
        let (hash, rest) = place.split_at_mut(16);
        hash.copy_from_slice(&around.to_le_bytes());
        if let [first, rest @ ..] = rest {
            *first = how;
            rest.copy_from_slice(&number.to_le_bytes());
        }
        self.input.clear();
        self.input.extend_from_slice(&place);
    }

    /// Adds the value in its place, with what writes its text behind that, and returns its hash.
    pub(super) fn value(&mut self, kind: Kind, text: impl FnOnce(&mut Vec<u8>)) -> u128 {
        self.input.push(kind as u8);
        text(&mut self.input);
        let hash = xxh3_128(&self.input);
        self.sum = self.sum.wrapping_add(hash);
        hash
    }

    pub(super) fn total(&self) -> u128 {
        self.sum
    }
}
