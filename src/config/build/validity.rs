//! Keys whose time is over, or has not come: the configuration was right once, or will be.

use crate::clock::Timestamp;
use crate::config::fault::Place;
use crate::config::spec::{EndpointSpec, KeySpec};

/// An endpoint all of whose keys are over is a fault for whoever receives now. Less than that is a warning.
pub(super) fn judge(endpoint: &EndpointSpec, place: &Place<'_>, now: Timestamp) {
    let (keys, path) = (&endpoint.keys, &endpoint.path);
    let over = |key: &&KeySpec| key.not_after.is_some_and(|end| end < now);
    for key in endpoint.candidate.iter().flat_map(|candidate| &candidate.keys).filter(over) {
        let end = key.not_after.unwrap_or(now);
        place.found().warn(format_args!("{path}: the candidate's key {} is over since {end}", key.id));
    }
    if keys.is_empty() {
        return;
    }
    if keys.iter().all(|key| over(&key)) {
        place.fault("keys", "all are over", "give it a key that is valid, or leave not_after out");
        return;
    }
    for key in keys.iter().filter(over) {
        let end = key.not_after.unwrap_or(now);
        place.found().warn(format_args!("{path}: the key {} is over since {end}", key.id));
    }
    if !keys.iter().any(|key| !over(&key) && key.not_before.is_none_or(|start| start <= now)) {
        place.found().warn(format_args!("{path}: no key is valid yet: every delivery is refused"));
    }
}
