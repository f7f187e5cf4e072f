//! Keys that are replaced at run time: at once, everywhere, all or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::{
    AesGcm, BodyForm, CipherHeaders, Hmac, MacAlgorithm, Scheme, Sealing, Signed, StaticToken,
};
use tower_webhook::secret::{Key, KeyRing, KeySwap, Secret};
use tower_webhook::{ConfigErrorKind, MemoryStore, Received, Receiver, RejectionKind};

use crate::deliveries::{TRANSFER, now};

const BODY: Bytes = Bytes::from_static(b"{\"amount\":\"1.00\"}");

fn key(id: &'static str, letter: char) -> Key {
    Key::new(id, Secret::utf8(letter.to_string().repeat(32)).unwrap())
}

fn ring<const N: usize>(keys: [Key; N]) -> KeyRing {
    KeyRing::new(keys).unwrap()
}

fn name(text: &'static str) -> HeaderName {
    HeaderName::from_static(text)
}

fn mac(keys: KeyRing) -> Hmac {
    Hmac::new(MacAlgorithm::HmacSha256, Signed::new(name("x-signature"), Encoding::Hex), keys).unwrap()
}

fn cipher(keys: KeyRing) -> AesGcm {
    let names = CipherHeaders { iv: name("x-iv"), tag: name("x-tag") };
    AesGcm::in_headers(keys, names, Encoding::Hex, BodyForm::Raw).unwrap()
}

fn sealed(scheme: &dyn Scheme) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    let body = scheme.seal(BODY, &mut headers, &Sealing::new(now(), &OsEntropy)).unwrap();
    (headers, body)
}

/// The key that fits.
fn opened(scheme: &dyn Scheme, (headers, body): &(HeaderMap, Bytes)) -> Result<String, RejectionKind> {
    let opened = scheme.open(headers, body.clone(), now()).map_err(|rejection| rejection.kind())?;
    assert_eq!(opened.plaintext, BODY);
    Ok(opened.key_id.unwrap().to_string())
}

#[test]
fn a_replacement_counts_at_once_for_every_scheme_of_its_handle_both_ways() {
    let keys = KeySwap::new(ring([key("old", 'a')]));
    let token = StaticToken::new(name("x-token"), keys.ring()).unwrap();
    let schemes: [&dyn Scheme; 4] = [&mac(keys.ring()), &cipher(keys.ring()), &token, &mac(keys.clone().ring())];
    for scheme in schemes {
        let old = sealed(scheme);
        assert_eq!(opened(scheme, &old), Ok("old".into()), "{}", scheme.name());

        keys.replace(ring([key("new", 'b'), key("old", 'a')])).unwrap();
        let new = sealed(scheme);
        assert_eq!((opened(scheme, &new), opened(scheme, &old)), (Ok("new".into()), Ok("old".into())));

        keys.replace(ring([key("new", 'b')])).unwrap();
        let refused = Err(RejectionKind::SignatureMismatch);
        assert_eq!((opened(scheme, &new), opened(scheme, &old)), (Ok("new".into()), refused.clone()));

        keys.replace(ring([key("old", 'a')])).unwrap();
        assert_eq!((opened(scheme, &new), opened(scheme, &old)), (refused, Ok("old".into())));
    }
}

#[test]
fn what_one_scheme_cannot_take_replaces_nothing_in_any() {
    let keys = KeySwap::new(ring([key("old", 'a')]));
    let (first, second, last) = (mac(keys.ring()), cipher(keys.ring()), mac(keys.ring()));
    let schemes: [&dyn Scheme; 3] = [&first, &second, &last];
    let before: Vec<_> = schemes.iter().map(|scheme| (sealed(*scheme), scheme.key_checks())).collect();

    // Long enough for a MAC, and no key of the cipher.
    let refused = keys.replace(Secret::utf8("b".repeat(31)).unwrap()).unwrap_err();
    assert_eq!(*refused.kind(), ConfigErrorKind::KeyLength { needed: 32, given: 31 });
    for (scheme, (delivery, checks)) in schemes.iter().zip(&before) {
        assert_eq!(opened(*scheme, delivery), Ok("old".into()), "{}", scheme.name());
        assert_eq!(scheme.key_checks(), *checks, "{}", scheme.name());
    }
    // A scheme that is made now begins with the old keys too.
    assert_eq!(opened(&mac(keys.ring()), &before[0].0), Ok("old".into()));

    keys.replace(Secret::utf8("b".repeat(32)).unwrap()).unwrap();
    for (scheme, (delivery, checks)) in schemes.iter().zip(&before) {
        assert_eq!(opened(*scheme, delivery), Err(RejectionKind::SignatureMismatch), "control: {}", scheme.name());
        assert_ne!(scheme.key_checks(), *checks, "{}", scheme.name());
    }
    // And a scheme that is gone has no say.
    drop(second);
    keys.replace(Secret::utf8("b".repeat(31)).unwrap()).unwrap();
}

/// Ends the threads also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn under_traffic_nothing_is_refused_while_both_keys_hold_and_nothing_taken_after_the_old_one_went() {
    let keys = KeySwap::new(ring([key("0", 'a')]));
    let (mac, cipher) = (mac(keys.ring()), cipher(keys.ring()));
    let schemes: [&(dyn Scheme + Sync); 2] = [&mac, &cipher];
    let (done, tried) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; 2]);
    let letters: Vec<char> = ('a'..='z').collect();
    thread::scope(|scope| {
        let threads: Vec<_> = schemes
            .into_iter()
            .zip(&tried)
            .map(|(scheme, tried)| {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        // Sealed by whatever is newest, and opened after at most one more replacement.
                        let delivery = sealed(scheme);
                        assert!(opened(scheme, &delivery).is_ok(), "{}", scheme.name());
                        tried.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let _end = End(&done);
        for pair in letters.windows(2) {
            let before = schemes.map(|scheme| sealed(scheme));
            keys.replace(ring([key("new", pair[1]), key("old", pair[0])])).unwrap();
            // Until what was in flight on either side has been opened.
            for (thread, tried) in threads.iter().zip(&tried) {
                let seen = tried.load(Ordering::Relaxed);
                while tried.load(Ordering::Relaxed) < seen + 10 {
                    assert!(!thread.is_finished(), "a delivery was refused");
                    thread::yield_now();
                }
            }
            for (scheme, delivery) in schemes.iter().zip(&before) {
                assert_eq!(opened(*scheme, delivery), Ok("old".into()));
            }
            if pair[1] == 'z' {
                done.store(true, Ordering::Relaxed);
                keys.replace(ring([key("new", pair[1])])).unwrap();
                for (scheme, delivery) in schemes.iter().zip(&before) {
                    assert_eq!(opened(*scheme, delivery), Err(RejectionKind::SignatureMismatch));
                }
            }
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_runs_takes_the_new_key_without_a_restart() {
    let keys = KeySwap::new(ring([key("old", 'a')]));
    let (seen, handled) = (Arc::new(AtomicUsize::new(0)), Aella::new(keys.ring()).unwrap());
    let count = seen.clone();
    let receiver = Receiver::new("aella", handled).dedupe(MemoryStore::new(100)).handle(
        move |_: Received<tower_webhook::provider::aella::Event>| {
            count.fetch_add(1, Ordering::Relaxed);
            async {}
        },
    );
    let request = |letter, id: &str| -> Request<Full<Bytes>> {
        let sender = Aella::new(ring([key("k", letter)])).unwrap();
        let body = TRANSFER.replace("7b12", id);
        sender.seal(Message::new(body), &Sealing::new(now(), &OsEntropy)).unwrap().map(Full::new)
    };
    let status = async |request| receiver.clone().oneshot(request).await.unwrap().status().as_u16();
    assert_eq!((status(request('a', "1")).await, status(request('b', "1")).await), (200, 401));
    keys.replace(ring([key("new", 'b')])).unwrap();
    assert_eq!((status(request('a', "2")).await, status(request('b', "2")).await), (401, 200));
}

#[test]
fn nothing_prints_a_key_and_both_print_its_name() {
    let keys = KeySwap::new(ring([Key::new("name-of-it", Secret::utf8("canary-canary-canary").unwrap())]));
    let printed = format!("{keys:?} {:?} {:?}", keys.ring(), mac(keys.ring()));
    assert!(!printed.contains("canary"), "{printed}");
    assert_eq!(printed.matches("name-of-it").count(), 3, "{printed}");
}
