//! Numbers with their units: `10s`, `64KiB`.

use std::time::Duration;

/// `10s` and the like.
pub(in crate::config) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => None,
    }
}

/// `64KiB` and the like.
pub(super) fn size(text: &str) -> Option<usize> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: usize = number.parse().ok()?;
    let each: usize = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1000,
        "KiB" => 1024,
        "MB" => 1_000_000,
        "MiB" => 1024 * 1024,
        "GB" => 1_000_000_000,
        "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    number.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units_and_no_others() {
        for (text, read) in [
            ("1MiB", Some(1_048_576)),
            ("64KiB", Some(65_536)),
            ("7", Some(7)),
            ("1 MB", Some(1_000_000)),
            ("3GiB", Some(3_221_225_472)),
        ] {
            assert_eq!(size(text), read, "{text}");
        }
        for text in ["", "MiB", "-1", "1TiB", "99999999999999999999", "18446744073709551615MiB"] {
            assert_eq!(size(text), None, "{text}");
        }
        for (text, read) in [("10s", 10_000), ("500ms", 500), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(read)), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1w", "1.5s", "18446744073709551615d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
