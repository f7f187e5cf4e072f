//! What stands in a notification. Every member is optional: a webhook whose "Fields" are `NON_CUSTOMER_DATA` leaves some
//! out, and a merchant's setup decides on others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::result::ResultCode;
use crate::event::words::words;
use crate::event::{Amount, Text};
use crate::json::Piece;
use crate::provider::shape::{object, text, text_if_any};
use crate::provider::time::time;

/// What is refused when it cannot be read: amounts, currencies, statuses, kinds of payment, and what keys are made of.
pub(super) const STRICT: &[&str] =
    &["amount", "code", "currency", "id", "ndc", "paymentType", "presentationAmount", "presentationCurrency", "result"];

words! {
    /// What happened to a registration or schedule.
    Action {
        /// It was made.
        Created "CREATED",
        /// It was changed.
        Updated "UPDATED",
        /// It was removed.
        Deleted "DELETED",
    }
}

/// A payload of the platform: the members that all of them have, and its own between them.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* pub $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        pub struct $name {
            /// The platform's id, the same in every notification about it.
            #[serde(deserialize_with = "text")]
            pub id: Option<Text>,
            $($(#[$attribute])* pub $member: $type,)*
            /// What became of it.
            #[serde(deserialize_with = "object")]
            pub result: Option<Outcome>,
            /// When it was processed.
            #[serde(deserialize_with = "time")]
            pub timestamp: Option<Timestamp>,
            /// The platform's id of the request.
            #[serde(deserialize_with = "text")]
            pub ndc: Option<Text>,
        }
    };
}

payload! {
    /// A payment, as the platform's API answers it.
    Payment {
        /// `PA` preauthorization, `DB` debit, `CP` capture, `RF` refund, `RV` reversal, `CB` chargeback, and others.
        pub payment_type: Option<Text>,
        /// Such as `VISA`.
        pub payment_brand: Option<Text>,
        /// Such as `CC`.
        pub payment_method: Option<Text>,
        /// The amount in major units.
        pub amount: Option<Amount>,
        /// The amount's currency, ISO 4217.
        pub currency: Option<Text>,
        /// The amount that the payer saw.
        pub presentation_amount: Option<Amount>,
        /// The currency that the payer saw.
        pub presentation_currency: Option<Text>,
        /// The text on the payer's statement.
        pub descriptor: Option<Text>,
        /// The merchant's own id, where the merchant gave one.
        #[serde(deserialize_with = "text")]
        pub merchant_transaction_id: Option<Text>,
        /// The payment that this one refers to, for captures, refunds and reversals.
        #[serde(deserialize_with = "text")]
        pub referenced_id: Option<Text>,
        /// The registration that was used or made.
        #[serde(deserialize_with = "text")]
        pub registration_id: Option<Text>,
        /// For whom it was made.
        #[serde(deserialize_with = "object")]
        pub authentication: Option<Authentication>,
        /// The card.
        #[serde(deserialize_with = "object")]
        pub card: Option<Card>,
        /// The merchant's own parameters that are text or number, by name.
        #[serde(deserialize_with = "parameters")]
        pub custom_parameters: BTreeMap<Text, Text>,
        /// The risk score.
        #[serde(deserialize_with = "object")]
        pub risk: Option<RiskScore>,
        /// The channel's name.
        pub channel_name: Option<Text>,
        /// Where it came from, such as `SYSTEM`.
        pub source: Option<Text>,
        /// The short id that people tell each other.
        #[serde(deserialize_with = "text")]
        pub short_id: Option<Text>,
    }
}

payload! {
    /// A stored means of payment.
    Registration {
        /// What happened to it. Stands beside the payload, not in it.
        #[serde(skip)]
        pub action: Option<Action>,
        /// Such as `VISA`.
        pub payment_brand: Option<Text>,
        /// Such as `CC`.
        pub payment_method: Option<Text>,
        /// For whom it was made.
        #[serde(deserialize_with = "object")]
        pub authentication: Option<Authentication>,
        /// The card.
        #[serde(deserialize_with = "object")]
        pub card: Option<Card>,
        /// The risk score.
        #[serde(deserialize_with = "object")]
        pub risk: Option<RiskScore>,
        /// The channel's name.
        pub channel_name: Option<Text>,
        /// The short id that people tell each other.
        #[serde(deserialize_with = "text")]
        pub short_id: Option<Text>,
    }
}

payload! {
    /// A recurring payment's schedule. No full sample is published; the members follow the API's answer (inferred).
    Schedule {
        /// What happened to it. Stands beside the payload, not in it.
        #[serde(skip)]
        pub action: Option<Action>,
        /// The registration that is charged.
        #[serde(deserialize_with = "text")]
        pub registration_id: Option<Text>,
        /// The kind of payment, such as `DB`.
        pub payment_type: Option<Text>,
        /// The amount in major units.
        pub amount: Option<Amount>,
        /// The amount's currency, ISO 4217.
        pub currency: Option<Text>,
    }
}

payload! {
    /// A risk check on its own. No full sample is published; the members follow the API's answer (inferred).
    Risk {
        /// `RI`.
        pub payment_type: Option<Text>,
        /// The amount in major units.
        pub amount: Option<Amount>,
        /// The amount's currency, ISO 4217.
        pub currency: Option<Text>,
        /// The merchant's own id, where the merchant gave one.
        #[serde(deserialize_with = "text")]
        pub merchant_transaction_id: Option<Text>,
        /// The score.
        #[serde(deserialize_with = "object")]
        pub risk: Option<RiskScore>,
    }
}

/// A result: code and text.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Outcome {
    /// The result code.
    pub code: Option<ResultCode>,
    /// What the code means, in English.
    pub description: Option<Text>,
}

/// For whom a payment was made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Authentication {
    /// The merchant's entity.
    #[serde(deserialize_with = "text")]
    pub entity_id: Option<Text>,
}

/// What may be known of a card.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Card {
    /// The first digits, which tell the bank.
    #[serde(deserialize_with = "text")]
    pub bin: Option<Text>,
    /// The last four digits.
    #[serde(deserialize_with = "text")]
    pub last4_digits: Option<Text>,
    /// Whose card it is.
    pub holder: Option<Text>,
    /// Two digits.
    #[serde(deserialize_with = "text")]
    pub expiry_month: Option<Text>,
    /// Four digits.
    #[serde(deserialize_with = "text")]
    pub expiry_year: Option<Text>,
}

/// A risk score.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct RiskScore {
    /// The score as it was sent, number or text.
    #[serde(deserialize_with = "text")]
    pub score: Option<Text>,
}

/// The message that activates a webhook.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Test {
    /// Such as `webhook activation`. Stands beside the payload, not in it.
    #[serde(skip)]
    pub action: Option<Text>,
    /// A result, where the message has one.
    #[serde(deserialize_with = "object")]
    pub result: Option<Outcome>,
}

fn parameters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, Text>, D::Error> {
    #[derive(Deserialize)]
    struct Parameter(#[serde(deserialize_with = "text_if_any")] Option<Text>);

    // PHP writes an empty map as `[]`; whatever else is no map has no names to keep.
    let raw = Option::<Piece<'_>>::deserialize(deserializer)?.map_or("null", |piece| piece.0);
    let named = serde_json::from_str::<BTreeMap<Text, Parameter>>(raw).unwrap_or_default();
    Ok(named.into_iter().filter_map(|(name, Parameter(value))| value.map(|value| (name, value))).collect())
}
