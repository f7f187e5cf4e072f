//! Amounts: plain decimals, and nothing that some parser reads as another number.

use tower_webhook::event::Amount;

/// Taken where it is plain, and then it is written as it came.
pub fn amount(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let read = Amount::parse(text);
    assert_eq!(read.is_ok(), is_plain(text), "{text:?}");
    let bare = tower_webhook::json::parse::<Amount>(input);
    let theirs = serde_json::from_slice::<serde_json::Value>(input);
    if let Ok(bare) = bare {
        let inside = theirs.as_ref().expect("what the strict reader takes is JSON");
        let digits = inside.as_str().unwrap_or_else(|| text.trim_ascii());
        assert_eq!(Amount::parse(digits), Ok(bare), "{text:?}");
    }
    let Ok(amount) = read else { return };
    assert_eq!(tower_webhook::json::parse::<Amount>(input).ok(), Some(amount), "{text:?}");
    let quoted = serde_json::to_string(text).expect("a text");
    assert_eq!(tower_webhook::json::parse::<Amount>(quoted.as_bytes()).ok(), Some(amount), "{text:?}");
    let written = amount.to_string();
    let unsigned = text.trim_start_matches('-');
    let is_nothing = unsigned.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    assert!(written == text || is_nothing && written == unsigned, "{text:?} {written:?}");
}

fn is_plain(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole, 18) && (whole == "0" || !whole.starts_with('0')) && digits(fraction, 10)
}
