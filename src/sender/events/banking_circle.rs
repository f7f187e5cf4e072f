//! Banking Circle: the notifications about payments, one by one or up to a thousand in one message. The shapes are second hand;
//! the sample of a payment in is as an integrator has it.
//!
//! ```
//! use tower_webhook::sender::events::banking_circle;
//!
//! let day = (1..=1000).map(|number| banking_circle::incoming_payment_booked().number(number).amount("12.50"));
//! let message = banking_circle::batch(day).message();
//! assert!(message.body.ends_with(br#""creditorProxyAccount":null}}}]}"#));
//! ```

use serde_json::{Value, json};

use super::body::{Body, builder, numbered, sample, setters};
use super::json::Json;

/// A notification up to its type.
macro_rules! head {
    () => {
        r#"{"subscriptionId":"5f6b1d5e-8a55-4c0f-9a5e-0d2f4f6f8a01",
"subscriptionEventId":"0c1d1e2f-3a4b-4c5d-8e6f-70819203a4b5","eventId":"00000000-0000-4000-8000-000000000001",
"notificationType":"","timestamp":"2024-07-26T14:53:52.8581798Z","#
    };
}

macro_rules! transfer {
    () => {
        r#""transfer":{"debtorAccount":{"accountNumber":null,"accountIban":"DK3489000000010101",
"account":"DK3489000000010101","financialInstitution":"SXPYDKKK","country":"DK"},"debtorName":"Example Debtor ApS",
"amount":{"currency":"EUR","amount":1250.35},"valueDate":"2024-07-26T00:00:00","chargeBearer":"SHA",
"remittanceInformation":{"line1":"Invoice 4711","line2":null,"line3":null,"line4":null},
"creditorAccount":{"accountNumber":null,"accountIban":"LU784080000018104800","account":"LU784080000018104800",
"financialInstitution":"BCIRLULL","country":"LU"},"creditorProxyAccount":null}"#
    };
}

/// A payment with its status, up to the sides of it that are the customer's.
macro_rules! payment {
    ($classification:literal, $sides:literal) => {
        concat!(
            head!(),
            r#""payment":{"paymentId":"4b0a2b62-3f1f-4a07-9f34-0c3f60a5b1aa",
"transactionReference":"010F103220030044","classification":""#,
            $classification,
            r#"","subClassification":null,"isTraceable":true,
"status":"Processed","processedTimestamp":"2024-07-26T14:53:51.1234567Z",
"latestStatusChangedTimestamp":"2024-07-26T14:53:51.1234567Z","booked":null,"reversalBooked":null,"return":null,
"paymentRail":"SEPA","errors":null,"#,
            transfer!(),
            $sides,
            "}}"
        )
    };
}

const INCOMING: &str = payment!(
    "Incoming",
    r#","debtorInformation":null,"creditorInformation":{"accountId":"7d7f1f0c-52a4-4a49-8f0e-4f3f5c3c0b11",
"creditAmount":{"currency":"EUR","amount":1250.35},"instruction":null}"#
);

const OUTGOING: &str = payment!(
    "Outgoing",
    r#","debtorInformation":{"accountId":"7d7f1f0c-52a4-4a49-8f0e-4f3f5c3c0b11",
"debitAmount":{"currency":"EUR","amount":1250.35},"instruction":null},"creditorInformation":null"#
);

const BOOKED: &str = concat!(
    head!(),
    r#""payment":{"paymentId":"4b0a2b62-3f1f-4a07-9f34-0c3f60a5b1aa","transactionReference":"010F103220030044",
"valueDate":"2024-07-26T00:00:00","transactionDate":"2024-07-26T00:00:00","amount":1250.35,"currency":"EUR","#,
    transfer!(),
    "}}"
);

const STATUS: &str = concat!(
    head!(),
    r#""payload":{"EndToEndId":"E2E-1","InstructionUetr":"97ed4827-7b6f-4491-a06f-b548d5a7512d",
"AccountServicerReference":"010F103220030044","AcceptanceDateTime":"2024-07-26T14:53:51.1234567Z",
"TransactionStatus":"ACSC","StatusReasonInformation":[{"Reason":null,"AdditionalInformation":null}],
"TransactionReference":{"InstructedAmount":{"Currency":"EUR","Amount":1250.35},
"DebtorAccount":{"Iban":"DK3489000000010101","AccountNumber":null,"AccountUuid":null},
"DebtorAgent":{"Bic":"SXPYDKKK","Ncc":null,"Country":"DK"},
"CreditorAccount":{"Iban":"LU784080000018104800","AccountNumber":null,"AccountUuid":null},
"CreditorAgent":{"Bic":"BCIRLULL","Ncc":null,"Country":"LU"}}}}"#
);

builder! {
    /// A notification. Pointers begin in it: `/payment/status`. Alone it makes a message of one; see [`batch`] for more.
    Notification
}

setters! {
    Notification {
        /// The event's id, of which the key is made.
        id: text at "/eventId",
        /// The type, such as `Reversed`.
        event: text at "/notificationType",
        /// When it happened.
        timestamp: text at "/timestamp",
        /// The bank's id of the payment.
        payment_id: text at "/payment/paymentId" "/payload/AccountServicerReference",
        /// The bank's reference.
        reference: text at "/payment/transactionReference" "/payload/AccountServicerReference",
        /// How far it is.
        status: text at "/payment/status" "/payload/TransactionStatus",
        /// Three letters.
        currency: text at
            "/payment/currency"
            "/payment/transfer/amount/currency"
            "/payment/creditorInformation/creditAmount/currency"
            "/payment/debtorInformation/debitAmount/currency"
            "/payload/TransactionReference/InstructedAmount/Currency",
        /// The payer's IBAN.
        debtor_account: text at
            "/payment/transfer/debtorAccount/accountIban"
            "/payment/transfer/debtorAccount/account"
            "/payload/TransactionReference/DebtorAccount/Iban",
        /// The payee's IBAN.
        creditor_account: text at
            "/payment/transfer/creditorAccount/accountIban"
            "/payment/transfer/creditorAccount/account"
            "/payload/TransactionReference/CreditorAccount/Iban",
        /// Who pays.
        debtor_name: text at "/payment/transfer/debtorName",
        /// The value date.
        value_date: text at "/payment/valueDate" "/payment/transfer/valueDate",
    }
}

numbered! {
    Notification
    "/eventId" Uuid,
    "/payment/paymentId" Uuid,
    "/payment/transactionReference" After("010F"),
    "/payload/EndToEndId" After("E2E-"),
    "/payload/InstructionUetr" Uuid,
    "/payload/AccountServicerReference" After("010F"),
}

impl Notification {
    /// How much, in major units: a JSON number of these digits. On the books an amount has a sign, minus when money goes out, and
    /// is written as it is set; what was ordered stands beside it without one.
    pub fn amount(mut self, amount: impl Into<String>) -> Self {
        let amount = amount.into();
        let is_booked = self.0.json.replace("/payment/amount", Json::number(&*amount));
        let ordered = if is_booked { amount.trim_start_matches('-') } else { &amount };
        let places = [
            "/payment/transfer/amount/amount",
            "/payment/creditorInformation/creditAmount/amount",
            "/payment/debtorInformation/debitAmount/amount",
            "/payload/TransactionReference/InstructedAmount/Amount",
        ];
        self.0.put(&places, Json::number(ordered));
        self
    }

    fn of(body: Body, event: &str) -> Self {
        Self(Body { listed_in: Some("notifications"), ..body }).event(event)
    }

    fn outgoing(event: &str, status: &str) -> Self {
        Self::of(sample!(OUTGOING), event).status(status)
    }
}

/// `IncomingPaymentProcessed`: 1250.35 EUR, by the event's id `00000000-0000-4000-8000-000000000001`, as of all here.
pub fn incoming_payment_processed() -> Notification {
    Notification::of(sample!(INCOMING), "IncomingPaymentProcessed")
}

/// `OutgoingPaymentRejected`, with the reason `AC04`.
pub fn outgoing_payment_rejected() -> Notification {
    let errors: Value = json!([{"code": "AC04", "description": "Closed account number"}]);
    Notification::outgoing("OutgoingPaymentRejected", "Rejected").set("/payment/errors", errors)
}

/// `OutgoingPaymentProcessed`.
pub fn outgoing_payment_processed() -> Notification {
    Notification::outgoing("OutgoingPaymentProcessed", "Processed")
}

/// `MissingFunding`.
pub fn missing_funding() -> Notification {
    Notification::outgoing("MissingFunding", "MissingFunding")
}

/// `Reversed`, of a payment out.
pub fn reversed() -> Notification {
    Notification::outgoing("Reversed", "Reversed").set("/payment/reversalBooked", Value::Bool(true))
}

/// `OutgoingPaymentBooked`: -1250.35 EUR.
pub fn outgoing_payment_booked() -> Notification {
    Notification::of(sample!(BOOKED), "OutgoingPaymentBooked").amount("-1250.35")
}

/// `PaymentRouting`, of a payment out.
pub fn payment_routing() -> Notification {
    let routed = Notification::outgoing("PaymentRouting", "PendingProcessing");
    routed.set("/payment/routingStatus", "RoutedViaSwift")
}

/// `IncomingPaymentBooked`: 1250.35 EUR.
pub fn incoming_payment_booked() -> Notification {
    Notification::of(sample!(BOOKED), "IncomingPaymentBooked")
}

/// `OutgoingDirectDebitPendingProcessing`.
pub fn outgoing_direct_debit_pending_processing() -> Notification {
    Notification::outgoing("OutgoingDirectDebitPendingProcessing", "PendingProcessing")
}

/// `PaymentStatus`: settled, in the words of ISO 20022.
pub fn payment_status() -> Notification {
    Notification::of(sample!(STATUS), "PaymentStatus")
}

builder! {
    /// One message of many notifications. Pointers begin at its root: `/notifications/3/eventId`.
    Batch
}

/// One message of these notifications, as it is written itself. The bank sends a thousand at most.
pub fn batch(notifications: impl IntoIterator<Item = Notification>) -> Batch {
    let all = notifications.into_iter().map(|Notification(body)| body.json);
    Batch(Body::new(Json::object([("notifications", Json::list(all))])))
}
