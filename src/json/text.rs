//! The words of JSON (RFC 8259): where a string, a number or a name begins and ends in a text.

use std::borrow::Cow;

use serde::de::Visitor;

use super::escape::{Out, unescape};
use super::fault::Fault;

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Text<'de> {
    text: &'de str,
    at: usize,
}

/// Some bytes of the document, and all that is behind them.
#[derive(Clone, Copy)]
pub(super) struct Run<'de> {
    pub(super) from: &'de [u8],
    pub(super) length: usize,
}

/// A string of the document.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'de> {
    /// The document from behind the opening quote.
    from: &'de str,
    /// How much of that stands between the quotes.
    length: usize,
    /// How many of its characters are escaped.
    escapes: usize,
}

impl<'de> Text<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn since(&self, start: usize) -> &'de str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn ahead(&self) -> &'de str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// From here to there, and what is behind it.
    pub(super) fn run(&self, start: usize, end: usize) -> Run<'de> {
        Run { from: self.text.as_bytes().get(start..).unwrap_or_default(), length: end.saturating_sub(start) }
    }

    /// The next byte that is no white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
            // What stands on a line of its own is indented by spaces.
            while let Some(word) = bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
                let spaces = leading_spaces(*word);
                self.at += spaces;
                if spaces < word.len() {
                    break;
                }
            }
        }
    }

    /// Passes the byte that was peeked at.
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// Passes a space, if there is one: most that is written for people has it between a name and its value.
    pub(super) fn pass_one_space(&mut self) {
        self.at += usize::from(self.is(b' '));
    }

    /// What stands here is not what JSON asks for.
    pub(super) fn unexpected(&self) -> Fault {
        Fault::syntax(self.at + 1)
    }

    #[cfg(test)]
    pub(super) fn string(&mut self) -> Result<Quoted<'de>, Fault> {
        let start = self.at;
        let escapes = self.pass_string()?;
        Ok(self.quoted(start, self.at, escapes))
    }

    /// The string from its one quote to behind its other.
    pub(super) fn quoted(&self, start: usize, end: usize, escapes: usize) -> Quoted<'de> {
        let from = self.text.get(start + 1..).unwrap_or_default();
        Quoted { from, length: end.saturating_sub(start + 2), escapes }
    }

    /// Passes the string that begins with the quote here, and counts its escapes. All that comes back of the pass is one
    /// number, since more would go through memory.
    #[inline]
    pub(super) fn pass_string(&mut self) -> Result<usize, Fault> {
        let near = self.text.as_bytes().get(self.at + 1..).and_then(<[u8]>::first_chunk::<NEAR>);
        if let Some(near) = near
            && let Some(length) = plain_words(near)
            && near.get(length) == Some(&b'"')
        {
            self.at += length + 2;
            return Ok(0);
        }
        self.pass_any_string()
    }

    #[inline(never)]
    fn pass_any_string(&mut self) -> Result<usize, Fault> {
        let (bytes, mut at, mut escapes) = (self.text.as_bytes(), self.at + 1, 0);
        loop {
            at += plain_length(bytes.get(at..).unwrap_or_default());
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') if let Some(length) = escape_length(bytes.get(at + 1..).unwrap_or_default()) => {
                    escapes += 1;
                    at += length;
                }
                _ => {
                    self.at = at;
                    return Err(self.unexpected());
                }
            }
        }
        self.at = at + 1;
        Ok(escapes)
    }

    /// Passes the number that begins here.
    pub(super) fn pass_number(&mut self) -> Result<(), Fault> {
        if self.is(b'-') {
            self.at += 1;
        }
        if self.is(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.is(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if self.is(b'e') || self.is(b'E') {
            self.at += 1;
            if self.is(b'+') || self.is(b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes `true`, `false` or `null`.
    pub(super) fn pass_word(&mut self) -> Result<(), Fault> {
        self.at += match self.text.as_bytes().get(self.at..).unwrap_or_default() {
            [b'n', b'u', b'l', b'l', ..] | [b't', b'r', b'u', b'e', ..] => 4,
            [b'f', b'a', b'l', b's', b'e', ..] => 5,
            _ => return Err(self.unexpected()),
        };
        Ok(())
    }

    /// At the end of the text there is nothing but white space.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.peek().map_or(Ok(()), |_| Err(self.unexpected()))
    }

    fn is(&self, byte: u8) -> bool {
        self.text.as_bytes().get(self.at) == Some(&byte)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let (bytes, mut at) = (self.text.as_bytes(), self.at);
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == self.at {
            return Err(self.unexpected());
        }
        self.at = at;
        Ok(())
    }
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

impl<'de> Quoted<'de> {
    /// Between its quotes, as it was written.
    fn inside(self) -> Run<'de> {
        Run { from: self.from.as_bytes(), length: self.length }
    }

    /// The string's bytes, where nothing in it is escaped.
    pub(super) fn run(self) -> Option<Run<'de>> {
        if self.escapes == 0 { Some(self.inside()) } else { None }
    }

    /// The string, where nothing in it is escaped.
    pub(super) fn plain(self) -> Option<&'de str> {
        if self.escapes == 0 { self.from.get(..self.length) } else { None }
    }

    /// The text that it is. `None`: it holds half a surrogate pair, and is none.
    pub(super) fn text(self) -> Option<Cow<'de, str>> {
        match self.plain() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => String::from_utf8(self.unescaped()).ok().map(Cow::Owned),
        }
    }

    /// Hands it to a visitor. Half a surrogate pair is no text.
    pub(super) fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plain() {
            Some(plain) => visitor.visit_borrowed_str(plain),
            None => String::from_utf8(self.unescaped())
                .map_or_else(|_| Err(Fault::of_type()), |text| visitor.visit_string(text)),
        }
    }

    /// What it says, in UTF-8; half a surrogate pair, which is no text but well-formed JSON, is written as WTF-8 has it.
    pub(super) fn said(self) -> Cow<'de, [u8]> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain.as_bytes()),
            None => Cow::Owned(self.unescaped()),
        }
    }

    /// The same, behind what is there.
    pub(super) fn say(self, out: &mut impl Out) {
        match self.run() {
            Some(run) => out.run(run),
            None => unescape(self.inside(), out),
        }
    }

    #[cold]
    fn unescaped(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length);
        unescape(self.inside(), &mut out);
        out
    }
}

/// How long an escape is, by what stands behind its backslash.
fn escape_length(rest: &[u8]) -> Option<usize> {
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
const NEAR: usize = 32;

/// The same for words of 8 bytes. `None`: all of them.
#[inline]
fn plain_words(bytes: &[u8]) -> Option<usize> {
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

fn leading_spaces(word: [u8; 8]) -> usize {
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
    fn a_string_ends_at_its_quote_wherever_it_stands() {
        for length in 0..200 {
            for (case, inside) in [("plain", "x"), ("high", "\u{e9}"), ("quote", "\\\""), ("backslash", "\\\\")] {
                for at in 0..length {
                    let text = format!("\"{}{inside}{}\",\"\\", "y".repeat(at), "z".repeat(length - 1 - at));
                    let quoted = Text::new(&text).string().unwrap_or_else(|_| panic!("{case} at {at} of {length}"));
                    assert_eq!(quoted.length, length - 1 + inside.len(), "{case} at {at} of {length}");
                    assert_eq!(quoted.plain().is_some(), !inside.starts_with('\\'), "{case} at {at} of {length}");
                    let open = text.get(..=length).unwrap_or_default();
                    assert!(Text::new(open).string().is_err(), "{case} at {at} of {length}, no end");
                    let control = format!("\"{}\u{1f}{}\"", "y".repeat(at), "z".repeat(length - 1 - at));
                    let fault = Text::new(&control).string().map(Quoted::said).unwrap_err();
                    assert_eq!(fault.at(), at + 2, "a control character at {at} of {length}");
                }
            }
        }
    }

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
