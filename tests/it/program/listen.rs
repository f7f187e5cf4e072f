//! `listen`, driven by senders that share no code with it.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::child::{Folder, Listener, Program};
use super::faults::faults;
use super::upstream::{Upstream, aella, forwarding};
use super::wire::{Answer, Raw, base64, encrypt, hex, hmac256, hmac512};

const TRANSFER: &str = include_str!("../../fixtures/aella/transfer.completed.json");
const BATCH: &str = include_str!("../../fixtures/banking-circle/batch.json");
const PAYMENT: &str = include_str!("../../fixtures/opp/payment.json");
const HEX_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn config() -> String {
    let sibs_key = base64(&[7; 32]);
    format!(
        r#"
listen = "127.0.0.1:0"
[[endpoint]]
path = "/mambu"
provider = "mambu"
basic_auth = [{{ username = "mambu", password = {{ env = "MAMBU_PASSWORD" }} }}]
sources = ["127.0.0.0/8"]
trusted_proxies = 0
event = {{ json = "/event" }}
[[endpoint]]
path = "/aella"
provider = "aella"
keys = [{{ id = "2026-11", value = "ae_sk_test_example" }},
        {{ id = "2026-10", value = "ae_sk_test_of_october", not_after = "2026-10-31T00:00:00Z" }}]
[[endpoint]]
path = "/opp"
provider = "opp"
keys = [{{ id = "k", value = "{HEX_KEY}" }}]
[[endpoint]]
path = "/sibs"
provider = "sibs"
keys = [{{ id = "k", value = "{sibs_key}" }}]
[[endpoint]]
path = "/bank"
provider = "banking_circle"
keys = [{{ id = "k", value = "sim-bc-notification-key-32-chars" }}]
max_body = "50MiB"
[[endpoint]]
path = "/standard"
provider = "standard_webhooks"
keys = [{{ id = "k", value = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" }}]
[[endpoint]]
path = "/github"
provider = "custom"
keys = [{{ id = "k", value = "It's a Secret to Everybody", encoding = "utf8" }}]
scheme = {{ mac = "hmac-sha256", header = "x-hub-signature-256", prefix = "sha256=", encoding = "hex", signed = "{{body}}" }}
key = {{ header = "x-github-delivery" }}
event = {{ header = "x-github-event" }}
[[endpoint]]
path = "/stripe"
provider = "custom"
keys = [{{ id = "k", value = "whsec_an_example_of_stripe" }}]
scheme = {{ mac = "hmac-sha256", header = "stripe-signature", params = ",", signature_param = "v1", encoding = "hex", signed = "{{param:t}}.{{body}}" }}
timestamp = {{ param = "t", unit = "s", past = "5m", future = "5m" }}
key = {{ json = "/id" }}
event = {{ json = "/type" }}
[[endpoint]]
path = "/shopify"
provider = "custom"
keys = [{{ id = "k", value = "shpss_an_example_of_shopify" }}]
scheme = {{ mac = "hmac-sha256", header = "x-shopify-hmac-sha256", encoding = "base64", signed = "{{body}}" }}
key = {{ header = "x-shopify-webhook-id" }}
event = {{ header = "x-shopify-topic" }}
[[endpoint]]
path = "/gocardless"
provider = "custom"
keys = [{{ id = "k", value = "ED7D658C-D8EB-4941-948B-3973214F2D49" }}]
scheme = {{ mac = "hmac-sha256", header = "webhook-signature", encoding = "hex", signed = "{{body}}" }}
key = {{ json = "/meta/webhook_id" }}
[[endpoint]]
path = "/paystack"
provider = "custom"
keys = [{{ id = "k", value = "sk_test_an_example_of_paystack" }}]
scheme = {{ mac = "hmac-sha512", header = "x-paystack-signature", encoding = "hex", signed = "{{body}}" }}
key = [{{ json = "/event" }}, {{ json = "/data/id" }}]
event = {{ json = "/event" }}
[[endpoint]]
path = "/square"
provider = "custom"
url = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"
keys = [{{ id = "k", value = "Ibxx_5AKakO-3qeNVR61Dw" }}]
scheme = {{ mac = "hmac-sha256", header = "x-square-hmacsha256-signature", encoding = "base64", signed = "{{url}}{{body}}" }}
key = {{ json = "/event_id" }}
event = {{ json = "/type" }}
[[endpoint]]
path = "/revolut"
provider = "custom"
keys = [{{ id = "k", value = "wsk_an_example_of_revolut" }}]
scheme = {{ mac = "hmac-sha256", header = "revolut-signature", list = ",", prefix = "v1=", encoding = "hex", signed = "v1.{{header:revolut-request-timestamp}}.{{body}}" }}
timestamp = {{ header = "revolut-request-timestamp", unit = "ms", past = "5m", future = "5m" }}
key = [{{ json = "/event" }}, {{ json = "/data/id" }}]
event = {{ json = "/event" }}
[[endpoint]]
path = "/cashfree"
provider = "custom"
keys = [{{ id = "k", value = "cfsk_an_example_of_cashfree" }}]
scheme = {{ mac = "hmac-sha256", header = "x-webhook-signature", encoding = "base64", signed = "{{header:x-webhook-timestamp}}{{body}}" }}
timestamp = {{ header = "x-webhook-timestamp", unit = "ms", past = "5m", future = "5m" }}
key = {{ header = "x-idempotency-key" }}
event = {{ json = "/type" }}
[[endpoint]]
path = "/weavr"
provider = "custom"
keys = [{{ id = "k", value = "weavr_an_example_of_weavr" }}]
scheme = {{ mac = "hmac-sha256", header = "signature-v2", encoding = "base64", signed = "{{header:call-ref}}{{body}}{{header:published-timestamp}}" }}
timestamp = {{ header = "published-timestamp", unit = "ms", past = "5m", future = "5m" }}
key = {{ header = "call-ref" }}
[[endpoint]]
path = "/flutterwave"
provider = "custom"
keys = [{{ id = "k", value = "mysecret", dangerous_short = true }}]
scheme = {{ token = true, header = "verif-hash" }}
key = {{ json = "/data/id" }}
event = {{ json = "/event" }}
"#
    )
}

fn start() -> Listener {
    Listener::start_with(&config(), &[("MAMBU_PASSWORD", "correct horse: battery")])
}

pub(super) fn seconds_ago(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - seconds
}

/// A sender: its request at a time, what its event is called and keyed, and whether its time is signed.
struct Row {
    name: &'static str,
    request: fn(sent: u64) -> Raw,
    event: Option<&'static str>,
    key: &'static str,
    kind: &'static str,
    is_timed: bool,
    /// What is wrong with a request whose body has one bit flipped.
    tampered: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        name: "mambu",
        request: |_| {
            let authorization = format!("Basic {}", base64(b"mambu:correct horse: battery"));
            Raw::new(
                "/mambu",
                &[
                    ("authorization", authorization),
                    ("content-type", "application/json".into()),
                    ("x-notifications-idempotency-key", "k-1".into()),
                ],
                r#"{"event":"LOAN_DISBURSEMENT","amount":2500.00}"#,
            )
        },
        event: Some("LOAN_DISBURSEMENT"),
        key: "k-1",
        kind: "notification",
        is_timed: false,
        tampered: "payload_mismatch",
    },
    Row {
        name: "aella",
        request: |_| {
            let signature = hex(&hmac512(b"ae_sk_test_example", &[TRANSFER.as_bytes()]));
            Raw::new("/aella", &[("X-Aella-Signature", signature)], TRANSFER)
        },
        event: Some("transfer.completed"),
        key: "transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f",
        kind: "transfer",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "opp",
        request: |_| {
            let (body, tag) =
                encrypt(&std::array::from_fn::<u8, 32, _>(|at| at.try_into().unwrap()), [9; 12], PAYMENT.as_bytes());
            let headers = [
                ("content-type", "text/plain".into()),
                ("content-encoding", "UTF-8".into()),
                ("X-Initialization-Vector", hex(&[9; 12]).to_uppercase()),
                ("X-Authentication-Tag", hex(&tag).to_uppercase()),
            ];
            Raw::new("/opp", &headers, hex(&body).to_uppercase())
        },
        event: Some("PAYMENT"),
        key: "PAYMENT||8a829449515d198b01517d5601df5584|000.000.000|2015-12-07 16:46:07+0000|12ef1136bb744b158e3a2dc2ba370f48",
        kind: "payment",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "sibs",
        request: |_| {
            let text = r#"{"returnStatus":{"statusCode":"000","statusMsg":"Success"},"paymentStatus":"Success","transactionID":"t1",
                "amount":{"currency":"EUR","value":"16.20"},"notificationID":"n-1"}"#;
            let (body, tag) = encrypt(&[7; 32], [3; 12], text.as_bytes());
            let headers = [
                ("content-type", "application/json".into()),
                ("X-Initialization-Vector", base64(&[3; 12])),
                ("X-Authentication-Tag", base64(&tag)),
            ];
            Raw::new("/sibs", &headers, base64(&body))
        },
        event: None,
        key: "n-1",
        kind: "payment",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "standard webhooks",
        request: |sent| {
            let key =
                b"\x0b\x61\x55\xb0\x14\x08\x86\xbb\x1c\x0a\x19\x50\x20\xc5\x7e\x6f\x9b\x12\x62\xca\x68\x6f\xba\x03";
            let (time, body) = (sent.to_string(), r#"{"type":"invoice.paid","data":{}}"#);
            let signature = base64(&hmac256(key, &[b"msg_1.", time.as_bytes(), b".", body.as_bytes()]));
            let headers = [
                ("webhook-id", "msg_1".into()),
                ("webhook-timestamp", time),
                ("webhook-signature", format!("v1,{} v1,{signature}", base64(&[0; 32]))),
            ];
            Raw::new("/standard", &headers, body)
        },
        event: Some("invoice.paid"),
        key: "msg_1",
        kind: "notification",
        is_timed: true,
        tampered: "signature_mismatch",
    },
    Row {
        name: "github",
        request: |_| {
            let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".to_owned();
            let headers = [
                ("x-hub-signature-256", signature),
                ("x-github-delivery", "72d3162e".into()),
                ("x-github-event", "ping".into()),
            ];
            Raw::new("/github", &headers, "Hello, World!")
        },
        event: Some("ping"),
        key: "72d3162e",
        kind: "notification",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "stripe",
        request: |sent| {
            let (time, body) = (sent.to_string(), r#"{"id":"evt_1","type":"charge.succeeded"}"#);
            let signature = hex(&hmac256(b"whsec_an_example_of_stripe", &[time.as_bytes(), b".", body.as_bytes()]));
            let value = format!("t={time},v1={},v1={signature},v0=00", hex(&[0; 32]));
            Raw::new("/stripe", &[("Stripe-Signature", value)], body)
        },
        event: Some("charge.succeeded"),
        key: "evt_1",
        kind: "notification",
        is_timed: true,
        tampered: "signature_mismatch",
    },
    Row {
        name: "shopify",
        request: |_| {
            let body = r#"{"id":820982911946154508}"#;
            let signature = base64(&hmac256(b"shpss_an_example_of_shopify", &[body.as_bytes()]));
            let headers = [
                ("X-Shopify-Hmac-SHA256", signature),
                ("X-Shopify-Webhook-Id", "b54557e4".into()),
                ("X-Shopify-Topic", "orders/create".into()),
            ];
            Raw::new("/shopify", &headers, body)
        },
        event: Some("orders/create"),
        key: "b54557e4",
        kind: "notification",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "gocardless",
        request: |_| {
            let body = r#"{"events":[{"id":"EV1","action":"paid_out"}],"meta":{"webhook_id":"WB123"}}"#;
            let signature = hex(&hmac256(b"ED7D658C-D8EB-4941-948B-3973214F2D49", &[body.as_bytes()]));
            Raw::new("/gocardless", &[("Webhook-Signature", signature)], body)
        },
        event: None,
        key: "WB123",
        kind: "notification",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "paystack",
        request: |_| {
            let body = r#"{"event":"charge.success","data":{"id":302961,"amount":20000}}"#;
            let signature = hex(&hmac512(b"sk_test_an_example_of_paystack", &[body.as_bytes()]));
            Raw::new("/paystack", &[("x-paystack-signature", signature)], body)
        },
        event: Some("charge.success"),
        key: "charge.success|302961",
        kind: "notification",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "square",
        request: |_| {
            let body = r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#;
            let signature = "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=".to_owned();
            Raw::new("/square", &[("x-square-hmacsha256-signature", signature)], body)
        },
        event: Some("webhooks.test_notification"),
        key: "ac3ac95b-f97d-458c-a6e6-18981597e05f",
        kind: "notification",
        is_timed: false,
        tampered: "signature_mismatch",
    },
    Row {
        name: "revolut",
        request: |sent| {
            let (time, body) = (format!("{sent}007"), r#"{"event":"TransactionCreated","data":{"id":"9a6434d8"}}"#);
            let signature =
                hex(&hmac256(b"wsk_an_example_of_revolut", &[b"v1.", time.as_bytes(), b".", body.as_bytes()]));
            let headers = [
                ("Revolut-Request-Timestamp", time),
                ("Revolut-Signature", format!("v1={},v1={signature}", hex(&[0; 32]))),
            ];
            Raw::new("/revolut", &headers, body)
        },
        event: Some("TransactionCreated"),
        key: "TransactionCreated|9a6434d8",
        kind: "notification",
        is_timed: true,
        tampered: "signature_mismatch",
    },
    Row {
        name: "cashfree",
        request: |sent| {
            let (time, body) = (format!("{sent}999"), r#"{"type":"PAYMENT_SUCCESS_WEBHOOK"}"#);
            let signature = base64(&hmac256(b"cfsk_an_example_of_cashfree", &[time.as_bytes(), body.as_bytes()]));
            let headers = [
                ("x-webhook-timestamp", time),
                ("x-webhook-signature", signature),
                ("x-idempotency-key", "cf-1".into()),
            ];
            Raw::new("/cashfree", &headers, body)
        },
        event: Some("PAYMENT_SUCCESS_WEBHOOK"),
        key: "cf-1",
        kind: "notification",
        is_timed: true,
        tampered: "signature_mismatch",
    },
    Row {
        name: "weavr",
        request: |sent| {
            let (time, body) = (format!("{sent}000"), r#"{"type":"x"}"#);
            let signature =
                base64(&hmac256(b"weavr_an_example_of_weavr", &[b"ref-1", body.as_bytes(), time.as_bytes()]));
            let headers = [("call-ref", "ref-1".into()), ("published-timestamp", time), ("signature-v2", signature)];
            Raw::new("/weavr", &headers, body)
        },
        event: None,
        key: "ref-1",
        kind: "notification",
        is_timed: true,
        tampered: "signature_mismatch",
    },
    Row {
        name: "flutterwave v3",
        request: |_| {
            let body = r#"{"event":"charge.completed","data":{"id":285959875,"amount":7}}"#;
            Raw::new("/flutterwave", &[("verif-hash", "mysecret".into())], body)
        },
        event: Some("charge.completed"),
        key: "285959875",
        kind: "notification",
        is_timed: false,
        // A static token proves no body: only the key is known with another one.
        tampered: "payload_mismatch",
    },
];

#[test]
fn every_sender_is_accepted_once_and_recognised_again() {
    let listener = start();
    for Row { name, request, event, key, kind, .. } in ROWS {
        let good = request(seconds_ago(10));
        let first = good.send(listener.address());
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{name}");
        let line = listener.json();
        let told = json!({
            "verdict": line["verdict"], "endpoint": line["endpoint"], "key": line["key"],
            "kind": line["typed"]["kind"], "attempt_replayed": line["attempt_replayed"],
        });
        let expected = json!({
            "verdict": "accepted", "endpoint": good.path, "key": key, "kind": kind, "attempt_replayed": false,
        });
        assert_eq!(told, expected, "{name}: {line}");
        if let Some(event) = event {
            assert_eq!(line["event"], *event, "{name}: {line}");
        }
        let again = good.send(listener.address());
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{name}");
        assert_eq!(again.body, first.body, "{name}");
        assert_eq!(listener.json(), json!({"verdict": "duplicate", "endpoint": good.path, "key": key}), "{name}");
    }
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn one_bit_off_is_refused_from_every_sender() {
    let listener = start();
    for Row { name, request, tampered, .. } in ROWS {
        let good = request(seconds_ago(10));
        if *tampered == "payload_mismatch" {
            assert_eq!(good.send(listener.address()).status, 200, "{name}");
            assert_eq!(listener.json()["verdict"], "accepted", "{name}");
        }
        let mut bad = good.clone();
        // In a text body the lowest bit turns a digit into its neighbour and leaves the encoding whole.
        let at = bad.body.iter().rposition(u8::is_ascii_digit).unwrap_or(5);
        bad.body[at] ^= 1;
        let status = if *tampered == "payload_mismatch" { 422 } else { 401 };
        let answer = bad.send(listener.address());
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{name}");
        let line = listener.json();
        assert_eq!((&line["verdict"], &line["kind"]), (&json!("refused"), &json!(tampered)), "{name}: {line}");
        assert_eq!(line["status"], status, "{name}: {line}");
    }
    let wrong = Raw::new("/flutterwave", &[("verif-hash", "mysecreu".into())], r#"{"data":{"id":1}}"#);
    assert_eq!(wrong.send(listener.address()).status, 401);
}

#[test]
fn a_stale_delivery_is_refused_where_its_time_is_signed() {
    let listener = start();
    let mut timed = 0;
    for Row { name, request, .. } in ROWS.iter().filter(|row| row.is_timed) {
        for ago in [600, 0] {
            let answer = request(seconds_ago(ago)).send(listener.address());
            let line = listener.json();
            match ago {
                0 => assert_eq!((answer.status, &line["verdict"]), (200, &json!("accepted")), "{name}"),
                _ => assert_eq!((answer.status, &line["kind"]), (401, &json!("timestamp_outside")), "{name}"),
            }
        }
        let future = request(seconds_ago(0) + 600).send(listener.address());
        assert_eq!((future.status, &listener.json()["kind"]), (401, &json!("timestamp_outside")), "{name}");
        timed += 1;
    }
    assert_eq!(timed, 5);
}

#[test]
fn a_key_that_has_ended_opens_nothing() {
    let listener = start();
    let signature = hex(&hmac512(b"ae_sk_test_of_october", &[TRANSFER.as_bytes()]));
    let stale = Raw::new("/aella", &[("x-aella-signature", signature)], TRANSFER);
    assert_eq!(stale.send(listener.address()).status, 401);
    assert_eq!(listener.json()["kind"], "signature_mismatch");
}

#[test]
fn a_batch_is_a_line_for_each_event_with_its_own_words() {
    let listener = start();
    let utf16: Vec<u8> = BATCH.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (body, tag) = encrypt(b"sim-bc-notification-key-32-chars", [1; 12], &utf16);
    let headers = [
        ("content-type", "application/octet-stream".into()),
        ("Nonce", base64(&[1; 12])),
        ("AuthenticationTag", base64(&tag)),
        ("Checksum", base64(&Sha256::digest(BATCH.as_bytes()))),
        ("SubscriptionVersion", "1".into()),
    ];
    let batch = Raw::new("/bank", &headers, body);
    assert_eq!(batch.send(listener.address()).status, 200);
    let sent: Value = serde_json::from_str(BATCH).unwrap();
    let sent = sent["notifications"].as_array().unwrap();
    for notification in sent {
        let line = listener.json();
        assert_eq!(line["event"], notification["notificationType"]);
        assert_eq!(line["key"], notification["eventId"]);
        assert_eq!(&line["payload"], notification);
        assert_eq!(line["occurred_at"], "2024-07-26T14:53:52.8581798Z");
    }
    assert_eq!(batch.send(listener.address()).header("idempotent-replayed"), Some("true"));
    for notification in sent {
        assert_eq!(
            listener.json(),
            json!({"verdict": "duplicate", "endpoint": "/bank", "key": notification["eventId"]})
        );
    }
}

#[test]
fn a_typed_event_has_exact_amounts_and_the_payload_every_member() {
    let listener = start();
    let aella = ROWS.iter().find(|row| row.name == "aella").unwrap();
    (aella.request)(0).send(listener.address());
    let line = listener.json();
    let typed = &line["typed"];
    assert_eq!(
        (&typed["amount"], &typed["currency"], &typed["status"]),
        (&json!("10000"), &json!("NGN"), &json!("completed"))
    );
    assert_eq!((&line["provider"], &line["key_id"]), (&json!("aella"), &json!("2026-11")));
    assert_eq!(line["occurred_at"], "2024-12-06T14:00:00Z");
    assert_eq!(line["payload"], serde_json::from_str::<Value>(TRANSFER).unwrap());
}

#[test]
fn bodies_that_are_no_json_are_told_as_text_or_as_base64() {
    let listener = start();
    let send = |key: &str, body: &[u8]| {
        let authorization = format!("Basic {}", base64(b"mambu:correct horse: battery"));
        let headers = [("authorization", authorization), ("x-notifications-idempotency-key", key.to_owned())];
        assert_eq!(Raw::new("/mambu", &headers, body).send(listener.address()).status, 200);
        listener.json()
    };
    let broken = send("a", b"{\"amount\": }");
    assert_eq!((&broken["payload"], broken.get("payload_encoding")), (&json!("{\"amount\": }"), None));
    let binary = send("b", b"\xff\xfe");
    assert_eq!((&binary["payload"], &binary["payload_encoding"]), (&json!("//4="), &json!("base64")));
}

#[test]
fn sibs_reads_its_own_id_in_the_answer() {
    let listener = start();
    let sibs = ROWS.iter().find(|row| row.name == "sibs").unwrap();
    for _ in 0..2 {
        let answer = (sibs.request)(0).send(listener.address());
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body, json!({"statusCode": "200", "statusMsg": "Success", "notificationID": "n-1"}));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn an_upstream_gets_the_opened_event_and_its_status_is_the_answer() {
    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&upstream.address));
    for (at, (told, status, verdict)) in [
        ("200 OK\r\ncontent-type: text/x-done\r\ncontent-length: 4\r\n\r\ndone\r\n", 200, "accepted"),
        ("204 No Content", 204, "accepted"),
        ("500 Internal Server Error\r\ncontent-length: 0", 500, "refused"),
        ("409 Conflict\r\ncontent-length: 0", 409, "refused"),
        ("302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0", 502, "refused"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = aella(&format!("id-{at}"));
        upstream.answers.send(told).unwrap();
        let answer = request.send(listener.address());
        assert_eq!(answer.status, status, "{told}");
        let seen = upstream.seen.recv().unwrap();
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert_eq!(body.as_bytes(), request.body, "{told}");
        assert!(head.starts_with("post /hooks?a=b http/1.1"), "{head}");
        for there in [
            "tower-webhook-provider: aella",
            "tower-webhook-event: transfer.completed",
            &format!("tower-webhook-key: transfer.completed|id-{at}"),
            "tower-webhook-fence: 1",
            "content-type: application/json",
            "x-request-id: r-1",
        ] {
            assert!(head.contains(there), "{there} is not in {head}");
        }
        for hidden in ["x-aella-signature", "canary", "keep-alive", "cookie", "host: receiver", "fence: 99"] {
            assert!(!head.contains(hidden), "{hidden} is in {head}");
        }
        let line = listener.json();
        assert_eq!(
            (&line["verdict"], line.get("status")),
            (&json!(verdict), (status > 299).then(|| json!(status)).as_ref())
        );
        if status < 300 {
            let again = request.send(listener.address());
            assert_eq!((again.status, again.body), (status, answer.body), "{told}");
            assert_eq!(listener.json()["verdict"], "duplicate");
        } else {
            upstream.answers.send("200 OK\r\ncontent-length: 0").unwrap();
            assert_eq!(request.send(listener.address()).status, 200, "the claim was released: {told}");
            assert!(upstream.seen.recv().unwrap().to_ascii_lowercase().contains("tower-webhook-fence: 2"));
            let line = listener.json();
            assert_eq!((&line["verdict"], &line["attempt_replayed"]), (&json!("accepted"), &json!(true)));
        }
    }
}

#[test]
fn an_upstream_that_is_down_or_slow_is_a_503_and_the_event_is_not_lost() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let down = port.local_addr().unwrap().to_string();
    drop(port);
    let listener = Listener::start(&forwarding(&down));
    let answer = aella("1").send(listener.address());
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(listener.json()["kind"], "handler_retry");

    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&upstream.address));
    let slow = aella("2").send(listener.address());
    assert_eq!((slow.status, slow.header("retry-after")), (503, Some("5")));
    assert!(listener.json()["detail"].as_str().unwrap().starts_with("the upstream did not answer in time"));
}

#[test]
fn a_signal_in_the_middle_of_a_delivery_still_answers_it() {
    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&upstream.address));
    let address = listener.address().to_owned();

    let half = aella("half");
    let bytes = half.bytes();
    let (begin, rest) = bytes.split_at(bytes.len() - 20);
    let mut slow = TcpStream::connect(&address).unwrap();
    slow.write_all(begin).unwrap();

    let whole = thread::spawn({
        let address = address.clone();
        move || aella("whole").send(&address)
    });
    assert!(upstream.seen.recv().unwrap().contains("\"whole\""));
    listener.running().signal("TERM");
    // Once new connections are refused, the signal has been heard.
    while TcpStream::connect(&address).is_ok() {
        thread::yield_now();
    }
    upstream.answers.send("200 OK\r\ncontent-length: 0").unwrap();
    assert_eq!(whole.join().unwrap().status, 200);
    upstream.answers.send("200 OK\r\ncontent-length: 0").unwrap();
    slow.write_all(rest).unwrap();
    assert_eq!(Answer::read(&mut slow).status, 200);
    for _ in 0..2 {
        assert_eq!(listener.json()["verdict"], "accepted");
    }
    let done = listener.stop();
    assert_eq!((done.code, done.stdout.len(), done.stderr.as_str()), (Some(0), 0, ""));
}

#[test]
fn an_unknown_path_is_a_404_and_is_told() {
    let listener = start();
    assert_eq!(Raw::new("/nowhere", &[], "").send(listener.address()).status, 404);
    let line = listener.json();
    assert_eq!((&line["endpoint"], &line["kind"]), (&json!("/nowhere"), &json!("no_endpoint")));
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once_and_no_secret_with_them() {
    let told = faults(
        r#"
listen = "somewhere"
max_body = "1 big"
colour = "blue"
[dedupe]
kind = "cardboard"
capacity = 0
[[endpoint]]
path = "aella"
provider = "aella"
keys = [{ id = "a", value = "canary short" }, { id = "b", env = "NOT_SET_ANYWHERE" }, { id = "c", value = "canary-canary-canary\n" }]
forward_to = "ftp://example.com"
[[endpoint]]
path = "/opp"
provider = "opp"
keys = [{ id = "k", value = "canary-not-hex" }]
retention = "7d"
[[endpoint]]
path = "/opp"
provider = "mambu"
trusted_proxies = 1
[[endpoint]]
path = "/x"
provider = "paypal"
[[endpoint]]
path = "/stripe"
provider = "custom"
keys = [{ id = "k", value = "canary-canary-canary" }]
scheme = { mac = "md5", header = "stripe-signature", params = ",", signed = "{param:t}.{body}" }
key = { json = "id" }
"#,
    );
    let expected = [
        "dedupe.kind: ",
        "dedupe.capacity: ",
        "max_body: ",
        "endpoint[0].path: ",
        "endpoint[0].keys[0].value: the secret has 12 bytes, at least 16 are needed; ",
        "endpoint[0].keys[1].env: NOT_SET_ANYWHERE is not set; ",
        "endpoint[0].keys[2].value: the secret begins or ends in white space; ",
        "endpoint[0].forward_to: ",
        "endpoint[1].keys[0].value: the value is not hexadecimal; ",
        "endpoint[2].trusted_proxies: ",
        "endpoint[2].basic_auth: is missing, and nothing else proves this sender; ",
        "endpoint[3].provider: \"paypal\" is not known; ",
        "endpoint[4].key.json: ",
        "endpoint[4].scheme.mac: \"md5\" is not known; ",
        "listen: is not an address; ",
        "colour: is not known here; ",
    ];
    for start in expected {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start} is not in {told:#?}");
    }
    assert!(!told.iter().any(|line| line.contains("canary")), "{told:#?}");
}

#[test]
fn a_retention_below_the_providers_horizon_is_refused_and_one_above_is_not() {
    let config = |retention: &str| {
        format!(
            "[[endpoint]]\npath = \"/opp\"\nprovider = \"opp\"\nkeys = [{{ id = \"k\", value = \"{HEX_KEY}\" }}]\nretention = \"{retention}\"\n"
        )
    };
    let told = faults(&config("7d"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("endpoint[0].retention: a retention of 604800 s is shorter than"), "{told:?}");
    assert_eq!(Listener::start(&config("60d")).stop().code, Some(0));
}

#[test]
fn a_budget_without_room_for_the_longest_body_is_refused_and_one_with_room_is_not() {
    let config = |budget: &str| {
        format!(
            "body_budget = \"{budget}\"\n[[endpoint]]\npath = \"/opp\"\nprovider = \"opp\"\nmax_body = \"6MiB\"\n\
             keys = [{{ id = \"k\", value = \"{HEX_KEY}\" }}]\n"
        )
    };
    let told = faults(&config("7MiB"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("body_budget: has no room for a body of 6291456 bytes; "), "{told:?}");
    assert_eq!(Listener::start(&config("8MiB")).stop().code, Some(0));
}

#[test]
fn all_endpoints_share_one_budget() {
    let config = format!(
        "body_budget = \"1MiB\"\nbody_deadline = \"10m\"\nmax_body = \"700KiB\"\n\
         [[endpoint]]\npath = \"/a\"\nprovider = \"opp\"\nkeys = [{{ id = \"k\", value = \"{HEX_KEY}\" }}]\n\
         [[endpoint]]\npath = \"/b\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n"
    );
    let listener = Listener::start(&config);
    let large = "x".repeat(600 * 1024);
    let (iv, tag) = (hex(&[0; 12]), hex(&[0; 16]));
    let headers = [("x-initialization-vector", iv.as_str()), ("x-authentication-tag", tag.as_str())];
    let head = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 614401\r\n";
    let head: String =
        headers.iter().fold(head.to_owned(), |head, (name, value)| head + &format!("{name}: {value}\r\n"));
    let send = |signature: Vec<u8>, body: &str| {
        Raw::new("/b", &[("x-aella-signature", hex(&signature))], body).send(listener.address()).status
    };
    let other = || send(vec![0; 64], &large);
    // A stranger holds three fifths and waits. Who comes while that is so finds no room; who comes first takes it.
    let stranger = (0..100).find_map(|_| {
        let mut stranger = TcpStream::connect(listener.address()).unwrap();
        stranger.write_all(format!("{head}\r\n{large}").as_bytes()).unwrap();
        (other() == 503).then_some(stranger)
    });
    assert!(stranger.is_some(), "all find room");
    assert_eq!(send(hmac512(b"ae_sk_test_example", &[TRANSFER.as_bytes()]), TRANSFER), 200, "a short one");
    drop(stranger);
    assert_eq!((0..1000).map(|_| other()).find(|status| *status != 503), Some(401), "there is room again");
}

#[test]
fn what_is_unsigned_and_what_forgets_is_told_at_the_start() {
    let listener = start();
    let done = listener.stop();
    assert!(done.stderr.contains("/github: the event name comes from an unsigned header: x-github-event"), "{done:?}");
    assert!(!done.stderr.contains("/stripe"), "{done:?}");
    assert!(!done.stderr.contains("forgets"), "{done:?}");

    let open = config().replace("127.0.0.1:0", "0.0.0.0:0");
    let done = Listener::start_with(&open, &[("MAMBU_PASSWORD", "correct horse: battery")]).stop();
    assert!(done.stderr.contains("the memory store forgets at exit"), "{done:?}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config().replace("127.0.0.1:0", &address));
    let start = || Program::new(["listen".into(), "--config".into(), file.clone().into_os_string()]);
    let done = start().env("MAMBU_PASSWORD", "correct horse: battery").run();
    assert_eq!((done.code, done.stdout.len()), (Some(1), 0), "{done:?}");
    assert!(
        done.stderr.contains(&format!("listen: {address} cannot be listened on: Address already in use")),
        "{done:?}"
    );
    drop(taken);
    let running = start().env("MAMBU_PASSWORD", "correct horse: battery").start();
    assert_eq!(running.json()["listening"], address);
}

#[test]
fn wrong_arguments_end_with_2_and_help_with_0() {
    for (arguments, code) in [
        (&["listen"][..], 2),
        (&["listen", "--config", "/nowhere/at/all.toml"], 2),
        (&["listen", "--wrong"], 2),
        (&["fly"], 2),
        (&["--help"], 0),
        (&["listen", "--help"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
    ] {
        assert_eq!(Program::new(arguments.iter().copied()).run().code, Some(code), "{arguments:?}");
    }
}

#[test]
fn a_sender_that_signs_with_a_private_key_is_proved_by_its_public_one() {
    let rsa = include_str!("../../fixtures/asymmetric/rsa-2048.pub.pem");
    let signature = include_str!("../../fixtures/asymmetric/rsa-2048.sha256.b64").trim();
    let config = format!(
        r#"
[[endpoint]]
path = "/rsa"
provider = "custom"
keys = [{{ id = "k", value = """{rsa}""" }}]
scheme = {{ signature = "rsa-pkcs1-sha256", header = "x-signature", encoding = "base64", signed = "{{header:x-number}}.{{body}}" }}
key = {{ header = "x-number" }}
[[endpoint]]
path = "/ed"
provider = "custom"
keys = [{{ id = "k", value = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", encoding = "hex" }}]
scheme = {{ signature = "ed25519", header = "x-signature", encoding = "hex" }}
key = {{ header = "x-id" }}
"#
    );
    let listener = Listener::start(&config);
    // Made by OpenSSL over this number and this body; RFC 8032, section 7.1, test 2.
    let ed25519 = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let rsa = |body: &str| {
        let headers = [("x-signature", signature.to_owned()), ("x-number", "1674087231".into())];
        Raw::new("/rsa", &headers, body)
    };
    let ed = |body: &str| Raw::new("/ed", &[("x-signature", ed25519.into()), ("x-id", "1".into())], body);
    for (request, status) in [
        (rsa(r#"{"event":"example"}"#), 200),
        (rsa(r#"{"event":"exbmple"}"#), 401),
        (ed("\x72"), 200),
        (ed("\x73"), 401),
    ] {
        assert_eq!(request.send(listener.address()).status, status, "{request:?}");
    }
}

#[test]
fn a_line_has_the_receivers_name_where_it_is_not_the_path() {
    let config = |name: &str| {
        format!(
            "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n{name}\
             keys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n"
        )
    };
    for (name, expected) in [("", Value::Null), ("name = \"aella-ng\"\n", json!("aella-ng"))] {
        let listener = Listener::start(&config(name));
        for verdict in ["accepted", "duplicate", "refused"] {
            let mut delivery = aella("t1");
            if verdict == "refused" {
                delivery.body.push(b' ');
            }
            delivery.send(listener.address());
            let line = listener.json();
            assert_eq!((&line["verdict"], &line["receiver"]), (&json!(verdict), &expected), "{line}");
        }
    }
}
