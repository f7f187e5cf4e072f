//! The words of JSON (RFC 8259): where a string, a number or a name begins and ends in a text.

use std::borrow::Cow;

use serde::de::Visitor;

use super::escape::unescape;
use super::fault::Fault;

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Text<'de> {
    text: &'de str,
    at: usize,
}

/// A string of the document.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'de> {
    /// Between its quotes, as it was written.
    inside: &'de str,
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

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                byte if byte > b' ' => return Some(byte),
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Passes the byte that was peeked at.
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// What stands here is not what JSON asks for.
    pub(super) fn unexpected(&self) -> Fault {
        Fault::syntax(self.at + 1)
    }

    /// The string that begins with the quote here.
    pub(super) fn string(&mut self) -> Result<Quoted<'de>, Fault> {
        self.at += 1;
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let mut escapes = 0;
        loop {
            self.at += plain_length(bytes.get(self.at..).unwrap_or_default());
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes += 1;
                    self.escape()?;
                }
                _ => return Err(self.unexpected()),
            }
        }
        let inside = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(Quoted { inside, escapes })
    }

    #[cold]
    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let length = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', digits @ ..] if digits.iter().take(4).filter(|byte| byte.is_ascii_hexdigit()).count() == 4 => 6,
            _ => return Err(self.unexpected()),
        };
        self.at += length;
        Ok(())
    }

    /// The number that begins here.
    pub(super) fn number(&mut self) -> Result<&'de str, Fault> {
        let start = self.at;
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
        Ok(self.since(start))
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Result<&'static str, Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is = |word: &&&str| rest.starts_with(word.as_bytes());
        let word = ["null", "true", "false"].iter().find(is).ok_or_else(|| self.unexpected())?;
        self.at += word.len();
        Ok(word)
    }

    /// At the end of the text there is nothing but white space.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.peek().map_or(Ok(()), |_| Err(self.unexpected()))
    }

    fn is(&self, byte: u8) -> bool {
        self.text.as_bytes().get(self.at) == Some(&byte)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.unexpected()) } else { Ok(()) }
    }
}

impl<'de> Quoted<'de> {
    /// The string, where nothing in it is escaped.
    pub(super) fn plain(self) -> Option<&'de str> {
        if self.escapes == 0 { Some(self.inside) } else { None }
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
    pub(super) fn say(self, out: &mut Vec<u8>) {
        match self.plain() {
            Some(plain) => out.extend_from_slice(plain.as_bytes()),
            None => unescape(self.inside.as_bytes(), out),
        }
    }

    #[cold]
    fn unescaped(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.inside.len());
        unescape(self.inside.as_bytes(), &mut out);
        out
    }
}

/// How many bytes at the beginning may stand in a string as they are.
fn plain_length(bytes: &[u8]) -> usize {
    const NEAR: usize = 32;
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = specials(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == NEAR {
            at += plain_blocks(bytes.get(NEAR..).unwrap_or_default());
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// The same for long strings, in blocks of 64 bytes.
#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<64>();
    let is_plain = |block: &&[u8; 64]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
    blocks.iter().take_while(is_plain).count() * 64
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
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
                    assert_eq!(quoted.inside.len(), length - 1 + inside.len(), "{case} at {at} of {length}");
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
