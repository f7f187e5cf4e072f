//! The notification by its type, and what it says in the shared vocabulary.

use bytes::Bytes;
use jiff::Timestamp;

use super::model::{Booking, Case, Classification, CurrencyAmount, Payment, Transfer};
use super::status::{PaymentStatus, TransactionStatus, unknown};
use crate::event::{self, BookingStatus, Direction, MandatePhase, Text};

/// One notification out of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The bank's id of the event: its key. Empty where what is handed over as unreadable has none.
    pub event_id: Text,
    /// The subscription that the message was sent for.
    pub subscription_id: Option<Text>,
    /// The entry of the subscription that asked for this type.
    pub subscription_event_id: Option<Text>,
    /// The type as it was sent; empty where there was none.
    pub notification_type: Text,
    /// When it happened.
    pub timestamp: Option<Timestamp>,
    /// What happened.
    pub detail: Detail,
}

impl Event {
    /// A notification of this id, by hand for tests; its other members are set one by one.
    #[must_use]
    pub fn new(event_id: impl Into<Text>, detail: Detail) -> Self {
        Self {
            event_id: event_id.into(),
            subscription_id: None,
            subscription_event_id: None,
            notification_type: Text::default(),
            timestamp: None,
            detail,
        }
    }
}

/// What a notification is about, by its type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// Money came in.
    IncomingPaymentProcessed(Box<Payment>),
    /// A payment out was refused.
    OutgoingPaymentRejected(Box<Payment>),
    /// A payment out was made.
    OutgoingPaymentProcessed(Box<Payment>),
    /// A payment out waits for money on the account.
    MissingFunding(Box<Payment>),
    /// A payment was taken back.
    Reversed(Box<Payment>),
    /// A payment out is on the books. May come before or after the event that it was processed.
    OutgoingPaymentBooked(Box<Booking>),
    /// A payment was routed.
    PaymentRouting(Box<Payment>),
    /// A payment in is on the books. May come before or after the event that it was processed.
    IncomingPaymentBooked(Box<Booking>),
    /// An account holder was verified. The detail's form is not published.
    AccountHolderVerification(Unpublished),
    /// A direct debit waits to be processed.
    OutgoingDirectDebitPendingProcessing(Box<Payment>),
    /// A case was opened or changed. The type is published as `CaseEvents` and sent as `CasesEvents` too.
    CaseEvents(Case),
    /// The result of an agency banking whitelist request. The detail's form is not published.
    AgencyBankingWhitelistResult(Unpublished),
    /// A payment's status in the words of ISO 20022.
    PaymentStatus(Box<PaymentStatus>),
    /// A mandate's status. Only the name is published.
    MandateStatus(Unpublished),
    /// A type that this version does not know, without loss.
    Unknown {
        /// The whole notification as JSON.
        raw: Bytes,
    },
    /// What cannot be read, where the policy is [`HandOver`](super::UnreadablePolicy::HandOver).
    Unreadable(Unreadable),
}

/// A notification that cannot be read. Beside it stands as much of the rest as can be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The whole notification as JSON, which need not be an object.
    pub raw: Bytes,
    /// What is wrong with it, without a word of the payload.
    pub why: Text,
}

impl Unreadable {
    /// A notification that cannot be read, and why.
    #[must_use]
    pub fn new(raw: impl Into<Bytes>, why: impl Into<Text>) -> Self {
        Self { raw: raw.into(), why: why.into() }
    }
}

/// A detail whose form is not published.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unpublished {
    /// The detail as JSON, or the whole notification where it has none.
    pub raw: Bytes,
}

impl Unpublished {
    /// A detail with this JSON.
    #[must_use]
    pub fn new(raw: impl Into<Bytes>) -> Self {
        Self { raw: raw.into() }
    }
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        use {BookingStatus as Is, Direction::Incoming, Direction::Outgoing};
        match &self.detail {
            Detail::IncomingPaymentProcessed(payment) => payment.project(Incoming, Is::Processed),
            Detail::OutgoingPaymentRejected(payment) => payment.project(Outgoing, Is::Rejected),
            Detail::OutgoingPaymentProcessed(payment) => payment.project(Outgoing, Is::Processed),
            Detail::MissingFunding(payment) => payment.project(Outgoing, Is::MissingFunding),
            Detail::Reversed(payment) => payment.project(payment.direction(), Is::Reversed),
            Detail::OutgoingPaymentBooked(booking) => booking.project(Outgoing),
            Detail::PaymentRouting(payment) => payment.project(payment.direction(), Is::Routed),
            Detail::IncomingPaymentBooked(booking) => booking.project(Incoming),
            Detail::OutgoingDirectDebitPendingProcessing(payment) => payment.project(Outgoing, Is::PendingDirectDebit),
            Detail::CaseEvents(case) => event::Event::Case(event::Case {
                id: case.case_id.clone(),
                event: case.event_type.clone(),
                case_type: case.case_type.clone(),
                status: case.status.clone(),
            }),
            Detail::PaymentStatus(status) => status.project(),
            Detail::MandateStatus(_) => event::Event::Mandate(event::Mandate {
                id: None,
                phase: MandatePhase::Other("status".into()),
                status: None,
                debit: None,
            }),
            Detail::AccountHolderVerification(_) | Detail::AgencyBankingWhitelistResult(_) | Detail::Unknown { .. } => {
                event::Event::Unknown(event::Unknown { name: self.notification_type.clone() })
            }
            Detail::Unreadable(Unreadable { why, .. }) => {
                event::Event::Unreadable(event::Unreadable { name: self.notification_type.clone(), why: why.clone() })
            }
        }
    }

    fn name(&self) -> &str {
        &self.notification_type
    }
}

impl Payment {
    /// Which way it goes, for the events whose type does not say: by the bank's word, else by whose account is told.
    fn direction(&self) -> Direction {
        match (&self.classification, &self.debtor_information, &self.creditor_information) {
            (Some(Classification::Incoming), _, _) => Direction::Incoming,
            (Some(Classification::Outgoing), _, _) => Direction::Outgoing,
            (_, None, Some(_)) => Direction::Incoming,
            _ => Direction::Outgoing,
        }
    }

    /// What moves on the customer's account, which may be of another currency than what was ordered.
    fn amount(&self, direction: &Direction) -> Option<event::Money> {
        let entry = match direction {
            Direction::Incoming => self.creditor_information.as_ref().and_then(|side| side.credit_amount.as_ref()),
            _ => self.debtor_information.as_ref().and_then(|side| side.debit_amount.as_ref()),
        };
        let ordered = self.transfer.as_ref().and_then(|transfer| transfer.amount.as_ref());
        entry.and_then(CurrencyAmount::money).or_else(|| ordered.and_then(CurrencyAmount::money))
    }

    fn project(&self, direction: Direction, status: BookingStatus) -> event::Event {
        let transfer = self.transfer.as_ref();
        event::Event::PaymentBooking(event::PaymentBooking {
            id: self.payment_id.clone(),
            reference: self.transaction_reference.clone(),
            amount: self.amount(&direction),
            direction,
            status,
            is_return: self.is_return == Some(true),
            debtor: transfer.map(Transfer::debtor).unwrap_or_default(),
            creditor: transfer.map(Transfer::creditor).unwrap_or_default(),
            value_date: transfer.and_then(|transfer| transfer.value_date.clone()),
        })
    }
}

impl Booking {
    fn project(&self, direction: Direction) -> event::Event {
        let transfer = self.transfer.as_ref();
        event::Event::PaymentBooking(event::PaymentBooking {
            id: self.payment_id.clone(),
            reference: self.transaction_reference.clone(),
            direction,
            status: BookingStatus::Booked,
            is_return: false,
            amount: self.amount.map(|amount| amount.of(self.currency.clone())),
            debtor: transfer.map(Transfer::debtor).unwrap_or_default(),
            creditor: transfer.map(Transfer::creditor).unwrap_or_default(),
            value_date: self.value_date.clone(),
        })
    }
}

impl PaymentStatus {
    fn project(&self) -> event::Event {
        let ordered = self.transaction_reference.as_ref().and_then(|order| order.instructed_amount.as_ref());
        event::Event::Payment(event::Payment {
            id: self.account_servicer_reference.clone().or_else(|| self.instruction_uetr.clone()),
            payment_type: None,
            class: self.transaction_status.as_ref().map_or_else(unknown, TransactionStatus::class),
            code: self.transaction_status.as_ref().map(Text::from),
            amount: ordered.and_then(CurrencyAmount::money),
            reference: self.end_to_end_id.clone(),
        })
    }
}
