//! The lines of a report, none of which is without end.

use std::io::{BufRead, Read as _};

/// So many bytes may a row have.
pub(super) const LONGEST: u64 = 1024 * 1024;
pub(super) const TOO_LONG: &str = "a row is longer than 1 MiB";

/// Who is told the reference of each row; empty: it has none.
pub(super) type Each<'a> = &'a mut dyn FnMut(&str) -> Result<(), String>;

pub(super) struct Rows<R> {
    input: R,
    /// The line that was read last.
    number: usize,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// The first byte that says something, which stays to be read. A byte order mark and white space go.
    pub(super) fn first(&mut self) -> Result<u8, String> {
        for byte in [0xef, 0xbb, 0xbf] {
            match self.peek()? {
                Some(first) if first == byte => self.input.consume(1),
                _ if byte == 0xef => break,
                _ => return Err("it is no UTF-8".to_owned()),
            }
        }
        loop {
            match self.peek()?.ok_or("it is empty")? {
                space @ (b' ' | b'\r' | b'\n') => {
                    self.input.consume(1);
                    self.number = self.number.saturating_add(usize::from(space == b'\n'));
                }
                first => return Ok(first),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, String> {
        self.input.fill_buf().map(|bytes| bytes.first().copied()).map_err(|error| error.to_string())
    }

    /// Appends the next line, with its end. `false`: there is none.
    pub(super) fn line(&mut self, row: &mut Vec<u8>) -> Result<bool, String> {
        let room = LONGEST.saturating_sub(row.len() as u64);
        // One more than there may be, to know of it.
        let read = self.input.by_ref().take(room.saturating_add(1)).read_until(b'\n', row);
        let read = read.map_err(|error| self.at(&error.to_string()))?;
        self.number = self.number.saturating_add(usize::from(read > 0));
        if row.len() as u64 > LONGEST {
            return Err(self.at(TOO_LONG));
        }
        Ok(read > 0)
    }

    /// What is wrong, and where.
    pub(super) fn at(&self, why: &str) -> String {
        format!("line {}: {why}", self.number)
    }

    /// What was not read, and how many lines stood before.
    pub(super) fn into_rest(self) -> (R, usize) {
        (self.input, self.number)
    }
}
