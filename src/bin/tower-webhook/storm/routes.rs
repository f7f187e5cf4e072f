//! The endpoints of a configuration, as the providers see them.

use std::path::Path;

use http::Uri;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock, Timestamp};
use tower_webhook::config::{EndpointSpec, KeySpec, ProviderSpec, SecretSource};
use tower_webhook::provider::opp::RetrySchedule;
use tower_webhook::provider::{AnyProvider, Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::DeliveryProfile;
use tower_webhook::sender::storm::{Author as _, Mark, Route, Theme, Writer};

use crate::lines::say;
use crate::reading;
use crate::send::{Pick, Sending, is_valid};

/// What a file says of its receiver.
pub(super) struct Played {
    pub(super) routes: Vec<Route>,
    /// Whether events are answered when they are stored, and handled later.
    pub(super) has_inbox: bool,
}

/// All endpoints of this file.
///
/// # Errors
///
/// All its faults, a line each.
pub(super) fn of_file(file: &Path) -> Result<Played, Vec<String>> {
    let config =
        reading::load(file, None).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let now = SystemClock.now().unwrap_or_default();
    let mut routes = Vec::new();
    let mut wrong = Vec::new();
    for (at, endpoint) in config.endpoints.iter().enumerate() {
        if endpoint.forward.is_none() {
            let path = endpoint.path();
            say(format_args!(
                "warning: {path}: without forward_to nothing is seen of what it handles: all of it counts as lost"
            ));
        }
        match route(&endpoint.spec, &endpoint.name, now) {
            Ok(route) => routes.push(route),
            Err(why) => wrong.push(format!("{}: endpoint[{at}].{why}", file.display())),
        }
    }
    if wrong.is_empty() { Ok(Played { routes, has_inbox: config.inbox.is_some() }) } else { Err(wrong) }
}

fn route(spec: &EndpointSpec, name: &str, now: Timestamp) -> Result<Route, String> {
    let sending = sending(spec, Pick::Valid)?;
    let writer = writer(spec);
    let sample = writer.write(&[Theme::new(Mark::new(0, 0), 0)]);
    let leave_out = |why: String| format!("{why}; leave {} out of the file that storm is given", spec.path);
    try_to_seal(&sending, sample, now).map_err(leave_out)?;
    let target: Uri = spec.path.parse().map_err(|error| format!("path: {error}"))?;
    let route = Route::new(name, target, sending.provider.clone(), profile(spec, &sending.provider), writer);
    let route = match &sending.credentials {
        Some(pair) => route.credentials(pair.header.clone()),
        None => route,
    };
    let own = sending.key.map(|key| key.id).unwrap_or_default();
    let others = spec.keys.iter().filter(|key| key.id != own).try_fold(route, |route, key| {
        let other = sending_as(spec, key)?;
        Ok::<_, String>(if is_valid(key, now) { route.other_key(other) } else { route.wrong_key(other) })
    })?;
    let strange = spec.keys.iter().filter_map(|key| strange(spec, key)).next();
    Ok(match strange {
        Some(strange) => others.wrong_key(strange),
        None => others,
    })
}

fn sending(spec: &EndpointSpec, pick: Pick<'_>) -> Result<Sending, String> {
    let sending = Sending::of(spec.clone(), pick);
    sending.map_err(|obstacles| obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn sending_as(spec: &EndpointSpec, key: &KeySpec) -> Result<AnyProvider, String> {
    sending(spec, Pick::Named(&key.id)).map(|sending| sending.provider)
}

/// Somebody else's key of the same form. `None`: none can be made of this one.
fn strange(spec: &EndpointSpec, key: &KeySpec) -> Option<AnyProvider> {
    let text = key.secret.text().ok()?;
    let mut letters: Vec<char> = text.expose().chars().collect();
    let middle = letters.len() / 2;
    let at = (middle..letters.len()).find(|at| letters.get(*at).is_some_and(char::is_ascii_alphanumeric))?;
    let letter = letters.get_mut(at)?;
    *letter = if *letter == '0' { '1' } else { '0' };
    let mut strange = key.clone();
    strange.secret = SecretSource::value(letters.into_iter().collect::<String>());
    let mut spec = spec.clone();
    spec.keys = vec![strange];
    sending_as(&spec, key).ok()
}

/// What keeps an endpoint's events from being sealed, and the key that asks for it.
fn try_to_seal(sending: &Sending, sample: Message, now: Timestamp) -> Result<(), String> {
    if let Some(lack) = sending.needs.lacking(&sample) {
        return Err(format!("{}: {lack}", lack.asked_at()));
    }
    let sealed = sending.provider.seal(sample, &Sealing::new(now, &OsEntropy));
    sealed.map(drop).map_err(|error| format!("scheme: storm's events cannot be sealed: {error}"))
}

fn profile(spec: &EndpointSpec, provider: &AnyProvider) -> DeliveryProfile {
    match &spec.provider {
        ProviderSpec::Opp(opp) if opp.retries != Some(RetrySchedule::FiveDays) => DeliveryProfile::opp_daily(),
        // Whose schedule is not known is taken for one that comes again soon.
        ProviderSpec::Custom(_) => {
            let mut profile = DeliveryProfile::aella();
            profile.name = provider.profile().name;
            profile
        }
        _ => DeliveryProfile::of(provider.profile()),
    }
}

fn writer(spec: &EndpointSpec) -> Writer {
    match &spec.provider {
        ProviderSpec::Mambu(mambu) if !mambu.key_from_body.is_empty() || mambu.event.is_some() => {
            Writer::members(mambu.key_from_body.clone(), mambu.event.clone())
        }
        ProviderSpec::Custom(custom) => Writer::Places { key: custom.key.clone(), event: custom.event.clone() },
        other => Writer::of(other.name()).unwrap_or(Writer::Places { key: Vec::new(), event: None }),
    }
}
