//! The bytes of a document, many at a time.

/// Some bytes of the document, and all that is behind them.
#[derive(Clone, Copy)]
pub(super) struct Run<'de> {
    pub(super) from: &'de [u8],
    pub(super) length: usize,
}

impl<'de> Run<'de> {
    /// Bytes with nothing behind them.
    pub(super) fn of(bytes: &'de [u8]) -> Self {
        Self { from: bytes, length: bytes.len() }
    }

    pub(super) fn bytes(self) -> &'de [u8] {
        self.from.get(..self.length).unwrap_or_default()
    }

    /// What is left behind so many bytes.
    pub(super) fn behind(self, bytes: usize) -> Self {
        Self { from: self.from.get(bytes..).unwrap_or_default(), length: self.length.saturating_sub(bytes) }
    }
}

/// How long an escape is, by what stands behind its backslash.
pub(super) fn escape_length(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => Some(6),
        _ => None,
    }
}

/// How many bytes at the beginning may stand in a string as they are.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let near = bytes.first_chunk::<NEAR>().and_then(|near| plain_words(near));
    near.unwrap_or_else(|| plain_length_of_long(bytes))
}

/// Most strings are no longer.
pub(super) const NEAR: usize = 32;

/// The same for words of 8 bytes. `None`: all of them.
#[inline]
pub(super) fn plain_words(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks();
    words.iter().enumerate().find_map(|(at, word)| match specials(u64::from_le_bytes(*word)) {
        0 => None,
        marks => Some(at * 8 + marks.trailing_zeros() as usize / 8),
    })
}

/// The same for long strings, and for what stands at the end of a document.
#[inline(never)]
fn plain_length_of_long(bytes: &[u8]) -> usize {
    let blocks = plain_blocks(bytes);
    let rest = bytes.get(blocks..).unwrap_or_default();
    let tail = || rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len());
    blocks + plain_words(rest).unwrap_or_else(tail)
}

/// The same in blocks of 64 bytes.
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<64>();
    let is_plain = |block: &&[u8; 64]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
    blocks.iter().take_while(is_plain).count() * 64
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many spaces stand in front.
pub(super) fn leading_spaces(word: [u8; 8]) -> usize {
    (u64::from_le_bytes(word) ^ u64::from_ne_bytes([b' '; 8])).trailing_zeros() as usize / 8
}

/// Marks in each byte that is a quote, a backslash or a control character: right up to the first, which is the lowest.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    // With this bit turned over, a quote comes right behind the control characters, and a space goes.
    let controls_and_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (controls_and_quote | backslash) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_right_up_to_the_first_for_every_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut word = [b'x'; 8];
                word[at] = byte;
                let first = (specials(u64::from_le_bytes(word)).trailing_zeros() / 8) as usize;
                assert_eq!(first, if is_special(byte) { at } else { 8 }, "{byte} at {at}");
            }
        }
    }
}
