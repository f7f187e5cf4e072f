//! Says where an endpoint's candidate and the provider that decides do not agree.

use std::fmt;

use tower_webhook::observe::{About, Fact, Observer};

use super::voice::Voice;

/// Words for the operator about one endpoint.
pub(super) struct Beside {
    path: String,
    voice: Voice,
}

impl Beside {
    pub(super) fn new(path: &str, voice: &Voice) -> Self {
        Self { path: path.to_owned(), voice: voice.clone() }
    }

    fn warn(&self, what: fmt::Arguments<'_>) {
        self.voice.warn(format_args!("warning: {}: the candidate {what}", self.path));
    }
}

impl Observer for Beside {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        match fact {
            Fact::CandidateFits { is_proved: false, .. } => {
                let key = about.key_id.unwrap_or_default();
                self.warn(format_args!("fits a delivery that was refused, by its key {key}"));
            }
            Fact::CandidateRefuses { rejection, .. } => {
                self.warn(format_args!("would refuse a delivery that is proved: {}", rejection.kind().as_str()));
            }
            _ => {}
        }
    }
}
