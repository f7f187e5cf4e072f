//! What anybody can sign: by the key that nobody has set.

use bytes::Bytes;
use http::{HeaderValue, Request};

use super::proof::Proof;
use crate::clock::{OsEntropy, Timestamp};
use crate::scheme::{Hmac, Layout, MacAlgorithm, ProofRole, Scheme, Sealing, Signed, Template};
use crate::secret::Secret;

/// The signature under the empty key, which for an HMAC is the same as one of zeros. `None`: the scheme is no HMAC.
pub(super) fn under_empty_key(delivery: &Request<Bytes>, scheme: &dyn Scheme) -> Option<HeaderValue> {
    under(Secret::hex("00").ok()?, delivery, scheme)
}

/// A scheme does not say what stands between the parts that it signs. Nearly all that sign headers have a dot there, in front of
/// the body, and so it is taken here; `None` where a parameter of the header is signed too.
fn under(key: Secret, delivery: &Request<Bytes>, scheme: &dyn Scheme) -> Option<HeaderValue> {
    let algorithm = MacAlgorithm::from_name(scheme.name()).ok()?;
    let proof = Proof::of(delivery, scheme).filter(|proof| proof.header.role == ProofRole::Signature)?;
    let signed = Signed::new(proof.name.clone(), proof.header.encoding?).prefix(proof.header.prefix.clone());
    let signed = match &proof.header.layout {
        Layout::One => signed,
        Layout::List(separator) => signed.list(separator.clone()),
        Layout::Params { .. } => return None,
    };
    let others = scheme.proofs().headers().iter().filter(|header| !header.role.carries_proof());
    let others = others.filter_map(|header| header.names().find(|name| delivery.headers().contains_key(*name)));
    let template: String = others.map(|name| format!("{{header:{name}}}.")).chain(["{body}".to_owned()]).collect();
    let signed = signed.template(Template::parse(&template).ok()?).dangerous_without_tolerance();
    let mut headers = delivery.headers().clone();
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
    Hmac::dangerous_short_keys(algorithm, signed, key)
        .ok()?
        .seal(delivery.body().clone(), &mut headers, &sealing)
        .ok()?;
    let mut value = headers.remove(proof.name)?;
    value.set_sensitive(proof.value.is_sensitive());
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::aella::Aella;
    use crate::provider::opp::Opp;
    use crate::provider::standard_webhooks::StandardWebhooks;
    use crate::provider::{Message, Provider};

    const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

    fn seal(provider: &impl Provider) -> Request<Bytes> {
        let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
        provider.seal(Message::new("{}").idempotency_key("msg_1"), &sealing).unwrap()
    }

    /// Else the forgery would be refused for its layout, and show nothing of the key.
    #[test]
    fn under_the_true_key_it_is_the_true_signature() {
        let key = || Secret::hex(KEY).unwrap();
        let aella = Aella::new(key()).unwrap();
        let delivery = seal(&aella);
        let proof = Proof::of(&delivery, aella.scheme()).unwrap();
        assert_eq!(under(key(), &delivery, aella.scheme()).as_ref(), Some(proof.value));
        assert_ne!(under_empty_key(&delivery, aella.scheme()).as_ref(), Some(proof.value));

        let webhooks = StandardWebhooks::new(key()).unwrap();
        let delivery = seal(&webhooks);
        let proof = Proof::of(&delivery, webhooks.scheme()).unwrap();
        assert_eq!(under(key(), &delivery, webhooks.scheme()).as_ref(), Some(proof.value));
        assert_ne!(under_empty_key(&delivery, webhooks.scheme()).as_ref(), Some(proof.value));
    }

    /// From another implementation: `Python's hmac.new(b"", b"{}", "sha256")`.
    #[test]
    fn one_zero_is_the_empty_key() {
        let signed = Signed::new(http::HeaderName::from_static("x-signature"), crate::encoding::Encoding::Hex);
        let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::hex(KEY).unwrap()).unwrap();
        let delivery = Request::builder().header("x-signature", "00").body(Bytes::from_static(b"{}")).unwrap();
        assert_eq!(
            under_empty_key(&delivery, &scheme).unwrap(),
            "22f8eea909400af98adf3681a9f31923ef6b7fcba4abb553d92823a3e9d5c25e"
        );
        assert_eq!(under_empty_key(&delivery, Opp::new(Secret::hex(KEY).unwrap()).unwrap().scheme()), None);
    }
}
