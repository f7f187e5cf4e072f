//! What the program says of a notification that cannot be read, by its key `unreadable`.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::child::{Folder, Listener, Program};
use super::wire::{Raw, base64, encrypt};

const KEY: &str = "sim-bc-notification-key-32-chars";

fn config(policy: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/bank\"\nprovider = \"banking_circle\"\n\
        keys = [{{ id = \"k\", value = \"{KEY}\" }}]\n{policy}\n"
    )
}

fn message(text: &str) -> Raw {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (body, tag) = encrypt(KEY.as_bytes(), [7; 12], &utf16);
    let headers = [
        ("Content-Type", "application/octet-stream".to_owned()),
        ("Nonce", base64(&[7; 12])),
        ("AuthenticationTag", base64(&tag)),
        ("Checksum", base64(&Sha256::digest(text.as_bytes()))),
    ];
    Raw::new("/bank", &headers, body)
}

const BATCH: &str = r#"{"notifications":[{"eventId":"a","notificationType":"New"},
    {"eventId":"bad","notificationType":"OutgoingPaymentBooked","payment":{"paymentId":"p","amount":"abc"}},
    {"eventId":"b","notificationType":"New"}]}"#;

#[test]
fn an_unreadable_notification_is_refused_beside_the_others_or_handed_over() {
    for policy in ["", "unreadable = \"refuse\""] {
        let listener = Listener::start(&config(policy));
        assert_eq!(message(BATCH).send(listener.address()).status, 400, "{policy}");
        let keys: Vec<_> = (0..2).map(|_| listener.json()["key"].clone()).collect();
        assert_eq!(keys, [json!("a"), json!("b")], "{policy}");
    }
    let listener = Listener::start(&config("unreadable = \"hand_over\""));
    assert_eq!(message(BATCH).send(listener.address()).status, 200);
    let [_, line, _] = [0; 3].map(|_| listener.json());
    assert_eq!((&line["key"], &line["event"]), (&json!("bad"), &json!("OutgoingPaymentBooked")));
    let why = "the member `amount` cannot be read";
    assert_eq!(line["typed"], json!({"kind": "unreadable", "name": "OutgoingPaymentBooked", "why": why}));
    assert_eq!(line["payload"]["payment"]["amount"], "abc");
}

#[test]
fn another_word_is_no_policy() {
    let folder = Folder::new();
    let file = folder.write("tower-webhook.toml", config("unreadable = \"hand-over\""));
    let done = Program::new(["listen".into(), "--config".into(), file.into_os_string()]).run();
    assert!(done.said().contains("unreadable: is not known"), "{}", done.said());
}
