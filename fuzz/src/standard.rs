//! Standard Webhooks beside its reference library. A byte 1 in an input stands for the signature that the library makes of
//! this id, time and body, and a byte 2 for the time of now.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::standard_webhooks::{Spelling, StandardWebhooks, secret};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// So near to the end of the tolerance, two clocks may differ.
const NEAR: std::ops::RangeInclusive<u64> = 297..=303;

static OURS: LazyLock<StandardWebhooks> = LazyLock::new(|| {
    let key = secret(SECRET).expect("it is one");
    StandardWebhooks::new(key).and_then(|ours| ours.spelling(Spelling::Webhook)).expect("it can be built")
});
static THEIRS: LazyLock<Webhook> = LazyLock::new(|| Webhook::new(SECRET).expect("it is one"));

/// Three lines are id, time and signatures; the rest is the body. What is accepted here is accepted there, and what is
/// accepted there alone has one of the known reasons.
pub fn standard(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.splitn(4, '\n');
    let (Some(id), Some(time), Some(list), Some(body)) = (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let now = SystemClock.now().unwrap_or(Timestamp::UNIX_EPOCH);
    let time = time.replace('\u{2}', &now.as_second().to_string());
    let sent = time.parse::<i64>().ok();
    if sent.is_some_and(|sent| NEAR.contains(&now.as_second().abs_diff(sent))) {
        return;
    }
    let good = THEIRS.sign(id, sent.unwrap_or_default(), body.as_bytes()).unwrap_or_default();
    let list = list.replace('\u{1}', &good);
    let Some(headers) = headers([id, &time, &list]) else { return };
    let ours = OURS.scheme().open(&headers, body.to_owned().into(), now);
    // Their sum of an absurd time and the tolerance overflows.
    let is_absurd = sent.is_some_and(|sent| now.as_second().checked_sub(sent).is_none());
    if is_absurd {
        assert!(ours.is_err());
        return;
    }
    let theirs = THEIRS.verify(body.as_bytes(), &headers).is_ok();
    // A tab beside a signature is white space here, and part of it there.
    let is_looser = !list.is_ascii() || !id.is_ascii() || list.contains('\t');
    assert!(ours.is_err() || theirs || is_looser, "accepted here alone: {text:?}");
    let stricter = id.contains('.')
        || id.trim_ascii().is_empty()
        || !time.bytes().all(|byte| byte.is_ascii_digit())
        || time.starts_with('0')
        || list.split(' ').count() > 16;
    assert!(ours.is_ok() || !theirs || stricter, "accepted there alone: {text:?} {ours:?}");
}

fn headers([id, time, list]: [&str; 3]) -> Option<HeaderMap> {
    let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).ok();
    let mut headers = HeaderMap::new();
    headers.insert(HEADER_WEBHOOK_ID, value(id)?);
    headers.insert(HEADER_WEBHOOK_TIMESTAMP, value(time)?);
    headers.insert(HEADER_WEBHOOK_SIGNATURE, value(list)?);
    Some(headers)
}
