//! Looking secrets up.

use std::os::unix::fs::PermissionsExt as _;

use crate::config::fault::Place;
use crate::config::spec::{SecretError, SecretSource, SecretText};

/// The text of a secret whose source is named in this place.
pub(super) fn text(source: &SecretSource, place: &Place<'_>) -> Option<SecretText> {
    let error = match source.text() {
        Ok(text) => return Some(text),
        Err(error) => error,
    };
    let right = match error {
        SecretError::NotSet(_) => "set it in the environment of the program",
        SecretError::Unreadable(..) => "give the path of a readable file",
    };
    place.fault(source.key(), error, right);
    None
}

/// Warns of a file with a secret that others than its owner may read.
pub(super) fn warn_of_readers(source: &SecretSource, place: &Place<'_>) {
    let SecretSource::File(path) = source else { return };
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o044 != 0) {
        let path = path.display();
        place.warn("file", format_args!("{path} holds a secret, and others may read it: chmod go-rwx"));
    }
}
