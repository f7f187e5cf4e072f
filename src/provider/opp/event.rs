//! The notification by its type, and what it says in the shared vocabulary.

use bytes::Bytes;

use super::model::{Outcome, Payment, Registration, Risk, Schedule, Test};
use super::result::{ResultCode, unknown};
use crate::event::{self, PaymentClass, Text};

/// A notification of the platform.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `PAYMENT`: a payment was made or changed.
    Payment(Box<Payment>),
    /// `REGISTRATION`: a stored means of payment.
    Registration(Box<Registration>),
    /// `SCHEDULE`: a recurring payment's schedule.
    Schedule(Box<Schedule>),
    /// `RISK`: a risk check on its own.
    Risk(Box<Risk>),
    /// `test`: the message that activates a webhook once it is answered.
    Test(Test),
    /// A type that this version does not know, without loss.
    Unknown {
        /// The type as it was sent; empty where there was none.
        name: Text,
        /// The whole notification as JSON.
        raw: Bytes,
    },
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        match self {
            Self::Payment(payment) => event::Event::Payment(event::Payment {
                id: payment.id.clone(),
                payment_type: payment.payment_type.clone(),
                class: class(&payment.result),
                code: code(&payment.result),
                amount: payment.amount.map(|amount| amount.of(payment.currency.clone())),
                reference: payment.merchant_transaction_id.clone(),
            }),
            Self::Registration(registration) => event::Event::Registration(event::Registration {
                id: registration.id.clone(),
                action: registration.action.as_ref().map(Text::from),
                class: class(&registration.result),
                code: code(&registration.result),
            }),
            Self::Schedule(schedule) => event::Event::Schedule(event::Schedule {
                id: schedule.id.clone(),
                action: schedule.action.as_ref().map(Text::from),
                class: class(&schedule.result),
                code: code(&schedule.result),
            }),
            Self::Risk(risk) => event::Event::Risk(event::Risk {
                id: risk.id.clone(),
                class: class(&risk.result),
                code: code(&risk.result),
                score: risk.risk.as_ref().and_then(|risk| risk.score.clone()),
            }),
            Self::Test(_) => {
                event::Event::Notification(event::Notification { name: Some(self.name().into()), content_type: None })
            }
            Self::Unknown { name, .. } => event::Event::Unknown(event::Unknown { name: name.clone() }),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Payment(_) => "PAYMENT",
            Self::Registration(_) => "REGISTRATION",
            Self::Schedule(_) => "SCHEDULE",
            Self::Risk(_) => "RISK",
            Self::Test(_) => "test",
            Self::Unknown { name, .. } => name,
        }
    }
}

fn class(result: &Option<Outcome>) -> PaymentClass {
    result.as_ref().and_then(|result| result.code.as_ref()).map_or_else(unknown, ResultCode::class)
}

fn code(result: &Option<Outcome>) -> Option<Text> {
    result.as_ref().and_then(|result| result.code.as_ref()).map(Text::from)
}
