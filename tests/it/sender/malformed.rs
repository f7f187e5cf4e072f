//! What is sealed as it should be, and is no event: refused for good, handled by nobody, and the next is taken.

use http::header::CONTENT_ENCODING;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::scheme::{SealError, Sealing};
use tower_webhook::sender::{InProcess, Malformed};
use tower_webhook::{MemoryStore, Received, Receiver};

use super::*;

fn secret() -> Secret {
    Secret::hex(KEY).unwrap()
}

/// The status of each that can be sealed; `None` for the others.
async fn answers<P: Provider>(provider: fn() -> P, text: &'static str) -> Vec<(Malformed, Option<u16>)> {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let service = InProcess::new(Receiver::new("malformed", provider()).dedupe(MemoryStore::new(100)).handle(
        move |_: Received<P::Event>| {
            count.fetch_add(1, Ordering::Relaxed);
            async {}
        },
    ));
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
    let mut answers = Vec::new();
    for how in Malformed::ALL {
        let message = how.of(&Message::new(text)).unwrap();
        answers.push((
            *how,
            match provider().seal(message, &sealing) {
                Ok(request) => Some(service.exchange(request).await.unwrap().status.as_u16()),
                Err(error) => {
                    assert_eq!(error, SealError::Unencodable, "{how:?}");
                    None
                }
            },
        ));
    }
    assert_eq!(handled.load(Ordering::Relaxed), 0);
    let sound = provider().seal(Message::new(text), &sealing).unwrap();
    assert_eq!(service.exchange(sound).await.unwrap().status, StatusCode::OK);
    assert_eq!(handled.load(Ordering::Relaxed), 1);
    answers
}

fn expected(no_utf8: Option<u16>) -> Vec<(Malformed, Option<u16>)> {
    let of = |how: &Malformed| match how {
        Malformed::NoUtf8 => (*how, no_utf8),
        Malformed::Gzip | Malformed::GzipOnlySaid | Malformed::GzipBomb => (*how, Some(415)),
        // A compressed text is no UTF-8 either.
        Malformed::GzipUnsaid => (*how, no_utf8),
        _ => (*how, Some(400)),
    };
    Malformed::ALL.iter().map(of).collect()
}

#[tokio::test]
async fn what_is_proved_and_no_event_is_refused_for_good() {
    assert_eq!(answers(|| Aella::new(secret()).unwrap(), TRANSFER).await, expected(Some(400)));
    assert_eq!(answers(opp_provider, PAYMENT).await, expected(Some(400)));
    const SIBS: &str = include_str!("../../fixtures/sibs/payment.json");
    assert_eq!(answers(|| Sibs::new(secret()).unwrap(), SIBS).await, expected(Some(400)));
}

/// What says that it is compressed is not looked at by any scheme, and so must be by the receiver.
#[test]
fn a_coding_is_said_beside_the_proof() {
    let opp = opp_provider();
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
    let request = opp.seal(Malformed::Gzip.of(&Message::new(PAYMENT)).unwrap(), &sealing).unwrap();
    assert_eq!(request.headers()[CONTENT_ENCODING], "gzip");
    assert!(opp.scheme().open(request.headers(), request.body().clone(), Timestamp::UNIX_EPOCH).is_ok());
}
