//! What a lenient reading leaves out.

/// The names of members that could not be read and are absent, each once. Names of the typed model, and no others: what
/// the model does not know is never read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Absent(Vec<String>);

impl Absent {
    /// More than any model has that could go wrong at once.
    pub(super) const MAX: usize = 32;

    pub(super) fn note(&mut self, name: &str) {
        if self.0.len() < Self::MAX && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// Which members a reader may leave out, and which it has.
#[derive(Default)]
pub(super) struct Leniency {
    /// The names of those that must be read.
    pub(super) strict: &'static [&'static str],
    pub(super) absent: Absent,
    /// The member that must be read, and cannot.
    pub(super) failed: Option<String>,
}

impl Leniency {
    /// Whether a member that cannot be read may be null. Within one that must be read, nothing more is left out.
    pub(super) fn takes_null(&mut self, name: &str) -> bool {
        if self.failed.is_none() && self.strict.contains(&name) {
            self.failed = Some(name.to_owned());
        }
        self.failed.is_none()
    }

    /// What came of the member as null.
    pub(super) fn left_out(&mut self, name: &str, is_value: bool) {
        if is_value {
            self.absent.note(name);
        } else {
            self.failed = Some(name.to_owned());
        }
    }
}
