//! The table of all deliveries, and the comparison of what was sent with what was handled.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::Who;
use crate::ledger::{Ledger, Seen};
use crate::messages::Sent;
use crate::outcome::Answers;
use crate::script::Case;
use crate::wire::Entry;

/// One event: whose, its key and its bytes.
type Event<'a> = (Who, &'a str, &'a [u8]);

/// What the sender knows in the end.
#[derive(Default)]
pub(crate) struct Report {
    last: Option<Who>,
    first: String,
    events: Vec<Sent>,
    sent: usize,
    accepted: usize,
    bad: usize,
    /// How often an event may be called again: once for each kill, if it was in hand.
    kills: usize,
    called_again: usize,
    differences: Vec<String>,
}

impl Report {
    /// Prints one delivery's line, and remembers what must have come of it.
    pub(crate) fn note(&mut self, case: Case, answers: &Answers, seen: &Seen) {
        if self.last != Some(case.who) {
            let head = line(" ", "who", "what was sent", "answer", "expected", "what the handler saw");
            println!("{}{head}", if self.last.is_some() { "\n" } else { "" });
        }
        if !case.what.starts_with(' ') {
            self.first.clone_from(&case.what);
        }
        let fits = *answers == case.expected;
        let booked = self.once_each(&seen.entries);
        let mark = if fits && booked == case.events.len() { " " } else { "!" };
        let (answer, expected) = (answers.to_string(), case.expected.to_string());
        println!("{}", line(mark, &case.who.to_string(), &case.what, &answer, &expected, &saw(seen)));
        if !fits {
            let Case { who, what, .. } = &case;
            let first = if *what == self.first { String::new() } else { format!("{}: ", self.first) };
            self.differences.push(format!("{who}, {first}{}: answered {answer}, expected {expected}", what.trim()));
        }
        self.last = Some(case.who);
        self.sent += answers.count();
        self.accepted += answers.accepted();
        self.bad += usize::from(case.expected.is_bad());
        self.events.extend(case.events);
    }

    /// The same, of a delivery during which the receiver was killed.
    pub(crate) fn note_killed(&mut self, case: Case, answers: &Answers, seen: &Seen) {
        self.kills += 1;
        self.note(case, answers, seen);
    }

    /// How many events were booked, where one that came again after a kill counts once.
    fn once_each(&self, entries: &[Entry]) -> usize {
        let keys: BTreeSet<_> = entries.iter().map(|entry| (entry.who, &entry.key)).collect();
        if self.kills > 0 { keys.len() } else { entries.len() }
    }

    /// Prints the summary and the comparison. Whether both sides agree.
    pub(crate) fn conclude(mut self, ledger: &Ledger) -> bool {
        let handled = ledger.entries();
        let (sent, accepted) = (self.sent, self.accepted);
        println!(
            "\n{sent} deliveries sent: {accepted} accepted, {} refused; {} events handled",
            sent - accepted,
            handled.len()
        );
        self.compare(&handled);
        if self.differences.is_empty() {
            let (events, bad) = (self.events.len(), self.bad);
            println!("both sides agree: {events} events, none lost and each booked once; {bad} bad deliveries refused");
            println!(
                "the receiver was killed and started again {}; {} came a second time, with a higher fence, after it",
                if self.kills == 1 { "once".to_owned() } else { format!("{} times", self.kills) },
                if self.called_again == 1 { "1 event".to_owned() } else { format!("{} events", self.called_again) },
            );
            return true;
        }
        println!("the two sides differ:");
        for difference in &self.differences {
            println!("  {difference}");
        }
        false
    }

    /// Every event that was sent against every event that was handled, by provider, key and bytes. The books take a key once;
    /// that it comes again is right only after a kill, and with a higher fence.
    fn compare(&mut self, handled: &[Entry]) {
        let mut fences: BTreeMap<Event<'_>, Vec<Option<u64>>> = BTreeMap::new();
        for Entry { who, key, raw, fence, .. } in handled {
            fences.entry((*who, key, raw)).or_default().push(fence.map(std::num::NonZeroU64::get));
        }
        for Sent { who, key, raw } in &self.events {
            match fences.remove(&(*who, key.as_str(), &raw[..])) {
                Some(fences) if fences.len() == 1 => {}
                Some(fences) if fences.len() <= 1 + self.kills && fences.is_sorted_by(|one, next| one < next) => {
                    self.called_again += fences.len() - 1;
                }
                Some(fences) => self.differences.push(format!("{who}, {key}: handled {} times", fences.len())),
                None => self.differences.push(format!("{who}, {key}: lost")),
            }
        }
        let strange = fences.keys().map(|(who, key, _)| format!("{who}, {key}: handled, and should not have been"));
        self.differences.extend(strange);
    }
}

fn line(mark: &str, who: &str, what: &str, answer: &str, expected: &str, saw: &str) -> String {
    let line = format!("{mark}{who:<6}{what:<37}{answer:<16}{expected:<16}{saw}");
    line.chars().take(120).collect::<String>().trim_end().to_owned()
}

/// The handlers' entries, or the refusal's cause, which the sender is not told.
fn saw(Seen { entries, refusals }: &Seen) -> String {
    match (entries.as_slice(), refusals.as_slice()) {
        ([], []) => "nothing".into(),
        ([], [why, ..]) => format!("nothing: {why}"),
        ([entry], []) => entry.to_string(),
        (several, []) => format!("{} events", several.len()),
        (several, [why, ..]) => format!("{} events, {why}", several.len()),
    }
}
