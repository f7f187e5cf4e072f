//! What a sender gets whose events are done, whoever has taken them.

use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderName, HeaderValue, Response, StatusCode};

use crate::gate::ResponseBody;
use crate::provider::Acknowledgement;

/// Says that an answer is a repeat's: the event was taken before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What the provider reads as a success.
pub(crate) fn acknowledge(acknowledgement: Option<&Acknowledgement>) -> Response<ResponseBody> {
    match acknowledgement {
        Some(Acknowledgement { status, content_type, body }) => {
            respond(*status, content_type.clone(), ResponseBody::from(body.clone()))
        }
        None => Response::default(),
    }
}

pub(crate) fn respond(
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: ResponseBody,
) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// Says that all of a delivery's events had been there before.
pub(crate) fn mark_replayed(response: &mut Response<ResponseBody>) {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
}

/// Says in an answer's extensions how the sender was proved.
pub(crate) fn prove(response: &mut Response<ResponseBody>, evidence: Extensions) {
    let extensions = response.extensions_mut();
    if extensions.is_empty() {
        *extensions = evidence;
    } else {
        extensions.extend(evidence);
    }
}
