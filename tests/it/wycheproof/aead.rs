//! AES-GCM: keys of 256 bits, IVs of 96, whole tags, and nothing authenticated beside the text.

use super::{Count, Vector, bytes, each, open};
use http::HeaderName;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{AesGcm, BodyForm, CipherHeaders};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, RejectionKind};

pub(crate) const IV: HeaderName = HeaderName::from_static("x-iv");
pub(crate) const TAG: HeaderName = HeaderName::from_static("x-tag");

pub(crate) fn scheme(vector: &Vector) -> Result<AesGcm, ConfigError> {
    let names = CipherHeaders { iv: IV, tag: TAG };
    AesGcm::in_headers(Secret::bytes(bytes(&vector.key))?, names, Encoding::Hex, BodyForm::Raw)
}

pub(crate) fn is_ours(vector: &Vector) -> bool {
    vector.key.len() == 64 && vector.iv.len() == 24 && vector.tag.len() == 32 && vector.aad.is_empty()
}

#[test]
fn what_is_valid_in_our_form_opens_to_its_message_and_nothing_else_does() {
    let count = each(include_str!("data/aes_gcm.jsonl"), |group, vector| {
        assert_eq!(vector.iv.len() * 4, group.iv_size);
        let Ok(scheme) = scheme(vector) else {
            assert_ne!(group.key_size, 256, "{vector:?}");
            return false;
        };
        let opened = open(&scheme, &[(IV, &vector.iv), (TAG, &vector.tag)], bytes(&vector.ct));
        let valid = is_ours(vector) && vector.result == "valid";
        assert_eq!(opened.is_ok(), valid, "{vector:?}");
        opened.is_ok_and(|opened| opened.plaintext == bytes(&vector.msg))
    });
    assert_eq!(count, Count { opened: 21, refused: 295 });
}

/// The text is not even tried: what another length would open, nobody finds out.
#[test]
fn an_iv_or_a_tag_of_another_length_is_refused_before_the_key_is_asked() {
    let mut refused = 0;
    each(include_str!("data/aes_gcm.jsonl"), |_, vector| {
        let Ok(scheme) = scheme(vector) else { return false };
        for tag in (2..vector.tag.len()).step_by(2).map(|length| &vector.tag[..length]) {
            let opened = open(&scheme, &[(IV, &vector.iv), (TAG, tag)], bytes(&vector.ct));
            let kind = opened.unwrap_err().kind();
            assert!(kind == RejectionKind::HeaderMalformed || vector.iv.is_empty(), "{vector:?}");
            refused += 1;
        }
        let opened = open(&scheme, &[(IV, &vector.iv), (TAG, &vector.tag)], bytes(&vector.ct));
        if ![0, 24].contains(&vector.iv.len()) {
            assert_eq!(opened.as_ref().unwrap_err().kind(), RejectionKind::HeaderMalformed, "{vector:?}");
            refused += 1;
        }
        opened.is_ok()
    });
    assert!(refused > 1_500, "{refused}");
}
