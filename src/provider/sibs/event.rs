//! The notification, and what it says in the shared vocabulary.

use super::model::Payment;
use crate::event::{self, PaymentClass};

/// A notification of the gateway. All of them have one shape.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A payment was made or changed.
    Payment(Box<Payment>),
    /// The gateway tries the connection. Nothing was paid.
    Test(Box<Payment>),
}

impl Event {
    /// The id that the answer must repeat.
    #[must_use]
    pub fn notification_id(&self) -> Option<&str> {
        let (Self::Payment(payment) | Self::Test(payment)) = self;
        payment.notification_id.as_deref()
    }
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        match self {
            Self::Payment(payment) => event::Event::Payment(event::Payment {
                id: payment.transaction_id.clone(),
                payment_type: payment.payment_type.clone(),
                class: class(payment),
                code: payment.code().map(Into::into),
                amount: payment
                    .amount
                    .as_ref()
                    .and_then(|amount| amount.value.map(|value| value.of(amount.currency.clone()))),
                reference: payment.merchant.as_ref().and_then(|merchant| merchant.transaction_id.clone()),
            }),
            Self::Test(_) => event::Event::Notification(event::Notification {
                name: Some(event::Project::name(self).into()),
                content_type: None,
            }),
        }
    }

    /// The payment's type, such as `PURS`; `payment` where there is none.
    fn name(&self) -> &str {
        match self {
            Self::Payment(payment) => payment.payment_type.as_deref().unwrap_or("payment"),
            Self::Test(_) => "WebhookTest",
        }
    }
}

/// By the word of the payment's status alone: the return status of a payment that still waits is a success too. A success
/// whose code is not `000` is no success; a word that is not known, or none, is `Other("unknown")`.
fn class(payment: &Payment) -> PaymentClass {
    let word = payment.payment_status.as_deref().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "success" if payment.code().is_none_or(|code| code == "000") => PaymentClass::Success,
        "pending" | "inprocessing" => PaymentClass::Pending,
        "declined" => PaymentClass::Rejected,
        _ => PaymentClass::Other("unknown".into()),
    }
}
