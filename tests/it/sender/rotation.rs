//! Standard Webhooks while keys are changed: a new time at each try, the same id, and the signatures of both keys.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tower_webhook::RejectionKind;
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::Message;
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::secret::Secret;
use tower_webhook::sender::{Answer, DeliveryProfile, Jitter};

use super::{Target, at};

const OLD: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const NEW: &str = "101112131415161718191a1b1c1d1e1f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "202122232425262728292a2b2c2d2e2f202122232425262728292a2b2c2d2e2f";

fn by(key: &str) -> StandardWebhooks {
    StandardWebhooks::new(Secret::hex(key).unwrap()).unwrap()
}

fn open(key: &str, request: &Request<Bytes>, at: i64) -> Result<(), RejectionKind> {
    let now = Timestamp::from_second(at).unwrap();
    let opened = by(key).scheme().open(request.headers(), request.body().clone(), now);
    opened.map(drop).map_err(|refused| refused.kind())
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers()[name].to_str().unwrap()
}

/// The tries of one message, of which two fail, 5 and 305 seconds after the first.
async fn tries(provider: StandardWebhooks, message: Message) -> Vec<Request<Bytes>> {
    let target = Target::new(|try_| Ok(Answer::of(if try_ < 3 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })));
    let mut profile = DeliveryProfile::standard_webhooks();
    profile.jitter = Jitter::None;
    let webhook = at(provider, profile, target.clone()).starting_at(Timestamp::from_second(1_800_000_000).unwrap());
    webhook.send(message).unwrap();
    webhook.settled().await;
    target.seen()
}

#[tokio::test(start_paused = true)]
async fn both_keys_open_what_is_signed_by_both_and_a_third_does_not() {
    let both = by(NEW).also_signed_by(by(OLD)).unwrap();
    let seen = tries(both, Message::new(r#"{"type":"a.b"}"#)).await;
    assert_eq!(seen.len(), 3);
    for (request, at) in seen.iter().zip([0, 5, 305]) {
        let now = 1_800_000_000 + at;
        assert_eq!(header(request, "webhook-timestamp"), now.to_string());
        assert_eq!(header(request, "webhook-signature").split(' ').count(), 2);
        assert_eq!((open(NEW, request, now), open(OLD, request, now)), (Ok(()), Ok(())));
        assert_eq!(open(OTHER, request, now), Err(RejectionKind::SignatureMismatch));
    }
    assert_ne!(header(&seen[0], "webhook-signature"), header(&seen[2], "webhook-signature"));
    assert_eq!(
        open(NEW, &seen[0], 1_800_000_000 + 305),
        Err(RejectionKind::TimestampOutside),
        "the first is stale by then"
    );
}

#[tokio::test(start_paused = true)]
async fn after_the_change_the_old_key_opens_nothing() {
    let seen = tries(by(NEW), Message::new(r#"{"type":"a.b"}"#)).await;
    assert_eq!(header(&seen[0], "webhook-signature").split(' ').count(), 1);
    assert_eq!(open(NEW, &seen[0], 1_800_000_000), Ok(()));
    assert_eq!(open(OLD, &seen[0], 1_800_000_000), Err(RejectionKind::SignatureMismatch));
}

#[tokio::test(start_paused = true)]
async fn a_message_without_an_id_gets_one_for_all_its_tries_and_another_message_another() {
    let (one, another) = (tries(by(NEW), Message::new("{}")).await, tries(by(NEW), Message::new("{}")).await);
    assert!(one.iter().all(|request| header(request, "webhook-id") == header(&one[0], "webhook-id")));
    assert_ne!(header(&one[0], "webhook-id"), header(&another[0], "webhook-id"));
}

#[tokio::test(start_paused = true)]
async fn both_signatures_stand_under_the_other_spelling_too() {
    use tower_webhook::provider::standard_webhooks::Spelling;
    let both = by(NEW).also_signed_by(by(OLD)).unwrap().spelling(Spelling::Svix).unwrap();
    let seen = tries(both, Message::new("{}")).await;
    assert_eq!(header(&seen[0], "svix-signature").split(' ').count(), 2);
    assert_eq!(open(OLD, &seen[0], 1_800_000_000), Ok(()));
    let late = 1_800_000_000 + i64::try_from(Duration::from_mins(6).as_secs()).unwrap();
    assert_eq!(open(OLD, &seen[0], late), Err(RejectionKind::TimestampOutside));
}
