//! Objects and arrays that are open.

use super::fault::Fault;
use super::names::{Frame, Names, NotTaken};
use super::quoted::Quoted;
use super::reader::Reader;
use super::scan::Run;
use super::sum::Kind;

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
}

impl<'de> Object<'de> {
    /// The next name. Its value comes next.
    pub(super) fn name(&mut self, reader: &mut Reader<'de>) -> Result<Option<Quoted<'de>>, Fault> {
        Ok(if self.has_next(reader)? { Some(self.last_name(reader)) } else { None })
    }

    /// The name that was read last.
    pub(super) fn last_name(&self, reader: &Reader<'de>) -> Quoted<'de> {
        reader.text.quoted(self.name, self.name_end, self.escapes)
    }

    /// Whether there is another name, which has been passed, so that its value comes next.
    pub(super) fn has_next(&mut self, reader: &mut Reader<'de>) -> Result<bool, Fault> {
        self.pass_name(reader).map(|()| self.progress != Progress::Ended)
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
        if self.progress == Progress::Ended || !self.has_next(reader)? { Ok(()) } else { Err(Fault::of_type()) }
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
