//! One pass over a document: its grammar, its names, and what it says for an identity.
//!
//! Whoever reads from here gets values as they pass, and what nobody asks for is walked through all the same. So what is
//! refused does not depend on what is read.

use super::absent::Leniency;
use super::fault::Fault;
use super::names::Names;
use super::quoted::Quoted;
use super::sum::{Kind, Sum};
use super::text::Text;

/// As deep as `serde_json` reads.
const MAX_LEVELS: u8 = 127;

/// A document on its way past.
pub(super) struct Reader<'de> {
    pub(super) text: Text<'de>,
    /// `None`: another pass has seen that no name stands twice.
    pub(super) names: Option<Names<'de>>,
    pub(super) levels: u8,
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

    /// The hash of what was opened last.
    pub(super) fn around(&self) -> u128 {
        self.sum.as_ref().map_or(0, Sum::opened)
    }

    #[inline(never)]
    pub(super) fn open(&mut self, kind: Kind) -> Result<(), Fault> {
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
        while object.has_next(self)? {
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
