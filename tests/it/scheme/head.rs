//! What a scheme says before the body is there: never more than `open` says, and the same words.

use tower_webhook::scheme::{
    AesGcm, BodyForm, CipherHeaders, EnvelopeNames, Hmac, Layout, MacAlgorithm, ProofHeader, ProofRole, Proofs, Signed,
    StaticToken, Template, TimePlace, TimeUnit, Tolerance, Unsigned,
};

use super::*;

const BODY: &str = r#"{"amount":"1.00"}"#;

fn key() -> Secret {
    Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f").unwrap()
}

fn aes(checksum: bool) -> AesGcm {
    let [iv, tag] = ["x-iv", "x-tag"].map(name);
    let scheme = AesGcm::in_headers(key(), CipherHeaders { iv, tag }, Encoding::Hex, BodyForm::Raw).unwrap();
    if checksum { scheme.require_checksum(name("x-sum")) } else { scheme }
}

fn over(signed: Signed) -> Hmac {
    Hmac::new(MacAlgorithm::HmacSha256, signed, key()).unwrap()
}

fn one() -> Hmac {
    over(Signed::new(name("x-signature"), Encoding::Hex).prefix("sha256="))
}

fn timed() -> Hmac {
    let template = Template::parse("{header:x-id}.{header:x-time}.{body}").unwrap();
    let signed = Signed::new(name("x-signature"), Encoding::Base64).prefix("v1,").list(" ").template(template);
    over(signed.split_strictly().timestamp(Tolerance::header(name("x-time"), TimeUnit::Seconds)))
}

fn params() -> Hmac {
    let signed = Signed::new(name("x-signature"), Encoding::Hex).params(",", "v1");
    let signed = signed.template(Template::parse("{param:t}.{body}").unwrap());
    over(signed.timestamp(Tolerance::param("t", TimeUnit::Seconds)))
}

fn token() -> StaticToken {
    StaticToken::new(name("x-token"), Secret::utf8(CANARY).unwrap()).unwrap()
}

fn envelope() -> AesGcm {
    AesGcm::in_envelope(
        key(),
        EnvelopeNames { iv: "iv".into(), tag: "tag".into(), ciphertext: "data".into() },
        Encoding::Hex,
    )
    .unwrap()
}

/// Sealed as it should be, with the header that a template signs.
fn good(scheme: &dyn Scheme) -> (HeaderMap, Bytes) {
    let mut headers = headers(&[("x-id", "e-1")]);
    let body = scheme.seal(BODY.into(), &mut headers, &Sealing::new(NOW, &OsEntropy)).unwrap();
    (headers, body)
}

fn kind<T>(result: Result<T, Rejection>) -> Option<RejectionKind> {
    result.err().map(|refused| refused.kind())
}

#[test]
fn what_is_missing_repeated_or_unreadable_is_refused_by_the_head_and_in_the_words_of_open() {
    use RejectionKind::{HeaderMalformed, HeaderRepeated, SignatureMismatch, SignatureMissing};
    let two = format!("v1,{} x", "AAAA".repeat(10));
    let many = ["v1,AAAA"; 17].join(" ");
    for (what, scheme, header, values, expected) in [
        ("one", &one() as &dyn Scheme, "x-signature", &[][..], SignatureMissing),
        ("one", &one(), "x-signature", &[""], SignatureMissing),
        ("one", &one(), "x-signature", &["sha256=00", "sha256=00"], HeaderRepeated),
        ("one", &one(), "x-signature", &["sha256=0g"], HeaderMalformed),
        ("one", &one(), "x-signature", &["00"], HeaderMalformed),
        ("one, of another length", &one(), "x-signature", &["sha256=00"], SignatureMismatch),
        ("list", &timed(), "x-signature", &[], SignatureMissing),
        ("list of none", &timed(), "x-signature", &["v2,AAAA"], SignatureMismatch),
        ("list of no signature", &timed(), "x-signature", &[&two], SignatureMismatch),
        ("list of too many", &timed(), "x-signature", &[&many], HeaderMalformed),
        ("signed id", &timed(), "x-id", &[], SignatureMissing),
        ("signed id", &timed(), "x-id", &["a", "b"], HeaderRepeated),
        ("signed id that moves the split", &timed(), "x-id", &["a.b"], HeaderMalformed),
        ("time", &timed(), "x-time", &[], SignatureMissing),
        ("time", &timed(), "x-time", &["now"], HeaderMalformed),
        ("parameters", &params(), "x-signature", &["v1=00"], HeaderMalformed),
        ("parameters", &params(), "x-signature", &["t=0"], SignatureMismatch),
        ("cipher", &aes(false), "x-iv", &[], SignatureMissing),
        ("cipher", &aes(false), "x-iv", &["00"], HeaderMalformed),
        ("cipher", &aes(false), "x-tag", &[], SignatureMissing),
        ("cipher", &aes(false), "x-tag", &["00", "00"], HeaderRepeated),
        ("checksum", &aes(true), "x-sum", &[], SignatureMissing),
        ("checksum", &aes(true), "x-sum", &["AAAA"], HeaderMalformed),
        ("token", &token(), "x-token", &[], SignatureMissing),
        ("token", &token(), "x-token", &["another"], SignatureMismatch),
    ] {
        let (mut headers, body) = good(scheme);
        assert_eq!(kind(scheme.check_head(&headers)), None, "{what}");
        headers.remove(header);
        for value in values {
            headers.append(header, value.parse().unwrap());
        }
        assert_eq!(kind(scheme.check_head(&headers)), Some(expected), "{what}: {header} {values:?}");
        assert_eq!(kind(scheme.open(&headers, body, NOW)), Some(expected), "{what}: {header} {values:?}");
    }
}

#[test]
fn the_head_says_nothing_of_what_hangs_on_the_body_or_on_our_clock() {
    let late = NOW + std::time::Duration::from_hours(1);
    for scheme in [&one() as &dyn Scheme, &timed(), &params(), &aes(true), &envelope(), &token(), &Unsigned] {
        let (headers, _) = good(scheme);
        assert_eq!(kind(scheme.check_head(&headers)), None, "{}", scheme.name());
    }
    for (scheme, refused) in [(&timed() as &dyn Scheme, true), (&params(), true), (&one(), false)] {
        let (headers, body) = good(scheme);
        let outside = refused.then_some(RejectionKind::TimestampOutside);
        assert_eq!(kind(scheme.open(&headers, body, late)), outside, "{}", scheme.name());
        let mismatch = Some(RejectionKind::SignatureMismatch);
        assert_eq!(kind(scheme.open(&headers, "other".into(), late)), mismatch, "{}", scheme.name());
    }
}

#[test]
fn proof_headers_are_those_that_prove_and_not_those_that_are_signed() {
    for (scheme, expected) in [
        (&one() as &dyn Scheme, &["x-signature"][..]),
        (&timed(), &["x-signature"]),
        (&params(), &["x-signature"]),
        (&aes(false), &["x-iv", "x-tag"]),
        (&aes(true), &["x-iv", "x-tag", "x-sum"]),
        (&envelope(), &[]),
        (&token(), &["x-token"]),
        (&Unsigned, &[]),
    ] {
        assert_eq!(scheme.proof_headers(), expected, "{}", scheme.name());
    }
    let twice = aes(false).checksum(name("x-one")).require_checksum(name("x-two"));
    assert_eq!(twice.proof_headers(), ["x-iv", "x-tag", "x-two"]);
}

#[test]
fn each_header_has_its_role_encoding_length_and_prefix() {
    use ProofRole::{Checksum, Nonce, Signature, Signed as Proved, Tag, Time, Token};
    let (hex, base64) = (Some(Encoding::Hex), Some(Encoding::Base64));
    for (scheme, expected) in [
        (&one() as &dyn Scheme, &[("x-signature", Signature, hex, Some(32), "sha256=")][..]),
        (
            &timed(),
            &[
                ("x-signature", Signature, base64, Some(32), "v1,"),
                ("x-id", Proved, None, None, ""),
                ("x-time", Time, None, None, ""),
            ],
        ),
        (&params(), &[("x-signature", Signature, hex, Some(32), "")]),
        (
            &aes(true),
            &[
                ("x-iv", Nonce, hex, Some(12), ""),
                ("x-tag", Tag, hex, Some(16), ""),
                ("x-sum", Checksum, base64, Some(32), ""),
            ],
        ),
        (&envelope(), &[]),
        (&token(), &[("x-token", Token, None, None, "")]),
        (&Unsigned, &[]),
    ] {
        let (headers, body) = good(scheme);
        assert!(scheme.open(&headers, body, NOW).is_ok(), "{}", scheme.name());
        let said = scheme.proofs().headers();
        let named: Vec<_> = said
            .iter()
            .map(|said| (said.name.as_str(), said.role, said.encoding, said.length, &*said.prefix))
            .collect();
        assert_eq!(named, expected, "{}", scheme.name());
        for header in said.iter().filter(|header| header.role.carries_proof() && header.encoding.is_some()) {
            let text = headers[&header.name].to_str().unwrap();
            let text = match &header.layout {
                Layout::Params { signature, .. } => text.split_once(&format!("{signature}=")).unwrap().1,
                _ => text.strip_prefix(&*header.prefix).unwrap(),
            };
            let bytes = header.encoding.unwrap().decode(text.as_bytes()).unwrap();
            assert_eq!(Some(bytes.len()), header.length, "{} {}", scheme.name(), header.name);
        }
    }
    assert_eq!(one().proofs().with_role(Signature).unwrap().layout, Layout::One);
    assert_eq!(timed().proofs().with_role(Signature).unwrap().layout, Layout::List(" ".into()));
    let layout = Layout::Params { separator: ",".into(), signature: "v1".into() };
    assert_eq!(params().proofs().with_role(Signature).unwrap().layout, layout);
}

#[test]
fn a_tolerance_says_place_unit_and_both_sides() {
    use std::time::Duration;
    let minutes = Duration::from_mins;
    let scheme = timed();
    let tolerance = scheme.tolerance().unwrap();
    assert_eq!((tolerance.max_past(), tolerance.max_future()), (minutes(5), minutes(5)));
    assert_eq!((tolerance.place(), tolerance.unit()), (&TimePlace::Header(name("x-time")), TimeUnit::Seconds));
    let signed = Signed::new(name("x-signature"), Encoding::Hex)
        .params(",", "v1")
        .template(Template::parse("{param:t}.{body}").unwrap())
        .timestamp(Tolerance::param("t", TimeUnit::Milliseconds).past(minutes(7)).future(minutes(1)));
    let scheme: Box<dyn Scheme> = Box::new(over(signed));
    let tolerance = scheme.tolerance().unwrap();
    assert_eq!((tolerance.max_past(), tolerance.max_future()), (minutes(7), minutes(1)));
    assert_eq!((tolerance.place(), tolerance.unit()), (&TimePlace::Param("t".into()), TimeUnit::Milliseconds));
    for scheme in [&one() as &dyn Scheme, &aes(true), &token(), &Unsigned] {
        assert_eq!(scheme.tolerance(), None, "{}", scheme.name());
    }
}

#[test]
fn an_alias_is_left_outside_too_and_what_is_signed_is_not() {
    let header = |text, role| ProofHeader::new(name(text), role);
    let proofs = Proofs::new([
        header("x-signature", ProofRole::Signature).alias(name("y-signature")),
        header("x-id", ProofRole::Signed).alias(name("y-id")),
    ]);
    assert_eq!(proofs.carriers(), ["x-signature", "y-signature"]);
}

#[test]
fn a_scheme_in_a_box_is_the_same() {
    let boxed: Box<dyn Scheme> = Box::new(one());
    assert_eq!(boxed.proof_headers(), ["x-signature"]);
    assert_eq!(boxed.proofs().headers().len(), 1);
    assert_eq!(kind(boxed.check_head(&HeaderMap::new())), Some(RejectionKind::SignatureMissing));
}

proptest::proptest! {
    /// Whatever stands in the headers: what the head refuses, `open` refuses for the same cause with the right body too.
    #[test]
    fn the_head_never_says_more_than_open(
        which in 0..5usize,
        values in proptest::collection::vec(("x-(signature|id|time|iv|tag|sum|token)", "[ -~]{0,20}|v1,[A-Za-z0-9+/=]{44}"), 0..4),
        removed in proptest::option::of(0..4usize),
    ) {
        let schemes: [&dyn Scheme; 5] = [&one(), &timed(), &params(), &aes(true), &token()];
        let scheme = schemes[which];
        let (mut headers, body) = good(scheme);
        if let Some(name) = removed.and_then(|at| headers.keys().nth(at).cloned()) {
            headers.remove(name);
        }
        for (name, value) in values {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let (by_head, opened) = (kind(scheme.check_head(&headers)), kind(scheme.open(&headers, body, NOW)));
        proptest::prop_assert!(by_head.is_none() || by_head == opened, "{by_head:?} {opened:?}");
    }
}
