//! What is set aside before a worker could have it is told to the log, since no worker tells its observers of it.

use super::EventId;
use crate::observe::{About, Fact, Log, Observer as _};

pub(in crate::inbox) fn tell(id: EventId, reason: &str, about: &About<'_>) {
    Log.observe(&Fact::SetAside { id: id.0, reason }, about);
}
