//! Who is tried beside an endpoint's provider.

use super::{keys, provider};
use crate::config::fault::Place;
use crate::config::spec::{CandidateSpec, EndpointSpec};
use crate::provider::{AnyProvider, Provider as _};

pub(super) fn candidate(spec: &CandidateSpec, path: &str, place: &Place<'_>) -> Option<AnyProvider> {
    let place = place.part("candidate");
    if place.is_unread("provider") {
        keys::alone(&spec.keys, &place);
        return None;
    }
    let mut alone = EndpointSpec::new(path, spec.provider.clone());
    alone.keys.clone_from(&spec.keys);
    let candidate = provider::provider(&alone, &place)?;
    if !candidate.scheme().proves_sender() {
        let right = "write static_header and keys, or leave the candidate out";
        place.fault("provider", "proves no sender without keys, and would fit every delivery", right);
        return None;
    }
    Some(candidate)
}
