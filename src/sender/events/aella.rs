//! Aella: transfers, inward payments, mandates and debits. The samples are those of <https://docs.aella.app/webhooks>; of the
//! events without one the shape is inferred, and so are the words `Failed`, `failed`, `initiated`, `PENDING` and `INACTIVE`
//! and the response code `51`.
//!
//! ```
//! use tower_webhook::sender::events::aella;
//!
//! let message = aella::debit_failed().id("D-1").amount("200").message();
//! assert!(message.body.starts_with(br#"{"event":"mandate.debit.failed","#));
//! ```

use super::body::{builder, numbered, sample, setters};

const TRANSFER: &str = r#"{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{
"id":"7b129bdd-b3c1-4a33-b80e-76cee553466f","narration":"Payment for order","status":"Success","amount":10000,"fee":0,
"externalReference":"order-12345","currency":"NGN","sessionId":null,"senderName":"Merchant Name","senderBank":"Aella MFB",
"senderAccountNumber":"0242438865","receiverName":"JOHN DOE","receiverBank":"GTBANK PLC",
"receiverAccountNumber":"0480819436","receiverBankCode":"000013","environment":"LIVE",
"createdAt":"2025-03-25T10:17:00.380Z","updatedAt":"2025-03-25T10:17:00.380Z"}}"#;

const INWARDS: &str = r#"{"event":"inwards.completed","timestamp":"2025-06-26T11:37:51.894Z","data":{
"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8","narration":null,"status":"Success","amount":100,"fee":0,
"externalReference":"payment-ref-123","currency":"NGN","sessionId":"090614447739340718791499120552",
"senderName":"GBOLUWAGA AFOLABI ADEYEMI","senderBank":"GTBANK PLC","senderAccountNumber":"0480819436",
"receiverName":"Merchant/Account Name","receiverBank":"Aella Microfinance Bank","receiverAccountNumber":"0376236159",
"receiverBankCode":"090416","environment":"LIVE","source":"DYNAMIC_VIRTUAL",
"sourceWallet":"9f9fe6c7-3faf-49e6-afd3-1bacc9090ec8","createdAt":"2025-06-26T11:37:51.446Z",
"updatedAt":"2025-06-26T11:37:51.446Z"}}"#;

const MANDATE: &str = r#"{"event":"mandate.created","timestamp":"2025-06-26T11:37:51.894Z","data":{
"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8","confirmationStatus":"PENDING","status":"INACTIVE",
"bankAccount":{"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8"},"createdAt":"2025-06-26T10:37:51.894Z"}}"#;

const DEBIT: &str = r#"{"event":"mandate.debit.successful","timestamp":"2025-06-26T11:37:51.894Z","data":{
"mandate":{"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8","confirmationStatus":"CONFIRMED","status":"ACTIVE",
"bankAccount":{"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8"},"createdAt":"2025-06-26T10:37:51.894Z"},
"transaction":{"id":"9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8","amount":200,"status":"successful","finalResponseCode":"00",
"narration":"Subscription payment","providerId":"23421e0b-d23c-4145-2355-cc2e47023e91",
"mandateId":"4e71cbf2-9a6c-4168-8070-2c982e65f3ce","sessionId":null,"responseCode":"00",
"createdAt":"2025-08-26T16:20:55.862Z","fee":2.14}}}"#;

builder! {
    /// An event about a transfer, out or in.
    Transfer
}

setters! {
    Transfer {
        /// The event's name.
        event: text at "/event",
        /// When it was sent.
        timestamp: text at "/timestamp",
        /// The id of the transfer, of which the key is made.
        id: text at "/data/id",
        /// What was moved, in naira: a JSON number of these digits.
        amount: number at "/data/amount",
        /// What Aella took for it: a JSON number of these digits.
        fee: number at "/data/fee",
        /// Three letters.
        currency: text at "/data/currency",
        /// How it ended.
        status: text at "/data/status",
        /// The receiver's own reference.
        external_reference: text at "/data/externalReference",
        /// The text on the statement.
        narration: text at "/data/narration",
        /// Who paid.
        sender_name: text at "/data/senderName",
        /// From which account.
        sender_account: text at "/data/senderAccountNumber",
        /// Who was paid.
        receiver_name: text at "/data/receiverName",
        /// To which account.
        receiver_account: text at "/data/receiverAccountNumber",
        /// When the transfer was made.
        created_at: text at "/data/createdAt",
        /// When it last changed.
        updated_at: text at "/data/updatedAt",
    }
}

numbered! { Transfer "/data/id" Uuid, "/data/externalReference" After("order-"), }

/// `transfer.completed`: 10000 NGN, by the id `7b129bdd-b3c1-4a33-b80e-76cee553466f`.
pub fn transfer() -> Transfer {
    Transfer(sample!(TRANSFER))
}

/// `transfer.failed`, by the same id.
pub fn transfer_failed() -> Transfer {
    transfer().event("transfer.failed").status("Failed")
}

/// `inwards.completed`: 100 NGN, by the id `9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8`.
pub fn inwards() -> Transfer {
    Transfer(sample!(INWARDS))
}

/// `inwards.failed`, by the same id.
pub fn inwards_failed() -> Transfer {
    inwards().event("inwards.failed").status("Failed")
}

builder! {
    /// An event about a mandate.
    Mandate
}

setters! {
    Mandate {
        /// The event's name.
        event: text at "/event",
        /// When it was sent.
        timestamp: text at "/timestamp",
        /// The id of the mandate, of which the key is made.
        id: text at "/data/id",
        /// Whether it is in force.
        status: text at "/data/status",
        /// Whether the payer confirmed it.
        confirmation_status: text at "/data/confirmationStatus",
        /// The id of the payer's account.
        account: text at "/data/bankAccount/id",
        /// When it was set up.
        created_at: text at "/data/createdAt",
    }
}

numbered! { Mandate "/data/id" Uuid, "/data/bankAccount/id" Uuid, }

/// `mandate.created`, by the id `9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8`.
pub fn mandate_created() -> Mandate {
    Mandate(sample!(MANDATE))
}

/// `mandate.confirmed`, by the same id.
pub fn mandate_confirmed() -> Mandate {
    mandate_created().event("mandate.confirmed").confirmation_status("CONFIRMED").status("ACTIVE")
}

builder! {
    /// An event about a debit under a mandate.
    Debit
}

setters! {
    Debit {
        /// The event's name.
        event: text at "/event",
        /// When it was sent.
        timestamp: text at "/timestamp",
        /// The id of the debit, of which the key is made.
        id: text at "/data/transaction/id",
        /// The id of the mandate.
        mandate_id: text at "/data/mandate/id",
        /// What is taken, in naira: a JSON number of these digits.
        amount: number at "/data/transaction/amount",
        /// What Aella took for it: a JSON number of these digits.
        fee: number at "/data/transaction/fee",
        /// How far it is.
        status: text at "/data/transaction/status",
        /// The word of the banks' network, the first and the last.
        response_code: text at "/data/transaction/responseCode" "/data/transaction/finalResponseCode",
        /// The text on the statement.
        narration: text at "/data/transaction/narration",
        /// The id of the payer's account.
        account: text at "/data/mandate/bankAccount/id",
        /// When the debit was begun.
        created_at: text at "/data/transaction/createdAt",
    }
}

numbered! {
    Debit
    "/data/transaction/id" Uuid,
    "/data/mandate/id" Uuid,
    "/data/mandate/bankAccount/id" Uuid,
    "/data/transaction/mandateId" Uuid,
    "/data/transaction/providerId" Uuid,
}

/// `mandate.debit.successful`: 200 naira, by the id `9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8`.
pub fn debit_successful() -> Debit {
    Debit(sample!(DEBIT))
}

/// `mandate.debit.initiated`, by the same id. The banks have said nothing yet.
pub fn debit_initiated() -> Debit {
    let debit = debit_successful().event("mandate.debit.initiated").status("initiated");
    debit.without("/data/transaction/responseCode").without("/data/transaction/finalResponseCode")
}

/// `mandate.debit.failed`, by the same id.
pub fn debit_failed() -> Debit {
    debit_successful().event("mandate.debit.failed").status("failed").response_code("51")
}
