//! Secrets that are none, and secrets that are no longer.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use http::HeaderMap;
use tower_webhook::clock::Timestamp;
use tower_webhook::scheme::Scheme as _;
use tower_webhook::secret::{Key, KeyRing, KeySwap, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind};

use super::{BODY, Judge, KEY, Kept, good, must, ours, scheme, sha256, signed, text};

fn an_empty_key_signs_nothing(judge: Judge<'_>) -> Kept {
    for key in [&b""[..], b"\0", &[0; 64]] {
        let forged = signed(&format!("sha256={}", sha256(key, BODY)));
        must(!judge(&forged, BODY), format!("signed by {key:?} and taken"))?;
    }
    Ok(())
}

#[test]
fn an_empty_secret_cannot_be_had_and_what_it_signs_is_refused() {
    for made in [Secret::utf8(""), Secret::bytes(Vec::new()), Secret::hex(""), Secret::base64("")] {
        assert_eq!(made.unwrap_err(), ConfigError::new(ConfigErrorKind::EmptySecret));
    }
    assert_eq!(KeyRing::new([]).unwrap_err(), ConfigError::new(ConfigErrorKind::NoKeys));
    assert_eq!(an_empty_key_signs_nothing(&ours), Ok(()));

    let default = std::env::var("A_SECRET_THAT_NOBODY_HAS_SET").unwrap_or_default();
    let not_configured =
        |headers: &HeaderMap, body: &[u8]| text(headers) == format!("sha256={}", sha256(default.as_bytes(), body));
    assert_eq!(an_empty_key_signs_nothing(&not_configured), Err("signed by [] and taken".into()));
}

#[cfg(feature = "config")]
#[test]
fn a_secret_that_cannot_be_looked_up_leaves_no_endpoint_behind() {
    let build = |source: &str| {
        let text = format!("[[endpoint]]\npath = \"/a\"\nprovider = \"aella\"\nkeys = [{{ id = \"a\", {source} }}]\n");
        tower_webhook::config::read_text("faults.toml", &text).and_then(|spec| spec.build())
    };
    assert_eq!(build("value = \"an example of a signing key\"").unwrap().endpoints.len(), 1, "the control");
    for source in ["env = \"NOT_SET_ANYWHERE_AT_ALL\"", "file = \"no/such/file\"", "value = \"\""] {
        assert!(build(source).is_err(), "{source}");
    }
}

/// Lines of the check's path that could hold a secret or none.
fn doubtful(file: &str, text: &str) -> Vec<String> {
    let holds =
        |line: &&str| ["Option<Secret>", "Option<KeyRing>", "Option<PreparedKeys"].iter().any(|may| line.contains(may));
    text.lines()
        .filter(|line| !line.trim().starts_with("//"))
        .filter(holds)
        .map(|line| format!("{file}: {}", line.trim()))
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else {
            let name = entry.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
            found.extend(doubtful(&name, &fs::read_to_string(&entry).unwrap()));
        }
    }
}

/// A tenant that nobody knows has no keys, and is refused; a private key of a sender checks nothing.
const HARMLESS: [&str; 2] = [
    "src/receiver/tenants.rs: fn keys(&self, tenant: &str) -> impl Future<Output = Result<Option<KeyRing>, BoxError>> + Send;",
    "src/provider/standard_webhooks/wire.rs: signing: Option<Secret>,",
];

#[test]
fn no_check_can_be_without_its_secret() {
    let mut found = Vec::new();
    for room in ["scheme", "layers", "gate", "receiver", "provider"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut found);
    }
    assert_eq!(found, HARMLESS);
    assert_eq!(doubtful("x", "    secret: Option<Secret>,\n"), ["x: secret: Option<Secret>,"], "the control");
}

/// `replace` changes the key to this one; `judge` says who is believed.
fn an_old_key_ends(replace: &dyn Fn(&str), judge: Judge<'_>) -> Kept {
    let (old, new) = (KEY, "the key that comes after it");
    let by = |key: &str| signed(&format!("sha256={}", sha256(key.as_bytes(), BODY)));
    must(judge(&by(old), BODY) && !judge(&by(new), BODY), "the first key is not the one that counts")?;
    replace(new);
    must(judge(&by(new), BODY), "the second key is refused")?;
    must(!judge(&by(old), BODY), "the first key is still taken")
}

#[test]
fn a_key_that_was_replaced_is_refused_from_the_next_delivery_on() {
    let swap = || KeySwap::new(Secret::utf8(KEY).unwrap());
    let replacing = |keys: KeySwap| move |key: &str| keys.replace(Secret::utf8(key).unwrap()).unwrap();

    let keys = swap();
    let ours = scheme(keys.ring());
    let opens =
        |headers: &HeaderMap, body: &[u8]| ours.open(headers, body.to_vec().into(), Timestamp::UNIX_EPOCH).is_ok();
    assert_eq!(an_old_key_ends(&replacing(keys), &opens), Ok(()));

    // What has fitted once is remembered, to be quicker.
    let (keys, believed) = (swap(), OnceLock::new());
    let behind = scheme(keys.ring());
    let cached = |headers: &HeaderMap, body: &[u8]| {
        let opened = behind.open(headers, body.to_vec().into(), Timestamp::UNIX_EPOCH).is_ok();
        if opened {
            believed.get_or_init(|| text(headers).to_owned());
        }
        opened || believed.get().is_some_and(|known| known == text(headers))
    };
    assert_eq!(an_old_key_ends(&replacing(keys), &cached), Err("the first key is still taken".into()));
}

#[test]
fn a_key_that_has_ended_is_refused_by_the_clock_alone() {
    let end = Timestamp::from_second(1_000).unwrap();
    let ring = KeyRing::new([Key::new("a", Secret::utf8(KEY).unwrap()).not_after(end)]).unwrap();
    let scheme = scheme(ring);
    let at = |second| scheme.open(&signed(&good()), BODY.into(), Timestamp::from_second(second).unwrap()).is_ok();
    assert_eq!([at(999), at(1_000), at(1_001)], [true, true, false]);
}
