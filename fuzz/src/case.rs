//! One input, as text that a person can write: a line of three letters, headers, an empty line, and the body.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// How the delivery is proved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// Not at all: what stands in the headers is all there is.
    None,
    /// Sealed by the provider's own side.
    Sealed,
    /// Sealed, and one bit of the body flipped afterwards.
    Damaged,
}

/// A request to be made of an input.
#[derive(Debug)]
pub struct Case {
    pub who: u8,
    pub proof: Proof,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Case {
    /// Any bytes are a case, or none when they are too short.
    #[must_use]
    pub fn read(input: &[u8]) -> Option<Self> {
        let (&[who, proof, method], rest) = input.split_first_chunk()?;
        let (head, body) = split(rest);
        Some(Self {
            who,
            proof: [Proof::None, Proof::Sealed, Proof::Damaged][usize::from(proof) % 3],
            method: [Method::POST, Method::PUT, Method::PATCH, Method::GET][usize::from(method) % 4].clone(),
            headers: headers(head),
            body: Bytes::copy_from_slice(body),
        })
    }
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    end.map_or((&[], input), |end| (&input[..end], &input[end + 2..]))
}

fn headers(head: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}
