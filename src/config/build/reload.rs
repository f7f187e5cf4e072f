//! Whether a configuration may take the place of another while a program runs.

use super::config::Config;
use super::fixed::Fixed;
use crate::config::fault::{Faults, Found};

impl Config {
    /// Whether this configuration can take the place of one by which a program serves, so that no event is forgotten.
    ///
    /// # Errors
    ///
    /// [`Faults`]: what differs and cannot be changed while the program runs.
    pub fn check_reload_of(&self, running: &Self) -> Result<(), Faults> {
        let found = Found::in_file(self.file.as_str());
        let text = |fixed: &Fixed, key: &str| fixed.get(key).map(|text| text.expose().to_owned());
        let differs = |key: &str| text(&self.fixed, key) != text(&running.fixed, key);
        for key in self.fixed.keys().chain(running.fixed.keys().filter(|key| !self.fixed.contains_key(*key))) {
            let kind = key.split_once('.').map(|(part, _)| format!("{part}.kind")).unwrap_or_default();
            // Of another kind all else is another too.
            if differs(key) && (kind == *key || !differs(&kind)) {
                let right = "write what stood there before, or start the program anew";
                found.add(*key, "cannot be changed while the program runs", right);
            }
        }
        found.or_faults(Some(()))
    }
}
