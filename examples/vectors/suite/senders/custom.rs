//! Schemes of other senders, each by configuration alone.

use tower_webhook::RejectionKind::{KeyMissing, PayloadMalformed};

use super::{Case, Seals, Sender};

const BROKEN: &str = r#"{"id":"evt_1","type":"#;
const TWICE: &str = r#"{"id":"evt_1","id":"evt_2","type":"charge.succeeded"}"#;

pub(super) fn all() -> Vec<Sender> {
    vec![github(), shopify(), stripe(), square(), moniepoint(), static_token()]
}

fn sender(name: &'static str, toml: &'static str, other_key: &'static str, case: Case) -> Sender {
    Sender { name, toml, seals: Seals::AsConfigured, other_key, cases: vec![case], refused: vec![] }
}

fn github() -> Sender {
    let toml = r#"[[endpoint]]
path = "/github"
provider = "custom"
keys = [{ id = "test", value = "It's a Secret to Everybody", encoding = "utf8" }]
scheme = { mac = "hmac-sha256", header = "x-hub-signature-256", prefix = "sha256=" }
key = { header = "x-github-delivery" }
event = { header = "x-github-event" }
"#;
    let case = |name, body| Case::new(name, body).content_type("text/plain").header("x-github-event", "ping");
    // The body, the key and so the signature that GitHub's documentation has.
    let first = case("hello", "Hello, World!").key("72d3162e-cc78-11e3-81ab-4c9367dc0958");
    let mut github = sender("custom_github", toml, "It's a Secret to Nobody", first);
    github.refused.push((case("no-key", "Hello, World!"), KeyMissing));
    github
}

fn shopify() -> Sender {
    let toml = r#"[[endpoint]]
path = "/shopify"
provider = "custom"
keys = [{ id = "test", value = "shpss_test_5df8d8b6a1c24d6d9a2e", encoding = "utf8" }]
scheme = { mac = "hmac-sha256", header = "x-shopify-hmac-sha256", encoding = "base64" }
key = { header = "x-shopify-webhook-id" }
event = { header = "x-shopify-topic" }
"#;
    let body = r#"{"id":820982911946154508,"total_price":"403.00","currency":"USD"}"#;
    let case = Case::new("orders-paid", body).key("b54557e4-bdd9-4b37-8a5f-bf7d70bcd043");
    let case = case.header("x-shopify-topic", "orders/paid");
    sender("custom_shopify", toml, "shpss_test_000000000000000000000", case)
}

fn stripe() -> Sender {
    let toml = r#"[[endpoint]]
path = "/stripe"
provider = "custom"
keys = [{ id = "test", value = "whsec_5df8d8b6a1c24d6d9a2e", encoding = "utf8" }]
scheme = { mac = "hmac-sha256", header = "stripe-signature", params = ",", signature_param = "v1", signed = "{param:t}.{body}" }
timestamp = { param = "t", unit = "s", past = "5m", future = "5m" }
key = { json = "/id" }
event = { json = "/type" }
"#;
    let body = r#"{"id":"evt_1","type":"charge.succeeded","data":{"amount":100,"currency":"eur"}}"#;
    let mut stripe = sender("custom_stripe", toml, "whsec_000000000000000000", Case::new("charge-succeeded", body));
    stripe.refused = vec![
        (Case::new("broken-json", BROKEN), KeyMissing),
        (Case::new("name-twice", TWICE), PayloadMalformed),
        (Case::new("no-key", r#"{"type":"charge.succeeded"}"#), KeyMissing),
    ];
    stripe
}

fn square() -> Sender {
    let toml = r#"[[endpoint]]
path = "/square"
provider = "custom"
keys = [{ id = "test", value = "Ibxx_5AKakO-3qeNVR61Dw", encoding = "utf8" }]
scheme = { mac = "hmac-sha256", header = "x-square-hmacsha256-signature", encoding = "base64", signed = "{url}{body}" }
url = "https://receiver.test/square"
key = { json = "/event_id" }
event = { json = "/type" }
"#;
    let body = r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f"}"#;
    let mut square = sender("custom_square", toml, "Jbxx_5AKakO-3qeNVR61Dw", Case::new("test-notification", body));
    square.refused.push((Case::new("name-twice", TWICE), PayloadMalformed));
    square
}

fn moniepoint() -> Sender {
    let toml = r#"[[endpoint]]
path = "/moniepoint"
provider = "custom"
keys = [{ id = "test", value = "mp_test_5df8d8b6a1c24d6d9a2e", encoding = "utf8" }]
scheme = { mac = "hmac-sha256", header = "moniepoint-webhook-signature", encoding = "base64", signed = "{header:moniepoint-webhook-id}__{header:moniepoint-webhook-timestamp}__{body}", split_strictly = true }
timestamp = { header = "moniepoint-webhook-timestamp", unit = "ms", past = "5m", future = "1m" }
key = { header = "moniepoint-webhook-id" }
event = { json = "/eventType" }
"#;
    let body = r#"{"eventType":"POS_TRANSACTION","data":{"amount":20050,"transactionReference":"TRX-1"}}"#;
    let case = Case::new("pos-transaction", body).key("1f0e3dad-9990-4a3f-9a51-0f5d8f5d7a07");
    sender("custom_moniepoint", toml, "mp_test_00000000000000000000", case)
}

fn static_token() -> Sender {
    let toml = r#"[[endpoint]]
path = "/flutterwave"
provider = "custom"
keys = [{ id = "test", value = "flw_test_5df8d8b6a1c24d6d", encoding = "utf8" }]
scheme = { token = true, header = "verif-hash" }
key = { json = "/data/id" }
event = { json = "/event" }
"#;
    let body = r#"{"event":"charge.completed","data":{"id":285959875,"amount":100,"currency":"NGN"}}"#;
    let mut token =
        sender("custom_static_token", toml, "flw_test_0000000000000000", Case::new("charge-completed", body));
    token.refused.push((Case::new("name-twice", r#"{"event":"x","data":{"id":1,"id":2}}"#), PayloadMalformed));
    token
}
