//! Requests as they go over the wire, made beforehand. Each carries the proofs of every scheme, so that all variants
//! get the same bytes.

use std::io::Write as _;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::{MacAlgorithm, Sealing};
use tower_webhook::secret::Secret;

use crate::transfer::transfer;

pub(crate) const USERNAME: &str = "aella";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// One key for all schemes.
pub(crate) const KEY: &str = "ae_sk_test_example";

pub(crate) fn aella() -> Result<Aella, BoxError> {
    Ok(Aella::new(Secret::utf8(KEY)?)?.algorithm(MacAlgorithm::HmacSha256)?)
}

pub(crate) fn standard() -> Result<StandardWebhooks, BoxError> {
    Ok(StandardWebhooks::new(Secret::utf8(KEY)?)?)
}

pub(crate) struct Sender {
    aella: Aella,
    standard: StandardWebhooks,
    sent: usize,
}

impl Sender {
    pub(crate) fn new() -> Result<Self, BoxError> {
        Ok(Self { aella: aella()?, standard: standard()?, sent: 0 })
    }

    /// That many transfers of so many bytes, none of which was there before.
    pub(crate) fn transfers(&mut self, count: usize, bytes: usize) -> Result<Vec<Bytes>, BoxError> {
        (0..count).map(|_| self.transfer(bytes)).collect()
    }

    fn transfer(&mut self, bytes: usize) -> Result<Bytes, BoxError> {
        let body = self.body(bytes);
        wire(&self.proofs(&body)?, body.as_bytes())
    }

    /// The same with one bit of the body changed after it was signed: every one of the signatures is wrong.
    pub(crate) fn forged(&mut self, bytes: usize) -> Result<Bytes, BoxError> {
        let body = self.body(bytes);
        wire(&self.proofs(&body)?, body.replacen("10000", "10001", 1).as_bytes())
    }

    fn body(&mut self, bytes: usize) -> String {
        self.sent += 1;
        transfer(self.sent, bytes)
    }

    fn proofs(&self, body: &str) -> Result<HeaderMap, BoxError> {
        let (now, entropy) = (Timestamp::now(), OsEntropy);
        let sealing = Sealing::new(now, &entropy);
        let message = || Message::new(body.to_owned()).idempotency_key(format!("msg_{:022}", self.sent));
        let mut proofs = self.aella.seal(message(), &sealing)?.into_parts().0.headers;
        let hex = proofs.get("x-aella-signature").ok_or("no signature")?.to_str()?;
        let github = HeaderValue::try_from(format!("sha256={hex}"))?;
        proofs.insert("x-hub-signature-256", github);
        proofs.extend(self.standard.seal(message(), &sealing)?.into_parts().0.headers);
        let credentials = Encoding::Base64.encode(format!("{USERNAME}:{PASSWORD}").as_bytes());
        proofs.insert(AUTHORIZATION, HeaderValue::try_from(format!("Basic {credentials}"))?);
        Ok(proofs)
    }
}

fn wire(headers: &HeaderMap, body: &[u8]) -> Result<Bytes, BoxError> {
    let mut wire = Vec::with_capacity(body.len() + 1024);
    write!(wire, "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n", body.len())?;
    for (name, value) in headers {
        write!(wire, "{name}: {}\r\n", value.to_str()?)?;
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(body);
    Ok(wire.into())
}
