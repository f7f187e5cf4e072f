//! What stands in a notification's detail. Dates and times are kept as they were sent: whether they carry an offset is
//! not published.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::event::words::words;
use crate::event::{Amount, Money, Party, Text};
use crate::json::Piece;
use crate::provider::shape::{object, text};

/// What is refused when it cannot be read: amounts, currencies, statuses, what tells which way money goes, and ids of what
/// an event is about. What holds one of these counts as well: an amount that is nowhere is an amount that cannot be read.
pub(super) const STRICT: &[&str] = &[
    "Amount",
    "Currency",
    "InstructedAmount",
    "TransactionReference",
    "TransactionStatus",
    "amount",
    "classification",
    "creditAmount",
    "creditorInformation",
    "currency",
    "debitAmount",
    "debtorInformation",
    "eventId",
    "paymentId",
    "return",
    "routingStatus",
    "status",
    "transfer",
];

words! {
    /// Which way a payment goes, seen from the account.
    Classification {
        /// Money comes in.
        Incoming "Incoming",
        /// Money goes out.
        Outgoing "Outgoing",
    }
}

words! {
    /// How far a payment is.
    Status {
        /// It waits for somebody's approval.
        PendingApproval "PendingApproval",
        /// It waits to be processed.
        PendingProcessing "PendingProcessing",
        /// It is done.
        Processed "Processed",
        /// It waits for money on the account.
        MissingFunding "MissingFunding",
        /// It was refused.
        Rejected "Rejected",
        /// It was called off.
        Cancelled "Cancelled",
        /// It was taken back.
        Reversed "Reversed",
    }
}

/// A payment, in the events that carry its status.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Payment {
    /// The bank's id.
    #[serde(deserialize_with = "id")]
    pub payment_id: Text,
    /// The bank's reference.
    #[serde(default, deserialize_with = "text")]
    pub transaction_reference: Option<Text>,
    /// In or out.
    pub classification: Option<Classification>,
    /// A finer word beside the classification.
    pub sub_classification: Option<Text>,
    /// Whether the payment can be traced.
    pub is_traceable: Option<bool>,
    /// How far it is.
    pub status: Option<Status>,
    /// When it was processed.
    pub processed_timestamp: Option<Text>,
    /// When its status last changed.
    pub latest_status_changed_timestamp: Option<Text>,
    /// Whether this is a payment that came back. There is no event of its own for that.
    #[serde(rename = "return")]
    pub is_return: Option<bool>,
    /// Such as `SEPA`.
    pub payment_rail: Option<Text>,
    /// Where it was routed, in the event of that name.
    pub routing_status: Option<Text>,
    /// What went wrong, as the JSON that was sent: its form is not published.
    #[serde(default, deserialize_with = "json")]
    pub errors: Option<Text>,
    /// What is moved, and between whom.
    #[serde(default, deserialize_with = "object")]
    pub transfer: Option<Transfer>,
    /// The account that is debited, where it is the customer's.
    #[serde(default, deserialize_with = "object")]
    pub debtor_information: Option<AccountEntry>,
    /// The account that is credited, where it is the customer's.
    #[serde(default, deserialize_with = "object")]
    pub creditor_information: Option<AccountEntry>,
}

/// A payment on an account's books. A reversal makes two of an outgoing one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Booking {
    /// The bank's id of the payment.
    #[serde(deserialize_with = "id")]
    pub payment_id: Text,
    /// The bank's reference.
    #[serde(default, deserialize_with = "text")]
    pub transaction_reference: Option<Text>,
    /// The value date.
    pub value_date: Option<Text>,
    /// The date of the transaction.
    pub transaction_date: Option<Text>,
    /// The amount, negative when money goes out.
    pub amount: Option<Amount>,
    /// The amount's currency, ISO 4217.
    pub currency: Option<Text>,
    /// What was moved, and between whom.
    #[serde(default, deserialize_with = "object")]
    pub transfer: Option<Transfer>,
}

/// What is moved, and between whom.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Transfer {
    /// Who pays, from where.
    #[serde(deserialize_with = "object")]
    pub debtor_account: Option<Account>,
    /// Who pays.
    pub debtor_name: Option<Text>,
    /// The amount as it was ordered.
    #[serde(deserialize_with = "object")]
    pub amount: Option<CurrencyAmount>,
    /// The value date.
    pub value_date: Option<Text>,
    /// Such as `SHA`.
    pub charge_bearer: Option<Text>,
    /// What the payer wrote.
    #[serde(deserialize_with = "object")]
    pub remittance_information: Option<Remittance>,
    /// Who is paid, to where.
    #[serde(deserialize_with = "object")]
    pub creditor_account: Option<Account>,
    /// A proxy of that account, such as a telephone number.
    #[serde(deserialize_with = "object")]
    pub creditor_proxy_account: Option<ProxyAccount>,
}

/// An account.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Account {
    /// A national account number.
    #[serde(deserialize_with = "text")]
    pub account_number: Option<Text>,
    /// An IBAN.
    pub account_iban: Option<Text>,
    /// Whichever of the two the account goes by.
    #[serde(deserialize_with = "text")]
    pub account: Option<Text>,
    /// The bank, mostly a BIC.
    pub financial_institution: Option<Text>,
    /// The country, ISO 3166.
    pub country: Option<Text>,
}

/// A proxy of an account.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct ProxyAccount {
    /// The proxy service.
    pub service: Option<Text>,
    /// What kind of proxy.
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    /// The proxy itself.
    #[serde(deserialize_with = "text")]
    pub value: Option<Text>,
}

/// An amount of a currency, in major units.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct CurrencyAmount {
    /// ISO 4217.
    #[serde(alias = "Currency")]
    pub currency: Option<Text>,
    /// How much.
    #[serde(alias = "Amount")]
    pub amount: Option<Amount>,
}

/// What the payer wrote.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Remittance {
    /// The first line.
    pub line1: Option<Text>,
    /// The second line.
    pub line2: Option<Text>,
    /// The third line.
    pub line3: Option<Text>,
    /// The fourth line.
    pub line4: Option<Text>,
}

/// What a payment does to an account of the customer's.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AccountEntry {
    /// The bank's id of the account.
    #[serde(deserialize_with = "text")]
    pub account_id: Option<Text>,
    /// What is taken from it.
    #[serde(deserialize_with = "object")]
    pub debit_amount: Option<CurrencyAmount>,
    /// What is put on it.
    #[serde(deserialize_with = "object")]
    pub credit_amount: Option<CurrencyAmount>,
}

/// A case between the bank and its customer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Case {
    /// What happened, such as `CASE_CREATED`.
    pub event_type: Option<Text>,
    /// The bank's id.
    #[serde(deserialize_with = "text")]
    pub case_id: Option<Text>,
    /// What it is about, such as `RFI`, a request for information.
    pub case_type: Option<Text>,
    /// Its status, such as `OPEN`.
    pub status: Option<Text>,
    /// Until when the customer has to answer.
    pub deadline: Option<Text>,
}

/// An id that must be there, and may be a number.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("no id"))
}

fn json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Ok(Option::<Piece<'_>>::deserialize(deserializer)?.map(|piece| piece.0.into()))
}

impl CurrencyAmount {
    pub(super) fn money(&self) -> Option<Money> {
        self.amount.map(|amount| amount.of(self.currency.clone()))
    }
}

impl Transfer {
    pub(super) fn debtor(&self) -> Party {
        party(self.debtor_name.as_ref(), self.debtor_account.as_ref())
    }

    pub(super) fn creditor(&self) -> Party {
        party(None, self.creditor_account.as_ref())
    }
}

fn party(name: Option<&Text>, account: Option<&Account>) -> Party {
    let number = |account: &Account| {
        [&account.account_iban, &account.account, &account.account_number].into_iter().flatten().next().cloned()
    };
    Party {
        name: name.cloned(),
        account: account.and_then(number),
        bank: account.and_then(|account| account.financial_institution.clone()),
    }
}
