//! Whose the events of an inbox are, as far as anybody says.

use std::collections::BTreeMap;

use super::known::InboxLevels;
use super::names::{OTHERS, RECEIVERS};

/// What is nobody's that is known.
const REST: &str = "*";

/// What is said of each receiver. Whoever was named before is named again: a gauge that is not set stays as it was.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<String, InboxLevels>);

impl Waiting {
    /// Tells all there are anew, of which these are somebody's.
    pub(super) fn tell<'a>(
        &mut self,
        all: InboxLevels,
        of: impl IntoIterator<Item = (&'a str, InboxLevels)>,
    ) -> &BTreeMap<String, InboxLevels> {
        self.0.values_mut().for_each(|levels| *levels = InboxLevels::default());
        let mut rest = all;
        let mut oldest: f64 = 0.0;
        for (receiver, levels) in of {
            let is_one_more = self.0.len() > RECEIVERS && !self.0.contains_key(receiver);
            let said = self.0.entry(if is_one_more { OTHERS } else { receiver }.to_owned()).or_default();
            said.ready = said.ready.saturating_add(levels.ready);
            said.dead = said.dead.saturating_add(levels.dead);
            said.oldest_age = said.oldest_age.max(levels.oldest_age);
            rest.ready = rest.ready.saturating_sub(levels.ready);
            rest.dead = rest.dead.saturating_sub(levels.dead);
            oldest = oldest.max(levels.oldest_age);
        }
        if oldest >= all.oldest_age {
            rest.oldest_age = 0.0;
        }
        self.0.insert(REST.to_owned(), rest);
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(ready: u64, oldest_age: f64, dead: u64) -> InboxLevels {
        InboxLevels::new(ready, oldest_age, dead)
    }

    fn told(
        waiting: &mut Waiting,
        all: InboxLevels,
        of: &[(&'static str, InboxLevels)],
    ) -> Vec<(String, u64, f64, u64)> {
        let told = waiting.tell(all, of.iter().copied());
        told.iter().map(|(name, of)| (name.clone(), of.ready, of.oldest_age, of.dead)).collect()
    }

    #[test]
    fn what_is_nobodys_is_the_rest_and_whoever_has_nothing_any_more_is_at_nothing() {
        let mut waiting = Waiting::default();
        let of = [("a", levels(2, 9.0, 0)), ("b", levels(1, 4.0, 3))];
        let first = told(&mut waiting, levels(10, 9.0, 3), &of);
        assert_eq!(first, [("*".into(), 7, 0.0, 0), ("a".into(), 2, 9.0, 0), ("b".into(), 1, 4.0, 3)]);
        let then = told(&mut waiting, levels(1, 5.0, 0), &of[..0]);
        assert_eq!(then, [("*".into(), 1, 5.0, 0), ("a".into(), 0, 0.0, 0), ("b".into(), 0, 0.0, 0)]);
    }

    #[test]
    fn however_many_there_are_in_the_inbox_the_names_are_bounded() {
        let mut waiting = Waiting::default();
        let names: Vec<String> = (0..2 * RECEIVERS).map(|number| number.to_string()).collect();
        let all = levels(names.len().try_into().unwrap(), 1.0, 0);
        let told = waiting.tell(all, names.iter().map(|name| (name.as_str(), levels(1, 1.0, 0))));
        assert!(told.len() <= RECEIVERS + 3, "{}", told.len());
        assert_eq!(told.values().map(|of| of.ready).sum::<u64>(), all.ready, "each is counted once");
    }
}
