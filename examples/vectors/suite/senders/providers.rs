//! The providers of the library. Bodies are those of `tests/fixtures/`.

use http::Method;
use tower_webhook::RejectionKind::{KeyMissing, PayloadMalformed};

use super::{Case, Seals, Sender};

const TWICE: &str = r#"{"id":"1","id":"2"}"#;
const BROKEN: &str = r#"{"id":"1","#;

pub(super) fn all() -> Vec<Sender> {
    vec![
        mambu(),
        mambu_without_key(),
        mambu_static_header(),
        aella(),
        opp("opp", Seals::AsConfigured),
        opp("opp_wrapped", Seals::OppWrapped),
        sibs(),
        banking_circle(),
        standard_webhooks(),
        standard_webhooks_v1a(),
    ]
}

const MAMBU_JSON: &str = r#"{"event":"LOAN_DISBURSEMENT","accountId":"LA-10042","clientName":"Zoë \"Zed\" O'Hara","amount":2500.00,"currency":"EUR"}"#;
const MAMBU_XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<notification><account>LA-10042</account><amount>2500.00</amount></notification>\n";

fn mambu() -> Sender {
    Sender {
        name: "mambu",
        toml: r#"[[endpoint]]
path = "/mambu"
provider = "mambu"
event = { json = "/event" }
basic_auth = [{ username = "mambu", password = "correct: horse battery" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "wrong: horse battery",
        cases: vec![
            Case::new("json", MAMBU_JSON).key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a01"),
            Case::new("xml", MAMBU_XML).key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a02").content_type("application/xml"),
            Case::new("text", "Loan LA-10042 was disbursed: 2500.00 EUR")
                .key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a03")
                .content_type("text/plain; charset=utf-8"),
            Case::new("put", MAMBU_JSON).key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a04").method(Method::PUT),
            // A placeholder without quotes and without a value. Refused, it would be lost for ever.
            Case::new("json-broken-by-an-empty-placeholder", r#"{"event":"MANUAL","amount":}"#)
                .key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a05"),
        ],
        refused: vec![(Case::new("no-key", MAMBU_JSON), KeyMissing)],
    }
}

fn mambu_without_key() -> Sender {
    Sender {
        name: "mambu_without_key",
        toml: r#"[[endpoint]]
path = "/mambu"
provider = "mambu"
event = { json = "/event" }
key_policy = "body_digest"
basic_auth = [{ username = "mambu", password = "correct: horse battery" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "wrong: horse battery",
        cases: vec![Case::new("json", MAMBU_JSON), Case::new("xml", MAMBU_XML).content_type("text/xml")],
        refused: vec![],
    }
}

fn mambu_static_header() -> Sender {
    Sender {
        name: "mambu_static_header",
        toml: r#"[[endpoint]]
path = "/mambu"
provider = "mambu"
static_header = "x-api-key"
event = { json = "/event" }
keys = [{ id = "test", value = "mambu-test-api-key", encoding = "utf8" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "another-test-api-key",
        cases: vec![Case::new("json", MAMBU_JSON).key("6f1c0a52-0b8c-4a4e-9a51-0f5d8f5d7a06")],
        refused: vec![(Case::new("no-key", MAMBU_JSON), KeyMissing)],
    }
}

fn aella() -> Sender {
    Sender {
        name: "aella",
        toml: r#"[[endpoint]]
path = "/aella"
provider = "aella"
keys = [{ id = "test", value = "ae_sk_test_example", encoding = "utf8" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "ae_sk_test_another",
        cases: vec![
            Case::new("transfer-completed", include_str!("../../../../tests/fixtures/aella/transfer.completed.json")),
            Case::new("inwards-completed", include_str!("../../../../tests/fixtures/aella/inwards.completed.json")),
            Case::new(
                "mandate-debit-successful",
                include_str!("../../../../tests/fixtures/aella/mandate.debit.successful.json"),
            ),
            Case::new("unknown-event", r#"{"event":"moon.landed","data":{"id":"m-1","crew":["Zoë","\u5f20"]}}"#),
        ],
        refused: vec![
            (Case::new("broken-json", r#"{"event":"transfer.completed","data":{"id":"7b""#), PayloadMalformed),
            (
                Case::new(
                    "name-twice",
                    r#"{"event":"transfer.completed","data":{"id":"7b","amount":1,"amount":1000000}}"#,
                ),
                PayloadMalformed,
            ),
            (Case::new("trailing-garbage", r#"{"event":"transfer.completed","data":{"id":"7b"}} x"#), PayloadMalformed),
        ],
    }
}

fn opp(name: &'static str, seals: Seals) -> Sender {
    Sender {
        name,
        toml: r#"[[endpoint]]
path = "/opp"
provider = "opp"
keys = [{ id = "test", value = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f", encoding = "hex" }]
"#,
        seals,
        other_key: "ff0102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
        cases: vec![
            Case::new("payment", include_str!("../../../../tests/fixtures/opp/payment.json")),
            Case::new("activation-test", include_str!("../../../../tests/fixtures/opp/activation-test.json")),
            Case::new("unknown-type", r#"{"type":"MOON","payload":{"id":"m-1"}}"#),
        ],
        refused: vec![
            (Case::new("broken-json", r#"{"type":"PAYMENT","payload":"#), PayloadMalformed),
            (
                Case::new(
                    "name-twice",
                    r#"{"type":"PAYMENT","payload":{"id":"8a82","amount":"1.00","amount":"1000.00"}}"#,
                ),
                PayloadMalformed,
            ),
        ],
    }
}

fn sibs() -> Sender {
    Sender {
        name: "sibs",
        toml: r#"[[endpoint]]
path = "/sibs"
provider = "sibs"
keys = [{ id = "test", value = "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=", encoding = "base64" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "/wECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=",
        cases: vec![
            Case::new("payment", include_str!("../../../../tests/fixtures/sibs/payment.json")),
            Case::new("payment-as-json", include_str!("../../../../tests/fixtures/sibs/payment.json"))
                .content_type("application/json"),
        ],
        refused: vec![
            (Case::new("broken-json", BROKEN), PayloadMalformed),
            (Case::new("name-twice", TWICE), PayloadMalformed),
        ],
    }
}

fn banking_circle() -> Sender {
    Sender {
        name: "banking_circle",
        toml: r#"[[endpoint]]
path = "/banking-circle"
provider = "banking_circle"
keys = [{ id = "test", value = "sim-bc-notification-key-32-chars", encoding = "utf8" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "another-key-that-has-32-letters!",
        cases: vec![
            Case::new(
                "incoming-payment-processed",
                include_str!("../../../../tests/fixtures/banking-circle/incoming-payment-processed.json"),
            ),
            Case::new(
                "outgoing-payment-booked",
                include_str!("../../../../tests/fixtures/banking-circle/outgoing-payment-booked.json"),
            ),
            Case::new("batch", include_str!("../../../../tests/fixtures/banking-circle/batch.json")),
        ],
        refused: vec![
            (Case::new("broken-json", r#"{"notifications":["#), PayloadMalformed),
            (
                Case::new(
                    "name-twice",
                    r#"{"notifications":[{"eventId":"e-1","eventId":"e-2","notificationType":"CaseEvents"}]}"#,
                ),
                PayloadMalformed,
            ),
        ],
    }
}

const INVOICE: &str = include_str!("../../../../tests/fixtures/standard-webhooks/invoice.paid.json");

fn standard_webhooks() -> Sender {
    Sender {
        name: "standard_webhooks",
        toml: r#"[[endpoint]]
path = "/shop"
provider = "standard_webhooks"
keys = [{ id = "test", value = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", encoding = "base64", strip = "whsec_" }]
"#,
        seals: Seals::AsConfigured,
        other_key: "whsec_D2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        cases: vec![
            Case::new("invoice-paid", INVOICE).key("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
            Case::new("no-json", "Zoë & <co>\n").key("msg_27UH4WbU6Z5A5EzD8u03UvzRbpl").content_type("text/plain"),
        ],
        refused: vec![(Case::new("name-twice", TWICE).key("msg_27UH4WbU6Z5A5EzD8u03UvzRbpm"), PayloadMalformed)],
    }
}

fn standard_webhooks_v1a() -> Sender {
    Sender {
        name: "standard_webhooks_v1a",
        toml: r#"[[endpoint]]
path = "/shop"
provider = "standard_webhooks"
signature = "v1a"
keys = [{ id = "test", value = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", encoding = "base64", strip = "whpk_" }]
"#,
        seals: Seals::Privately("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        other_key: "whsk_/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        cases: vec![Case::new("invoice-paid", INVOICE).key("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk")],
        refused: vec![(Case::new("name-twice", TWICE).key("msg_27UH4WbU6Z5A5EzD8u03UvzRbpm"), PayloadMalformed)],
    }
}
