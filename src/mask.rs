//! Account and card numbers in words that others wrote: an error of a ledger may quote what it was asked to book.
//!
//! What a handler gives as the reason of a failure goes through [`mask`] before it is logged, stored or printed:
//! of an IBAN stay the country and the last four characters, of a card number the first six and the last four digits.
//!
//! ```
//! use tower_webhook::mask::mask;
//!
//! let said = "no account DE89 3704 0044 0532 0130 00, card 4111-1111-1111-1111, order 4111111111111112";
//! assert_eq!(mask(said), "no account DE****************3000, card 411111******1111, order 4111111111111112");
//! ```
//!
//! # Security
//!
//! It is a net below, and no leave to log what events say: names and free text are not recognised, nor is a number that is
//! cut in pieces or encoded.

use std::borrow::Cow;
use std::fmt;

/// An IBAN has 15 to 34 characters (ISO 13616).
const IBAN: (usize, usize) = (15, 34);
/// A card number has 13 to 19 digits (ISO/IEC 7812, as it is used).
const CARD: (usize, usize) = (13, 19);

/// The text with every IBAN and card number masked. It takes time in proportion to the text, whatever that is.
///
/// An IBAN has its check digits right (mod 97), in groups of four or in one piece; a card number has its own right (Luhn), in
/// groups of four to six with spaces or hyphens, or in one piece, and begins with 2 to 6. A number within a word or behind a
/// point is neither.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let (mut masked, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = word(rest);
        let is_fraction = text.get(..at).is_some_and(|before| before.ends_with('.'));
        let found = (word > 0).then(|| iban(rest).or_else(|| card(rest).filter(|_| !is_fraction))).flatten();
        let Some(found) = found else {
            at += if word > 0 { word } else { rest.chars().next().map_or(1, char::len_utf8) };
            continue;
        };
        masked.push_str(text.get(kept..at).unwrap_or_default());
        masked.push_str(&found.text);
        at += found.length;
        kept = at;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

/// A value that is printed with every IBAN and card number masked.
#[derive(Clone, Copy)]
pub struct Masked<T>(pub T);

impl<T: fmt::Display> fmt::Display for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0.to_string()))
    }
}

impl<T: fmt::Debug> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&format!("{:?}", self.0)))
    }
}

/// How long the word is that begins here.
fn word(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphanumeric).count()
}

/// What stands for a number, and how long that was.
struct Found {
    text: String,
    length: usize,
}

fn iban(text: &str) -> Option<Found> {
    let is_code = |at: usize, kind: fn(&u8) -> bool| text.as_bytes().get(at).is_some_and(kind);
    let begins = [0, 1].iter().all(|at| is_code(*at, u8::is_ascii_alphabetic))
        && [2, 3].iter().all(|at| is_code(*at, u8::is_ascii_digit));
    if !begins {
        return None;
    }
    let groups = Groups::read(text, IBAN.1, |separator, length| separator == b' ' && length == 4);
    groups.longest(IBAN, 2, |number| remainder(number) == Some(1))
}

fn card(text: &str) -> Option<Found> {
    if !matches!(text.as_bytes().first(), Some(b'2'..=b'6')) {
        return None;
    }
    let is_between = |separator, length| matches!(separator, b' ' | b'-') && (4..=6).contains(&length);
    Groups::read(text, CARD.1, is_between).longest(CARD, 6, is_luhn)
}

/// Letters and digits without what stands between them, and where a number may end: after how many, and where in the text.
struct Groups {
    all: String,
    ends: Vec<(usize, usize)>,
}

impl Groups {
    /// Reads so many letters at most. A group may be followed by another where the separator goes with its length.
    fn read(text: &str, most: usize, goes_on: impl Fn(u8, usize) -> bool) -> Self {
        let (mut groups, mut length) = (Self { all: String::new(), ends: Vec::new() }, 0);
        for (at, byte) in text.bytes().enumerate() {
            if byte.is_ascii_alphanumeric() {
                if groups.all.len() == most {
                    return groups;
                }
                groups.all.push(char::from(byte));
                length += 1;
                continue;
            }
            if length > 0 {
                groups.ends.push((groups.all.len(), at));
            }
            if !goes_on(byte, length) {
                return groups;
            }
            length = 0;
        }
        groups.ends.push((groups.all.len(), text.len()));
        groups
    }

    /// The longest number that has its check digits right, of which so many letters at the start and four at the end stay.
    fn longest(&self, (least, most): (usize, usize), start: usize, is_right: fn(&str) -> bool) -> Option<Found> {
        self.ends.iter().rev().find_map(|(length, end)| {
            let number = self.all.get(..*length).filter(|_| (least..=most).contains(length) && *length > start + 4)?;
            let (first, last) = (number.get(..start)?, number.get(length - 4..)?);
            let stars = "*".repeat(length - start - 4);
            is_right(number).then(|| Found { text: format!("{first}{stars}{last}"), length: *end })
        })
    }
}

/// ISO 7064: the first four letters behind the others, and letters as numbers from 10.
fn remainder(iban: &str) -> Option<u32> {
    let (first, others) = iban.split_at_checked(4)?;
    others.chars().chain(first.chars()).try_fold(0, |rest, letter| {
        let value = letter.to_digit(36)?;
        Some((rest * if value < 10 { 10 } else { 100 } + value) % 97)
    })
}

fn is_luhn(card: &str) -> bool {
    let doubled = |(at, digit): (usize, u32)| match (at % 2, digit * 2) {
        (0, _) => digit,
        (_, double) => double / 10 + double % 10,
    };
    let digits: Option<Vec<_>> = card.chars().rev().map(|digit| digit.to_digit(10)).collect();
    digits.is_some_and(|digits| digits.into_iter().enumerate().map(doubled).sum::<u32>() % 10 == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn account_numbers_keep_their_country_and_their_end() {
        for (text, expected) in [
            ("DE89370400440532013000", "DE****************3000"),
            ("DE89 3704 0044 0532 0130 00", "DE****************3000"),
            ("de89370400440532013000", "de****************3000"),
            ("NO9386011117947", "NO*********7947"),
            ("(GB82WEST12345698765432)", "(GB****************5432)"),
            ("MT84MALT011000012345MTLCAST001S", "MT*************************001S"),
            ("{\"iban\":\"FR1420041010050500013M02606\"}", "{\"iban\":\"FR*********************2606\"}"),
            ("from DE89 3704 0044 0532 0130 00 is closed", "from DE****************3000 is closed"),
            ("NO93 8601 1117 947 from", "NO*********7947 from"),
            ("é DE89370400440532013000é", "é DE****************3000é"),
            ("DE89370400440532013000,DE89370400440532013000", "DE****************3000,DE****************3000"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    #[test]
    fn card_numbers_keep_their_issuer_and_their_end() {
        for (text, expected) in [
            ("4111111111111111", "411111******1111"),
            ("4111 1111 1111 1111", "411111******1111"),
            ("5500-0000-0000-0004", "550000******0004"),
            ("3782 822463 10005", "378282*****0005"),
            ("4222222222222", "422222***2222"),
            ("6304000000000000000", "630400*********0000"),
            ("card=4111111111111111;", "card=411111******1111;"),
            ("amount 12 4111 1111 1111 1111 12.50", "amount 12 411111******1111 12.50"),
            ("4111111111111111.50", "411111******1111.50"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_stays_as_it_is_and_is_not_copied() {
        for text in [
            "",
            "the ledger is down",
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XDE89370400440532013000",
            "DE89370400440532013000X",
            "D189370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "DE89  3704 0044 0532 0130 00",
            "4111111111111112",
            "41111111111111111111",
            "411111111116",
            "a4111111111111111",
            "4111111111111111a",
            "0.4111111111111111",
            "4111 1111  1111 1111",
            "41 11 11 11 11 11 11 11",
            "1732709531000",
            "2024-12-06T14:00:00Z",
            "550e8400-e29b-41d4-a716-446655440000",
            "٤١١١١١١١١١١١١١١١",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(same) if same == text), "{text}: {}", mask(text));
        }
    }

    #[test]
    fn a_value_is_masked_however_it_is_printed() {
        let masked = Masked("4111111111111111");
        assert_eq!(
            (format!("{masked}"), format!("{masked:?}")),
            ("411111******1111".into(), "\"411111******1111\"".into())
        );
    }

    #[test]
    fn a_megabyte_of_beginnings_is_read_once() {
        for part in ["DE89 ", "4111 ", "4111-1111-1111-1111", "DE89", "4", "é", " "] {
            let text = part.repeat((1 << 20) / part.len());
            let _ = mask(&text);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_beside_a_number(before in "[a-z éß.,]{0,20}", after in "[,;:é][a-z é]{0,20}") {
            prop_assume!(!before.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '.'));
            let (text, masked) = (format!("{before}4111111111111111{after}"), format!("{before}411111******1111{after}"));
            prop_assert_eq!(mask(&text), masked);
        }

        #[test]
        fn no_text_is_too_much_for_it(text in ".{0,200}") {
            prop_assert!(mask(&text).len() <= text.len());
        }
    }
}
