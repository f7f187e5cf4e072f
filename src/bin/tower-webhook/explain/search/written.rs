//! A proof written in another way: its bytes in the encoding that is right, and what stands in front of them.

use tower_webhook::scheme::ProofHeader;

use crate::explain::words::{decodings, split};

/// Every reading of a value, written as the header should be behind one of these prefixes. With each: how the value
/// differs from that. Text has no other writing.
pub(super) fn readings(given: &str, header: &ProofHeader, prefixes: &[&str]) -> Vec<(String, String)> {
    let Some(encoding) = header.encoding else { return Vec::new() };
    // What is not seen as a prefix may be one without an end: `sha256 00ff`, or none at all.
    let (prefix, encoded) = split(given);
    let mut all = Vec::new();
    for (found, bytes) in decodings(encoded) {
        let text = encoding.encode(&bytes);
        for kept in prefixes {
            let mut how = Vec::new();
            if text != encoded {
                how.push(format!("is {found} in place of {}", encoding.name()));
            }
            if *kept != prefix {
                how.push(match *kept {
                    "" => "has a prefix too many".to_owned(),
                    _ if prefix.is_empty() => "lacks its prefix".to_owned(),
                    _ => "has another prefix than is expected".to_owned(),
                });
            }
            all.push((how.join(" and "), format!("{kept}{text}")));
        }
    }
    all
}
