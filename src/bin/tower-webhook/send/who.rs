//! Whose delivery it is: an endpoint of a configuration, or one that is written in options.

use tower_webhook::config::{CredentialsSpec, EndpointSpec, KeySpec, ProviderSpec, SecretSource};

use super::args::Who;
use super::sending::{Obstacle, Pick, Sending};
use super::wrong::Wrong;
use crate::lines::say;

/// The endpoint that the arguments name, under the key that they name.
pub(super) fn sending(who: &Who, provider: Option<&str>) -> Result<Sending, Wrong> {
    pick(who, provider, who.key_id.as_deref().map_or(Pick::Valid, Pick::Named))
}

/// What stands for staleness where no time is sealed: an expired key, if there is one.
pub(super) fn without_time(who: &Who, provider: Option<&str>, sending: Sending) -> Result<Sending, Wrong> {
    let name = &sending.provider_name;
    if who.key_id.is_some() {
        say(format_args!("--stale: {name} seals no time; the key that was named is all that can be stale"));
        return Ok(sending);
    }
    if !sending.has_expired {
        say(format_args!(
            "--stale: warning: {name} seals no time, and there is no expired key: nothing is stale in this delivery, \
             and a receiver takes it"
        ));
        return Ok(sending);
    }
    say(format_args!("--stale: {name} seals no time; sealed with an expired key instead"));
    pick(who, provider, Pick::Expired)
}

fn pick(who: &Who, provider: Option<&str>, pick: Pick<'_>) -> Result<Sending, Wrong> {
    if let Some(file) = &who.config {
        return Sending::of_file(file, who.endpoint.as_deref(), provider, pick).map_err(Wrong);
    }
    let sending = Sending::of(endpoint(who)?, Pick::Valid);
    sending.map_err(|obstacles| Wrong(obstacles.iter().map(|obstacle| option_fault(who, obstacle)).collect()))
}

/// The options as an endpoint.
fn endpoint(who: &Who) -> Result<EndpointSpec, Wrong> {
    let name = who.provider.as_deref().unwrap_or_default();
    let provider = ProviderSpec::named(name).ok_or_else(|| match name {
        "custom" => "--provider: custom has a scheme of its own; write an endpoint in a file, and give --config and \
                     --endpoint"
            .to_owned(),
        _ => format!("--provider: {name:?} is not known; write one of {}", ProviderSpec::NAMES.join(", ")),
    })?;
    let mut endpoint = EndpointSpec::new("/", provider);
    let key = match (&who.key_env, &who.key_file, &who.dangerous_key) {
        (Some(name), ..) => Some(SecretSource::Env(name.clone())),
        (_, Some(path), _) => Some(SecretSource::File(path.clone())),
        (.., Some(key)) => Some(SecretSource::value(key)),
        _ => None,
    };
    endpoint.keys = key.into_iter().map(|source| KeySpec::new("option", source)).collect();
    if let (Some(user), Some(env)) = (&who.user, &who.password_env) {
        endpoint.basic_auth = vec![CredentialsSpec::new(user, SecretSource::Env(env.clone()))];
    }
    Ok(endpoint)
}

/// An obstacle in words of the options, as far as an option can mend it.
fn option_fault(who: &Who, obstacle: &Obstacle) -> String {
    let given = match (&who.dangerous_key, &who.key_file) {
        (Some(_), _) => "--dangerous-key",
        (_, Some(_)) => "--key-file",
        _ => "--key-env",
    };
    let (option, right) = match obstacle.key.as_str() {
        "keys" => ("--key-env", "give --key-env NAME or --key-file FILE"),
        "keys[0].env" => ("--key-env", obstacle.right.as_str()),
        "keys[0].file" => ("--key-file", obstacle.right.as_str()),
        "keys[0].value" => (given, obstacle.right.as_str()),
        "basic_auth" => ("--user", "give --user NAME and --password-env NAME"),
        "basic_auth[0].username" => ("--user", "give a name, without a colon"),
        key if key.starts_with("basic_auth") => ("--password-env", obstacle.right.as_str()),
        key => (key, "write an endpoint in a file, and give --config and --endpoint"),
    };
    format!("{option}: {}; {right}", obstacle.wrong)
}
