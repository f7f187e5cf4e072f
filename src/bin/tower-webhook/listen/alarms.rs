//! What an operator should hear of an endpoint at once, as words on stderr: no line of an event says it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use tower_webhook::mask::mask;
use tower_webhook::observe::{About, Fact, Observer};

use super::voice::Voice;

/// Of more members than that nothing is told: the names in a table are the sender's.
const NAMES: usize = 64;

/// Words for the operator about one endpoint.
pub(super) struct Alarms {
    path: String,
    voice: Voice,
    /// Members that were told of: what a sender writes otherwise in one event it writes so in all.
    absent: Mutex<BTreeSet<String>>,
}

impl Alarms {
    pub(super) fn new(path: &str, voice: &Voice) -> Self {
        Self { path: path.to_owned(), voice: voice.clone(), absent: Mutex::default() }
    }

    fn warn(&self, what: fmt::Arguments<'_>) {
        self.voice.warn(format_args!("warning: {}: {what}", self.path));
    }

    /// Tells each name once.
    fn tell_absent(&self, names: &[String]) {
        let mut told = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if told.len() < NAMES && told.insert(name.clone()) {
                self.warn(format_args!("{name} cannot be read as what it should be, and is absent in typed events"));
            }
        }
    }
}

impl Observer for Alarms {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        let key = Short(about.key);
        match fact {
            Fact::CandidateFits { is_proved: false, .. } => {
                let fitted = about.key_id.unwrap_or_default();
                self.warn(format_args!("the candidate fits a delivery that was refused, by its key {fitted}"));
            }
            Fact::CandidateRefuses { rejection, .. } => {
                let kind = rejection.kind().as_str();
                self.warn(format_args!("the candidate would refuse a delivery that is proved: {kind}"));
            }
            Fact::MembersAbsent { names } => self.tell_absent(names),
            Fact::OtherPayload => self.warn(format_args!(
                "an event runs whose key was known with another payload, which nobody completed: find out which of the \
                 two is meant{key}"
            )),
            Fact::LeaseLost { .. } => {
                self.warn(format_args!("an event lost its lease while it was handled, and may be handled again{key}"));
            }
            Fact::CompletionUnknown(error) => {
                let error = error.to_string();
                let error = mask(&error);
                self.warn(format_args!("an event was handled, and a repeat may run it again: {error}{key}"));
            }
            Fact::CompletionLost => self.warn(format_args!(
                "an event was handled and answered, and claimed by another meanwhile: it may have run twice{key}"
            )),
            _ => {}
        }
    }
}

/// Enough of a store's key to find its record, behind what is said of it.
struct Short<'a>(Option<&'a [u8; 32]>);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some([a, b, c, d, ..]) = self.0 else { return Ok(()) };
        write!(f, " (its key in the store begins with {a:02x}{b:02x}{c:02x}{d:02x})")
    }
}
