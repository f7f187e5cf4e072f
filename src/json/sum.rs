//! The sum behind an [`Identity`]: what is hashed of each value, and where it stands.

use xxhash_rust::xxh3::xxh3_128;

use super::escape::Out;
use super::quoted::Quoted;
use super::scan::Run;

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
    /// The hash of the object or array that was opened last.
    last: u128,
    /// What is hashed next: the place of the next value.
    input: Input,
    /// A value stands behind its place, and is to be added before the next is looked at.
    is_due: bool,
}

impl Sum {
    /// The next value is the outermost.
    pub(super) fn new() -> Self {
        Self { sum: 0, last: 0, input: Input { near: [0; NEAR], length: 16, far: Vec::new() }, is_due: false }
    }

    /// The next value is a member of the object with this hash.
    pub(super) fn member(&mut self, around: u128, name: Run<'_>) {
        self.settle();
        self.input.begin(around, MEMBER, name.length as u64);
        self.input.run(name);
    }

    /// The next value is an element of the array with this hash.
    pub(super) fn element(&mut self, around: u128, index: u64) {
        self.settle();
        self.input.begin(around, ELEMENT, index);
    }

    /// Adds the object or array in its place.
    pub(super) fn open(&mut self, kind: Kind) {
        self.input.byte(kind as u8);
        self.last = self.add();
    }

    /// The hash of the object or array that was opened last.
    pub(super) fn opened(&self) -> u128 {
        self.last
    }

    /// Adds the string in its place.
    pub(super) fn string(&mut self, text: Quoted<'_>) {
        self.input.byte(Kind::Text as u8);
        text.say(&mut self.input);
        self.is_due = true;
    }

    /// Adds what stands in its place without quotes.
    pub(super) fn bare(&mut self, text: Run<'_>) {
        self.input.byte(Kind::Bare as u8);
        self.input.run(text);
        self.is_due = true;
    }

    #[inline(never)]
    fn add(&mut self) -> u128 {
        let hash = xxh3_128(self.input.bytes());
        self.sum = self.sum.wrapping_add(hash);
        hash
    }

    fn settle(&mut self) {
        if self.is_due {
            self.is_due = false;
            self.add();
        }
    }

    /// All that was added so far.
    pub(super) fn total(&mut self) -> u128 {
        self.settle();
        self.sum
    }
}

/// So long is the input for nearly every value.
const NEAR: usize = 256;

/// Bytes one behind another.
struct Input {
    near: [u8; NEAR],
    /// How many of the near ones are written. All of them, where there are far ones.
    length: usize,
    /// All bytes, where there are more than that.
    far: Vec<u8>,
}

impl Input {
    fn begin(&mut self, around: u128, how: u8, number: u64) {
        self.far.clear();
        self.length = 25;
        if let Some((hash, [kind, rest @ ..])) = self.near.split_first_chunk_mut::<16>()
            && let Some(length) = rest.first_chunk_mut()
        {
            (*hash, *kind, *length) = (around.to_le_bytes(), how, number.to_le_bytes());
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.far.is_empty() { self.near.get(..self.length).unwrap_or_default() } else { &self.far }
    }

    #[inline(never)]
    fn long(&mut self, bytes: &[u8]) {
        match self.near.get_mut(self.length..).and_then(|free| free.get_mut(..bytes.len())) {
            Some(free) if self.far.is_empty() => {
                free.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            _ => {
                if self.far.is_empty() {
                    self.far.extend_from_slice(self.near.get(..self.length).unwrap_or_default());
                    self.length = NEAR;
                }
                self.far.extend_from_slice(bytes);
            }
        }
    }
}

impl Out for Input {
    fn byte(&mut self, byte: u8) {
        match self.near.get_mut(self.length) {
            Some(free) => {
                *free = byte;
                self.length += 1;
            }
            None => self.long(&[byte]),
        }
    }

    /// A short run is copied together with what stands behind it, which the next one covers: that takes two instructions.
    fn run(&mut self, run: Run<'_>) {
        const SHORT: usize = 32;
        let free = self.near.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut::<SHORT>);
        match (run.from.first_chunk(), free) {
            (Some(from), Some(free)) if run.length <= SHORT => {
                *free = *from;
                self.length += run.length;
            }
            _ => self.long(run.bytes()),
        }
    }
}
