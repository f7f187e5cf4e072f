//! The id of an event of a run: how what was handled is told from what was sent, whatever the receiver made of it.

use std::fmt;

/// Stands in each of them, so that they are found in a text.
const MIDDLE: &str = "-57a9-4000-8000-";
const STAMP: usize = 8;
const NUMBER: usize = 12;
const MASK: u64 = (1 << 48) - 1;

/// The id of an event of a run, written as a UUID. The stamp tells runs apart, whose events a store may still know.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mark {
    stamp: u32,
    number: u64,
}

impl Mark {
    /// Of this run, and of the event of this number, below 2^48.
    #[must_use]
    pub fn new(stamp: u32, number: u64) -> Self {
        Self { stamp, number: number & MASK }
    }

    /// Which event of the run it is.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// The first one in this text.
    #[must_use]
    pub fn find(text: &[u8]) -> Option<Self> {
        let middles = text.windows(MIDDLE.len()).enumerate().filter(|(_, window)| *window == MIDDLE.as_bytes());
        middles.filter_map(|(at, _)| Self::around(text, at)).next()
    }

    fn around(text: &[u8], middle: usize) -> Option<Self> {
        let hex = |range| u64::from_str_radix(std::str::from_utf8(text.get(range)?).ok()?, 16).ok();
        let behind = middle + MIDDLE.len();
        let stamp = hex(middle.checked_sub(STAMP)?..middle)?;
        Some(Self { stamp: u32::try_from(stamp).ok()?, number: hex(behind..behind + NUMBER)? })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{MIDDLE}{:012x}", self.stamp, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_wherever_it_stands() {
        let mark = Mark::new(0x6a1c_55aa, 1_234_567);
        assert_eq!(mark.to_string(), "6a1c55aa-57a9-4000-8000-00000012d687");
        for text in [format!("{mark}"), format!("transfer.completed|{mark}|x"), format!("{{\"id\":\"{mark}\"}}")] {
            assert_eq!(Mark::find(text.as_bytes()), Some(mark), "{text}");
        }
        assert_eq!(Mark::find(&format!("-57a9-4000-8000-{mark}").into_bytes()), Some(mark));
        for text in ["", MIDDLE, "6a1c55aa-57a9-4000-8000-0000001", "xa1c55aa-57a9-4000-8000-00000012d687"] {
            assert_eq!(Mark::find(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Mark::new(1, u64::MAX).number(), (1 << 48) - 1);
    }
}
