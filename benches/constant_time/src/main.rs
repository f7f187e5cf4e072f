//! Two classes of guesses: wrong from the first byte on, and wrong in the last byte alone. Whoever stops at the first
//! difference takes longer for the second. `max t` is Welch's: above 5 is suspicious, and the control must be far above it.
//!
//! ```text
//! cargo run --release --manifest-path benches/constant_time/Cargo.toml
//! ```

use std::cell::RefCell;
use std::hint::black_box;

use bytes::Bytes;
use dudect_bencher::rand::RngExt as _;
use dudect_bencher::{BenchRng, Class, CtRunner, ctbench_main};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::HeadCheck as _;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::scheme::{
    AesGcm, BodyForm, CipherHeaders, Hmac, MacAlgorithm, Scheme, Sealing, Signed, StaticToken,
};
use tower_webhook::secret::Secret;

/// Of each bench; by hand `SAMPLES` says another number.
const SAMPLES: usize = 300_000;
const BODY: Bytes = Bytes::from_static(b"{\"id\":7}");
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const IV: HeaderName = HeaderName::from_static("x-iv");
const TAG: HeaderName = HeaderName::from_static("x-tag");
const TOKEN: &str = "a token of sixty-four letters, all of which have to be guessed..";

fn samples() -> usize {
    std::env::var("SAMPLES").ok().and_then(|number| number.parse().ok()).unwrap_or(SAMPLES)
}

/// Guesses at this text: `Left` differs at its first byte, `Right` at its last, both by one bit that keeps hexadecimal so.
fn guesses<T>(rng: &mut BenchRng, good: &[u8], make: impl Fn(&[u8]) -> T) -> Vec<(Class, T)> {
    let flipped = |at: usize| {
        let mut text = good.to_vec();
        text[at] = if text[at] == b'1' { b'2' } else { b'1' };
        text
    };
    let (first, last) = (flipped(0), flipped(good.len() - 1));
    let guess = |is_left| if is_left { (Class::Left, make(&first)) } else { (Class::Right, make(&last)) };
    (0..samples()).map(|_| guess(rng.random::<bool>())).collect()
}

fn value(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).expect("it is text")
}

fn sealed(scheme: &dyn Scheme) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
    let body = scheme.seal(BODY, &mut headers, &sealing).expect("it can be sealed");
    assert!(scheme.open(&headers, body.clone(), Timestamp::UNIX_EPOCH).is_ok());
    (headers, body)
}

/// One header of a sealed delivery is guessed at.
fn scheme(runner: &mut CtRunner, rng: &mut BenchRng, scheme: &dyn Scheme, header: &HeaderName) {
    let (headers, body) = sealed(scheme);
    let guesses = guesses(rng, headers[header].as_bytes(), |text| {
        let mut headers = headers.clone();
        headers.insert(header, value(text));
        headers
    });
    for (class, headers) in guesses {
        runner.run_one(class, || scheme.open(black_box(&headers), body.clone(), Timestamp::UNIX_EPOCH).is_ok());
    }
}

fn secret() -> Secret {
    Secret::utf8("thirty-two bytes of a secret key").expect("it is long enough")
}

fn mac(runner: &mut CtRunner, rng: &mut BenchRng) {
    let signed = Signed::new(SIGNATURE, Encoding::Hex);
    let hmac = Hmac::new(MacAlgorithm::HmacSha256, signed, secret()).expect("its parts go together");
    scheme(runner, rng, &hmac, &SIGNATURE);
}

fn tag(runner: &mut CtRunner, rng: &mut BenchRng) {
    let names = CipherHeaders { iv: IV, tag: TAG };
    let cipher = AesGcm::in_headers(secret(), names, Encoding::Hex, BodyForm::Raw).expect("its key is long enough");
    scheme(runner, rng, &cipher, &TAG);
}

fn token(runner: &mut CtRunner, rng: &mut BenchRng) {
    let token = StaticToken::new(SIGNATURE, Secret::utf8(TOKEN).expect("it is one")).expect("it is long enough");
    scheme(runner, rng, &token, &SIGNATURE);
}

fn basic(runner: &mut CtRunner, rng: &mut BenchRng) {
    let credentials = Credentials::new("user", Secret::utf8(TOKEN).expect("it is one")).expect("they are some");
    let layer = BasicAuthLayer::new([credentials]).expect("they are few");
    let heads = guesses(rng, TOKEN.as_bytes(), |password| {
        let pair = Encoding::Base64.encode(&[b"user:", password].concat());
        let mut head = Request::new(()).into_parts().0;
        head.headers.insert(AUTHORIZATION, value(format!("Basic {pair}").as_bytes()));
        head
    });
    for (class, head) in heads {
        let head = RefCell::new(head);
        runner.run_one(class, || layer.check(black_box(&mut head.borrow_mut())).is_ok());
    }
}

/// What must be found out: bytes beside bytes, until two differ.
fn control(runner: &mut CtRunner, rng: &mut BenchRng) {
    let known = [TOKEN; 4].concat().into_bytes();
    for (class, guess) in guesses(rng, &known, <[u8]>::to_vec) {
        runner.run_one(class, || black_box(&known[..]) == black_box(&guess[..]));
    }
}

ctbench_main!(basic, mac, token, tag, control);
