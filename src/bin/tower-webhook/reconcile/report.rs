//! Reading a report row by row, however it is written: what is said of a row is its reference, and a row has an end.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};

use clap::ValueEnum;
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tower_webhook::json::{self, Pointer};

use super::csv;
use super::rows::{Each, LONGEST, Rows, TOO_LONG};

/// How a report is written.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// With a header, after RFC 4180.
    Csv,
    /// An array of rows.
    Json,
    /// A row of JSON on each line.
    Lines,
}

/// Reads all of it.
///
/// # Errors
///
/// What is wrong, and in which line. Nothing of what the report says.
pub(super) fn read(input: impl BufRead, format: Option<Format>, reference: &str, each: Each<'_>) -> Result<(), String> {
    let mut rows = Rows::new(input);
    let first = rows.first()?;
    let told = match first {
        b'[' => Format::Json,
        b'{' => Format::Lines,
        _ => Format::Csv,
    };
    match format.unwrap_or(told) {
        Format::Csv => csv::read(&mut rows, reference, each),
        Format::Lines => lines(&mut rows, &place(reference)?, each),
        Format::Json if first == b'[' => array(rows, &place(reference)?, each),
        Format::Json => Err("it begins with no [, and so is no JSON array".to_owned()),
    }
}

/// A member's name, or a pointer.
fn place(reference: &str) -> Result<Pointer, String> {
    let text = match reference.starts_with('/') {
        true => reference.to_owned(),
        false => format!("/{}", reference.replace('~', "~0").replace('/', "~1")),
    };
    Pointer::new(text).map_err(|error| format!("--reference: {error}"))
}

fn lines(rows: &mut Rows<impl BufRead>, place: &Pointer, each: Each<'_>) -> Result<(), String> {
    let mut line = Vec::new();
    while rows.line(&mut line)? {
        if !line.trim_ascii().is_empty() {
            of_row(&line, place).and_then(|reference| each(&reference)).map_err(|why| rows.at(&why))?;
        }
        line.clear();
    }
    Ok(())
}

fn of_row(row: &[u8], place: &Pointer) -> Result<String, String> {
    match place.scalar(row) {
        Some(reference) => Ok(reference),
        None if json::parse::<IgnoredAny>(row).is_ok() => Ok(String::new()),
        None => Err("a row is no JSON of one meaning".to_owned()),
    }
}

fn array(rows: Rows<impl BufRead>, place: &Pointer, each: Each<'_>) -> Result<(), String> {
    let (input, before) = rows.into_rest();
    let left = Cell::new(LONGEST);
    let mut reader = serde_json::Deserializer::from_reader(Limited { input, left: &left });
    let read = reader.deserialize_seq(Elements { left: &left, place, each }).and_then(|()| reader.end());
    read.map_err(|error| {
        let text = error.to_string();
        let why = text.split(" at line ").next().unwrap_or_default();
        match error.line() {
            0 => why.to_owned(),
            line => format!("line {}: {why}", before.saturating_add(line)),
        }
    })
}

/// What comes from it until somebody gives it more.
struct Limited<'a, R> {
    input: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other(TOO_LONG));
        }
        let read = self.input.by_ref().take(self.left.get()).read(into)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

struct Elements<'a> {
    left: &'a Cell<u64>,
    place: &'a Pointer,
    each: Each<'a>,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Box<RawValue>>()? {
            self.left.set(LONGEST);
            let reference = of_row(row.get().as_bytes(), self.place).map_err(A::Error::custom)?;
            (self.each)(&reference).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
