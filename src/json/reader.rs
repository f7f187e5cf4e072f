//! One pass over a document: its grammar, its names, and what it says for an identity.
//!
//! Whoever reads from here gets values as they pass, and what nobody asks for is walked through all the same. So what is
//! refused does not depend on what is read.

use super::absent::Leniency;
use super::fault::Fault;
use super::names::{Frame, Names, NotTaken};
use super::sum::{Kind, Sum};
use super::text::{Quoted, Run, Text};

/// As deep as `serde_json` reads.
const MAX_LEVELS: u8 = 127;

/// A document on its way past.
pub(super) struct Reader<'de> {
    pub(super) text: Text<'de>,
    /// `None`: another pass has seen that no name stands twice.
    names: Option<Names<'de>>,
    levels: u8,
    /// `Some` where the values that pass belong to an identity.
    pub(super) sum: Option<Sum>,
    /// `Some` where members that cannot be read are left out.
    pub(super) leniency: Option<Box<Leniency>>,
}

/// A value's place, to come back to.
#[derive(Clone, Copy)]
pub(super) struct Start<'de> {
    text: Text<'de>,
    levels: u8,
    names: usize,
    is_summed: bool,
}

impl<'de> Start<'de> {
    /// The text that begins here.
    pub(super) fn ahead(&self) -> &'de str {
        self.text.ahead()
    }
}

/// An object that is open.
pub(super) struct Object<'de> {
    names: Frame<'de>,
    around: u128,
    /// Where the name that was read last begins, where the text behind it, and how many escapes it has.
    name: usize,
    name_end: usize,
    escapes: usize,
    progress: Progress,
}

/// An array that is open.
pub(super) struct Array {
    around: u128,
    next: u64,
    progress: Progress,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Progress {
    Begun,
    Within,
    Ended,
}

impl<'de> Reader<'de> {
    /// Of a text that nobody has looked at.
    pub(super) fn new(text: &'de str) -> Self {
        Self { text: Text::new(text), names: Some(Names::new()), levels: 0, sum: None, leniency: None }
    }

    /// Of a text in which no name stands twice.
    pub(super) fn of_checked(text: &'de str) -> Self {
        Self { text: Text::new(text), names: None, levels: 0, sum: None, leniency: None }
    }

    /// The first byte of the next value.
    pub(super) fn peek(&mut self) -> Result<u8, Fault> {
        self.text.peek().ok_or_else(|| self.text.unexpected())
    }

    pub(super) fn string(&mut self) -> Result<Quoted<'de>, Fault> {
        let start = self.text.at();
        let escapes = self.pass_string()?;
        Ok(self.text.quoted(start, self.text.at(), escapes))
    }

    pub(super) fn number(&mut self) -> Result<&'de str, Fault> {
        let start = self.text.at();
        self.pass_number()?;
        Ok(self.text.since(start))
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Result<&'de str, Fault> {
        let start = self.text.at();
        self.pass_word()?;
        Ok(self.text.since(start))
    }

    #[inline(never)]
    fn pass_string(&mut self) -> Result<usize, Fault> {
        let start = self.text.at();
        let escapes = self.text.pass_string()?;
        if let Some(sum) = &mut self.sum {
            sum.string(self.text.quoted(start, self.text.at(), escapes));
        }
        Ok(escapes)
    }

    #[inline(never)]
    fn pass_number(&mut self) -> Result<(), Fault> {
        let start = self.text.at();
        self.text.pass_number()?;
        self.bare(start);
        Ok(())
    }

    #[inline(never)]
    fn pass_word(&mut self) -> Result<(), Fault> {
        let start = self.text.at();
        self.text.pass_word()?;
        self.bare(start);
        Ok(())
    }

    fn bare(&mut self, start: usize) {
        if let Some(sum) = &mut self.sum {
            sum.bare(self.text.run(start, self.text.at()));
        }
    }

    /// Opens the object that begins here.
    pub(super) fn object(&mut self) -> Result<Object<'de>, Fault> {
        self.open(Kind::Object)?;
        let names = self.names.as_mut().map_or_else(Frame::default, Names::open);
        Ok(Object { names, around: self.around(), name: 0, name_end: 0, escapes: 0, progress: Progress::Begun })
    }

    /// Opens the array that begins here.
    pub(super) fn array(&mut self) -> Result<Array, Fault> {
        self.open(Kind::Array)?;
        Ok(Array { around: self.around(), next: 0, progress: Progress::Begun })
    }

    /// The hash of what was opened last.
    fn around(&self) -> u128 {
        self.sum.as_ref().map_or(0, Sum::opened)
    }

    #[inline(never)]
    fn open(&mut self, kind: Kind) -> Result<(), Fault> {
        if self.levels == MAX_LEVELS {
            return Err(Fault::too_deep(self.text.at()));
        }
        self.levels += 1;
        self.text.pass();
        if let Some(sum) = &mut self.sum {
            sum.open(kind);
        }
        Ok(())
    }

    /// Whether there is another item before this end.
    fn item(&mut self, progress: &mut Progress, end: u8) -> Result<bool, Fault> {
        if *progress == Progress::Ended {
            return Ok(false);
        }
        match (self.peek()?, *progress) {
            (byte, _) if byte == end => {
                self.text.pass();
                self.levels = self.levels.saturating_sub(1);
                *progress = Progress::Ended;
            }
            (_, Progress::Begun) => *progress = Progress::Within,
            (b',', _) => self.text.pass(),
            _ => return Err(self.text.unexpected()),
        }
        Ok(*progress == Progress::Within)
    }

    /// Walks through the next value, which nobody asks for.
    pub(super) fn walk(&mut self) -> Result<(), Fault> {
        match self.peek()? {
            b'"' => self.pass_string().map(drop),
            b'{' => self.walk_object(),
            b'[' => self.walk_array(),
            b'-' | b'0'..=b'9' => self.pass_number(),
            _ => self.pass_word(),
        }
    }

    #[inline(never)]
    fn walk_object(&mut self) -> Result<(), Fault> {
        let mut object = self.object()?;
        while object.pass_name(self).map(|()| object.progress != Progress::Ended)? {
            self.walk()?;
        }
        Ok(())
    }

    #[inline(never)]
    fn walk_array(&mut self) -> Result<(), Fault> {
        let mut array = self.array()?;
        while array.has_next(self)? {
            self.walk()?;
        }
        Ok(())
    }

    pub(super) fn start(&self) -> Start<'de> {
        let names = self.names.as_ref().map_or(0, Names::count);
        Start { text: self.text, levels: self.levels, names, is_summed: self.sum.is_some() }
    }

    pub(super) fn since(&self, start: Start<'de>) -> &'de str {
        self.text.since(start.text.at())
    }

    /// Passes a member that could not be read, if it may be null.
    #[cold]
    pub(super) fn leave_out(&mut self, start: Start<'de>, name: &str, fault: Fault) -> Result<(), Fault> {
        if !self.leniency.as_mut().is_some_and(|leniency| !start.is_summed && leniency.takes_null(name)) {
            return Err(fault);
        }
        self.walk_again(start, fault)
    }

    /// Walks through what could not be read as it should be, from its start. What is part of a sum cannot be taken back.
    pub(super) fn walk_again(&mut self, start: Start<'de>, fault: Fault) -> Result<(), Fault> {
        if start.is_summed {
            return Err(fault);
        }
        (self.text, self.levels, self.sum) = (start.text, start.levels, None);
        if let Some(names) = &mut self.names {
            names.go_back(start.names);
        }
        self.walk()
    }

    /// The text of the next value, as it was written.
    pub(super) fn piece(&mut self) -> Result<&'de str, Fault> {
        self.peek()?;
        let start = self.text.at();
        self.walk()?;
        Ok(self.text.since(start))
    }
}

impl<'de> Object<'de> {
    /// The next name. Its value comes next.
    pub(super) fn name(&mut self, reader: &mut Reader<'de>) -> Result<Option<Quoted<'de>>, Fault> {
        self.pass_name(reader)?;
        Ok(if self.progress == Progress::Ended { None } else { Some(self.last_name(reader)) })
    }

    /// The name that was read last.
    pub(super) fn last_name(&self, reader: &Reader<'de>) -> Quoted<'de> {
        reader.text.quoted(self.name, self.name_end, self.escapes)
    }

    /// Passes the next name or the end.
    #[inline(never)]
    fn pass_name(&mut self, reader: &mut Reader<'de>) -> Result<(), Fault> {
        if !reader.item(&mut self.progress, b'}')? {
            if let Some(names) = &mut reader.names {
                names.close(&self.names);
            }
            return Ok(());
        }
        if reader.peek()? != b'"' {
            return Err(reader.text.unexpected());
        }
        self.name = reader.text.at();
        self.escapes = reader.text.pass_string()?;
        self.name_end = reader.text.at();
        let seen = if self.escapes == 0 { self.see(reader) } else { self.see_escaped(reader) };
        seen.map_err(|why| match why {
            NotTaken::Twice => Fault::name_twice(self.name),
            NotTaken::TooMany => Fault::many_names(self.name),
        })?;
        if reader.peek()? != b':' {
            return Err(reader.text.unexpected());
        }
        reader.text.pass();
        reader.text.pass_one_space();
        Ok(())
    }

    fn see(&mut self, reader: &mut Reader<'de>) -> Result<(), NotTaken> {
        let name = reader.text.run(self.name + 1, self.name_end - 1);
        if let Some(sum) = &mut reader.sum {
            sum.member(self.around, name);
        }
        reader.names.as_mut().map_or(Ok(()), |names| names.add(&mut self.names, name.bytes()))
    }

    #[cold]
    fn see_escaped(&mut self, reader: &mut Reader<'de>) -> Result<(), NotTaken> {
        let said = self.last_name(reader).said();
        if let Some(sum) = &mut reader.sum {
            sum.member(self.around, Run::of(&said));
        }
        reader.names.as_mut().map_or(Ok(()), |names| names.add_to_many(&mut self.names, said))
    }

    /// Whoever reads an object has to read all of it.
    pub(super) fn end(mut self, reader: &mut Reader<'de>) -> Result<(), Fault> {
        if self.progress == Progress::Ended || self.name(reader)?.is_none() { Ok(()) } else { Err(Fault::of_type()) }
    }
}

impl Array {
    /// Whether there is another element, which comes next.
    pub(super) fn has_next(&mut self, reader: &mut Reader<'_>) -> Result<bool, Fault> {
        let has_next = reader.item(&mut self.progress, b']')?;
        if let Some(sum) = reader.sum.as_mut().filter(|_| has_next) {
            sum.element(self.around, self.next);
        }
        self.next = self.next.saturating_add(1);
        Ok(has_next)
    }

    /// Whoever reads an array has to read all of it.
    pub(super) fn end(mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if self.progress == Progress::Ended || !self.has_next(reader)? { Ok(()) } else { Err(Fault::of_type()) }
    }
}
