//! Amounts that are exact: read from the text of the JSON, number or string.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::text::Text;

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
        if !is_plain(text) {
            return Err(NotAnAmount);
        }
        Decimal::from_str_exact(text).map(Self).map_err(|_| NotAnAmount)
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

fn is_plain(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str, most: usize| {
        !part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole, 18) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(|part| digits(part, 10))
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
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text: Cow<'_, str> = match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) if text.contains('\\') => serde_json::from_str(raw).map_err(D::Error::custom)?,
            Some(text) => text.into(),
            None => raw.into(),
        };
        Self::parse(&text).map_err(D::Error::custom)
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
    use super::*;

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
