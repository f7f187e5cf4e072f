//! Words for people: spans of time, shapes of values, and nothing that a terminal would act on.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;

use crate::plain;

/// The most of somebody else's text that is printed.
const MAX: usize = 256;

/// What a peer wrote, without orders to a terminal and not too much of it.
pub(super) fn tidy(text: &str) -> String {
    let kept: String = text.chars().take(MAX).collect();
    let mut tidy = plain::shown(&kept);
    if text.chars().nth(MAX).is_some() {
        tidy.push('…');
    }
    tidy
}

/// A span in its two largest units: `3 days 2 hours`.
pub(super) fn span(seconds: u64) -> String {
    let units = [(31_557_600, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let Some(largest) = units.iter().position(|(each, _)| seconds >= *each) else { return "0 seconds".to_owned() };
    let mut rest = seconds;
    let mut words = Vec::new();
    for (each, name) in units.iter().skip(largest).take(2) {
        let count = rest / each;
        rest %= each;
        match count {
            0 => {}
            1 => words.push(format!("1 {name}")),
            _ => words.push(format!("{count} {name}s")),
        }
    }
    words.join(" ")
}

/// `3 days ago` or `in 3 days`.
pub(super) fn from(now: Timestamp, time: Timestamp) -> String {
    let seconds = time.as_second().saturating_sub(now.as_second());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {}", span(seconds.unsigned_abs())),
        _ => format!("{} ago", span(seconds.unsigned_abs())),
    }
}

/// A header's value, split where its encoded bytes begin.
pub(super) fn split(value: &str) -> (&str, &str) {
    let end = value.trim_end_matches('=');
    let encoded = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '-' | '_');
    let start = end.rfind(|letter| !encoded(letter)).map_or(0, |at| at + end.get(at..).map_or(1, first_length));
    value.split_at_checked(start).unwrap_or(("", value))
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

/// What bytes a text may stand for, and in which encoding.
pub(super) fn decodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let hex =
        Encoding::Hex.decode(digits.as_bytes()).ok().filter(|_| !text.is_empty()).map(|bytes| ("hexadecimal", bytes));
    let standard = STANDARD.decode(text).ok().filter(|_| !text.is_empty()).map(|bytes| ("Base64", bytes));
    let safe = || {
        let text: String = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
        URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty()).map(|bytes| ("URL-safe Base64", bytes))
    };
    let base64 = standard.or_else(safe);
    hex.into_iter().chain(base64).collect()
}

/// What so many bytes look like in this encoding.
pub(super) fn encoded(encoding: Encoding, bytes: usize) -> String {
    let letters = encoding.encode(&vec![0; bytes]).len();
    letters_of(encoding.name(), letters, bytes)
}

fn letters_of(encoding: &str, letters: usize, bytes: usize) -> String {
    match encoding {
        "hexadecimal" => format!("{letters} hexadecimal digits ({bytes} bytes)"),
        _ => format!("{letters} characters of {encoding} ({bytes} bytes)"),
    }
}

/// What a value looks like, without a letter of it.
pub(super) fn shape(text: &str) -> String {
    let letters = text.chars().count();
    if letters == 0 {
        return "nothing".to_owned();
    }
    if letters < 16 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{letters} digits");
    }
    match decodings(text).first() {
        Some((name, bytes)) => letters_of(name, letters, bytes.len()),
        None if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{letters} hexadecimal digits, an odd number")
        }
        None => format!("{letters} characters of no known encoding"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_two_largest_units() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (600, "10 minutes"),
            (3661, "1 hour 1 minute"),
            (3 * 86_400 + 61, "3 days"),
            (31_557_600 * 56, "56 years"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn a_value_is_split_where_its_bytes_begin() {
        for (value, parts) in [
            ("sha256=00ff", ("sha256=", "00ff")),
            ("v1,AAAA+/A=", ("v1,", "AAAA+/A=")),
            ("t=17,v1=00", ("t=17,v1=", "00")),
            ("00ff", ("", "00ff")),
            ("", ("", "")),
            ("é=", ("é", "=")),
            ("=", ("", "=")),
        ] {
            assert_eq!(split(value), parts, "{value}");
        }
    }

    #[test]
    fn a_shape_tells_no_letter_and_a_long_text_is_cut() {
        for (text, told) in [
            ("00ff", "4 hexadecimal digits (2 bytes)"),
            ("00fff", "5 hexadecimal digits, an odd number"),
            ("/+8=", "4 characters of Base64 (2 bytes)"),
            ("_-8", "3 characters of URL-safe Base64 (2 bytes)"),
            ("1795262400", "10 digits"),
            ("a b", "3 characters of no known encoding"),
            ("", "nothing"),
        ] {
            assert_eq!(shape(text), told, "{text}");
        }
        assert_eq!(tidy("a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(tidy(&"x".repeat(300)).chars().count(), 257);
    }
}
