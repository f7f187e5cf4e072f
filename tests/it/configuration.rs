//! The configuration as an application uses it: specifications by hand, what is built of them, and what is never printed.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Request};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::OsEntropy;
use tower_webhook::config::{
    self, CandidateSpec, Config, ConfigSpec, CredentialsSpec, CustomSpec, EndpointSpec, KeyEncoding, KeySpec,
    ProofSpec, ProviderSpec, RedisSpec, SchemeSpec, SecretSource, SignatureLayout, SignedSpec, StoreSpec,
    TimestampPlace, TimestampSpec,
};
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::{AnyEvent, AnyProvider, Lookup, Message, Provider as _};
use tower_webhook::scheme::{MacAlgorithm, Sealing, Template, TimeUnit};
use tower_webhook::{Received, RejectionKind};

use crate::deliveries::{TRANSFER, now};

type Change = fn(&mut SignedSpec);

const KEY: &str = "canary horse battery staple";

fn key(id: &str) -> KeySpec {
    KeySpec::new(id, SecretSource::value(KEY))
}

fn endpoint(path: &str, provider: &str) -> EndpointSpec {
    let mut endpoint = EndpointSpec::new(path, ProviderSpec::named(provider).unwrap());
    endpoint.keys = vec![key("k")];
    endpoint
}

/// A custom sender with everything that can be varied.
fn custom(change: impl FnOnce(&mut SignedSpec)) -> EndpointSpec {
    let proof = ProofSpec::Mac(MacAlgorithm::HmacSha256);
    let mut signed = SignedSpec::new(proof, HeaderName::from_static("x-signature"));
    signed.layout = SignatureLayout::Params { separator: ",".into(), signature: "v1".into() };
    signed.signed = Template::parse("{param:t}.{url}.{body}").unwrap();
    signed.url = Some("https://example.com/hook".into());
    signed.timestamp = Some(TimestampSpec::new(TimestampPlace::Param("t".into())));
    change(&mut signed);
    let spec = CustomSpec::new(SchemeSpec::Signed(signed), [Lookup::json("/id").unwrap()]);
    let mut endpoint = EndpointSpec::new("/custom", ProviderSpec::Custom(spec));
    endpoint.keys = vec![key("k")];
    endpoint
}

fn seal(provider: &AnyProvider, body: &'static str) -> Request<Full<Bytes>> {
    provider.seal(Message::new(body), &Sealing::new(now(), &OsEntropy)).unwrap().map(Full::new)
}

#[test]
fn what_is_made_by_hand_is_what_a_file_says_and_each_change_counts() {
    let file = format!(
        "[[endpoint]]\npath = \"/custom\"\nprovider = \"custom\"\nkeys = [{{ id = \"k\", value = \"{KEY}\" }}]\n\
         scheme = {{ mac = \"hmac-sha256\", header = \"x-signature\", params = \",\", signed = \"{{param:t}}.{{url}}.{{body}}\" }}\n\
         url = \"https://example.com/hook\"\ntimestamp = {{ param = \"t\" }}\nkey = {{ json = \"/id\" }}\n"
    );
    let read = config::read_text("receiver.toml", &file).unwrap().endpoints[0].build().unwrap().provider;
    let opens = |spec: EndpointSpec| {
        let mut headers = HeaderMap::new();
        let sealing = Sealing::new(now(), &OsEntropy);
        let body = spec.build().unwrap().provider.scheme().seal("{\"id\":1}".into(), &mut headers, &sealing).unwrap();
        read.scheme()
            .open(&headers, body, now())
            .map(|opened| opened.key_id.unwrap().to_string())
            .map_err(|no| no.kind())
    };
    assert_eq!(opens(custom(|_| {})), Ok("k".to_owned()));
    let changes: [(Change, RejectionKind); 7] = [
        (|signed| signed.proof = ProofSpec::Mac(MacAlgorithm::HmacSha512), RejectionKind::SignatureMismatch),
        (|signed| signed.header = HeaderName::from_static("x-other"), RejectionKind::SignatureMissing),
        (|signed| signed.encoding = Encoding::Base64, RejectionKind::SignatureMismatch),
        (|signed| signed.prefix = "sha256=".into(), RejectionKind::SignatureMismatch),
        (|signed| signed.url = Some("https://example.com/hook/".into()), RejectionKind::SignatureMismatch),
        (|signed| signed.signed = Template::parse("{param:t}{url}{body}").unwrap(), RejectionKind::SignatureMismatch),
        (|signed| signed.timestamp.as_mut().unwrap().unit = TimeUnit::Milliseconds, RejectionKind::TimestampOutside),
    ];
    for (at, (change, kind)) in changes.into_iter().enumerate() {
        assert_eq!(opens(custom(change)), Err(kind), "change {at}");
    }
    let mut other = custom(|_| {});
    (other.keys[0].secret, other.keys[0].encoding) = (SecretSource::value("00".repeat(16)), Some(KeyEncoding::Hex));
    assert_eq!(opens(other), Err(RejectionKind::SignatureMismatch));
}

#[test]
fn faults_of_a_specification_by_hand_are_named_by_the_same_keys() {
    let mut wrong = endpoint("aella", "aella");
    wrong.keys.push(KeySpec::new("short", SecretSource::value("canary")));
    wrong.basic_auth = vec![CredentialsSpec::new("a:b", SecretSource::Env("NOT_SET_ANYWHERE".into()))];
    let start = |faults: config::Faults| faults.iter().map(|fault| fault.key.clone()).collect::<Vec<_>>();
    let keys = ["keys[1].value", "path", "basic_auth[0].username", "basic_auth[0].password.env"];
    assert_eq!(start(wrong.build().unwrap_err()), keys);
    let whole = ConfigSpec::new([endpoint("/good", "aella"), wrong.clone()]);
    let faults = whole.build().unwrap_err();
    assert_eq!(start(faults.clone()), keys.map(|key| format!("endpoint[1].{key}")));
    assert!(faults.to_string().starts_with("endpoint[1].keys[1].value: the secret has 6 bytes"), "{faults}");
    assert!(!format!("{faults:?} {faults}").contains("canary"));
    assert_eq!(start(ConfigSpec::new([]).build().unwrap_err()), ["endpoint"]);
    assert!(ConfigSpec::new([endpoint("/good", "aella")]).build().is_ok());
}

#[test]
fn no_secret_is_printed_by_a_specification_or_what_is_built_of_it() {
    let mut aella = endpoint("/aella", "aella");
    aella.basic_auth = vec![CredentialsSpec::new("user", SecretSource::value("canary password"))];
    aella.candidate = Some(CandidateSpec::new(ProviderSpec::named("sibs").unwrap(), [key("next")]));
    let next = &mut aella.candidate.as_mut().unwrap().keys[0];
    (next.encoding, next.secret) = (Some(KeyEncoding::Utf8), SecretSource::value("canary canary canary canary 32 b"));
    let mut spec = ConfigSpec::new([aella, custom(|_| {})]);
    spec.dedupe.store = StoreSpec::Redis(RedisSpec::new(SecretSource::value("redis://:canary@127.0.0.1:1")));
    let config = spec.build().unwrap();
    let printed = format!("{spec:?} {spec:#?} {config:?} {config:#?}");
    assert!(["user", "/aella", "next"].iter().all(|name| printed.contains(name)), "{printed}");
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn secrets_are_looked_up_when_it_is_built_and_not_when_it_is_read() {
    let file =
        "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{ id = \"k\", env = \"NOT_SET_ANYWHERE\" }]\n";
    let spec = config::read_text("receiver.toml", file).unwrap();
    let faults = spec.build().unwrap_err().to_string();
    assert_eq!(
        faults,
        "receiver.toml: endpoint[0].keys[0].env: NOT_SET_ANYWHERE is not set; set it in the environment of the program"
    );
    let spec = config::read_text("folder/receiver.toml", &file.replace("env =", "file =")).unwrap();
    let SecretSource::File(path) = &spec.endpoints[0].keys[0].secret else { panic!("{spec:?}") };
    assert_eq!(path.to_str(), Some("folder/NOT_SET_ANYWHERE"));
}

#[test]
fn keys_that_are_over_are_faults_of_a_time_alone() {
    let mut over = endpoint("/aella", "aella");
    over.keys[0].not_after = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let spec = ConfigSpec::new([over.clone()]);
    assert!(spec.build().is_ok());
    assert!(spec.build_at("2020-01-01T00:00:00Z".parse().unwrap()).is_ok());
    let faults = spec.build_at("2020-01-01T00:00:01Z".parse().unwrap()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "endpoint[0].keys: all are over; give it a key that is valid, or leave not_after out"
    );
    over.keys.push(key("new"));
    let config = ConfigSpec::new([over]).build_at(now()).unwrap();
    assert_eq!(config.warnings, ["/aella: the key k is over since 2020-01-01T00:00:00Z"]);
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, String)>>>);

impl Seen {
    /// Sends to the only endpoint, and returns the status.
    async fn send(&self, config: &Config, request: Request<Full<Bytes>>) -> u16 {
        let (seen, endpoint) = (self.clone(), &config.endpoints[0]);
        let receiver = config.receiver(endpoint).unwrap().clock(now()).dedupe(config.dedupe.store.clone());
        let service = receiver.handle(move |event: Received<AnyEvent>| {
            let delivery = event.delivery();
            seen.0.lock().unwrap().push((delivery.receiver().to_owned(), delivery.key().to_string()));
            async {}
        });
        service.oneshot(request).await.unwrap().status().as_u16()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_has_everything_that_was_said_of_its_endpoint() {
    let seen = Seen::default();
    let mut spec = ConfigSpec::new([endpoint("/aella", "aella")]);
    spec.endpoints[0].name = Some("aella-ng".into());
    let transfer = || seal(&spec.build().unwrap().endpoints[0].provider, TRANSFER);
    let config = spec.build().unwrap();
    assert_eq!(seen.send(&config, transfer()).await, 200);
    assert_eq!(seen.send(&config, transfer()).await, 200);
    assert_eq!(seen.count(), 1, "one store, one event");
    assert_eq!(seen.0.lock().unwrap()[0].0, "aella-ng");

    let mut other = config.clone();
    other.tenant = "another".into();
    assert_eq!((seen.send(&other, transfer()).await, seen.count()), (200, 2), "another tenant's event");

    let mut strict = spec.clone();
    strict.max_body = Some(TRANSFER.len() - 1);
    assert_eq!(seen.send(&strict.build().unwrap(), transfer()).await, 413);
    strict.endpoints[0].max_body = Some(TRANSFER.len());
    assert_eq!(seen.send(&strict.build().unwrap(), transfer()).await, 200, "the endpoint's own counts");

    let mut guarded = spec.clone();
    guarded.endpoints[0].basic_auth = vec![CredentialsSpec::new("user", SecretSource::value("password"))];
    let guarded = guarded.build().unwrap();
    assert_eq!(seen.send(&guarded, transfer()).await, 401);
    let mut known = transfer();
    let value = format!("Basic {}", Encoding::Base64.encode(b"user:password"));
    known.headers_mut().insert(AUTHORIZATION, value.parse().unwrap());
    assert_eq!(seen.send(&guarded, known).await, 200);
}

#[test]
fn providers_have_one_name_each_and_a_hyphen_is_taken_for_an_underscore() {
    for name in ProviderSpec::NAMES.into_iter().filter(|name| *name != "custom") {
        for spelling in [name.to_owned(), name.replace('_', "-")] {
            assert_eq!(ProviderSpec::named(&spelling).map(|spec| spec.name()), Some(name), "{spelling}");
        }
    }
    for name in ["", "custom", "Aella", "bankingcircle", "nobody"] {
        assert!(ProviderSpec::named(name).is_none(), "{name}");
    }
}
