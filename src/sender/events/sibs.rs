//! SIBS Gateway: payments, in the published generic structure (<https://www.qly.docs.pay.sibs.com/?p=28809>).
//!
//! ```
//! use tower_webhook::sender::events::{Json, sibs};
//!
//! // The newer pages write amounts as numbers, the older ones as strings.
//! let message = sibs::payment().set("/amount/value", Json::number("12.50")).message();
//! assert!(String::from_utf8_lossy(&message.body).contains(r#""value":12.50"#));
//! ```

use super::body::{builder, numbered, sample, setters};

const PAYMENT: &str = r#"{"returnStatus":{"statusMsg":"Success","statusCode":"000"},"paymentStatus":"Success",
"paymentMethod":"CARD","transactionID":"s2NA4kCzUqcmgmXVx4Ny","transactionDateTime":"2026-11-21T14:00:00.123Z",
"amount":{"currency":"EUR","value":"16.20"},
"merchant":{"transactionId":"order-12345","terminalId":1000,"merchantName":"Merchant Name"},"paymentType":"PURS",
"internalTransactionId":"14212014212001420014","notificationID":"7f3b0b3e-6f3d-4a52-9d10-3f6c1d9a0c11"}"#;

builder! {
    /// A notification of the gateway.
    Payment
}

setters! {
    Payment {
        /// The id of the notification, of which the key is made and which the answer must repeat.
        id: text at "/notificationID",
        /// The gateway's id of the transaction. `WebhookTest` is that of a connection test.
        transaction_id: text at "/transactionID",
        /// How much: a JSON string.
        amount: text at "/amount/value",
        /// Three letters.
        currency: text at "/amount/currency",
        /// How far the payment is, such as `Declined`.
        status: text at "/paymentStatus",
        /// What became of the request, such as `000`.
        status_code: text at "/returnStatus/statusCode",
        /// The kind of payment, such as `PURS`.
        event: text at "/paymentType",
        /// Such as `MBWAY`.
        payment_method: text at "/paymentMethod",
        /// The merchant's own id of the transaction.
        merchant_transaction_id: text at "/merchant/transactionId",
        /// The merchant's name.
        merchant_name: text at "/merchant/merchantName",
        /// When it was processed.
        timestamp: text at "/transactionDateTime",
    }
}

numbered! {
    Payment
    "/notificationID" Uuid,
    "/transactionID" After("s2"),
    "/merchant/transactionId" After("order-"),
    "/internalTransactionId" After("1421"),
}

/// A purchase of 16.20 EUR by card, by the notification's id `7f3b0b3e-6f3d-4a52-9d10-3f6c1d9a0c11`.
pub fn payment() -> Payment {
    Payment(sample!(PAYMENT))
}
