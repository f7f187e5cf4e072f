//! Events that are built in, so that there is something to send at once.

use serde_json::json;
use tower_webhook::provider::Message;
use tower_webhook::sender::events::{aella, banking_circle, opp, sibs, standard_webhooks};

/// An event by name: that of its provider, and its own.
pub(crate) struct Fixture {
    name: &'static str,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Event(fn() -> Message),
    /// A template of Mambu's.
    Template(&'static str),
}

const ALL: &[Fixture] = &[
    event("aella/inwards.completed", || aella::inwards().message()),
    event("aella/mandate.debit.successful", || aella::debit_successful().message()),
    event("aella/transfer.completed", || aella::transfer().message()),
    event("banking_circle/batch", batch),
    event("banking_circle/incoming-payment-processed", || banking_circle::incoming_payment_processed().message()),
    event("banking_circle/outgoing-payment-booked", || banking_circle::outgoing_payment_booked().id(id(2)).message()),
    Fixture { name: "mambu/loan-disbursed", content: Content::Template(LOAN) },
    event("opp/activation-test", || opp::activation_test().message()),
    event("opp/payment", || opp::payment().message()),
    event("sibs/payment", || sibs::payment().message()),
    event("standard_webhooks/invoice.paid", || {
        standard_webhooks::event("invoice.paid").amount("92.00").currency("EUR").message()
    }),
];

/// With a custom field, which has no value unless it is set.
const LOAN: &str = r#"{"event":"LOAN_DISBURSEMENT","accountId":"{ACCOUNT_ID}","clientName":"{CLIENT_NAME}","amount":{LOAN_AMOUNT},"currency":"{ACCOUNT_CURRENCY_CODE}","encodedKey":"{ENCODED_KEY}","score":"{CF:CLIENT:Score:1}"}"#;

const fn event(name: &'static str, build: fn() -> Message) -> Fixture {
    Fixture { name, content: Content::Event(build) }
}

/// One of each type, and one that nobody knows yet.
fn batch() -> Message {
    use banking_circle::*;
    let case = json!({"eventType": "CASE_CREATED", "caseId": "c-1001", "caseType": "RFI", "status": "OPEN"});
    let all = [
        incoming_payment_processed(),
        incoming_payment_booked(),
        outgoing_payment_rejected(),
        outgoing_payment_processed(),
        outgoing_payment_booked(),
        missing_funding(),
        reversed(),
        payment_routing(),
        outgoing_direct_debit_pending_processing(),
        missing_funding().event("CasesEvents").set("/payment", case),
        payment_status(),
        payment_status().event("SomethingNewNextYear").set("/payload", json!({"x": 1})),
    ];
    banking_circle::batch((11..).zip(all).map(|(number, one)| one.id(id(number)))).message()
}

/// The id of an event of Banking Circle's.
fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

impl Fixture {
    /// Who sends such an event.
    pub(crate) fn provider(&self) -> &'static str {
        self.name.split('/').next().unwrap_or_default()
    }
}

/// The event of this name. In that of its provider `-` is taken for `_`.
pub(crate) fn find(name: &str) -> Option<&'static Fixture> {
    let (provider, event) = name.split_once('/')?;
    let name = format!("{}/{event}", provider.replace('-', "_"));
    ALL.iter().find(|fixture| fixture.name == name)
}

/// The names, one a line.
pub(crate) fn list() -> String {
    ALL.iter().map(|fixture| format!("{}\n", fixture.name)).collect()
}
