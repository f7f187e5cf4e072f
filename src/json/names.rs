//! No name twice in one object, at any depth.

use std::borrow::Cow;
use std::collections::HashSet;

/// In one object. They are remembered until it ends, so that this bounds what a peer can make us hold.
const MAX_NAMES: usize = 4096;
/// Up to here a look along the list beats a hash.
const FEW_NAMES: usize = 32;

/// The names of all objects that are open, each object's behind those around it. Of an object with many names, or with
/// one that is escaped, none stands here.
pub(super) struct Names<'de>(Vec<&'de [u8]>);

/// The names of one object.
#[derive(Default)]
pub(super) struct Frame<'de> {
    /// Where they begin in the common list.
    start: usize,
    /// A mark for each name. Names whose mark is not there are new.
    marks: u64,
    /// All of them, where they are many or one is escaped.
    many: Option<HashSet<Cow<'de, [u8]>>>,
}

/// Why a name is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotTaken {
    Twice,
    TooMany,
}

impl<'de> Names<'de> {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(FEW_NAMES))
    }

    /// A new object, inside those that are open.
    pub(super) fn open(&mut self) -> Frame<'de> {
        Frame { start: self.0.len(), marks: 0, many: None }
    }

    /// The end of the object that was opened last.
    pub(super) fn close(&mut self, frame: &Frame<'de>) {
        self.go_back(frame.start);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// To when there were so many.
    pub(super) fn go_back(&mut self, count: usize) {
        self.0.truncate(count);
    }

    /// A name that is not escaped.
    #[inline]
    pub(super) fn add(&mut self, frame: &mut Frame<'de>, name: &'de [u8]) -> Result<(), NotTaken> {
        let mine = self.0.get(frame.start..).unwrap_or_default();
        if frame.many.is_some() || mine.len() == FEW_NAMES {
            return self.add_to_many(frame, Cow::Borrowed(name));
        }
        let mark = mark(name);
        if frame.marks & mark != 0 && mine.contains(&name) {
            return Err(NotTaken::Twice);
        }
        frame.marks |= mark;
        self.0.push(name);
        Ok(())
    }

    /// The same for any name, by what it says.
    #[cold]
    pub(super) fn add_to_many(&mut self, frame: &mut Frame<'de>, name: Cow<'de, [u8]>) -> Result<(), NotTaken> {
        let few = self.0.drain(frame.start..).map(Cow::Borrowed);
        let many = frame.many.get_or_insert_with(|| few.collect());
        if many.len() == MAX_NAMES {
            return Err(NotTaken::TooMany);
        }
        if many.insert(name) { Ok(()) } else { Err(NotTaken::Twice) }
    }
}

/// One of 64 bits, by the length of a name, its first letter and its last.
fn mark(name: &[u8]) -> u64 {
    let letter = |at: Option<&u8>| at.copied().map_or(0, u64::from);
    let mix = (name.len() as u64) ^ (letter(name.first()) << 8) ^ (letter(name.last()) << 16);
    1 << (mix.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}
