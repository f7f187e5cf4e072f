//! Compressed bodies: what is signed of them, by the endpoint's policy and the gate's own decompression.

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use tower_webhook::gate::Compression;
use tower_webhook::{Rejection, RejectionKind};

use super::case::Case;
use super::report::{State, Step, Why};

/// What the scheme gets to open.
pub(super) fn to_open(case: &Case<'_>) -> Result<Bytes, Rejection> {
    case.endpoint.spec.compression.to_open(case.headers(), case.request.body.clone(), case.endpoint.max_body)
}

/// What is said of a coding that the endpoint takes. `None`: it does not.
pub(super) fn taken(case: &Case<'_>, name: &str, said: &str) -> Option<Step> {
    let mut codings = case.headers().get_all(CONTENT_ENCODING).iter();
    let is_gzip = ["gzip", "x-gzip"].iter().any(|coding| said.trim().eq_ignore_ascii_case(coding));
    if !is_gzip || codings.nth(1).is_some() {
        return None;
    }
    let length = case.request.body.len();
    match case.endpoint.spec.compression {
        Compression::SignedAsSent => {
            let saw = format!("{said}, which is taken: what is signed is the {length} bytes as they came");
            Some(Step::new(name, State::Note, saw))
        }
        Compression::SignedPlain => Some(match to_open(case) {
            Ok(plain) => {
                let plain = plain.len();
                let saw = format!("{said}, which is taken: what is signed is the {plain} bytes that {length} come to");
                Step::new(name, State::Note, saw)
            }
            Err(no) => Step::failed(name, format!("{said}: {}", no.detail()), not_gzip(&no)),
        }),
        _ => None,
    }
}

pub(super) fn not_gzip(no: &Rejection) -> Why {
    let fix = match no.kind() {
        RejectionKind::BodyTooLarge => "raise max_body of the endpoint, if the sender may send so much",
        _ => "capture the exact bytes, and look for a proxy that decompresses the body and leaves its header",
    };
    Why::new(format!("the body cannot be decompressed: {}", no.detail()), fix)
}

/// What events are read of. Where the policy is not the sender's, it is whatever comes out.
pub(super) fn to_read(case: &Case<'_>, opened: &Bytes, is_proved: bool) -> Result<Bytes, Rejection> {
    let policy = case.endpoint.spec.compression;
    let is_guess = !is_proved || policy == Compression::Refuse;
    let policy = if is_guess { Compression::SignedAsSent } else { policy };
    match policy.to_read(case.headers(), opened.clone(), case.endpoint.max_body) {
        Err(_) if is_guess => Ok(opened.clone()),
        read => read,
    }
}

/// The other bytes that may have been signed, and the policy that says so.
pub(super) fn otherwise(case: &Case<'_>) -> Option<(Bytes, &'static str, &'static str)> {
    let request = case.request;
    if let Some(sent) = &request.compressed {
        let cause = "what is signed is the compressed bytes, and not what they are decompressed to";
        return Some((sent.clone(), cause, "write gzip = \"signed_as_sent\" for this endpoint"));
    }
    let policy = Compression::SignedPlain;
    let plain = policy.to_open(case.headers(), request.body.clone(), case.endpoint.max_body).ok()?;
    let cause = "what is signed is what the body is decompressed to, and not the compressed bytes";
    (plain != request.body).then_some((plain, cause, "write gzip = \"signed_plain\" for this endpoint"))
}
