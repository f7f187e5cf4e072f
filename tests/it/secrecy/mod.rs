//! What must be nowhere but where it belongs: secrets, credentials, account and card numbers, names. Not in a log, not in
//! what observers hear, not in an answer, not in a reason that is stored, and not in what any type prints.

mod printed;
mod said;
mod sources;
#[cfg(feature = "sqlite")]
mod stored;

/// Of the sender, in the order of [`sealed_by_canary`]: a secret, a password, a name, an IBAN, a card, another token.
pub(crate) const CANARIES: [&str; 6] = [
    "canary-secret-canary-secret",
    "canary-password",
    "Canary Jane",
    "DE89370400440532013000",
    "4111111111111111",
    "canary-token",
];

/// What an error of a ledger may quote.
pub(crate) const QUOTE: &str =
    "no account DE89 3704 0044 0532 0130 00 (DE89370400440532013000), card 4111-1111-1111-1111 or 4111111111111111";

/// What of that stays.
pub(crate) const MASKED: &str =
    "no account DE****************3000 (DE****************3000), card 411111******1111 or 411111******1111";

/// Every canary that stands in a text, also in hexadecimal, in Base64, in pieces or as bytes in decimal.
pub(crate) fn leaks(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let also = ["63616e617279", "y2fuyxj5", "99, 97, 110", "de89 3704", "4111-1111", "canary"];
    let found = |canary: &&&str| text.contains(&canary.to_lowercase());
    CANARIES.iter().chain(&also).filter(found).copied().collect()
}

#[test]
fn the_look_for_leaks_finds_them() {
    assert_eq!(leaks("nothing"), Vec::<&str>::new());
    for canary in CANARIES {
        assert!(!leaks(&format!("a{canary}b")).is_empty(), "{canary}");
        assert!(!leaks(&canary.to_uppercase()).is_empty(), "{canary}");
    }
    for written in ["Y2FuYXJ5", "63616E617279", "[99, 97, 110, 97]", "DE89 3704 0044"] {
        assert!(!leaks(written).is_empty(), "{written}");
    }
    assert_eq!(leaks(MASKED), Vec::<&str>::new());
    assert_eq!(tower_webhook::mask::mask(QUOTE), MASKED);
}
