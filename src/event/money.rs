//! Amounts that are exact: read from the text of the JSON, number or string.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::Text;
use crate::json::Scalar;

/// An amount in the provider's own unit, exact to the digit and with its scale.
///
/// Read from a JSON number or string of the form `-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,10})?`; anything else is refused:
/// exponents, plus signs, grouping, leading zeros. Written as a string.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Amount(Decimal);

impl Amount {
    /// An amount from its text.
    ///
    /// # Errors
    ///
    /// [`NotAnAmount`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        exact(text.as_bytes()).map(Self).ok_or(NotAnAmount)
    }

    /// The decimal number.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// This amount of a currency.
    #[must_use]
    pub fn of(self, currency: Option<impl Into<Text>>) -> Money {
        Money { amount: self, currency: currency.map(Into::into) }
    }
}

/// At most 28 digits, which an `i128` and a `Decimal` have room for.
fn exact(text: &[u8]) -> Option<Decimal> {
    let unsigned = text.strip_prefix(b"-");
    let mut parts = unsigned.unwrap_or(text).splitn(2, |byte| *byte == b'.');
    let whole = parts.next().filter(|whole| whole.len() == 1 || !whole.starts_with(b"0"))?;
    let (fraction, scale) = match parts.next() {
        Some(fraction) => (digits(fraction, 10)?, u32::try_from(fraction.len()).ok()?),
        None => (0, 0),
    };
    let number = i128::from(digits(whole, 18)?) * i128::from(10_i64.pow(scale)) + i128::from(fraction);
    Decimal::try_from_i128_with_scale(if unsigned.is_some() { -number } else { number }, scale).ok()
}

fn digits(part: &[u8], most: usize) -> Option<i64> {
    if part.is_empty() || part.len() > most {
        return None;
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    part.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

/// Text that is not an amount.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NotAnAmount;

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a plain decimal amount")
    }
}

impl std::error::Error for NotAnAmount {}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scalar(text) = Scalar::deserialize(deserializer)?;
        text.ok_or(NotAnAmount).and_then(|text| Self::parse(&text)).map_err(D::Error::custom)
    }
}

/// An amount and its currency, where the provider says one. No unit is converted.
///
/// Inside an [`Event`](super::Event) it is written as two members, `amount` and `currency`.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Money {
    /// The amount, in the unit the provider uses.
    pub amount: Amount,
    /// The currency as the provider writes it, mostly three letters of ISO 4217.
    pub currency: Option<Text>,
}

/// Writes the amount of money whose currency stands beside it already.
pub(super) fn amount_alone<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    money.as_ref().map(|money| money.amount).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_text_is_the_number_that_it_is_exactly(text in "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,10})?") {
            let amount = Amount::parse(&text).unwrap().decimal();
            let exact = Decimal::from_str_exact(&text).unwrap();
            prop_assert_eq!((amount, amount.serialize()), (exact, exact.serialize()));
        }

        #[test]
        fn any_other_text_is_no_amount(text in "[-+.,0-9eE_ ]{0,8}|-?[0-9]{0,30}[.]?[0-9]{0,14}|.*") {
            prop_assert_eq!(Amount::parse(&text).is_ok(), is_plain(&text), "{}", text);
        }
    }

    /// The form in other words.
    fn is_plain(text: &str) -> bool {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits =
            |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole, 18) && (whole == "0" || !whole.starts_with('0')) && digits(fraction, 10)
    }

    #[test]
    fn amounts_keep_every_digit_as_number_and_as_text() {
        for (json, text) in [
            ("92.00", "92.00"),
            ("\"92.00\"", "92.00"),
            ("\"9\\u0032\\u002e00\"", "92.00"),
            ("0", "0"),
            ("-1250.35", "-1250.35"),
            ("0.1000000000", "0.1000000000"),
            ("999999999999999999.9999999999", "999999999999999999.9999999999"),
        ] {
            let amount: Amount = serde_json::from_str(json).unwrap();
            assert_eq!(amount.to_string(), text, "{json}");
            assert_eq!(serde_json::to_string(&amount).unwrap(), format!("\"{text}\""), "{json}");
        }
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for json in [
            "1e3",
            "\"1e3\"",
            "\"+1\"",
            "\"1_000\"",
            "\"1,000.00\"",
            "\"01\"",
            "\"-\"",
            "\"-01\"",
            "\"00\"",
            "\"-.5\"",
            "\"1.2.3\"",
            "\"\"",
            "\".5\"",
            "\"5.\"",
            "\" 1\"",
            "\"١\"",
            "1000000000000000000",
            "0.12345678901",
            "null",
            "true",
            "[]",
            "{}",
            "\"1\\u002c0\"",
            "\"1\\n\"",
            "\"\\ud800\"",
            "\"NaN\"",
            "\"--1\"",
        ] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }
}
