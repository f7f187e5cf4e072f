//! What a template covers, where signatures stand, and when a delivery is too old.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{
    Hmac, MacAlgorithm, Scheme, SealError, Sealing, Signed, StaticToken, Template, TimeUnit, Tolerance,
};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{NOW, assert_mismatch, assert_no_canary, cases, flips, headers, kind, name, open, seal, text, vector};

const HEADER: &str = "x-signature";
const KEY: &[u8] = b"an independent key";

/// HMAC-SHA-256 by the library itself, over bytes that the test has joined.
fn mac(signed: &[u8]) -> Vec<u8> {
    use ::hmac::{KeyInit as _, Mac as _};
    let mac = ::hmac::Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.chain_update(signed).finalize().into_bytes().to_vec()
}

fn hex(signed: impl AsRef<[u8]>) -> String {
    Encoding::Hex.encode(&mac(signed.as_ref()))
}

fn hex_signed() -> Signed {
    Signed::new(name(HEADER), Encoding::Hex)
}

fn over(signed: Signed) -> Hmac {
    try_over(signed).unwrap()
}

fn try_over(signed: Signed) -> Result<Hmac, ConfigError> {
    Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::bytes(KEY).unwrap())
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|no| panic!("{no}"))
}

fn untimed(text: &str) -> Hmac {
    let signed = hex_signed().template(template(text)).url("https://r.test/hooks");
    over(signed.dangerous_without_tolerance().dangerous_unsigned_body())
}

fn seconds(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn each_part_is_signed_as_it_stands() {
    let table: [(&str, &[u8], &[u8]); 8] = [
        ("{body}", b"{}", b"{}"),
        ("{body}", b"", b""),
        ("{body}", b"\0\xff\r\n{body}", b"\0\xff\r\n{body}"),
        ("{header:x-a}.{header:X-B}.{body}", b"{}", b"one.2.{}"),
        ("{url}{body}", b"{}", b"https://r.test/hooks{}"),
        ("{{{body}}}\u{e9}\n", b"1", "{1}\u{e9}\n".as_bytes()),
        ("a{{b}}c{body}{{{{", b"1", b"a{b}c1{{"),
        ("{header:x-a}", b"anything", b"one"),
    ];
    for (text, body, signed) in table {
        let scheme = untimed(text);
        let signature = hex(signed);
        let sent = [(HEADER, &*signature), ("x-a", "one"), ("x-b", "2")];
        assert_eq!(open(&scheme, &sent, body).expect(text).plaintext, body, "{text}");
        for flipped in flips(signed) {
            assert_mismatch(text, open(&scheme, &[(HEADER, &hex(&flipped)), ("x-a", "one"), ("x-b", "2")], body));
        }
    }
}

#[test]
fn a_template_says_what_it_covers() {
    let all = template("{header:Webhook-Id}.{param:t}.{url}.{body}");
    assert!(all.covers_body() && all.covers_header(&name("webhook-id")) && all.covers_param("t"));
    assert!(!all.covers_header(&name("webhook-timestamp")) && !all.covers_param("T"));
    let headers_alone = untimed("{header:x-nonce}");
    assert!(!Scheme::covers_body(&headers_alone) && headers_alone.covers_header(&name("x-nonce")));
    assert!(Template::body().covers_body() && template("{body}") == Template::body());
    let boxed: Box<dyn Scheme> = Box::new(headers_alone);
    assert!(!Scheme::covers_body(&boxed) && boxed.covers_header(&name("x-nonce")) && boxed.name() == "hmac-sha256");
    let token = StaticToken::new(name(HEADER), Secret::bytes(KEY).unwrap()).unwrap();
    assert!(token.proves_sender() && !token.covers_body() && !token.covers_header(&name(HEADER)));
}

#[test]
fn a_body_that_nothing_signs_is_refused_unless_danger_is_named() {
    for text in ["{header:x-nonce}", "{header:x-nonce}.body", "{header:x-nonce}{url}"] {
        let signed = hex_signed().template(template(text)).url("https://r.test/hooks");
        assert_eq!(
            try_over(signed.clone()).map(drop).unwrap_err(),
            ConfigError::new(ConfigErrorKind::BodyUnsigned),
            "{text}"
        );
        assert!(!over(signed.dangerous_unsigned_body()).covers_body(), "{text}");
        let whole = format!("{text}{{body}}");
        let signed = hex_signed().template(template(&whole)).url("https://r.test/hooks");
        assert!(over(signed).covers_body(), "{whole}");
    }
}

#[test]
fn what_is_no_template_is_refused() {
    for text in [
        "",
        "signed",
        "{url}",
        "{url}.v1",
        "{{body}}",
        "{body",
        "body}",
        "{body}}",
        "{{body}",
        "{}",
        "{Body}",
        "{ body }",
        "{header}",
        "{param:}",
        "{param:a=b}",
        "{param:a,b}",
        "{query:x}{body}",
        "{body:x}",
        "{url:x}{body}",
        "{header:a{body}}",
    ] {
        let refused = Template::parse(text).expect_err(text);
        assert!(
            matches!(refused.kind(), ConfigErrorKind::Template(_) | ConfigErrorKind::HeaderName(_)),
            "{text}: {refused}"
        );
    }
    for (text, header) in [("{header:}{body}", ""), ("{header:x a}{body}", "x a")] {
        assert_eq!(
            Template::parse(text).unwrap_err(),
            ConfigError::new(ConfigErrorKind::HeaderName(header.into())),
            "{text}"
        );
    }
}

#[test]
fn parts_that_do_not_go_together_are_refused_when_building() {
    let by_t = || Tolerance::param("t", TimeUnit::Seconds);
    let by_header = || Tolerance::header(name("x-time-stamp"), TimeUnit::Seconds);
    let stripe = || hex_signed().params(",", "v1").template(template("{param:t}.{body}"));
    let unchecked = |part: &str| Some(ConfigError::new(ConfigErrorKind::TimestampUnchecked(part.into())));
    let unsigned = |part: &str| Some(ConfigError::new(ConfigErrorKind::TimestampUnsigned(part.into())));
    let long = Some(ConfigError::new(ConfigErrorKind::OutOfRange("the tolerance of the timestamp (at most 30 days)")));
    let month = Duration::from_hours(30 * 24);
    let table: Vec<(&str, Signed, Option<ConfigError>)> = vec![
        ("good", stripe().timestamp(by_t()), None),
        (
            "a URL of nothing",
            hex_signed().template(template("{url}{body}")).url(""),
            Some(ConfigError::new(ConfigErrorKind::Template("{url} is signed but no URL is set".into()))),
        ),
        ("danger said", stripe().dangerous_without_tolerance(), None),
        ("no tolerance of a parameter", stripe(), unchecked("t")),
        (
            "no tolerance of a header",
            hex_signed().template(template("{header:X-Timestamp}{body}")),
            unchecked("x-timestamp"),
        ),
        (
            "of a time by another name",
            hex_signed().template(template("{header:sent-time}{body}")),
            unchecked("sent-time"),
        ),
        ("no time at all", hex_signed().template(template("{header:x-nonce}{body}")), None),
        ("unsigned header", hex_signed().timestamp(by_header()), unsigned("x-time-stamp")),
        ("unsigned parameter", hex_signed().params(",", "v1").timestamp(by_t()), unsigned("t")),
        ("another parameter", stripe().timestamp(Tolerance::param("T", TimeUnit::Seconds)), unsigned("T")),
        ("a month", stripe().timestamp(by_t().past(month).future(month)), None),
        ("over a month back", stripe().timestamp(by_t().past(month + Duration::from_nanos(1))), long.clone()),
        ("over a month ahead", stripe().timestamp(by_t().future(Duration::MAX)), long),
    ];
    for (case, signed, expected) in table {
        assert_eq!(try_over(signed).err(), expected, "{case}");
    }
    for (case, signed) in [
        ("a URL that is not set", hex_signed().template(template("{url}{body}"))),
        ("a parameter of no parameters", hex_signed().template(template("{param:x}{body}"))),
        ("a parameter of a list", hex_signed().list(",").template(template("{param:x}{body}"))),
        ("its own header", hex_signed().template(template("{header:X-Signature}{body}"))),
        ("its own parameter", hex_signed().params(",", "v1").template(template("{param:v1}{body}"))),
    ] {
        assert!(matches!(try_over(signed).map(drop).unwrap_err().kind(), ConfigErrorKind::Template(_)), "{case}");
    }
    for (case, signed) in [
        ("no separator", hex_signed().list("")),
        ("a letter", hex_signed().list("a")),
        ("a letter within", hex_signed().list(" v")),
        ("Base64", hex_signed().list("+")),
        ("padding", hex_signed().params("=", "v1")),
        ("beyond ASCII", hex_signed().list("\u{b7}")),
        ("in the prefix", hex_signed().list(",").prefix("v1,")),
        ("no parameter", hex_signed().params(",", "")),
        ("no name", hex_signed().params(",", "v 1")),
    ] {
        assert!(matches!(try_over(signed).map(drop).unwrap_err().kind(), ConfigErrorKind::Scheme(_)), "{case}");
    }
}

#[test]
fn a_signed_header_stands_exactly_once() {
    let scheme = untimed("{header:x-a}.{body}");
    let signature = hex("one.{}");
    let table: [(&str, &[&str], Option<RejectionKind>); 7] = [
        ("good", &["one"], None),
        ("missing", &[], Some(RejectionKind::SignatureMissing)),
        ("empty", &[""], Some(RejectionKind::SignatureMissing)),
        ("blank", &[" "], Some(RejectionKind::SignatureMissing)),
        ("twice the same", &["one", "one"], Some(RejectionKind::HeaderRepeated)),
        ("twice", &["one", "two"], Some(RejectionKind::HeaderRepeated)),
        ("with a blank", &["one "], Some(RejectionKind::SignatureMismatch)),
    ];
    for (case, values, expected) in table {
        let mut sent = vec![(HEADER, &*signature)];
        sent.extend(values.iter().map(|value| ("x-a", *value)));
        assert_eq!(kind(open(&scheme, &sent, b"{}")), expected, "{case}");
    }
}

#[test]
fn any_signature_of_a_list_that_fits_counts() {
    let scheme = over(hex_signed().list(" ").prefix("v1,"));
    let good = format!("v1,{}", hex("{}"));
    let zeros = format!("v1,{}", "0".repeat(64));
    let short = &good[..good.len() - 2];
    let bare = good.strip_prefix("v1,").unwrap();
    let sixteen = |item: &str| vec![item; 16].join(" ");
    let mismatch = Some(RejectionKind::SignatureMismatch);
    let malformed = Some(RejectionKind::HeaderMalformed);
    let table: Vec<(&str, String, Option<RejectionKind>)> = vec![
        ("alone", good.clone(), None),
        ("first", format!("{good} {zeros}"), None),
        ("last", format!("{zeros} {good}"), None),
        ("among others", format!("v0,{bare} v1a,abcd v1, {short} nonsense {good} v2,{bare}"), None),
        ("with blanks around", format!("  {good}   {zeros}"), None),
        ("sixteenth", format!("{} {good}", vec![&*zeros; 15].join(" ")), None),
        ("seventeenth", format!("{} {good}", sixteen(&zeros)), malformed),
        ("first of seventeen", format!("{good} {}", sixteen(&zeros)), malformed),
        ("first of seventeen empty", format!("{good}{}x", " ".repeat(16)), malformed),
        ("no prefix", bare.to_owned(), mismatch),
        ("the prefix alone", "v1,".into(), mismatch),
        ("prefixes alone", "v1, v1, v1,".into(), mismatch),
        ("an older version", format!("v0,{bare}"), mismatch),
        ("a longer version", format!("v1a,{bare}"), mismatch),
        ("in upper case", good.to_uppercase(), mismatch),
        ("one byte less", short.to_owned(), mismatch),
        ("one byte more", format!("{good}00"), mismatch),
        ("half a byte less", good[..good.len() - 1].to_owned(), mismatch),
        ("no separator", format!("{good}{good}"), mismatch),
        ("another separator", format!("{zeros},{good}"), mismatch),
        ("many that do not fit", sixteen(&zeros), mismatch),
        ("beyond ASCII", format!("{good} \u{e9}"), None),
    ];
    for (case, value, expected) in table {
        assert_eq!(kind(open(&scheme, &[(HEADER, &value)], b"{}")), expected, "{case}");
    }
    for length in 1..good.len() {
        assert!(open(&scheme, &[(HEADER, &good[..length])], b"{}").is_err(), "{length}");
    }
    let mut latin = HeaderMap::new();
    latin.insert(HEADER, HeaderValue::from_bytes(&[good.as_bytes(), b" \xe9"].concat()).unwrap());
    assert_eq!(kind(scheme.open(&latin, "{}".into(), NOW)), malformed);
    for value in ["", "  "] {
        assert_eq!(kind(open(&scheme, &[(HEADER, value)], b"{}")), Some(RejectionKind::SignatureMissing));
    }
}

#[test]
fn parameters_are_read_by_name_and_the_signed_ones_stand_once() {
    let signed = hex_signed().params(",", "v1").template(template("{param:t}.{body}"));
    let scheme = over(signed.timestamp(Tolerance::param("t", TimeUnit::Seconds)));
    let good = hex("7.{}");
    let malformed = Some(RejectionKind::HeaderMalformed);
    let mismatch = Some(RejectionKind::SignatureMismatch);
    let table: Vec<(&str, String, Option<RejectionKind>)> = vec![
        ("good", format!("t=7,v1={good}"), None),
        ("another order", format!("v1={good},t=7"), None),
        ("blanks around", format!("t=7, v1={good}"), None),
        ("several", format!("t=7,v1={},v1={good},v0=x,,odd", "0".repeat(64)), None),
        ("an older version", format!("t=7,v0={good}"), mismatch),
        ("another case", format!("t=7,V1={good}"), mismatch),
        ("no name", format!("t=7,{good}"), mismatch),
        ("a blank behind the name", format!("t=7,v1 ={good}"), mismatch),
        ("nothing", "t=7,v1=".into(), mismatch),
        ("no signature", "t=7".into(), mismatch),
        ("another time", format!("t=8,v1={good}"), mismatch),
        ("no time", format!("v1={good}"), malformed),
        ("an empty time", format!("t=,v1={good}"), malformed),
        ("two times", format!("t=7,t=7,v1={good}"), malformed),
        ("a blank in front of the time", format!("t= 7,v1={good}"), malformed),
        ("sixteen", format!("t=7,v1={good}{}", ",a=b".repeat(14)), None),
        ("seventeen", format!("t=7,v1={good}{}", ",a=b".repeat(15)), malformed),
    ];
    for (case, value, expected) in table {
        assert_eq!(kind(open(&scheme, &[(HEADER, &value)], b"{}")), expected, "{case}");
    }
}

fn timed(unit: TimeUnit) -> Hmac {
    let tolerance = Tolerance::header(name("x-t"), unit);
    over(hex_signed().template(template("{header:x-t}.{body}")).timestamp(tolerance))
}

#[test]
fn a_time_is_digits_and_within_the_tolerance() {
    let malformed = Some(RejectionKind::HeaderMalformed);
    let outside = Some(RejectionKind::TimestampOutside);
    let table: [(&str, Option<RejectionKind>); 24] = [
        ("1000000", None),
        ("999700", None),
        ("1000300", None),
        ("01000000", None),
        ("999699", outside),
        ("1000301", outside),
        ("0", outside),
        // Milliseconds where seconds are told.
        ("1000000000", outside),
        ("9223372036854775807", outside),
        ("9223372036854775808", outside),
        ("18446744073709551615", outside),
        ("18446744073709551616", malformed),
        ("1000000000000000000000000000000", malformed),
        ("-9223372036854775808", malformed),
        ("-1", malformed),
        ("+5", malformed),
        ("+1000000", malformed),
        (" 5", malformed),
        ("1000000 ", malformed),
        ("1e6", malformed),
        ("1000000.0", malformed),
        ("0x0f4240", malformed),
        ("1_000_000", malformed),
        ("\u{661}\u{660}\u{660}\u{660}\u{660}\u{660}\u{660}", malformed),
    ];
    let now = seconds(1_000_000);
    for (sent, expected) in table {
        let good = hex(format!("{sent}.{{}}"));
        let signed = headers(&[(HEADER, &good), ("x-t", sent)]);
        assert_eq!(kind(timed(TimeUnit::Seconds).open(&signed, "{}".into(), now)), expected, "{sent:?}");
        // A stranger learns what a time looks like, and nothing of our clock.
        let forged = headers(&[(HEADER, &hex("forged")), ("x-t", sent)]);
        let forged = timed(TimeUnit::Seconds).open(&forged, "{}".into(), now);
        let told = if expected == malformed { malformed } else { Some(RejectionKind::SignatureMismatch) };
        assert_eq!(kind(forged), told, "{sent:?}");
    }
}

#[test]
fn the_tolerance_ends_with_the_nanosecond_on_either_side() {
    let outside = Some(RejectionKind::TimestampOutside);
    let nano = Duration::from_nanos(1);
    let minutes = Duration::from_mins(5);
    for (unit, sent) in [(TimeUnit::Seconds, "1000000"), (TimeUnit::Milliseconds, "1000000000")] {
        let signed = headers(&[(HEADER, &hex(format!("{sent}.{{}}"))), ("x-t", sent)]);
        for (now, expected) in [
            (seconds(1_000_000) + minutes, None),
            (seconds(1_000_000) + minutes + nano, outside),
            (seconds(1_000_000) - minutes, None),
            (seconds(1_000_000) - minutes - nano, outside),
            (Timestamp::MAX, outside),
            (Timestamp::MIN, outside),
        ] {
            assert_eq!(kind(timed(unit).open(&signed, "{}".into(), now)), expected, "{unit:?} {now}");
        }
        let other = if unit == TimeUnit::Seconds { TimeUnit::Milliseconds } else { TimeUnit::Seconds };
        assert_eq!(
            kind(timed(other).open(&signed, "{}".into(), seconds(1_000_000))),
            outside,
            "{unit:?} read as {other:?}"
        );
    }
}

#[test]
fn past_and_future_are_apart() {
    let tolerance = Tolerance::header(name("x-t"), TimeUnit::Seconds);
    let tolerance = tolerance.past(Duration::from_secs(10)).future(Duration::ZERO);
    let scheme = over(hex_signed().template(template("{header:x-t}.{body}")).timestamp(tolerance));
    let signed = headers(&[(HEADER, &hex("100.{}")), ("x-t", "100")]);
    let outside = Some(RejectionKind::TimestampOutside);
    for (now, expected) in [(99, outside), (100, None), (110, None), (111, outside)] {
        assert_eq!(kind(scheme.open(&signed, "{}".into(), seconds(now))), expected, "{now}");
    }
}

#[test]
fn with_danger_said_any_age_is_taken_and_the_time_is_still_signed() {
    let scheme = over(hex_signed().template(template("{header:x-timestamp}.{body}")).dangerous_without_tolerance());
    let good = hex("1.{}");
    assert!(open(&scheme, &[(HEADER, &good), ("x-timestamp", "1")], b"{}").is_ok());
    assert_mismatch("another time", open(&scheme, &[(HEADER, &good), ("x-timestamp", "2")], b"{}"));
}

#[test]
fn bytes_move_between_parts_unless_the_split_is_strict() {
    let loose = hex_signed().template(template("{header:x-a}.{header:x-b}.{body}"));
    let strict = loose.clone().split_strictly();
    let good = hex("a.b.c.{}");
    let malformed = Some(RejectionKind::HeaderMalformed);
    for (a, b, body, by_strict) in
        [("a", "b", "c.{}", None), ("a.b", "c", "{}", malformed), ("a", "b.c", "{}", malformed)]
    {
        let sent = [(HEADER, &*good), ("x-a", a), ("x-b", b)];
        assert_eq!(kind(open(&over(loose.clone()), &sent, body.as_bytes())), None, "{a} {b} {body}");
        assert_eq!(kind(open(&over(strict.clone()), &sent, body.as_bytes())), by_strict, "{a} {b} {body}");
    }
    let mut dotted = headers(&[("x-a", "a.b"), ("x-b", "c")]);
    let refused = over(strict).seal("{}".into(), &mut dotted, &Sealing::new(NOW, &OsEntropy));
    assert_eq!(refused.unwrap_err(), SealError::SignedHeader);
}

#[test]
fn sealing_writes_the_time_and_needs_what_else_is_signed() {
    let sealing = Sealing::new(seconds(7), &OsEntropy);
    let mut sent = HeaderMap::new();
    timed(TimeUnit::Milliseconds).seal("{}".into(), &mut sent, &sealing).unwrap();
    assert_eq!((&sent["x-t"], &*hex("7000.{}")), (&HeaderValue::from_static("7000"), sent[HEADER].to_str().unwrap()));

    let stripe = hex_signed().params(";", "h1").template(template("{param:ts}:{body}"));
    let stripe = over(stripe.timestamp(Tolerance::param("ts", TimeUnit::Seconds)));
    stripe.seal("{}".into(), &mut sent, &sealing).unwrap();
    assert_eq!(sent[HEADER].to_str().unwrap(), format!("ts=7;h1={}", hex("7:{}")));

    let by_id = untimed("{header:x-id}.{body}");
    for (case, mut sent) in [
        ("missing", headers(&[])),
        ("blank", headers(&[("x-id", " ")])),
        ("twice", headers(&[("x-id", "1"), ("x-id", "1")])),
    ] {
        assert_eq!(by_id.seal("{}".into(), &mut sent, &sealing).unwrap_err(), SealError::SignedHeader, "{case}");
    }
    let with_key_id = over(hex_signed().params(",", "v1").template(template("{param:kid}.{body}")));
    let refused = with_key_id.seal("{}".into(), &mut HeaderMap::new(), &sealing).unwrap_err();
    assert_eq!(refused, SealError::SignedHeader);
    let before = Sealing::new(seconds(-1), &OsEntropy);
    let refused = timed(TimeUnit::Seconds).seal("{}".into(), &mut HeaderMap::new(), &before).unwrap_err();
    assert_eq!(refused, SealError::Unencodable);
}

#[test]
fn the_vector_of_url_and_body_opens_and_no_flipped_bit_of_it_does() {
    let vector = vector("hmac_sha256_b64_url_then_body");
    let (secret, url, body) = (text(&vector, "secret"), text(&vector, "url"), text(&vector, "body"));
    let scheme = |secret: &[u8], url: &str| {
        let signed = Signed::new(name(HEADER), Encoding::Base64).template(template("{url}{body}")).url(url);
        Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::bytes(secret).unwrap()).unwrap()
    };
    let right = scheme(secret.as_bytes(), url);
    let signature = text(&vector, "signature");
    assert_eq!(open(&right, &[(HEADER, signature)], body.as_bytes()).unwrap().plaintext, body);
    for flipped in flips(&Encoding::Base64.decode(signature.as_bytes()).unwrap()) {
        let signature = Encoding::Base64.encode(&flipped);
        assert_mismatch("signature", open(&right, &[(HEADER, &signature)], body.as_bytes()));
    }
    for flipped in flips(body.as_bytes()) {
        assert_mismatch("body", open(&right, &[(HEADER, signature)], &flipped));
    }
    for flipped in flips(secret.as_bytes()) {
        assert_mismatch("key", open(&scheme(&flipped, url), &[(HEADER, signature)], body.as_bytes()));
    }
    for flipped in flips(url.as_bytes()) {
        // A URL is text: the top bit alone makes none.
        if let Ok(url) = String::from_utf8(flipped) {
            assert_mismatch(&url, open(&scheme(secret.as_bytes(), &url), &[(HEADER, signature)], body.as_bytes()));
        }
    }
}

/// RFC 2202, section 3: cases 1 to 3, 6 and 7. Case 4 is like 3, and 5 a truncated MAC.
#[test]
fn the_rfc_vectors_of_sha1_open_and_no_flipped_bit_of_them_does() {
    let cases: [(&[u8], &[u8], &str); 5] = [
        (&[0x0B; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (&[0xAA; 20], &[0xDD; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (
            &[0xAA; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ),
        (
            &[0xAA; 80],
            b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        ),
    ];
    for (key, data, tag) in cases {
        let scheme = |key: &[u8]| {
            let algorithm = MacAlgorithm::DangerousHmacSha1;
            Hmac::dangerous_short_keys(algorithm, hex_signed(), Secret::bytes(key).unwrap()).unwrap()
        };
        assert_eq!(open(&scheme(key), &[(HEADER, tag)], data).expect(tag).plaintext, data);
        for flipped in flips(&Encoding::Hex.decode(tag.as_bytes()).unwrap()) {
            assert_mismatch(tag, open(&scheme(key), &[(HEADER, &Encoding::Hex.encode(&flipped))], data));
        }
        for flipped in flips(data) {
            assert_mismatch(tag, open(&scheme(key), &[(HEADER, tag)], &flipped));
        }
        for flipped in flips(key) {
            assert_mismatch(tag, open(&scheme(&flipped), &[(HEADER, tag)], data));
        }
    }
}

#[test]
fn another_algorithm_of_the_same_key_does_not_fit() {
    for sealer in MacAlgorithm::ALL {
        for opener in MacAlgorithm::ALL.iter().filter(|opener| *opener != sealer) {
            let scheme = |algorithm| Hmac::new(algorithm, hex_signed().list(" "), Secret::bytes(KEY).unwrap()).unwrap();
            let (headers, body) = seal(&scheme(*sealer), "{}");
            assert_mismatch(opener.name(), scheme(*opener).open(&headers, body, NOW));
        }
    }
}

#[test]
fn nothing_prints_what_is_signed_or_with_what() {
    let canary = "canary-canary-canary-canary-cana";
    let signed = hex_signed().params(",", "v1").template(template("{param:t}.{header:x-id}.{body}")).split_strictly();
    let signed = signed.timestamp(Tolerance::param("t", TimeUnit::Seconds));
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(canary).unwrap()).unwrap();
    let mut printed = format!("{scheme:?}");
    for (header, id) in [
        ("t=canary,v1=canary", "canary"),
        ("t=7,v1=canary", "canary"),
        ("t=7,v1=canary", "canary.canary"),
        ("canary", "canary"),
        ("v1=canary", "canary"),
    ] {
        let refused = open(&scheme, &[(HEADER, header), ("x-id", id)], canary.as_bytes()).unwrap_err();
        printed += &format!("{refused:?} {refused}");
    }
    assert_no_canary(&printed);
}

/// A template of parts in any order, with a time in it or not, and the scheme around it.
fn any_scheme() -> impl Strategy<Value = (Hmac, &'static str)> {
    let part = prop::sample::select(vec!["{body}", "{header:x-a}", "{header:x-b}", "{url}", ".", "{{", "\u{e9}|"]);
    let time = prop::sample::select(vec![None, Some("{header:x-t}"), Some("{param:t}")]);
    (prop::collection::vec(part, 0..6), time, any::<bool>(), 0..3_usize).prop_map(|(parts, time, base64, algorithm)| {
        let encoding = if base64 { Encoding::Base64 } else { Encoding::Hex };
        let text = format!("{{body}}:{}{}", parts.concat(), time.unwrap_or_default());
        let signed = Signed::new(name(HEADER), encoding).template(template(&text)).url("https://r.test");
        let signed = match time {
            Some("{param:t}") => signed.params(",", "v1").timestamp(Tolerance::param("t", TimeUnit::Milliseconds)),
            Some(_) => signed.list(" ").prefix("v1,").timestamp(Tolerance::header(name("x-t"), TimeUnit::Seconds)),
            None => signed.prefix("sha="),
        };
        let scheme = Hmac::new(MacAlgorithm::ALL[algorithm], signed, Secret::bytes(KEY).unwrap()).unwrap();
        (scheme, time.unwrap_or_default())
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_any_template_seals_it_opens_and_one_changed_byte_of_the_body_it_does_not(
        (scheme, time) in any_scheme(),
        body in prop::collection::vec(any::<u8>(), 1..100),
        a in "[!-~]{1,20}",
        b in "[!-~]{1,20}",
        at in any::<prop::sample::Index>(),
        bits in 1..=u8::MAX,
        now in 0..4_000_000_000_i64,
    ) {
        let mut sent = headers(&[("x-a", &a), ("x-b", &b)]);
        let sealed = scheme.seal(body.clone().into(), &mut sent, &Sealing::new(seconds(now), &OsEntropy)).unwrap();
        prop_assert_eq!(scheme.open(&sent, sealed, seconds(now)).unwrap().plaintext, Bytes::from(body.clone()));
        let late = kind(scheme.open(&sent, body.clone().into(), seconds(now + 301)));
        prop_assert_eq!(late, (!time.is_empty()).then_some(RejectionKind::TimestampOutside));
        let mut changed = body;
        let at = at.index(changed.len());
        changed[at] ^= bits;
        prop_assert_eq!(
            kind(scheme.open(&sent, changed.into(), seconds(now))),
            Some(RejectionKind::SignatureMismatch)
        );
    }

    #[test]
    fn no_text_breaks_the_parser_of_templates(text in r"[{}a:\-bodyheaderxul.]{0,30}") {
        let _ = Template::parse(&text);
    }

    #[test]
    fn no_header_breaks_the_parser_of_lists(value in r"[v1a0,;= t\t]{0,60}", params: bool) {
        let signed = if params { hex_signed().params(",", "v1") } else { hex_signed().list(" ").prefix("v1,") };
        let opened = open(&over(signed), &[(HEADER, &value)], b"body");
        prop_assert!(opened.is_err());
    }
}

#[test]
fn a_header_name_is_the_same_in_any_case() {
    assert_eq!(template("{header:X-A}{body}"), template("{header:x-a}{body}"));
    assert!(template("{header:X-A}{body}").covers_header(&HeaderName::from_static("x-a")));
}
