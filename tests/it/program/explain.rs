//! `explain`, from outside: what it says of good requests, of broken ones, and what it never says.

use serde_json::Value;

use super::child::{Done, Folder, Program};
use super::wire::{Raw, base64, encrypt, hex, hmac256, hmac512};

const NOW: &str = "2026-11-21T12:00:00Z";
const SECONDS: u64 = 1_795_262_400;

const LIVE: &str = "ae_sk_live_canary_0001";
const OLD: &str = "ae_sk_old_canary_0002";
const SANDBOX: &str = "ae_sk_sandbox_canary_03";
const HEX: &str = "63616e61727963616e61727963616e61";
const HEX_TOO: &str = "ffee63616e61727963616e6172796361";
const BASE64: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnk=";
const TOKEN: &str = "token-canary-token-canary";
const OPP: &str = "63616e6172796b657900000000000000000000000000000000000000000000ff";
const BANK: &str = "bank-canary-bank-canary-bank-can";
const SIBS: &str = "Y2FuYXJ5c2lic2NhbmFyeXNpYnNjYW5hcnlzaWJzMDE=";
const SW: &str = "c3djYW5hcnlzd2NhbmFyeXN3Y2FuYXJ5";
const HUB: &str = "hub-canary-hub-canary";
const STRIPE: &str = "whsec_stripe_canary_stripe";
const SQUARE: &str = "square-canary-square";
const PASSWORD: &str = "password-canary";
const TEST_PASSWORD: &str = "canary-of-the-test-system";
const PAYLOAD: &str = "narration-canary";

/// What must not be said, by whatever run of this file.
const SECRETS: [&str; 17] = [
    LIVE,
    OLD,
    SANDBOX,
    HEX,
    HEX_TOO,
    BASE64,
    TOKEN,
    OPP,
    BANK,
    SIBS,
    SW,
    HUB,
    STRIPE,
    SQUARE,
    PASSWORD,
    TEST_PASSWORD,
    PAYLOAD,
];

fn config() -> String {
    format!(
        r#"
[[endpoint]]
path = "/aella"
provider = "aella"
keys = [{{ id = "2026-11", value = "{LIVE}" }}, {{ id = "2026-10", value = "{OLD}", not_after = "2026-11-18T12:00:00Z" }}]
[[endpoint]]
path = "/sandbox"
provider = "aella"
keys = [{{ id = "sandbox", value = "{SANDBOX}" }}]
[[endpoint]]
path = "/said-hex"
provider = "aella"
keys = [{{ id = "k-hex", value = "{HEX}", encoding = "hex" }}]
[[endpoint]]
path = "/said-text"
provider = "aella"
keys = [{{ id = "k-text", value = "{HEX_TOO}" }}, {{ id = "k-base", value = "{BASE64}" }}]
[[endpoint]]
path = "/mambu"
provider = "mambu"
basic_auth = [{{ username = "mambu", password = {{ value = "{PASSWORD}" }} }}]
[[endpoint]]
path = "/mambu-test"
provider = "mambu"
basic_auth = [{{ username = "mambu", password = {{ value = "{TEST_PASSWORD}" }} }}]
[[endpoint]]
path = "/token"
provider = "mambu"
static_header = "x-api-key"
keys = [{{ id = "t", value = "{TOKEN}" }}]
[[endpoint]]
path = "/opp"
provider = "opp"
keys = [{{ id = "o", value = "{OPP}" }}]
[[endpoint]]
path = "/bank"
provider = "banking_circle"
keys = [{{ id = "b", value = "{BANK}" }}]
[[endpoint]]
path = "/sibs"
provider = "sibs"
keys = [{{ id = "s", value = "{SIBS}" }}]
[[endpoint]]
path = "/sw"
provider = "standard_webhooks"
headers = "webhook"
keys = [{{ id = "w", value = "whsec_{SW}" }}]
[[endpoint]]
path = "/hub"
provider = "custom"
keys = [{{ id = "h", value = "{HUB}" }}]
scheme = {{ mac = "hmac-sha256", header = "x-hub-signature-256", prefix = "sha256=", encoding = "hex", signed = "{{body}}" }}
key = {{ header = "x-github-delivery" }}
event = {{ header = "x-github-event" }}
[[endpoint]]
path = "/stripe"
provider = "custom"
keys = [{{ id = "st", value = "{STRIPE}" }}]
scheme = {{ mac = "hmac-sha256", header = "stripe-signature", params = ",", encoding = "hex", signed = "{{param:t}}.{{body}}" }}
key = {{ json = "/id" }}
[[endpoint]]
path = "/square"
provider = "custom"
keys = [{{ id = "sq", value = "{SQUARE}" }}]
scheme = {{ mac = "hmac-sha256", header = "x-square", encoding = "base64", signed = "{{url}}{{body}}" }}
url = "https://hooks.example/square"
key = {{ json = "/id" }}
[[endpoint]]
path = "/listed"
provider = "aella"
sources = ["192.0.2.0/24"]
keys = [{{ id = "l", value = "{LIVE}-listed" }}]
"#
    )
}

fn explain_with(config: &str, arguments: &[&str], request: &[u8]) -> Done {
    let folder = Folder::new();
    let config = folder.write("receiver.toml", config);
    let fixed = ["explain", "--config", config.to_str().unwrap()];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
    let done = Program::new(arguments).stdin(request).run();
    check_silence(&done);
    done
}

fn explain(arguments: &[&str], request: &[u8]) -> Done {
    let at: &[&str] = if arguments.contains(&"--at") { &[] } else { &["--at", NOW] };
    let arguments: Vec<&str> = at.iter().chain(arguments).copied().collect();
    explain_with(&config(), &arguments, request)
}

/// No secret, no payload, and nothing long enough to be a signature or a key.
fn check_silence(done: &Done) {
    let said = done.said();
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
    let said = said.replace(env!("CARGO_TARGET_TMPDIR"), "");
    let encoded = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/');
    let long = said.split('|').map(without_identity).flat_map(|text| text.split(|letter| !encoded(letter)));
    let long = long.into_iter().find(|word| word.len() > 24);
    assert_eq!(long, None, "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}

/// A part of a key without the identity of what the event says, 32 digits which are no secret and are what tells two
/// notifications of one payment apart.
fn without_identity(part: &str) -> &str {
    match part.split_at_checked(32) {
        Some((digits, rest)) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && rest.starts_with([',', '"']) => {
            rest
        }
        _ => part,
    }
}

#[test]
fn the_look_for_secrets_finds_them() {
    let signature = hex(&hmac512(LIVE.as_bytes(), &[b"x"]));
    for said in [LIVE, PAYLOAD, BASE64, &signature[..26], &base64(signature.as_bytes()), "\u{1b}[31m"] {
        let done = Done { code: Some(0), stdout: vec![format!("a {said} b")], stderr: String::new() };
        assert!(std::panic::catch_unwind(|| check_silence(&done)).is_err(), "{said}");
    }
}

fn line(done: &Done, begin: &str) -> Option<String> {
    done.stdout.iter().find_map(|line| line.strip_prefix(begin)).map(|rest| rest.trim().to_owned())
}

const AELLA: &str = "{\n  \"event\": \"transfer.completed\",\n  \"timestamp\": \"2024-12-06T14:00:00Z\",\n  \"data\": {\"id\": \
    \"7b\", \"narration\": \"narration-canary é\", \"amount\": 10.50}\n}";

fn aella_signed(path: &str, key: &[u8], signed: &str, sent: &str) -> Raw {
    Raw::new(path, &[("x-aella-signature", hex(&hmac512(key, &[signed.as_bytes()])))], sent)
}

fn aella(body: &str) -> Raw {
    aella_signed("/aella", LIVE.as_bytes(), body, body)
}

fn basic(credentials: &str) -> Raw {
    let authorization = format!("Basic {}", base64(credentials.as_bytes()));
    let headers = [("authorization", authorization), ("x-notifications-idempotency-key", "n-1".to_owned())];
    Raw::new("/mambu", &headers, format!("{{\"x\":\"{PAYLOAD}\"}}"))
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

const OPP_BODY: &str =
    r#"{"type":"PAYMENT","payload":{"id":"8a82","timestamp":"2026-11-21T12:00:00Z","descriptor":"narration-canary"}}"#;

/// IV, tag and ciphertext.
fn opp_parts() -> ([u8; 12], Vec<u8>, Vec<u8>) {
    let (ciphertext, tag) = encrypt(&bytes_of(OPP), [7; 12], OPP_BODY.as_bytes());
    ([7; 12], tag, ciphertext)
}

fn opp(iv: &str, tag: &str, body: impl Into<Vec<u8>>) -> Raw {
    let headers = [("x-initialization-vector", iv.to_owned()), ("x-authentication-tag", tag.to_owned())];
    Raw::new("/opp", &headers, body)
}

fn good_opp() -> Raw {
    let (iv, tag, ciphertext) = opp_parts();
    opp(&hex(&iv), &hex(&tag), hex(&ciphertext))
}

fn bank(checksum: Option<&[u8]>) -> Raw {
    let text = r#"{"notifications":[{"eventId":"e-1","notificationType":"CaseEvents","payment":{"status":"OPEN"}}]}"#;
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (ciphertext, tag) = encrypt(BANK.as_bytes(), [9; 12], &wide);
    let mut headers = vec![("nonce", base64(&[9; 12])), ("authenticationtag", base64(&tag))];
    headers.extend(checksum.map(|sum| ("checksum", base64(sum))));
    Raw::new("/bank", &headers, ciphertext)
}

fn sibs() -> Raw {
    let key = b"canarysibscanarysibscanarysibs01";
    assert_eq!(base64(key).trim_end_matches('='), SIBS.trim_end_matches('='));
    let (ciphertext, tag) = encrypt(key, [5; 12], br#"{"notificationID":"n-9","transactionID":"x"}"#);
    let headers = [("x-initialization-vector", base64(&[5; 12])), ("x-authentication-tag", base64(&tag))];
    Raw::new("/sibs", &headers, base64(&ciphertext))
}

fn sw(names: [&str; 3], key: &[u8], time: &str, body: &str) -> Raw {
    let signature = hmac256(key, &[b"msg_1.", time.as_bytes(), b".", body.as_bytes()]);
    let signature = format!("v1,{}", base64(&signature));
    let [id, timestamp, signed] = names;
    Raw::new("/sw", &[(id, "msg_1".to_owned()), (timestamp, time.to_owned()), (signed, signature)], body)
}

const WEBHOOK: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

fn sw_key() -> Vec<u8> {
    b"swcanaryswcanaryswcanary".to_vec()
}

fn sw_at(time: impl ToString) -> Raw {
    sw(WEBHOOK, &sw_key(), &time.to_string(), r#"{"type":"paid"}"#)
}

fn hub(signature: &str) -> Raw {
    let headers = [("x-hub-signature-256", signature), ("x-github-delivery", "d-1"), ("x-github-event", "ping")];
    Raw::new("/hub", &headers.map(|(name, value)| (name, value.to_owned())), "{\"a\": 1}")
}

fn hub_mac() -> Vec<u8> {
    hmac256(HUB.as_bytes(), &[b"{\"a\": 1}"])
}

fn stripe(time: u64) -> Raw {
    let (body, time) = ("{\"id\":\"evt_1\"}", time.to_string());
    let signature = hmac256(STRIPE.as_bytes(), &[time.as_bytes(), b".", body.as_bytes()]);
    Raw::new("/stripe", &[("stripe-signature", format!("t={time},v1={}", hex(&signature)))], body)
}

fn square(url: &str) -> Raw {
    let body = "{\"id\":\"e-2\"}";
    let signature = hmac256(SQUARE.as_bytes(), &[url.as_bytes(), body.as_bytes()]);
    Raw::new("/square", &[("x-square", base64(&signature))], body)
}

/// Name, request, and the event's line.
fn good() -> Vec<(&'static str, Raw, &'static str)> {
    let mut token = basic("");
    token.path = "/token".to_owned();
    token.headers[0] = ("x-api-key".to_owned(), TOKEN.to_owned());
    vec![
        ("aella", aella(AELLA), "transfer.completed (key transfer.completed|7b, kind transfer)"),
        ("mambu", basic(&format!("mambu:{PASSWORD}")), "notification (key n-1, kind notification)"),
        ("mambu by header", token, "notification (key n-1, kind notification)"),
        (
            "opp",
            good_opp(),
            "PAYMENT (key PAYMENT||8a82||2026-11-21T12:00:00Z|26b9e5bacd73911031bc2af8afc63622, kind payment)",
        ),
        ("bank", bank(None), "CaseEvents (key e-1, kind case)"),
        ("sibs", sibs(), "payment (key n-9, kind payment)"),
        ("standard webhooks", sw_at(SECONDS), "paid (key msg_1, kind notification)"),
        ("custom", hub(&format!("sha256={}", hex(&hub_mac()))), "ping (key d-1, kind notification)"),
        ("custom with params", stripe(SECONDS - 299), "notification (key evt_1, kind notification)"),
        ("custom with url", square("https://hooks.example/square"), "notification (key e-2, kind notification)"),
    ]
}

fn without(mut raw: Raw, name: &str) -> Raw {
    raw.headers.retain(|(known, _)| known != name);
    raw
}

fn and(mut raw: Raw, name: &str, value: &str) -> Raw {
    raw.headers.push((name.to_owned(), value.to_owned()));
    raw
}

fn renamed(mut raw: Raw, name: &str, other: &str) -> Raw {
    raw.headers.iter_mut().filter(|(known, _)| known == name).for_each(|(known, _)| *known = other.to_owned());
    raw
}

fn to(mut raw: Raw, path: &str) -> Raw {
    raw.path = path.to_owned();
    raw
}

struct Broken {
    name: &'static str,
    request: Vec<u8>,
    verdict: &'static str,
    cause: &'static str,
}

fn broken() -> Vec<Broken> {
    let mut all = Vec::new();
    let mut add = |name, verdict, cause, raw: Raw| all.push(Broken { name, request: raw.bytes(), verdict, cause });
    const MISMATCH: &str = "401 signature_mismatch";
    const MALFORMED: &str = "400 header_malformed";
    let signed = |signed: &str, sent: &str| aella_signed("/aella", LIVE.as_bytes(), signed, sent);
    let compact = r#"{"event":"transfer.completed","timestamp":"t","data":{"id":"7b","amount":10.50}}"#;
    let python = r#"{"event": "transfer.completed", "timestamp": "t", "data": {"id": "7b", "amount": 10.50}}"#;
    let sorted = r#"{"data":{"amount":10.50,"id":"7b"},"event":"transfer.completed","timestamp":"t"}"#;
    let php = r#"{"event":"transfer.completed","data":{"id":"7b","narration":"\u00e9\/"}}"#;
    let rewritten = r#"{"event":"transfer.completed","data":{"id":"7b","narration":"é/"}}"#;

    add("newline added", MISMATCH, "a line end behind it that was not signed", signed(AELLA, &format!("{AELLA}\n")));
    add("newline lost", MISMATCH, "lacks the line end that was signed", signed(&format!("{AELLA}\n"), AELLA));
    add("CR LF", MISMATCH, "changed from LF to CR LF", signed(AELLA, &AELLA.replace('\n', "\r\n")));
    add("LF", MISMATCH, "changed from CR LF to LF", signed(&AELLA.replace('\n', "\r\n"), AELLA));
    add("mark", MISMATCH, "a byte order mark in front", signed(AELLA, &format!("\u{feff}{AELLA}")));
    add("spaced anew", MISMATCH, "it was signed compact", signed(compact, python));
    add("compacted", MISMATCH, "with a space behind each comma and colon", signed(python, compact));
    add("sorted", MISMATCH, "names in alphabetical order", signed(sorted, python));
    add("unescaped", MISMATCH, "slashes escaped as PHP does", signed(php, rewritten));
    add(
        "tampered",
        MISMATCH,
        "the body, the signature or a signed header was changed on its way",
        signed(AELLA, &AELLA.replace("10.50", "99.50")),
    );
    add(
        "stranger's key",
        MISMATCH,
        "the key is none of this file",
        aella_signed("/aella", b"a-key-of-nobody", AELLA, AELLA),
    );

    add(
        "old key",
        MISMATCH,
        "fits the key 2026-10, which ended 3 days ago",
        aella_signed("/aella", OLD.as_bytes(), AELLA, AELLA),
    );
    add(
        "sandbox",
        MISMATCH,
        "fits the key sandbox of /sandbox: wrong environment?",
        aella_signed("/aella", SANDBOX.as_bytes(), AELLA, AELLA),
    );
    add(
        "said hex, is text",
        MISMATCH,
        "the key k-hex fits when it is read as text",
        aella_signed("/said-hex", HEX.as_bytes(), AELLA, AELLA),
    );
    add(
        "said text, is hex",
        MISMATCH,
        "the key k-text fits when it is read as hexadecimal",
        aella_signed("/said-text", &bytes_of(HEX_TOO), AELLA, AELLA),
    );
    add(
        "said text, is Base64",
        MISMATCH,
        "the key k-base fits when it is read as Base64",
        aella_signed("/said-text", b"canary-canary-canary", AELLA, AELLA),
    );
    add(
        "key with newline",
        MISMATCH,
        "the key 2026-11 fits when it is read with a line end behind it",
        aella_signed("/aella", format!("{LIVE}\n").as_bytes(), AELLA, AELLA),
    );
    add(
        "prefix kept",
        MISMATCH,
        "the key w fits when it is read as text",
        sw(WEBHOOK, format!("whsec_{SW}").as_bytes(), &SECONDS.to_string(), "{}"),
    );
    add(
        "sha256",
        MISMATCH,
        "it was made with hmac-sha256",
        Raw::new("/aella", &[("x-aella-signature", hex(&hmac256(LIVE.as_bytes(), &[AELLA.as_bytes()])))], AELLA),
    );
    let both = format!("{AELLA}\n");
    add(
        "two faults",
        MISMATCH,
        "editor or echo has added it; and it fits the key 2026-10, which ended",
        to(aella_signed("/aella", OLD.as_bytes(), AELLA, &both), "/aella"),
    );

    add(
        "header missing",
        "401 signature_missing",
        "x-aella-signature is missing or blank",
        without(aella(AELLA), "x-aella-signature"),
    );
    add(
        "header renamed",
        "401 signature_missing",
        "x-signature carries what fits",
        renamed(aella(AELLA), "x-aella-signature", "x-signature"),
    );
    let twice = and(aella(AELLA), "x-aella-signature", "00");
    add("header twice", "400 header_repeated", "x-aella-signature stands 2 times, and number 1 alone fits", twice);
    let mac = hmac512(LIVE.as_bytes(), &[AELLA.as_bytes()]);
    add(
        "Base64 for hex",
        MALFORMED,
        "x-aella-signature is Base64 in place of hexadecimal",
        Raw::new("/aella", &[("x-aella-signature", base64(&mac))], AELLA),
    );
    add("hex for Base64", MISMATCH, "x-square is hexadecimal in place of Base64", {
        let mac = hmac256(SQUARE.as_bytes(), &[b"https://hooks.example/square{}"]);
        Raw::new("/square", &[("x-square", hex(&mac))], "{}")
    });
    add(
        "prefix too many",
        MALFORMED,
        "x-aella-signature has a prefix too many",
        Raw::new("/aella", &[("x-aella-signature", format!("sha512={}", hex(&mac)))], AELLA),
    );
    add("prefix missing", MALFORMED, "x-hub-signature-256 lacks its prefix", hub(&hex(&hub_mac())));
    add(
        "spelling",
        "401 signature_missing",
        "the headers are spelled svix-id",
        sw(SVIX, &sw_key(), &SECONDS.to_string(), "{}"),
    );
    add("slash", MISMATCH, "signed with a slash at its end", square("https://hooks.example/square/"));

    add("late", "401 timestamp_outside", "the timestamp is 10 minutes old, 5 minutes are taken", sw_at(SECONDS - 600));
    add("early", "401 timestamp_outside", "lies 1 hour in the future", stripe(SECONDS + 3600));
    add(
        "milliseconds",
        "401 timestamp_outside",
        "the timestamp is in milliseconds, seconds are expected",
        sw_at(SECONDS * 1000),
    );

    add("date", MALFORMED, "the timestamp is not a plain number", sw_at("2026-11-21T12:00:00Z"));
    let mut token = basic("");
    token.path = "/token".to_owned();
    token.headers[0] = ("x-api-key".to_owned(), format!("Bearer {TOKEN}"));
    add("Bearer", MISMATCH, "x-api-key has a word in front, such as Bearer", token);

    let (iv, tag, ciphertext) = opp_parts();
    add(
        "iv of 11",
        MALFORMED,
        "24 hexadecimal digits (12 bytes) are expected",
        opp(&hex(&iv[1..]), &hex(&tag), hex(&ciphertext)),
    );
    add("swapped", MALFORMED, "have changed places", opp(&hex(&tag), &hex(&iv), hex(&ciphertext)));
    add("tag behind", "401 signature_missing", "the tag is appended to the ciphertext", {
        without(opp(&hex(&iv), "", hex(&[&*ciphertext, &*tag].concat())), "x-authentication-tag")
    });
    add(
        "Base64 body",
        "400 body_malformed",
        "the body is Base64, hexadecimal is expected",
        opp(&hex(&iv), &hex(&tag), base64(&ciphertext)),
    );
    add(
        "other wrapper",
        "400 body_malformed",
        "the body is hexadecimal in a JSON object",
        opp(&hex(&iv), &hex(&tag), format!("{{\"data\":\"{}\"}}", hex(&ciphertext))),
    );
    add("checksum", MISMATCH, "everything fits but checksum", bank(Some(&[1; 32])));
    add("provider", MALFORMED, "it fits /sibs: wrong address?", to(sibs(), "/opp"));

    add(
        "no credentials",
        "401 credentials_missing",
        "the Authorization header is missing",
        without(basic(""), "authorization"),
    );
    add(
        "password",
        "401 credentials_wrong",
        "the user name \"mambu\" is known, the password differs",
        basic("mambu:canary"),
    );
    add(
        "user",
        "401 credentials_wrong",
        "the user name is none of ours; known are mambu",
        basic(&format!("canary:{PASSWORD}")),
    );
    add("space", "401 credentials_wrong", "white space around the password", basic(&format!("mambu:{PASSWORD} ")));
    add(
        "environment",
        "401 credentials_wrong",
        "these are the credentials of /mambu-test",
        basic(&format!("mambu:{TEST_PASSWORD}")),
    );

    add(
        "content type",
        "415 content_type_unsupported",
        "the content type text/html",
        and(basic(&format!("mambu:{PASSWORD}")), "content-type", "text/html"),
    );
    add(
        "gzip said",
        "415 content_encoding_unsupported",
        "the body is compressed: content encoding gzip",
        and(aella(AELLA), "content-encoding", "gzip"),
    );
    let mut zipped = aella(AELLA);
    zipped.body = b"\x1f\x8b\x08canary".to_vec();
    add("gzip unsaid", MISMATCH, "it begins like gzip", zipped);
    add("empty", MISMATCH, "the body is empty", signed(AELLA, ""));
    add("too large", "413 body_too_large", "longer than the limit", aella(&"x".repeat(1024 * 1024 + 1)));
    add("nowhere", "404 no_endpoint", "no endpoint has the path \"/aella/\"", to(aella(AELLA), "/aella/"));

    add(
        "broken JSON",
        "400 payload_malformed",
        "its JSON is broken: not JSON at line 1, column 10",
        aella("{\"event\":}"),
    );
    add(
        "name twice",
        "400 payload_malformed",
        "its JSON is ambiguous: a name stands twice",
        aella(r#"{"event":"a","data":{"id":"1","id":"2"}}"#),
    );
    let keyless = without(basic(&format!("mambu:{PASSWORD}")), "x-notifications-idempotency-key");
    add("no key", "400 key_missing", "there is no idempotency key: x-notifications-idempotency-key", keyless);

    let request = String::from_utf8(aella(AELLA).bytes()).unwrap();
    let mut raw =
        |name, verdict, cause, request: String| all.push(Broken { name, request: request.into(), verdict, cause });
    raw("method", "405 method_not_allowed", "the method PUT", request.replacen("POST", "PUT", 1));
    let long = AELLA.len() + 7;
    let cut = request.replace(&format!("content-length: {}", AELLA.len()), &format!("content-length: {long}"));
    raw("not whole", "400 body_aborted", "the body is not whole: Content-Length says", cut.replace("10.50", "10"));
    all
}

#[test]
fn a_good_request_is_accepted_and_nothing_is_held_against_it() {
    let causes: Vec<&str> = broken().iter().map(|broken| broken.cause).collect();
    for (name, raw, event) in good() {
        let done = explain(&[], &raw.bytes());
        assert_eq!(done.code, Some(0), "{name}: {done:#?}");
        assert_eq!(line(&done, "accepted: ").as_deref(), Some("1 event"), "{name}: {done:#?}");
        assert_eq!(line(&done, "event: ").as_deref(), Some(event), "{name}: {done:#?}");
        let said = done.said();
        assert!(!said.contains("FAILED") && !said.contains("cause"), "{name}: {said}");
        for cause in &causes {
            assert!(!said.contains(cause), "{name}: {cause:?} is in {said}");
        }
    }
}

#[test]
fn a_broken_request_is_refused_with_its_likely_cause_and_no_other() {
    let all = broken();
    assert!(all.len() > 50, "{}", all.len());
    for case in &all {
        let name = case.name;
        let done = explain(&[], &case.request);
        assert_eq!(done.code, Some(1), "{name}: {done:#?}");
        assert_eq!(line(&done, "refused: ").as_deref(), Some(case.verdict), "{name}: {done:#?}");
        let likely = line(&done, "likely cause: ").unwrap_or_else(|| panic!("{name}: {done:#?}"));
        assert!(likely.contains(case.cause), "{name}: {likely}\n{done:#?}");
        assert!(line(&done, "to fix: ").is_some_and(|fix| fix.len() > 10), "{name}: {done:#?}");
        let others = all.iter().filter(|other| !other.cause.contains(case.cause) && !case.cause.contains(other.cause));
        let others = others.filter(|other| !["two faults", "tampered", "stranger's key"].contains(&other.name));
        for other in others.filter(|_| name != "two faults") {
            assert!(!likely.contains(other.cause), "{name}: also that of {}: {likely}", other.name);
        }
    }
}

fn json(arguments: &[&str], request: &[u8]) -> (Done, Value) {
    let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let done = explain(&arguments, request);
    let mut lines = done.json();
    assert_eq!(lines.len(), 1, "{done:#?}");
    let said = lines.remove(0);
    (done, said)
}

/// Verdict, steps and exit code tell one story.
fn check_story(name: &str, done: &Done, said: &Value) {
    let steps = said["steps"].as_array().unwrap();
    let failed = || steps.iter().filter(|step| step["state"] == "failed");
    match said["verdict"].as_str().unwrap() {
        "accepted" => {
            assert_eq!((done.code, failed().count()), (Some(0), 0), "{name}: {said:#}");
            assert!(said.get("likely_cause").is_none() && said.get("kind").is_none(), "{name}: {said:#}");
        }
        "refused" => {
            let cause = failed().find_map(|step| step.get("cause"));
            assert_eq!(done.code, Some(1), "{name}: {said:#}");
            assert_eq!(
                (cause, said["events"].as_array().map(Vec::len)),
                (said.get("likely_cause"), Some(0)),
                "{name}: {said:#}"
            );
            assert!(said["status"].as_u64().is_some_and(|status| status >= 400), "{name}: {said:#}");
        }
        other => panic!("{name}: {other}"),
    }
}

#[test]
fn json_tells_the_same_story_and_each_step_of_it() {
    for (name, raw, _) in good() {
        let (done, said) = json(&[], &raw.bytes());
        check_story(name, &done, &said);
        assert_eq!((&said["endpoint"], &said["at"]), (&raw.path.as_str().into(), &NOW.into()), "{name}");
        assert_eq!(said["events"].as_array().unwrap().len(), 1, "{name}: {said:#}");
        let event = said["events"][0].as_object().unwrap();
        assert_eq!(event.keys().collect::<Vec<_>>(), ["event", "key", "kind"], "{name}");
    }
    for case in broken() {
        let (done, said) = json(&[], &case.request);
        check_story(case.name, &done, &said);
        assert!(said["likely_cause"].as_str().unwrap().contains(case.cause), "{}: {said:#}", case.name);
        let verdict = format!("{} {}", said["status"], said["kind"].as_str().unwrap());
        assert_eq!(verdict, case.verdict, "{}", case.name);
    }
    let (_, said) = json(&[], &aella(AELLA).bytes());
    let steps: Vec<&str> =
        said["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    let head = ["endpoint", "source address", "basic auth", "method", "content type", "content encoding", "body"];
    assert_eq!(steps, [&head[..], &["x-aella-signature", "signature", "events"]].concat());
}

#[test]
fn every_fault_is_told_and_not_just_the_first() {
    let mut raw =
        and(aella_signed("/aella", OLD.as_bytes(), "{\"event\":7}", "{\"event\":7}"), "content-encoding", "br");
    raw.path = "/elsewhere".to_owned();
    let request = String::from_utf8(raw.bytes()).unwrap().replacen("POST", "DELETE", 1);
    let (_, said) = json(&["--endpoint", "/aella"], request.as_bytes());
    let failed: Vec<&str> = said["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["state"] == "failed")
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["method", "content encoding", "signature", "events"], "{said:#}");
    assert_eq!(said["kind"], "method_not_allowed");
    assert!(said["steps"][0]["saw"].as_str().unwrap().contains("the request says /elsewhere"), "{said:#}");
}

#[test]
fn a_signature_under_another_name_is_found_and_a_wrong_one_is_not() {
    let hub_value = format!("sha256={}", hex(&hub_mac()));
    let (signature, other) = ("x-hub-signature-256", "x-other-signature");
    let (iv, tag, ciphertext) = opp_parts();
    let opp = || opp(&hex(&iv), &hex(&tag), hex(&ciphertext));
    let mut token = basic("");
    token.path = "/token".to_owned();
    token.headers[0] = ("x-api-key".to_owned(), TOKEN.to_owned());
    let mac = hmac512(LIVE.as_bytes(), &[AELLA.as_bytes()]);
    let bank_elsewhere = renamed(renamed(bank(None), "nonce", "x-a"), "authenticationtag", "x-b");
    let fact = "have the sender, or the proxy in between, send it as";
    for (name, raw, cause, fix) in [
        ("custom", renamed(hub(&hub_value), signature, other), "", "write scheme.header = \"x-other-signature\""),
        (
            "custom without its prefix",
            renamed(hub(&hex(&hub_mac())), signature, other),
            ", though it lacks its prefix",
            "write scheme.header = \"x-other-signature\"",
        ),
        ("params", renamed(stripe(SECONDS), "stripe-signature", other), "", "write scheme.header = "),
        ("aella", renamed(aella(AELLA), "x-aella-signature", other), "", "write header = \"x-other-signature\""),
        (
            "aella in Base64",
            Raw::new("/aella", &[(other, format!("sha512={}", base64(&mac)))], AELLA),
            ", though it is Base64 in place of hexadecimal and has a prefix too many",
            "write header = \"x-other-signature\"",
        ),
        ("token", renamed(token, "x-api-key", other), "", "write static_header = \"x-other-signature\""),
        ("standard webhooks", renamed(sw_at(SECONDS), "webhook-signature", other), "", fact),
        ("opp", renamed(opp(), "x-authentication-tag", other), "", fact),
        (
            "bank",
            bank_elsewhere.clone(),
            "authenticationtag is missing, and x-b carries what fits",
            "write headers.nonce = \"x-a\"",
        ),
        ("bank", bank_elsewhere, "nonce is missing, and x-a carries what fits", "; and write headers.tag = \"x-b\""),
    ] {
        let (done, said) = json(&[], &raw.bytes());
        check_story(name, &done, &said);
        let (likely, to_fix) = (said["likely_cause"].as_str().unwrap(), said["to_fix"].as_str().unwrap());
        assert_eq!(said["kind"], "signature_missing", "{name}: {said:#}");
        assert!(likely.contains("is missing, and x-") && likely.contains(cause), "{name}: {likely}");
        assert!(to_fix.contains(fix), "{name}: {to_fix}");
    }

    let wrong = |raw: Raw| {
        let mut raw = raw;
        let value = &mut raw.headers.iter_mut().find(|(known, _)| known == other).unwrap().1;
        let last = if value.pop() == Some('0') { '1' } else { '0' };
        value.push(last);
        raw
    };
    for (name, raw) in [
        ("custom", renamed(hub(&hub_value), signature, other)),
        ("params", renamed(stripe(SECONDS), "stripe-signature", other)),
        ("aella", renamed(aella(AELLA), "x-aella-signature", other)),
        ("opp", renamed(opp(), "x-authentication-tag", other)),
    ] {
        let done = explain(&[], &wrong(raw).bytes());
        assert_eq!(line(&done, "refused: ").as_deref(), Some("401 signature_missing"), "{name}: {done:#?}");
        assert!(line(&done, "likely cause: ").unwrap().ends_with("is missing or blank"), "{name}: {done:#?}");
        assert!(!done.said().contains(other), "{name}: {done:#?}");
    }
}

#[test]
fn a_checksum_may_be_missing_and_may_not_be_anything() {
    let state = |raw: &Raw, step: &str| {
        let (_, said) = json(&[], &raw.bytes());
        let steps = said["steps"].as_array().unwrap();
        steps.iter().find(|known| known["step"] == step).unwrap()["state"].as_str().unwrap().to_owned()
    };
    let mut without = bank(None);
    without.headers[0].1 = base64(&[9; 11]);
    assert_eq!((state(&without, "nonce"), state(&without, "checksum")), ("failed".to_owned(), "ok".to_owned()));
    assert_eq!(state(&bank(Some(&[1; 31])), "checksum"), "failed");
}

#[test]
fn a_thousand_headers_cost_no_more_than_a_bound() {
    let mut raw = without(aella(AELLA), "x-aella-signature");
    raw.headers.extend((0..900).map(|at| (format!("x-{at}"), hex(&[7; 64]))));
    let (_, said) = json(&[], &raw.bytes());
    assert_eq!(said["kind"], "signature_missing", "{said:#}");
    assert!(said["tried"].as_u64().is_some_and(|tried| (64..=10_000).contains(&tried)), "{said:#}");
}

#[test]
fn an_old_time_under_a_wrong_signature_is_told_too() {
    let mut raw = stripe(SECONDS - 3600);
    raw.body.push(b'!');
    let (done, said) = json(&[], &raw.bytes());
    check_story("old and changed", &done, &said);
    let causes: Vec<&str> =
        said["steps"].as_array().unwrap().iter().filter_map(|step| step["cause"].as_str()).collect();
    assert_eq!(causes.len(), 2, "{said:#}");
    assert!(
        causes[0].starts_with("no variation fits") && causes[1].starts_with("the timestamp is 1 hour old"),
        "{said:#}"
    );

    let (_, said) = json(&["--at", "2026-11-21T11:00:00Z"], &stripe(SECONDS - 3600).bytes());
    assert_eq!(said["verdict"], "accepted", "{said:#}");
}

#[test]
fn a_source_address_is_judged_when_it_is_known() {
    let raw = aella_signed("/listed", format!("{LIVE}-listed").as_bytes(), AELLA, AELLA).bytes();
    let unknown = explain(&[], &raw);
    assert_eq!(unknown.code, Some(0), "{unknown:#?}");
    let source = line(&unknown, "source address").unwrap();
    assert!(source.starts_with("unknown") && source.contains("192.0.2.0/24"), "{source}");
    for (from, code) in [("192.0.2.7", 0), ("198.51.100.7", 1)] {
        let done = explain(&["--from", from], &raw);
        assert_eq!(done.code, Some(code), "{from}: {done:#?}");
        let refused = line(&done, "refused: ").is_some_and(|verdict| verdict == "403 source_forbidden");
        assert_eq!(refused, code == 1, "{from}: {done:#?}");
    }
}

#[test]
fn a_line_end_behind_the_stated_length_is_left_out_and_said() {
    let mut request = aella(AELLA).bytes();
    request.extend(b"\n");
    let done = explain(&[], &request);
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert!(line(&done, "recording").is_some_and(|note| note.contains("as editors add one, is left out")), "{done:#?}");
    request.extend(b"more");
    assert_eq!(explain(&[], &request).code, Some(1));
}

#[test]
fn a_request_comes_from_a_file_or_an_archive_too() {
    let folder = Folder::new();
    let file = folder.write("request", aella(AELLA).bytes());
    let done = explain(&["--file", file.to_str().unwrap()], b"");
    assert_eq!(done.code, Some(0), "{done:#?}");

    let entry = |path: &str, body: Value| {
        let signature = hex(&hmac512(LIVE.as_bytes(), &[AELLA.as_bytes()]));
        let headers = serde_json::json!([{"name": ":method", "value": "POST"}, {"name": "X-Aella-Signature", "value": signature}]);
        serde_json::json!({"request": {"method": "POST", "url": path, "headers": headers, "postData": body}})
    };
    let get = serde_json::json!({"request": {"method": "GET", "url": "https://a.example/", "headers": []}});
    let text = entry("https://a.example/aella", serde_json::json!({"text": AELLA}));
    let base64 = entry("/aella", serde_json::json!({"text": base64(AELLA.as_bytes()), "encoding": "base64"}));
    let lost = entry("/aella", serde_json::json!({"text": AELLA.replace('é', "\u{FFFD}")}));
    let archive = serde_json::json!({"log": {"entries": [get, text, base64, lost]}});
    let archive = folder.write("capture.har", archive.to_string());
    let har = |more: &[&str]| {
        let arguments: Vec<&str> = ["--har", archive.to_str().unwrap()].iter().chain(more).copied().collect();
        explain(&arguments, b"")
    };
    for (arguments, code) in
        [(&[][..], 0), (&["--entry", "2"], 0), (&["--entry", "3"], 0), (&["--entry", "1"], 1), (&["--entry", "5"], 2)]
    {
        let done = har(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {done:#?}");
    }
    let lost = har(&["--entry", "4"]);
    assert!(
        line(&lost, "likely cause: ").is_some_and(|cause| cause.contains("the archive has lost bytes")),
        "{lost:#?}"
    );
}

#[test]
fn what_cannot_be_judged_ends_with_2_and_says_why() {
    let request = aella(AELLA).bytes();
    let huge = [&request[..], &vec![b'x'; 64 * 1024 * 1024]].concat();
    for (arguments, request, why) in [
        (&["--endpoint", "/nowhere"][..], &request[..], "known are /aella, /sandbox"),
        (&["--at", "yesterday"], &request, "--at"),
        (&["--at", "yesterday"], &request, "write it by RFC 3339, such as 2026-11-21T12:00:00Z"),
        (&["--entry", "1"], &request, "--har"),
        (&["--file", "/nonexistent/request"], b"", "cannot be read"),
        (&["--har", "/nonexistent/har"], b"", "cannot be read"),
        (&["--unknown"], &request, "--unknown"),
        (&[], b"", "the input is empty"),
        (&[], b"canary", "the first line is not a request line"),
        (&[], &huge, "longer than 64 MiB"),
    ] {
        let done = explain_with(&config(), arguments, request);
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{arguments:?}: {done:#?}");
        assert!(done.stderr.contains(why), "{arguments:?}: {}", done.stderr);
    }
    let done = explain_with("[[endpoint]]\npath = \"/a\"\nprovider = \"aella\"\nkeys = []\nodd = 1", &[], &request);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("endpoint[0].odd: is not known here"), "{}", done.stderr);
}

#[test]
fn advice_names_what_the_provider_has_and_what_is_missing_is_named() {
    let mac = hmac512(LIVE.as_bytes(), &[AELLA.as_bytes()]);
    let said = |raw: &Raw| explain(&[], &raw.bytes());
    let aella = said(&Raw::new("/aella", &[("x-aella-signature", format!("sha512={}", hex(&mac)))], AELLA));
    let fix = line(&aella, "to fix: ").unwrap();
    assert_eq!(fix, "have the sender, or the proxy in between, write it as this provider does", "{aella:#?}");
    assert!(aella.said().contains("x-aella-signature is not hexadecimal"), "{aella:#?}");
    assert!(!aella.said().contains("and hexadecimal"), "{aella:#?}");
    let hub = said(&hub(&hex(&hub_mac())));
    let fix = line(&hub, "to fix: ").unwrap();
    assert!(fix.ends_with("or set prefix and encoding of the scheme"), "{hub:#?}");
    assert!(hub.said().contains("x-hub-signature-256 is not \"sha256=\" and hexadecimal"), "{hub:#?}");
    assert!(!aella.said().contains("\"\"") && !hub.said().contains("\"\""), "{aella:#?} {hub:#?}");
}

#[test]
fn a_terminal_gets_no_orders_from_a_sender() {
    let evil = "{\"event\":\"\\u001b[2Jpaid\\u202e\",\"data\":{\"id\":\"a\\nb\"}}";
    let done = explain(&[], &aella(evil).bytes());
    assert_eq!(done.code, Some(0), "{done:#?}");
    let event = line(&done, "event: ").unwrap();
    assert_eq!(event, "\\u{1b}[2Jpaid\\u{202e} (key \\u{1b}[2Jpaid\\u{202e}|a\\u{a}b, kind unknown)");
}

#[test]
fn help_has_examples() {
    let done = Program::new(["explain", "--help"]).run();
    assert_eq!(done.code, Some(0));
    let said = done.said();
    for piece in ["Examples:", "--endpoint /aella < request", "--har", "--at", "Exit codes: 0"] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
}

/// Requests damaged at random, always at the same places: whatever comes, there is one story and no panic.
#[test]
fn damaged_requests_are_explained_too() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let mut codes = [0; 3];
    for (name, raw, _) in good() {
        let whole = raw.bytes();
        for round in 0..12 {
            let mut bytes = whole.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] ^= 1 << next(8),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"\0\n{\"=, \xff"[next(8)]),
                    _ => bytes.truncate(at.max(40)),
                }
            }
            let case = format!("{name} {round}: {:?}", String::from_utf8_lossy(&bytes));
            let done = explain(&["--json"], &bytes);
            let code = done.code.and_then(|code| usize::try_from(code).ok()).filter(|code| *code < 3);
            codes[code.unwrap_or_else(|| panic!("{case}: {done:#?}"))] += 1;
            if code != Some(2) {
                check_story(&case, &done, &done.json()[0]);
            }
        }
    }
    assert!(codes.iter().all(|count| *count > 5), "{codes:?}");
}

/// Nested far beyond what any receiver reads, and signed under no key of ours.
fn nested(levels: usize) -> Vec<u8> {
    let body = format!("{{\"id\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    Raw::new("/hub", &[("x-hub-signature-256", format!("sha256={}", hex(&[7; 32])))], body).bytes()
}

#[test]
fn nesting_costs_no_more_than_its_length() {
    // A child that hangs fails by its silence.
    let done = explain(&["--endpoint", "/hub"], &nested(50_000));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(line(&done, "refused:").as_deref(), Some("401 signature_mismatch"), "{done:?}");
    let cause = line(&done, "likely cause:").unwrap();
    assert!(cause.starts_with("no variation fits (only "), "{cause}");
    assert!(cause.contains("indented, the JSON would be too long to be tried"), "{cause}");
}

#[test]
fn what_a_stranger_wrote_gives_no_orders_to_a_terminal() {
    for order in ['\u{7f}', '\u{80}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{2028}', '\u{202e}', '\u{2069}'] {
        let path = format!("/a{order}b");
        let mut raw = aella(AELLA);
        raw.path = path.clone();
        raw.headers.push(("content-type".to_owned(), format!("text/a{order}b")));
        let endpoint = format!("/x{order}");
        for arguments in [
            &[][..],
            &["--json"],
            &["--endpoint", "/aella"],
            &["--endpoint", "/aella", "--json"],
            &["--endpoint", &endpoint],
        ] {
            let done = explain(arguments, &raw.bytes());
            assert!(!done.said().contains(order), "{order:?} is in {:?}", done.said());
        }
    }
}
