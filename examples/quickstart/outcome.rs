//! What a delivery was answered, and what it should have been.

use std::collections::BTreeMap;
use std::fmt;

/// The answers to all copies of one delivery.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Answers {
    statuses: BTreeMap<u16, usize>,
    replayed: usize,
}

impl Answers {
    pub(crate) fn add(&mut self, status: u16, replayed: bool) {
        *self.statuses.entry(status).or_default() += 1;
        self.replayed += usize::from(replayed);
    }

    /// One answer with this status.
    pub(crate) fn one(status: u16) -> Self {
        Self { statuses: BTreeMap::from([(status, 1)]), replayed: 0 }
    }

    /// So many answers with this status.
    pub(crate) fn several(status: u16, count: usize) -> Self {
        Self { statuses: BTreeMap::from([(status, count)]), replayed: 0 }
    }

    /// One 200 that says it is a repeat's.
    pub(crate) fn repeated() -> Self {
        Self { replayed: 1, ..Self::one(200) }
    }

    /// That many 200s, all but one of them for repeats.
    pub(crate) fn once_of(copies: usize) -> Self {
        Self { statuses: BTreeMap::from([(200, copies)]), replayed: copies.saturating_sub(1) }
    }

    /// Whether the sender comes again on a 503: not where that is what it should be told.
    pub(crate) fn retries(&self) -> bool {
        !self.statuses.contains_key(&503)
    }

    pub(crate) fn count(&self) -> usize {
        self.statuses.values().sum()
    }

    pub(crate) fn accepted(&self) -> usize {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }

    /// Whether it is a delivery that no receiver should take.
    pub(crate) fn is_bad(&self) -> bool {
        self.statuses.keys().all(|status| (400..500).contains(status))
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.statuses.len() > 1;
        let statuses = self.statuses.iter();
        let mut text = statuses
            .map(|(status, count)| if several { format!("{status} x{count}") } else { status.to_string() })
            .collect::<Vec<_>>()
            .join(" ");
        match self.replayed {
            0 => {}
            1 => text.push_str(" replayed"),
            more => text.push_str(&format!(", {more} replays")),
        }
        f.pad(&text)
    }
}
