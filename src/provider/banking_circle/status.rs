//! The detail of `PaymentStatus`: ISO 20022 words, with names that begin in upper case.

use serde::Deserialize;

use super::model::CurrencyAmount;
use crate::event::words::words;
use crate::event::{PaymentClass, Text};
use crate::provider::shape::{object, objects, text, text_if_any};

words! {
    /// A payment's status in the external code list of ISO 20022 (payment transaction status).
    TransactionStatus {
        /// Settled on the creditor's account.
        SettledCreditor "ACCC",
        /// Settled on the debtor's account.
        SettledDebtor "ACSC",
        /// The customer's profile was checked.
        ProfileAccepted "ACCP",
        /// The funds were checked.
        FundsAccepted "ACFC",
        /// Settlement is under way.
        SettlementInProcess "ACSP",
        /// The form was checked.
        TechnicallyAccepted "ACTC",
        /// Accepted with a change.
        AcceptedWithChange "ACWC",
        /// Accepted, and not yet on the creditor's account.
        AcceptedWithoutPosting "ACWP",
        /// Partly accepted: more approvals are needed.
        PartlyApproved "PATC",
        /// Not decided.
        Pending "PDNG",
        /// Received.
        Received "RCVD",
        /// Blocked: neither paid nor given back.
        Blocked "BLCK",
        /// Called off.
        Cancelled "CANC",
        /// Refused.
        Rejected "RJCT",
    }
}

impl TransactionStatus {
    /// The status in the shared vocabulary: `Other("unknown")` for a block and for codes that are not listed here.
    #[must_use]
    pub fn class(&self) -> PaymentClass {
        match self {
            Self::SettledCreditor | Self::SettledDebtor => PaymentClass::Success,
            Self::Cancelled | Self::Rejected => PaymentClass::Rejected,
            Self::Blocked | Self::Other(_) => unknown(),
            _ => PaymentClass::Pending,
        }
    }
}

pub(super) fn unknown() -> PaymentClass {
    PaymentClass::Other("unknown".into())
}

/// How far a payment is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct PaymentStatus {
    /// The payer's own reference.
    #[serde(deserialize_with = "text")]
    pub end_to_end_id: Option<Text>,
    /// The payment's UETR.
    pub instruction_uetr: Option<Text>,
    /// The bank's reference.
    #[serde(deserialize_with = "text")]
    pub account_servicer_reference: Option<Text>,
    /// When the bank accepted it.
    pub acceptance_date_time: Option<Text>,
    /// The status.
    pub transaction_status: Option<TransactionStatus>,
    /// Why it has that status.
    #[serde(deserialize_with = "objects")]
    pub status_reason_information: Vec<StatusReason>,
    /// What was ordered.
    #[serde(deserialize_with = "object")]
    pub transaction_reference: Option<TransactionReference>,
}

/// Why a payment has its status.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct StatusReason {
    /// A code, where it is text.
    #[serde(deserialize_with = "text_if_any")]
    pub reason: Option<Text>,
    /// A sentence, where it is text.
    #[serde(deserialize_with = "text_if_any")]
    pub additional_information: Option<Text>,
}

/// What was ordered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct TransactionReference {
    /// The amount as it was ordered.
    #[serde(deserialize_with = "object")]
    pub instructed_amount: Option<CurrencyAmount>,
    /// Who pays, from where.
    #[serde(deserialize_with = "object")]
    pub debtor_account: Option<StatusAccount>,
    /// The payer's bank.
    #[serde(deserialize_with = "object")]
    pub debtor_agent: Option<Agent>,
    /// Who is paid, to where.
    #[serde(deserialize_with = "object")]
    pub creditor_account: Option<StatusAccount>,
    /// The payee's bank.
    #[serde(deserialize_with = "object")]
    pub creditor_agent: Option<Agent>,
}

/// An account.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct StatusAccount {
    /// An IBAN.
    pub iban: Option<Text>,
    /// A national account number.
    #[serde(deserialize_with = "text")]
    pub account_number: Option<Text>,
    /// The bank's id of the account.
    #[serde(deserialize_with = "text")]
    pub account_uuid: Option<Text>,
}

/// A bank.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Agent {
    /// A BIC.
    pub bic: Option<Text>,
    /// A national clearing code.
    #[serde(deserialize_with = "text")]
    pub ncc: Option<Text>,
    /// The country, ISO 3166.
    pub country: Option<Text>,
}
