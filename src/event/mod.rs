//! The vocabulary that handlers match on, whoever sent the event: transfer, mandate, payment booking, and money.
//!
//! Each provider has its own exact types. This module is what they have in common: a projection that keeps the words a
//! ledger needs and leaves the rest to the raw JSON beside it. Amounts are read from the text of the JSON and never
//! through a binary float.

mod money;
mod text;
pub(crate) mod words;

use serde::Serialize;

pub use money::{Amount, Money, NotAnAmount};
pub use text::Text;
pub(crate) use text::from_text;
pub use words::{BookingStatus, Direction, MandatePhase, PaymentClass, TransferStatus};

/// What a provider's exact event says in the shared vocabulary.
///
/// ```
/// use tower_webhook::event::{Amount, Direction, Event, Project, Transfer, TransferStatus};
///
/// struct Paid {
///     id: String,
///     amount: Amount,
/// }
///
/// impl Project for Paid {
///     fn project(&self) -> Event {
///         let mut transfer = Transfer::new(&self.id, Direction::Incoming, TransferStatus::Completed);
///         transfer.amount = Some(self.amount.of(Some("EUR")));
///         Event::Transfer(transfer)
///     }
///
///     fn name(&self) -> &str {
///         "paid"
///     }
/// }
///
/// let paid = Paid { id: "7".into(), amount: Amount::parse("92.00")? };
/// let json = serde_json::to_string(&paid.project())?;
/// assert!(json.starts_with(r#"{"kind":"transfer","id":"7","direction":"incoming","status":"completed","amount":"92.00""#));
/// assert!(Amount::parse("92,00").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Project {
    /// The event in the shared vocabulary.
    fn project(&self) -> Event;

    /// The provider's own name of the event, such as `transfer.completed`.
    fn name(&self) -> &str;
}

/// An event in words that all providers share.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Money moved between two accounts, or failed to.
    Transfer(Transfer),
    /// The life of a mandate and of its debits.
    Mandate(Mandate),
    /// The life of a payment on a bank account.
    PaymentBooking(PaymentBooking),
    /// A card or wallet payment at a payment platform.
    Payment(Payment),
    /// A stored means of payment.
    Registration(Registration),
    /// A recurring payment's schedule.
    Schedule(Schedule),
    /// A risk check on its own.
    Risk(Risk),
    /// A case between the bank and its customer.
    Case(Case),
    /// A message whose body the receiver's own side designed; the name says what it is about.
    Notification(Notification),
    /// An event that this version does not know. Its raw JSON is beside it.
    Unknown(Unknown),
    /// An event that cannot be read, handed over all the same. Its raw JSON is beside it.
    Unreadable(Unreadable),
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transfer {
    /// The provider's id of the transfer.
    pub id: Text,
    /// In or out, seen from the receiver of the webhook.
    pub direction: Direction,
    /// How it ended.
    pub status: TransferStatus,
    /// What was moved.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// What the provider took for it.
    #[serde(serialize_with = "money::amount_alone")]
    pub fee: Option<Money>,
    /// The receiver's own reference.
    pub reference: Option<Text>,
    /// The text on the statement.
    pub narration: Option<Text>,
    /// Who paid.
    pub sender: Party,
    /// Who was paid.
    pub receiver: Party,
}

impl Transfer {
    /// A transfer of which no more is known yet; the other members are set one by one.
    #[must_use]
    pub fn new(id: impl Into<Text>, direction: Direction, status: TransferStatus) -> Self {
        Self {
            id: id.into(),
            direction,
            status,
            amount: None,
            fee: None,
            reference: None,
            narration: None,
            sender: Party::default(),
            receiver: Party::default(),
        }
    }
}

/// One side of a transfer or payment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Party {
    /// A name.
    pub name: Option<Text>,
    /// An account number or IBAN.
    pub account: Option<Text>,
    /// A bank's name or BIC.
    pub bank: Option<Text>,
}

/// A mandate, or a debit under it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Mandate {
    /// The provider's id of the mandate.
    pub id: Option<Text>,
    /// What happened.
    pub phase: MandatePhase,
    /// The mandate's status in the provider's word.
    pub status: Option<Text>,
    /// The debit, where the event is about one.
    pub debit: Option<Debit>,
}

impl Mandate {
    /// A mandate of which no more is known yet.
    #[must_use]
    pub fn new(phase: MandatePhase) -> Self {
        Self { id: None, phase, status: None, debit: None }
    }
}

/// A debit under a mandate.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Debit {
    /// The provider's id of the debit.
    pub id: Text,
    /// What was taken.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// What the provider took for it.
    #[serde(serialize_with = "money::amount_alone")]
    pub fee: Option<Money>,
    /// The text on the statement.
    pub narration: Option<Text>,
    /// The debit's status in the provider's word.
    pub status: Option<Text>,
    /// The scheme's response code.
    pub response_code: Option<Text>,
}

impl Debit {
    /// A debit of which no more is known yet.
    #[must_use]
    pub fn new(id: impl Into<Text>) -> Self {
        Self { id: id.into(), amount: None, fee: None, narration: None, status: None, response_code: None }
    }
}

/// The life of a payment on a bank account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PaymentBooking {
    /// The bank's id of the payment.
    pub id: Text,
    /// The bank's reference.
    pub reference: Option<Text>,
    /// In or out, seen from the account.
    pub direction: Direction,
    /// How far it is.
    pub status: BookingStatus,
    /// Whether it is a payment that came back. Where the provider says nothing of it: no.
    pub is_return: bool,
    /// The amount with the provider's own sign.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// The value date as it was sent.
    pub value_date: Option<Text>,
}

impl PaymentBooking {
    /// A booking of which no more is known yet.
    #[must_use]
    pub fn new(id: impl Into<Text>, direction: Direction, status: BookingStatus) -> Self {
        Self {
            id: id.into(),
            reference: None,
            direction,
            status,
            is_return: false,
            amount: None,
            debtor: Party::default(),
            creditor: Party::default(),
            value_date: None,
        }
    }
}

/// A payment at a payment platform.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Payment {
    /// The provider's id of the payment.
    pub id: Option<Text>,
    /// What the provider calls this kind of payment, such as `DB` for a debit.
    pub payment_type: Option<Text>,
    /// What became of it.
    pub class: PaymentClass,
    /// The provider's result code.
    pub code: Option<Text>,
    /// What was paid.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// The merchant's own id.
    pub reference: Option<Text>,
}

impl Payment {
    /// A payment of which no more is known yet.
    #[must_use]
    pub fn new(class: PaymentClass) -> Self {
        Self { id: None, payment_type: None, class, code: None, amount: None, reference: None }
    }
}

/// A stored means of payment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Registration {
    /// The provider's id.
    pub id: Option<Text>,
    /// Created, updated or deleted, in the provider's word.
    pub action: Option<Text>,
    /// What became of it.
    pub class: PaymentClass,
    /// The provider's result code.
    pub code: Option<Text>,
}

impl Registration {
    /// A stored means of payment of which no more is known yet.
    #[must_use]
    pub fn new(class: PaymentClass) -> Self {
        Self { id: None, action: None, class, code: None }
    }
}

/// A recurring payment's schedule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Schedule {
    /// The provider's id.
    pub id: Option<Text>,
    /// Created, updated or deleted, in the provider's word.
    pub action: Option<Text>,
    /// What became of it.
    pub class: PaymentClass,
    /// The provider's result code.
    pub code: Option<Text>,
}

impl Schedule {
    /// A schedule of which no more is known yet.
    #[must_use]
    pub fn new(class: PaymentClass) -> Self {
        Self { id: None, action: None, class, code: None }
    }
}

/// A risk check on its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Risk {
    /// The provider's id.
    pub id: Option<Text>,
    /// What became of it.
    pub class: PaymentClass,
    /// The provider's result code.
    pub code: Option<Text>,
    /// The score as it was sent.
    pub score: Option<Text>,
}

impl Risk {
    /// A risk check of which no more is known yet.
    #[must_use]
    pub fn new(class: PaymentClass) -> Self {
        Self { id: None, class, code: None, score: None }
    }
}

/// A case between the bank and its customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Case {
    /// The bank's id.
    pub id: Option<Text>,
    /// What happened to it.
    pub event: Option<Text>,
    /// What it is about.
    pub case_type: Option<Text>,
    /// Its status in the bank's word.
    pub status: Option<Text>,
}

/// A message whose body the receiver's own side designed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Notification {
    /// The name of the event, where the configuration tells where it lies.
    pub name: Option<Text>,
    /// The type of the body.
    pub content_type: Option<Text>,
}

/// An event that this version does not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unknown {
    /// The name the provider gave it.
    pub name: Text,
}

impl Unknown {
    /// An event of this name.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Self {
        Self { name: name.into() }
    }
}

/// An event that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unreadable {
    /// The name the provider gave it; empty where that cannot be read either.
    pub name: Text,
    /// What is wrong with it, without a word of the payload.
    pub why: Text,
}

impl Unreadable {
    /// An event of this name that cannot be read, and why.
    #[must_use]
    pub fn new(name: impl Into<Text>, why: impl Into<Text>) -> Self {
        Self { name: name.into(), why: why.into() }
    }
}
