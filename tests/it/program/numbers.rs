//! `/metrics` of `listen`: each number moves by what it counts, and no word of a stranger's gets in.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use tower_webhook::RejectionKind;
use tower_webhook::observe::METRICS;

use super::admin::metrics;
use super::child::{Folder, Listener};
use super::deploy::promtool;
use super::kept;
use super::upstream::{Upstream, aella};
use super::wire::{Raw, hex, hmac512};

const PATIENCE: Duration = Duration::from_secs(60);
const OK: &str = "200 OK\r\ncontent-length: 0";
const DEAD: &str = "422 X\r\ntower-webhook-dead: no\r\ncontent-length: 0";

type Numbers = BTreeMap<String, f64>;

fn numbers(listener: &Listener) -> Numbers {
    let text = metrics(listener.admin());
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap())
        .collect()
}

fn until(listener: &Listener, name: &str, is_so: impl Fn(f64) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let now = numbers(listener);
        if now.get(name).is_some_and(|value| is_so(*value)) {
            return;
        }
        assert!(Instant::now() < end, "{name}: {now:#?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn deliveries(outcome: &str, reason: &str) -> String {
    format!(
        "webhook_deliveries_total{{receiver=\"aella-ng\",provider=\"aella\",outcome=\"{outcome}\",reason=\"{reason}\"}}"
    )
}

fn signed_by(key: &str, id: &str) -> Raw {
    let mut raw = aella(id);
    let signature = hex(&hmac512(key.as_bytes(), &[&raw.body]));
    raw.headers
        .iter_mut()
        .filter(|(name, _)| name == "x-aella-signature")
        .for_each(|header| header.1 = signature.clone());
    raw
}

#[test]
fn each_number_moves_by_what_it_counts() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let endpoint = format!(
        "forward_to = \"http://{}/hooks\"\n[[endpoint]]\npath = \"/bank\"\nprovider = \"banking_circle\"\n\
         keys = [{{ id = \"k\", value = \"sim-bc-notification-key-32-chars\" }}]",
        upstream.address
    );
    let old = "{ id = \"2026-10\", value = \"ae_sk_test_of_october\" }";
    let config = kept::config(&folder, &endpoint, "").replacen("\" }]", &format!("\" }}, {old}]"), 1);
    let listener = Listener::start(&format!("admin = \"127.0.0.1:0\"\n{config}"));
    let key = |slot| format!("webhook_key_used_total{{receiver=\"aella-ng\",slot=\"{slot}\"}}");
    let wait = "webhook_ack_duration_seconds_count{receiver=\"aella-ng\"}";
    let last = "webhook_last_accepted_timestamp_seconds{receiver=\"aella-ng\"}";
    let before = numbers(&listener);
    assert_eq!((before[&key("current")], before[&key("old")], before.get(last)), (0.0, 0.0, None));
    let ladder = before["webhook_deactivation_seconds{receiver=\"/bank\"}"];
    assert_eq!(ladder, 164_505.0, "the shorter ladder, while nobody says which it is");
    assert!(!before.contains_key("webhook_deactivation_seconds{receiver=\"aella-ng\"}"), "Aella switches nothing off");

    assert_eq!(aella("1").send(listener.address()).status, 200);
    upstream.seen.recv_timeout(PATIENCE).unwrap();
    // One is in hand, and the next waits behind nobody.
    let now = numbers(&listener);
    assert_eq!((now[&deliveries("stored", "")], now[&key("current")], now[&key("old")]), (1.0, 1.0, 0.0));
    assert!(now[last] > 1.7e9 && now[wait] == 1.0, "{now:#?}");
    upstream.answers.send(OK).unwrap();
    until(&listener, &deliveries("accepted", ""), |value| value == 1.0);
    until(&listener, "webhook_handler_duration_seconds_count{receiver=\"aella-ng\"}", |value| value == 1.0);
    assert_eq!(aella("1").send(listener.address()).status, 200);
    assert_eq!(numbers(&listener)[&deliveries("replayed", "")], 1.0);
    assert_eq!(signed_by("ae_sk_test_of_october", "2").send(listener.address()).status, 200);
    assert_eq!(numbers(&listener)[&key("old")], 1.0);
    upstream.seen.recv_timeout(PATIENCE).unwrap();
    upstream.answers.send(DEAD).unwrap();
    until(&listener, &deliveries("failed", "dead_letter"), |value| value == 1.0);
    until(&listener, "webhook_dead_letters{receiver=\"aella-ng\"}", |value| value == 1.0);
    assert_eq!(numbers(&listener)["webhook_dead_letters{receiver=\"*\"}"], 0.0);
    assert!(numbers(&listener)["webhook_store_wal_bytes{receiver=\"*\"}"] > 0.0);

    assert_eq!(signed_by("ae_sk_test_of_nobody", "3").send(listener.address()).status, 401);
    let now = numbers(&listener);
    assert_eq!((now[&deliveries("refused", "signature_mismatch")], now[wait]), (1.0, 4.0));
    assert_eq!(Raw::new("/bank", &[], "{}").send(listener.address()).status / 100, 4);
    until(&listener, "webhook_deactivation_seconds{receiver=\"/bank\"}", |value| value < ladder);
    assert_eq!(numbers(&listener)["webhook_ack_headroom_ratio_count{receiver=\"/bank\"}"], 1.0);
    let text = metrics(listener.admin());
    let checked = promtool(["check", "metrics"]).stdin(text.as_str()).run();
    assert_eq!((checked.code, checked.stdout, checked.stderr), (Some(0), vec![], String::new()), "{text}");
    for name in ["webhook_ack_duration_seconds", "webhook_ack_headroom_ratio"] {
        assert!(text.contains(&format!("# TYPE {name} histogram\n")), "{text}");
    }
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn labels_stay_in_their_sets_whatever_strangers_send() {
    let folder = Folder::new();
    let config = kept::config(&folder, "forward_to = \"http://127.0.0.1:1\"", "");
    let listener = Listener::start(&format!("admin = \"127.0.0.1:0\"\n{config}"));
    let mut seed: u64 = 7;
    let mut word = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("canary{:x}", seed >> 20)
    };
    for at in 0..60 {
        let path = if at % 3 == 0 { format!("/{}", word()) } else { "/aella".to_owned() };
        let name = if at % 2 == 0 { "x-aella-signature".to_owned() } else { word() };
        Raw::new(&path, &[(&name, word()), ("content-type", word())], word()).send(listener.address());
    }
    let text = metrics(listener.admin());
    assert!(!text.contains("canary"), "seed 7: {text}");
    let reasons: Vec<&str> = RejectionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    for series in numbers(&listener).keys() {
        let (name, labels) = series.split_once('{').unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let known = METRICS.iter().find(|(known, _)| *known == base).unwrap_or_else(|| panic!("{name} is not ours")).1;
        let labels = labels.trim_end_matches('}').split("\",").map(|label| label.split_once("=\"").unwrap());
        for (label, value) in labels.filter(|(label, _)| *label != "le") {
            assert!(known.contains(&label), "{series}");
            let value = value.trim_end_matches('"');
            let is_known = match label {
                "receiver" => ["aella-ng", "*"].contains(&value),
                "provider" => value == "aella",
                "outcome" => ["accepted", "stored", "replayed", "refused", "failed", "retry"].contains(&value),
                "slot" => ["current", "old"].contains(&value),
                _ => value.is_empty() || reasons.contains(&value),
            };
            assert!(is_known, "{series}");
        }
    }
}
