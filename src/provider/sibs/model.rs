//! What stands in a notification. Every member is optional: which of them come depends on the event.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::event::{Amount, Text};
use crate::provider::shape::{object, text};
use crate::provider::time;

/// What is refused when it cannot be read: amounts, currencies, statuses, kinds of payment, and what keys are made of.
pub(super) const STRICT: &[&str] = &[
    "amount",
    "currency",
    "notificationID",
    "paymentStatus",
    "paymentType",
    "returnStatus",
    "statusCode",
    "transactionID",
    "value",
];

/// A payment, in the gateway's generic structure.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Payment {
    /// The id of this notification, which the answer must repeat. Every try has the same.
    #[serde(rename = "notificationID", deserialize_with = "text")]
    pub notification_id: Option<Text>,
    /// The gateway's id of the transaction. Every notification of one transaction has the same.
    #[serde(rename = "transactionID", deserialize_with = "text")]
    pub transaction_id: Option<Text>,
    /// When it was processed. `None` also for a time in another form, such as one without an offset.
    #[serde(deserialize_with = "time")]
    pub transaction_date_time: Option<Timestamp>,
    /// What became of the request.
    #[serde(deserialize_with = "object")]
    pub return_status: Option<ReturnStatus>,
    /// How far the payment is: `Success`, `Declined`, `Pending` and others.
    #[serde(deserialize_with = "text")]
    pub payment_status: Option<Text>,
    /// Such as `MBWAY`, `CARD` or `REFERENCE`.
    #[serde(deserialize_with = "text")]
    pub payment_method: Option<Text>,
    /// Such as `PURS` for a purchase.
    #[serde(deserialize_with = "text")]
    pub payment_type: Option<Text>,
    /// What was paid.
    #[serde(deserialize_with = "object")]
    pub amount: Option<PaymentAmount>,
    /// To whom.
    #[serde(deserialize_with = "object")]
    pub merchant: Option<Merchant>,
    /// By what means.
    #[serde(deserialize_with = "object")]
    pub token: Option<Token>,
    /// The id of the transaction in the systems behind the gateway.
    #[serde(deserialize_with = "text")]
    pub internal_transaction_id: Option<Text>,
}

impl Payment {
    /// The code of the return status: `000` when it succeeded.
    pub(super) fn code(&self) -> Option<&str> {
        self.return_status.as_ref()?.status_code.as_deref()
    }
}

/// What became of a request.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ReturnStatus {
    /// `000`, or a code such as `01.106.0004`.
    #[serde(deserialize_with = "text")]
    pub status_code: Option<Text>,
    /// The code in words.
    #[serde(deserialize_with = "text")]
    pub status_msg: Option<Text>,
}

/// An amount and its currency.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct PaymentAmount {
    /// In major units; a number or a string on the wire.
    pub value: Option<Amount>,
    /// ISO 4217.
    pub currency: Option<Text>,
}

/// The merchant's side.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Merchant {
    /// The merchant's own id of the transaction.
    #[serde(deserialize_with = "text")]
    pub transaction_id: Option<Text>,
    /// A number or a string on the wire.
    #[serde(deserialize_with = "text")]
    pub terminal_id: Option<Text>,
    /// The merchant's name.
    #[serde(deserialize_with = "text")]
    pub merchant_name: Option<Text>,
}

/// The means of payment.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Token {
    /// Such as `MobilePhone` or `Card`.
    #[serde(deserialize_with = "text")]
    pub token_type: Option<Text>,
    /// A telephone number, or what stands for a card. `Debug` does not print it.
    #[serde(deserialize_with = "text")]
    pub value: Option<Text>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}

/// Samples have a blank behind the time.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    text(deserializer)?.map(|text| time::read(text.trim()).map_err(D::Error::custom)).transpose()
}
