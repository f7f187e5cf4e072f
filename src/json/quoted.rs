//! Strings of a document, as they stand in it and as they are meant.

use std::borrow::Cow;

use serde::de::Visitor;

use super::escape::{Out, unescape};
use super::fault::Fault;
use super::scan::Run;

/// A string of the document.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'de> {
    /// The document from behind the opening quote.
    pub(super) from: &'de str,
    /// How much of that stands between the quotes.
    pub(super) length: usize,
    /// How many of its characters are escaped.
    pub(super) escapes: usize,
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
