//! The words of JSON (RFC 8259): where a string, a number or a name begins and ends in a text.

use super::fault::Fault;
use super::quoted::Quoted;
use super::scan::{NEAR, Run, escape_length, leading_spaces, plain_length, plain_words};

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Text<'de> {
    text: &'de str,
    at: usize,
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
    fn white_space_is_passed_whatever_its_length_and_nothing_else_is() {
        for blank in [" ", "\n", "\r", "\t", "\n  ", " \t", "\r\n     "] {
            for count in 0..40 {
                for behind in ["", "1", "1          "] {
                    let text = format!("{}{behind}", blank.repeat(count));
                    let mut words = Text::new(&text);
                    assert_eq!(words.peek(), behind.bytes().next(), "{text:?}");
                    assert_eq!(words.at(), blank.len() * count, "{text:?}");
                }
                for other in ["\u{b}", "\u{c}", "\0", "\u{1f}", "\u{a0}", "\u{2003}"] {
                    let text = format!("{}{other}        ", blank.repeat(count));
                    let mut words = Text::new(&text);
                    assert_eq!((words.peek(), words.at()), (other.bytes().next(), blank.len() * count), "{text:?}");
                    assert!(words.end().is_err(), "{text:?}");
                }
            }
        }
    }
}
