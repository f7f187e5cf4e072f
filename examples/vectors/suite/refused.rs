//! Requests that must be refused, each made of one that must not.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use tower_webhook::RejectionKind;
use tower_webhook::clock::Timestamp;
use tower_webhook::layers::Credentials;
use tower_webhook::provider::{AnyProvider, Provider as _};
use tower_webhook::secret::Secret;
use tower_webhook::sender::forge::{Forgery, forge};

use super::BoxError;
use super::made::{Expected, Made, Workshop};
use super::senders::Case;

pub(crate) fn all(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let mut all = sealed_but_bad(workshop)?;
    all.extend(changed(workshop)?);
    all.extend(out_of_time(workshop)?);
    all.extend(forged(workshop)?);
    Ok(all)
}

/// A refused request, sealed anew under the name of its file.
fn sealed(
    workshop: &Workshop<'_>,
    name: &str,
    case: &Case,
    provider: &AnyProvider,
    at: Timestamp,
    why: RejectionKind,
) -> Result<Made, BoxError> {
    let file = workshop.refused(name);
    let request = workshop.seal(&file, case, provider, at)?;
    Ok(Made { file, request, expected: Expected::Refused(Some(why)), of: Some(workshop.first()?.1) })
}

/// By a stranger, or with a body that cannot be read although its proof fits.
fn sealed_but_bad(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let (case, _) = workshop.first()?;
    let mut all = Vec::new();
    if let Some(stranger) = workshop.stranger()? {
        let why = RejectionKind::SignatureMismatch;
        all.push(sealed(workshop, "wrong-key", case, &stranger, workshop.now, why)?);
    }
    for (case, why) in &workshop.sender.refused {
        all.push(sealed(workshop, case.name, case, &workshop.provider, workshop.now, *why)?);
    }
    Ok(all)
}

/// As it was accepted, but for something in the head that a receiver looks at before the proof.
fn changed(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let (case, of) = workshop.first()?;
    let first = workshop.seal(&of, case, &workshop.provider, workshop.now)?;
    let changed = |name: &str, why, change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = first.clone();
        change(&mut request);
        Made { file: workshop.refused(name), request, expected: Expected::Refused(Some(why)), of: Some(of.clone()) }
    };
    let mut all = vec![changed("wrong-method", RejectionKind::MethodNotAllowed, &|request| {
        *request.method_mut() = Method::DELETE;
    })];
    if !workshop.provider.profile().content_types.is_empty() {
        all.push(changed("wrong-content-type", RejectionKind::ContentTypeUnsupported, &|request| {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
        }));
    }
    if let Some(pair) = workshop.endpoint.spec.basic_auth.first() {
        let wrong = Credentials::new(pair.username.as_str(), Secret::utf8(workshop.sender.other_key)?)?.header();
        all.push(changed("wrong-password", RejectionKind::CredentialsWrong, &|request| {
            request.headers_mut().insert(AUTHORIZATION, wrong.clone());
        }));
        all.push(changed("no-credentials", RejectionKind::CredentialsMissing, &|request| {
            request.headers_mut().remove(AUTHORIZATION);
        }));
    }
    Ok(all)
}

/// A second beyond what is taken, where a time is signed.
fn out_of_time(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let Some(tolerance) = workshop.tolerance() else { return Ok(Vec::new()) };
    let (case, _) = workshop.first()?;
    let second = Duration::from_secs(1);
    let stale = workshop.now.checked_sub(tolerance.max_past() + second)?;
    let ahead = workshop.now.checked_add(tolerance.max_future() + second)?;
    [("stale", stale), ("from-the-future", ahead)]
        .into_iter()
        .map(|(name, at)| sealed(workshop, name, case, &workshop.provider, at, RejectionKind::TimestampOutside))
        .collect()
}

/// Every forgery that there is of the first case.
fn forged(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let (case, of) = workshop.first()?;
    let first = workshop.seal(&of, case, &workshop.provider, workshop.now)?;
    let made = |how: &Forgery| {
        let request = forge(&first, workshop.provider.scheme(), *how)?;
        let file = workshop.refused(&format!("forged-{}", kebab(&format!("{how:?}"))));
        Some(Made { file, request, expected: Expected::Refused(None), of: Some(of.clone()) })
    };
    Ok(Forgery::ALL.iter().filter_map(made).collect())
}

/// `BodyBit` as `body-bit`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars().filter(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
