//! The four providers, by the names and paths under which both sides know them.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum Who {
    Mambu,
    Aella,
    Opp,
    Bank,
}

impl Who {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Mambu => "/mambu",
            Self::Aella => "/aella",
            Self::Opp => "/opp",
            Self::Bank => "/bank",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path().trim_start_matches('/'))
    }
}

/// A folder that is gone with this.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tower-webhook-quickstart-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
