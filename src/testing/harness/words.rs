//! What a test's reader is told of an answer, and what is most likely wrong.

use bytes::Bytes;
use http::Response;

use crate::error::{Rejection, RejectionKind};
use crate::testing::deliver::DeliverError;

/// `401 (signature_mismatch: no key fits)`
pub(super) fn of_answer(answer: &Result<Response<Bytes>, DeliverError>) -> String {
    match answer {
        Ok(response) => {
            let status = response.status().as_u16();
            response
                .extensions()
                .get::<Rejection>()
                .map_or_else(|| status.to_string(), |why| format!("{status} ({why})"))
        }
        Err(error) => format!("no answer ({error})"),
    }
}

/// A question behind the words, or nothing.
pub(super) fn hint(answer: &Result<Response<Bytes>, DeliverError>) -> &'static str {
    let Ok(response) = answer else { return "" };
    match response.extensions().get::<Rejection>().map(Rejection::kind) {
        Some(kind) => hint_at(kind),
        None if response.status().is_success() => ": which answers does this provider take for a yes?",
        None if response.status() == 404 => ": is this the path of the route?",
        None if response.status().is_client_error() => ": no receiver refused it, so which layer did?",
        None => "",
    }
}

fn hint_at(kind: RejectionKind) -> &'static str {
    use RejectionKind::*;
    match kind {
        SignatureMismatch => ": is the secret the same on both sides?",
        SignatureMissing | HeaderMalformed | BodyMalformed => {
            ": is it the same provider, with the same scheme, on both sides?"
        }
        CredentialsMissing | CredentialsWrong => ": does the harness have the app's credentials, by `basic_auth`?",
        SourceForbidden => ": does the harness send from an address that the app takes, by `extension(PeerAddr(..))`?",
        TimestampOutside => ": do the app and the harness go by one clock, by `clock`?",
        MethodNotAllowed | ContentTypeUnsupported => ": is it the same provider on both sides?",
        PayloadMismatch => ": was another event sent under the same key before? `number` makes another key",
        PayloadMalformed | KeyMissing => ": is this an event that the provider sends?",
        HandlerFailed => ": the handler said no, or panicked",
        HandlerRetry | Resting => ": the handler asked for a later try",
        StoreUnavailable => ": is the dedupe store up?",
        Draining => ": has the app's drain begun?",
        Misassembled => ": the receiver's layers stand in the wrong order, or one is missing",
        _ => "",
    }
}
