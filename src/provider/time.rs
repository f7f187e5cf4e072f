//! Times as providers write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer};

use crate::event::from_text;

/// For a member that is a time, null or missing.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Option::<Time>::deserialize(deserializer).map(|time| time.map(|Time(time)| time))
}

struct Time(Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl TryFrom<&str> for Time {
    type Error = jiff::Error;

    fn try_from(text: &str) -> Result<Self, jiff::Error> {
        read(text).map(Self)
    }
}

/// The time that a text says. The form that nearly all have is read here, at half the price, and every other by jiff.
pub(crate) fn read(text: &str) -> Result<Timestamp, jiff::Error> {
    usual(text.as_bytes()).map_or_else(|| text.parse(), Ok)
}

/// `2026-11-24T18:27:00.123Z`, with a fraction of any length to nine digits or none, and whatever else says UTC.
fn usual(text: &[u8]) -> Option<Timestamp> {
    let ([head @ .., s1, s2], rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', m1, m2, b':'] = head else {
        return None;
    };
    let fraction = [&b"Z"[..], b"+0000", b"+00:00"].iter().find_map(|utc| rest.strip_suffix(*utc))?;
    let nanosecond = match fraction {
        [] => 0,
        [b'.', digits @ ..] => number(digits)? * 10_i32.pow(9_u32.checked_sub(u32::try_from(digits.len()).ok()?)?),
        _ => return None,
    };
    let two = |one: &u8, other: &u8| i8::try_from(number(&[*one, *other])?).ok();
    let year = i16::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let (month, day, hour) = (two(o1, o2)?, two(d1, d2)?, two(h1, h2)?);
    let time = DateTime::new(year, month, day, hour, two(m1, m2)?, two(s1, s2)?, nanosecond).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Of nine digits at most.
fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether it is read here, after it has been seen to be what jiff makes of it.
    fn is_usual(text: &str) -> bool {
        let (usual, jiffs) = (usual(text.as_bytes()), text.parse::<Timestamp>());
        assert!(usual.is_none() || usual == jiffs.as_ref().ok().copied(), "{text}: {usual:?}, {jiffs:?}");
        assert_eq!(read(text).ok(), jiffs.ok(), "{text}");
        usual.is_some()
    }

    #[test]
    fn the_usual_forms_are_read_here() {
        for text in [
            "2026-11-24T18:27:00Z",
            "2026-11-24T18:27:00.1Z",
            "2024-07-26T14:53:52.8581798Z",
            "2026-11-24T18:27:00.123456789+00:00",
            "2015-12-07 16:46:07+0000",
            "1969-12-31T23:59:59.999999999Z",
            "0000-01-01T00:00:00Z",
            "9999-12-30T22:00:00Z",
            "2024-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z",
        ] {
            assert!(is_usual(text), "{text}");
        }
    }

    #[test]
    fn every_other_is_left_to_jiff() {
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T18:27:00",
            "2026-11-24T18:27Z",
            "2026-11-24T18:27:60Z",
            "2026-12-31T23:59:60Z",
            "2026-11-24T18:60:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T18:27:00.Z",
            "2026-11-24T18:27:00,123Z",
            "2026-11-24T18:27:00.1234567890Z",
            "2026-11-24T18:27:00.-12Z",
            "2026-11-24T18:27:00-00:00",
            "2026-11-24T18:27:00+01:00",
            "2026-11-24T18:27:00-05:30",
            "2026-11-24T18:27:00z",
            "2026-11-24t18:27:00Z",
            "2026-11-24T18:27:00Z ",
            "2026-11-24T18:27:00[Europe/Berlin]Z",
            "+002026-11-24T18:27:00Z",
            "-2026-11-24T18:27:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "\u{662}026-11-24T18:27:00Z",
        ] {
            assert!(!is_usual(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_here_is_what_jiff_reads(
            text in "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+]00:?00)",
        ) {
            // Some days are none, and a day at either end of the calendar is none in UTC.
            prop_assert!(is_usual(&text) || text.parse::<Timestamp>().is_err());
        }

        #[test]
        fn what_is_nearly_so_is_what_jiff_makes_of_it(
            text in "-?[0-9]{4,5}-[0-9]{2}-?[0-9]{2}[Tt _][0-9]{2}:?[0-6][0-9]:[0-6][0-9][.,]?[0-9]{0,10}(Z|z|[+-][0-9]{2}:?[0-9]{2}|)",
        ) {
            is_usual(&text);
        }
    }

    #[test]
    fn null_is_no_time_and_neither_is_a_number() {
        let read = |json: &str| time(&mut serde_json::Deserializer::from_str(json)).ok();
        assert_eq!(read("null"), Some(None));
        assert_eq!(read("\"2026-11-24T18:27:00\\u005a\""), Some("2026-11-24T18:27:00Z".parse().ok()));
        for json in ["1", "true", "[]", "{}", "\"\"", "\"2026-11-24\"", "\"2026-11-24T18:27:00\""] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
