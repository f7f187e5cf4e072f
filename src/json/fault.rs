//! What is wrong with a payload, without a word of it.

use crate::error::{Rejection, RejectionKind};

pub(super) fn malformed(detail: String) -> Rejection {
    Rejection::new(RejectionKind::PayloadMalformed, detail)
}

/// Where and how, without a word of the payload: serde's own text may quote values.
pub(super) fn describe(fault: &serde_json::Error) -> String {
    let (line, column) = (fault.line(), fault.column());
    let text = fault.to_string();
    match text.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(missing) if missing.starts_with("missing field `") => format!("{missing} at line {line}, column {column}"),
        _ if fault.is_data() => format!("a member of another type than expected at line {line}, column {column}"),
        _ => format!("not JSON at line {line}, column {column}"),
    }
}
