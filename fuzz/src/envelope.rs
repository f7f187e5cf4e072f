//! Encrypted bodies. Bytes 1, 2 and 3 in an input stand for the IV, the tag and the ciphertext of one delivery.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{AesGcm, BodyForm, CipherHeaders, EnvelopeNames, Scheme as _, Sealing};
use tower_webhook::secret::Secret;

const IV: HeaderName = HeaderName::from_static("x-iv");
const TAG: HeaderName = HeaderName::from_static("x-tag");
const PLAIN: &str = r#"{"type":"PAYMENT"}"#;

struct Stand {
    envelope: AesGcm,
    headers: AesGcm,
    /// IV, tag and ciphertext.
    parts: [String; 3],
}

static STAND: LazyLock<Stand> = LazyLock::new(|| {
    let key = || Secret::bytes(vec![7; 32]).expect("it is one");
    let names = EnvelopeNames { iv: "iv".into(), tag: "tag".into(), ciphertext: "body".into() };
    let envelope = AesGcm::in_envelope(key(), names, Encoding::Hex).expect("its key is long enough");
    let form = BodyForm::TextOrWrapped(Encoding::Hex, "body".into());
    let names = CipherHeaders { iv: IV, tag: TAG };
    let headers = AesGcm::in_headers(key(), names, Encoding::Hex, form).expect("its key is long enough");
    let mut sent = HeaderMap::new();
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
    let body = headers.seal(PLAIN.into(), &mut sent, &sealing).expect("it can be sealed");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("hexadecimal is text");
    Stand { envelope, headers, parts: [text(sent[IV].as_bytes()), text(sent[TAG].as_bytes()), text(&body)] }
});

fn filled(text: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            1..=3 => whole.extend_from_slice(STAND.parts[usize::from(*byte) - 1].as_bytes()),
            _ => whole.push(*byte),
        }
    }
    whole
}

/// The first byte says which form. What opens is what was sealed, and says so in a plain reading too.
pub fn envelope(input: &[u8]) {
    let Some((first, text)) = input.split_first() else { return };
    if first % 2 == 0 {
        in_body(filled(text).into());
    } else {
        let mut lines = text.splitn(3, |byte| *byte == b'\n').map(filled);
        let (Some(iv), Some(tag), Some(body)) = (lines.next(), lines.next(), lines.next()) else { return };
        in_headers(&iv, &tag, body.into());
    }
}

/// What any reader of JSON finds who refuses these names twice.
#[derive(Deserialize)]
struct Parts {
    iv: String,
    tag: String,
    body: String,
}

fn in_body(body: Bytes) {
    let opened = STAND.envelope.open(&HeaderMap::new(), body.clone(), Timestamp::UNIX_EPOCH);
    let text = std::str::from_utf8(body.trim_ascii()).unwrap_or_default();
    let parts = if text.starts_with('{') { serde_json::from_str::<Parts>(text).ok() } else { None };
    let is = |text: &str, part| is_part(text.as_bytes(), part);
    let is_whole = parts.is_some_and(|Parts { iv, tag, body }| is(&iv, 0) && is(&tag, 1) && is(&body, 2));
    assert_eq!(opened.is_ok(), is_whole, "{body:?}");
    assert!(opened.is_err() || opened.is_ok_and(|opened| opened.plaintext == PLAIN));
}

fn in_headers(iv: &[u8], tag: &[u8], body: Bytes) {
    let (Ok(iv), Ok(tag)) = (HeaderValue::from_bytes(iv), HeaderValue::from_bytes(tag)) else { return };
    let is_whole = is_part(iv.as_bytes().trim_ascii(), 0) && is_part(tag.as_bytes().trim_ascii(), 1);
    let headers = HeaderMap::from_iter([(IV, iv), (TAG, tag)]);
    let opened = STAND.headers.open(&headers, body.clone(), Timestamp::UNIX_EPOCH);
    if let Ok(opened) = &opened {
        assert_eq!(opened.plaintext, PLAIN);
    }
    let text = body.trim_ascii();
    if !text.starts_with(b"{") {
        assert_eq!(opened.is_ok(), is_whole && is_part(text, 2), "{headers:?} {body:?}");
    }
}

/// Hexadecimal may be in either case.
fn is_part(text: &[u8], part: usize) -> bool {
    text.eq_ignore_ascii_case(STAND.parts[part].as_bytes())
}
