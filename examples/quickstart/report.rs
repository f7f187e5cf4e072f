//! The table of all deliveries, and the comparison of what was sent with what was handled.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::common::Who;
use crate::ledger::{Entry, Ledger, Seen};
use crate::messages::Sent;
use crate::outcome::Answers;
use crate::script::Case;

/// What the sender knows in the end.
#[derive(Default)]
pub(crate) struct Report {
    last: Option<Who>,
    first: String,
    events: Vec<Sent>,
    sent: usize,
    accepted: usize,
    bad: usize,
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
        let mark = if fits && seen.entries.len() == case.events.len() { " " } else { "!" };
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
            println!("both sides agree: {events} events, each handled once; {bad} bad deliveries refused");
            return true;
        }
        println!("the two sides differ:");
        for difference in &self.differences {
            println!("  {difference}");
        }
        false
    }

    /// Every event that was sent against every event that was handled, by provider, key and bytes.
    fn compare(&mut self, handled: &[Entry]) {
        let mut times: BTreeMap<(Who, &str, &Bytes), usize> = BTreeMap::new();
        for Entry { who, key, raw, .. } in handled {
            *times.entry((*who, key, raw)).or_default() += 1;
        }
        for Sent { who, key, raw } in &self.events {
            match times.remove(&(*who, key.as_str(), raw)) {
                Some(1) => {}
                Some(more) => self.differences.push(format!("{who}, {key}: handled {more} times")),
                None => self.differences.push(format!("{who}, {key}: lost")),
            }
        }
        let strange = times.keys().map(|(who, key, _)| format!("{who}, {key}: handled, and should not have been"));
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
        ([], [kind, ..]) => format!("nothing: {kind}"),
        ([entry], []) => entry.to_string(),
        (several, []) => format!("{} events", several.len()),
        (several, [kind, ..]) => format!("{} events, {kind}", several.len()),
    }
}
