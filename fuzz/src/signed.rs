//! Headers of signatures. A byte 1 in an input stands for the signature that fits, and a byte 2 for the time of sending, so
//! that an input can be accepted without knowing the key.

use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme as _, Sealing, Signed, Template, TimeUnit, Tolerance};
use tower_webhook::secret::Secret;

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const TIME: HeaderName = HeaderName::from_static("x-time");
const NOW: i64 = 1_700_000_000;
const BODY: &str = "{}";

fn hmac(signed: Signed) -> Hmac {
    let key = Secret::utf8("an example of a signing key").expect("it is long enough");
    Hmac::new(MacAlgorithm::HmacSha256, signed, key).expect("its parts go together")
}

fn template(text: &str) -> Template {
    Template::parse(text).expect("it is a template")
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("it is a time")
}

static LIST: LazyLock<Hmac> = LazyLock::new(|| hmac(Signed::new(SIGNATURE, Encoding::Base64).prefix("v1,").list(" ")));
static PARAMS: LazyLock<Hmac> = LazyLock::new(|| {
    let signed = Signed::new(SIGNATURE, Encoding::Base64).params(",", "v1").template(template("{param:t}.{body}"));
    hmac(signed.timestamp(Tolerance::param("t", TimeUnit::Seconds)))
});

/// The text of the signature alone.
fn good(scheme: &Hmac) -> String {
    let mut headers = HeaderMap::new();
    scheme.seal(BODY.into(), &mut headers, &Sealing::new(now(), &OsEntropy)).expect("it can be sealed");
    let value = headers[SIGNATURE].to_str().expect("it is text");
    value.rsplit([',']).next().expect("there is one").trim_start_matches("v1=").to_owned()
}

static GOOD: LazyLock<[String; 2]> = LazyLock::new(|| [good(&LIST), good(&PARAMS)]);

/// The first byte says which layout. A header is accepted exactly where a plain reading finds the signature.
pub fn signatures(input: &[u8]) {
    let Some((first, text)) = input.split_first() else { return };
    let is_list = first % 2 == 0;
    let good = &GOOD[usize::from(!is_list)];
    let Ok(text) = std::str::from_utf8(text) else { return };
    let text = text.replace('\u{1}', good).replace('\u{2}', &NOW.to_string());
    let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
    let headers = HeaderMap::from_iter([(SIGNATURE, value)]);
    let scheme = if is_list { &*LIST } else { &*PARAMS };
    let fits = if is_list { in_list(&text, good) } else { in_params(&text, good) };
    let opened = scheme.open(&headers, BODY.into(), now()).is_ok();
    assert_eq!(opened, fits, "{text:?}");
    assert!(!opened || scheme.check_head(&headers).is_ok(), "{text:?}");
    assert!(scheme.open(&headers, "{ }".into(), now()).is_err(), "another body: {text:?}");
}

fn in_list(text: &str, good: &str) -> bool {
    let items: Vec<&str> = text.trim_ascii().split(' ').collect();
    items.len() <= Signed::MAX_ITEMS
        && items.iter().any(|item| item.trim_matches([' ', '\t']).strip_prefix("v1,") == Some(good))
}

fn in_params(text: &str, good: &str) -> bool {
    let items: Vec<&str> = text.trim_ascii().split(',').collect();
    let pairs: Vec<_> = items.iter().filter_map(|item| item.trim_matches([' ', '\t']).split_once('=')).collect();
    let times: Vec<_> = pairs.iter().filter(|(name, _)| *name == "t").map(|(_, value)| *value).collect();
    items.len() <= Signed::MAX_ITEMS && times == [NOW.to_string()] && pairs.contains(&("v1", good))
}

static SIGNER: LazyLock<Hmac> = LazyLock::new(|| {
    let signed = Signed::new(SIGNATURE, Encoding::Hex).template(template("{header:x-time}.{body}"));
    hmac(signed.dangerous_without_tolerance())
});
static TIMED: LazyLock<[(Hmac, u32); 2]> = LazyLock::new(|| {
    let timed = |unit| {
        let signed = Signed::new(SIGNATURE, Encoding::Hex).template(template("{header:x-time}.{body}"));
        hmac(signed.timestamp(Tolerance::header(TIME, unit).future(Duration::from_secs(60))))
    };
    [(timed(TimeUnit::Seconds), 1_000), (timed(TimeUnit::Milliseconds), 1)]
});

/// Any text of a time, rightly signed. It is accepted where it is a plain number within the tolerance.
pub fn timestamp(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else { return };
    let mut headers = HeaderMap::from_iter([(TIME, value)]);
    if SIGNER.seal(BODY.into(), &mut headers, &Sealing::new(now(), &OsEntropy)).is_err() {
        assert!(input.trim_ascii().is_empty());
        return;
    }
    assert!(SIGNER.open(&headers, BODY.into(), now()).is_ok());
    for (scheme, milliseconds) in &*TIMED {
        let opened = scheme.open(&headers, BODY.into(), now()).is_ok();
        assert_eq!(opened, is_fresh(input, i128::from(*milliseconds)), "{input:?} in units of {milliseconds} ms");
    }
}

fn is_fresh(text: &[u8], milliseconds: i128) -> bool {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse::<u64>().ok());
    let age = number.map(|number| i128::from(NOW) * 1_000 - i128::from(number) * milliseconds);
    age.is_some_and(|age| (-60_000..=300_000).contains(&age))
}
