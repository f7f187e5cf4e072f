//! What stands in `data`, member by member.
//!
//! Aella publishes samples and no schema, and for half of the events not even a sample. So every member but the id is
//! optional: an absent one is no reason to refuse an event that Aella signed. One of another type is absent too, unless
//! it is an amount, a currency, a status or an id of the key.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::event::words::words;
use crate::event::{Amount, Text};
use crate::provider::shape::{object, text};
use crate::provider::time::time;

/// What is refused when it cannot be read: the name, amounts, currencies, statuses, and what keys are made of.
pub(super) const STRICT: &[&str] = &[
    "amount",
    "confirmationStatus",
    "currency",
    "event",
    "fee",
    "finalResponseCode",
    "id",
    "mandate",
    "responseCode",
    "status",
    "transaction",
];

/// `data` of `transfer.*` and `inwards.*`. Amounts are naira in major units (second hand: an integrator's code).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transfer {
    /// The id of the transfer, and with the event's name the idempotency key.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub id: Text,
    /// The text on the statement.
    pub narration: Option<Text>,
    /// How it ended. The event's name says so too.
    pub status: Option<TransferStatus>,
    /// What was moved.
    pub amount: Option<Amount>,
    /// What Aella took for it.
    pub fee: Option<Amount>,
    /// The receiver's own reference.
    #[serde(default, deserialize_with = "text")]
    pub external_reference: Option<Text>,
    /// Three letters, `NGN` in every sample.
    pub currency: Option<Text>,
    /// The interbank session.
    #[serde(default, deserialize_with = "text")]
    pub session_id: Option<Text>,
    /// Who paid.
    pub sender_name: Option<Text>,
    /// The payer's bank.
    pub sender_bank: Option<Text>,
    /// The payer's account number.
    #[serde(default, deserialize_with = "text")]
    pub sender_account_number: Option<Text>,
    /// Who was paid.
    pub receiver_name: Option<Text>,
    /// The payee's bank.
    pub receiver_bank: Option<Text>,
    /// The payee's account number.
    #[serde(default, deserialize_with = "text")]
    pub receiver_account_number: Option<Text>,
    /// The payee's bank as a code.
    #[serde(default, deserialize_with = "text")]
    pub receiver_bank_code: Option<Text>,
    /// Sandbox or live.
    pub environment: Option<Environment>,
    /// What kind of account took an inward payment.
    pub source: Option<Source>,
    /// The wallet it came to.
    pub source_wallet: Option<Text>,
    /// When the transfer was made.
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, deserialize_with = "time")]
    pub updated_at: Option<Timestamp>,
}

/// `data` of `mandate.debit.*`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct MandateDebit {
    /// The mandate under which the debit was made.
    #[serde(default, deserialize_with = "object")]
    pub mandate: Option<Mandate>,
    /// The debit.
    #[serde(default, deserialize_with = "object_or_empty")]
    pub transaction: Transaction,
}

/// A mandate.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Mandate {
    /// The id of the mandate. Always there in `mandate.created` and `mandate.confirmed`.
    #[serde(default, deserialize_with = "text")]
    pub id: Option<Text>,
    /// Whether the payer confirmed it.
    pub confirmation_status: Option<ConfirmationStatus>,
    /// Whether it is in force.
    pub status: Option<MandateStatus>,
    /// The payer's account.
    #[serde(default, deserialize_with = "object")]
    pub bank_account: Option<BankAccount>,
    /// When it was set up.
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
}

/// The account that a mandate is for.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct BankAccount {
    /// Aella's id of the account.
    #[serde(default, deserialize_with = "text")]
    pub id: Option<Text>,
}

/// A debit under a mandate. It names no currency.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transaction {
    /// The id of the debit, and with the event's name the idempotency key.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub id: Text,
    /// What was taken.
    pub amount: Option<Amount>,
    /// How far it is.
    pub status: Option<DebitStatus>,
    /// The last word of the banks' network; `00` is success.
    #[serde(default, deserialize_with = "text")]
    pub final_response_code: Option<Text>,
    /// The text on the statement.
    pub narration: Option<Text>,
    /// The id of whoever carried it out.
    #[serde(default, deserialize_with = "text")]
    pub provider_id: Option<Text>,
    /// The mandate, by an id that in the published sample is not `mandate.id`.
    #[serde(default, deserialize_with = "text")]
    pub mandate_id: Option<Text>,
    /// The interbank session.
    #[serde(default, deserialize_with = "text")]
    pub session_id: Option<Text>,
    /// The first word of the banks' network.
    #[serde(default, deserialize_with = "text")]
    pub response_code: Option<Text>,
    /// When the debit was begun.
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    /// What Aella took for it.
    pub fee: Option<Amount>,
}

words! {
    /// How a transfer ended. One word is published.
    TransferStatus {
        /// The money moved.
        Success "Success",
    }
}

words! {
    /// How far a debit is. One word is published.
    DebitStatus {
        /// The money moved.
        Successful "successful",
    }
}

words! {
    /// Whether the payer confirmed a mandate. One word is published.
    ConfirmationStatus {
        /// Yes.
        Confirmed "CONFIRMED",
    }
}

words! {
    /// Whether a mandate is in force. One word is published.
    MandateStatus {
        /// Yes.
        Active "ACTIVE",
    }
}

words! {
    /// Where an event comes from. One word is published.
    Environment {
        /// Real money.
        Live "LIVE",
    }
}

words! {
    /// What kind of account took an inward payment. One word is published.
    Source {
        /// A virtual account made for one payment.
        DynamicVirtual "DYNAMIC_VIRTUAL",
    }
}

/// Absent and `null` are both "no id", which is refused where the key is made.
pub(super) fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    text(deserializer).map(Option::unwrap_or_default)
}

fn object_or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    object(deserializer).map(Option::unwrap_or_default)
}
