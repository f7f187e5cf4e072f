//! Whose a name on a server is: another's receiver of that name is refused, and replicas and rotations pass.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Request};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::encoding::Encoding;
use tower_webhook::idempotency::redis::EnrollError;
use tower_webhook::idempotency::{DedupeStore, ReceiverIdentity, RedisStore, StoreErrorKind};

use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::Lookup;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::custom::{self, Custom};
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{MemoryStore, Received, Receiver};

use super::proxy::{Plan, Proxy, Way};
use super::server::Server;
use crate::deliveries::{now, read, sealed};

const OLD: &str = "ae_sk_old_of_this_shop";
const NEW: &str = "ae_sk_new_of_this_shop";
const OTHER: &str = "ae_sk_of_another_shop";

fn ring(secrets: &[&str]) -> KeyRing {
    KeyRing::new(secrets.iter().map(|secret| Key::new(*secret, Secret::utf8(secret).unwrap()))).unwrap()
}

fn aella(secrets: &[&str]) -> Receiver<Aella> {
    Receiver::new("ng", Aella::new(ring(secrets)).unwrap())
}

fn basic(user: &str, password: &str) -> ReceiverIdentity {
    let credentials = Credentials::new(user, Secret::utf8(password).unwrap()).unwrap();
    let layer = BasicAuthLayer::new([credentials]).unwrap();
    let mambu = Mambu::new().event_at(Lookup::json("/event").unwrap());
    Receiver::new("mambu", mambu).basic_auth(&layer).identity()
}

async fn store(server: &Server) -> RedisStore {
    RedisStore::connect(&server.url()).await.unwrap()
}

/// What is said of why not, if it is not its own.
async fn taken(store: &RedisStore, receiver: &ReceiverIdentity) -> Option<String> {
    let asked = store.may_enroll(receiver).await;
    let said = store.enroll(receiver).await;
    assert_eq!(asked, said, "what is asked is what is done");
    match said {
        Ok(()) => None,
        Err(EnrollError::Taken(taken)) => Some(taken.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn another_receiver_of_that_name_is_refused_and_told_how_to_go_on() {
    let server = Server::start(&[]);
    let (first, second) = (store(&server).await, store(&server).await);
    assert_eq!(taken(&first, &aella(&[OLD]).identity()).await, None);
    let said = taken(&second, &aella(&[OTHER]).identity()).await.expect("another secret");
    for word in ["\"ng\"", "\"aella\"", "`tenant`", "`name`"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(![OLD, OTHER].iter().any(|secret| said.contains(secret)), "{said}");

    assert_eq!(taken(&second, &aella(&[OLD]).identity()).await, None, "a replica");
    let with_tenant = aella(&[OTHER]).settings(|settings| settings.tenant("another-shop")).unwrap();
    assert_eq!(taken(&second, &with_tenant.identity()).await, None, "another tenant");
    let named = Receiver::new("ke", Aella::new(ring(&[OTHER])).unwrap());
    assert_eq!(taken(&second, &named.identity()).await, None, "another name");
    let apart = RedisStore::at(&server.url()).prefix("apart:").connect().await.unwrap();
    assert_eq!(taken(&apart, &aella(&[OTHER]).identity()).await, None, "another prefix");
    assert!(taken(&first, &aella(&[OTHER]).identity()).await.is_some(), "control: and still not here");
}

#[tokio::test]
async fn keys_are_replaced_one_after_the_other_and_not_all_at_once() {
    let server = Server::start(&[]);
    let store = store(&server).await;
    for step in [&[OLD][..], &[NEW, OLD], &[NEW]] {
        assert_eq!(taken(&store, &aella(step).identity()).await, None, "{step:?}");
    }
    assert_eq!(taken(&store, &aella(&[OLD]).identity()).await, None, "a replica of before, or the way back");
    assert!(taken(&store, &aella(&[OTHER]).identity()).await.is_some(), "control: never with the others");
}

#[tokio::test]
async fn a_name_has_one_provider() {
    let server = Server::start(&[]);
    let store = store(&server).await;
    assert_eq!(taken(&store, &aella(&[OLD]).identity()).await, None);
    let key = Secret::hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap();
    let opp = Receiver::new("ng", Opp::new(key).unwrap());
    let said = taken(&store, &opp.identity()).await.expect("another provider");
    assert!(said.contains("\"aella\"") && said.contains("`name`"), "{said}");
}

#[tokio::test]
async fn of_basic_credentials_the_user_name_counts_and_the_password_does_not() {
    let server = Server::start(&[]);
    let store = store(&server).await;
    assert_eq!(taken(&store, &basic("mambu", "correct horse")).await, None);
    assert_eq!(taken(&store, &basic("mambu", "battery staple")).await, None, "another password");
    assert!(taken(&store, &basic("mambu2", "correct horse")).await.is_some(), "another user");
    let record = server.command(&["GET", &server.command(&["KEYS", "whd1:whose:*"])]);
    assert!(record.starts_with("1 u") && record.ends_with(" mambu"), "{record}");
}

/// Of any number of keys, each a check value of 3 bytes.
#[tokio::test]
async fn what_is_remembered_is_short_says_no_secret_and_never_expires() {
    let server = Server::start(&[]);
    let store = store(&server).await;
    for turn in 0..40 {
        let pair = [turn + 1, turn].map(|number| format!("a key of at least 16 bytes, {number}"));
        assert_eq!(taken(&store, &aella(&[&pair[0], &pair[1]]).identity()).await, None, "{turn}");
    }
    let key = server.command(&["KEYS", "*"]);
    assert!(key.starts_with("whd1:whose:{") && !key.contains('\n'), "{key}");
    let record = server.command(&["GET", &key]);
    assert_eq!(record.matches('k').count(), 16, "{record}");
    assert!(record.len() < 200 && record.ends_with(" aella") && !record.contains("16 bytes"), "{record}");
    assert_eq!(server.command(&["PTTL", &key]), "-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_start_at_once_are_all_remembered_or_refused_alike() {
    let server = Server::start(&[]);
    let stores = futures_util::future::join_all((0..12).map(|_| store(&server))).await;
    let enroll = async |(number, store): (usize, &RedisStore)| {
        let secret = if number % 2 == 0 { OLD } else { OTHER };
        store.enroll(&aella(&[secret]).identity()).await.is_ok()
    };
    let passed = futures_util::future::join_all(stores.iter().enumerate().map(enroll)).await;
    let of = |rest: usize| passed.iter().skip(rest).step_by(2).filter(|passed| **passed).count();
    assert!(matches!((of(0), of(1)), (6, 0) | (0, 6)), "{passed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_say_is_no_yes() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let store = RedisStore::at(&proxy.url()).connect().await.unwrap();
    proxy.plan(Plan::CutOnce(Way::Reply, 0));
    assert_eq!(taken(&store, &aella(&[OLD]).identity()).await, None, "a lost reply is asked for again");
    assert!(proxy.is_done(), "no reply was lost");
    server.command(&["SET", &server.command(&["KEYS", "whd1:whose:*"]), "of somebody else"]);
    let corrupt = Err(EnrollError::Store(StoreErrorKind::Corrupt.into()));
    assert_eq!(store.enroll(&aella(&[OLD]).identity()).await, corrupt);
    drop((server, proxy));
    let away = RedisStore::at("redis://127.0.0.1:1").deadline(Duration::from_millis(100)).build().unwrap();
    assert_eq!(
        away.enroll(&aella(&[OLD]).identity()).await,
        Err(EnrollError::Store(StoreErrorKind::Unavailable.into())),
        "a server that is away"
    );
}

/// A sender of one's own choosing, whose events have these ids in a header.
fn custom(secret: &str) -> Custom {
    let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex);
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(secret).unwrap()).unwrap();
    Custom::new(scheme, [Lookup::json("/id").unwrap()]).unwrap()
}

fn event(secret: &str) -> Request<Full<Bytes>> {
    sealed(&custom(secret), r#"{"id":"1"}"#)
}

/// Status and whether it was told to be a repeat, of two senders whose events have the same id.
async fn two_senders<D: DedupeStore>(stores: [D; 2], names: [&str; 2]) -> Vec<(u16, bool)> {
    let mut told = Vec::new();
    for ((store, name), secret) in stores.into_iter().zip(names).zip([OLD, OTHER]) {
        let receiver = Receiver::new(name, custom(secret)).clock(now()).dedupe(store);
        let service = receiver.handle(|_: Received<custom::Event>| async {});
        let (status, replayed, _) = read(service.oneshot(event(secret)).await.unwrap()).await;
        told.push((status, replayed));
    }
    told
}

#[tokio::test]
async fn equal_ids_of_two_senders_meet_under_one_name_only() {
    let server = Server::start(&[]);
    let (redis, memory) = (store(&server).await, MemoryStore::new(10));
    let both = [(200, false), (200, false)];
    assert_eq!(two_senders([memory.clone(), memory.clone()], ["shop", "bank"]).await, both);
    assert_eq!(two_senders([redis.clone(), redis.clone()], ["shop", "bank"]).await, both);
    let second_is_repeat = [(200, false), (200, true)];
    assert_eq!(two_senders([memory.clone(), memory], ["one", "one"]).await, second_is_repeat, "control");
    assert_eq!(two_senders([redis.clone(), redis], ["one", "one"]).await, second_is_repeat, "control");
}

#[cfg(feature = "cli")]
mod programs {
    use std::collections::BTreeSet;

    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha512;

    use super::super::proxy::{Plan, Proxy, Way};
    use super::super::server::Server;
    use super::{OLD, OTHER};
    use crate::program::child::{Done, Folder, Listener, Program};

    const EVENT: &str = r#"{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{"id":"1"}}"#;
    const JSON: &str = "content-type: application/json";

    fn config(url: &str, top: &str, endpoints: &[(&str, &str, &str)]) -> String {
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\n{top}\n[dedupe]\nkind = \"redis\"\nurl = \"{}\"\ndeadline = \"200ms\"\n",
            url
        );
        for (path, secret, more) in endpoints {
            text += &format!(
                "[[endpoint]]\npath = \"{path}\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"{secret}\" }}]\n{more}\n"
            );
        }
        text
    }

    /// A start that must end by itself.
    fn refused(config: &str) -> Done {
        let folder = Folder::new();
        let file = folder.write("receiver.toml", config);
        Program::new(["listen".into(), "--config".into(), file.into_os_string()]).run()
    }

    #[test]
    fn a_second_merchant_does_not_start_until_it_is_told_apart() {
        let server = Server::start(&[]);
        let first = config(&server.url(), "", &[("/aella", OLD, "")]);
        let _first = Listener::start(&first);
        let _replica = Listener::start(&first);

        let done = refused(&config(&server.url(), "", &[("/new", OTHER, ""), ("/aella", OTHER, "")]));
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
        let lines: Vec<_> = done.stderr.lines().filter(|line| line.contains("belongs to another receiver")).collect();
        assert_eq!(lines.len(), 1, "a line for each endpoint that is refused: {done:?}");
        for word in ["endpoint \"/aella\"", "`tenant`", "`name`"] {
            assert!(lines[0].contains(word), "{}", lines[0]);
        }
        assert!(!done.said().contains(OTHER), "{done:?}");
        assert_eq!(server.command(&["KEYS", "whd1:whose:*"]).lines().count(), 1, "no name is left behind");

        drop(Listener::start(&config(&server.url(), "tenant = \"b\"", &[("/aella", OTHER, "")])));
        drop(Listener::start(&config(&server.url(), "", &[("/aella", OTHER, "name = \"aella of b\"")])));
        assert_eq!(refused(&config(&server.url(), "", &[("/aella", OTHER, "")])).code, Some(2), "control");
    }

    fn status(address: &str, body: &str) -> u16 {
        let mut mac = Hmac::<Sha512>::new_from_slice(OTHER.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let header = format!("x-aella-signature: {signature}");
        let url = format!("http://{address}/aella");
        let arguments = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, "-d", body, "-H", JSON, &url];
        Program::other("curl", arguments).run().stdout[0].parse().unwrap()
    }

    /// A server that is away at the start is asked before the first claim.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_name_that_is_anothers_is_not_used_once_the_server_is_back() {
        let server = Server::start(&[]);
        let proxy = Proxy::to(server.port()).await;
        drop(Listener::start(&config(&server.url(), "", &[("/aella", OLD, "")])));
        proxy.plan(Plan::CutAll(Way::Request));
        let late = |more: &str| Listener::start(&config(&proxy.url(), "", &[("/aella", OTHER, more)]));
        let (anothers, own) = (late(""), late("name = \"b\""));
        assert_eq!(status(own.address(), EVENT), 503, "control: the server is away");
        let keys = || server.command(&["KEYS", "*"]).lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let before = keys();
        proxy.plan(Plan::Pass);
        assert_eq!(status(anothers.address(), EVENT), 503);
        assert!(keys().is_subset(&before), "nothing is claimed: {:?}, {before:?}", keys());
        assert_eq!(status(own.address(), EVENT), 200, "control: its own name");
        assert!(!keys().is_subset(&before), "control");
        let done = anothers.stop();
        assert!(done.stderr.contains("it is not known whose the names on the Redis server are"), "{done:?}");
        assert!(done.stderr.contains("\"/aella\" belongs to another receiver"), "{done:?}");
    }

    #[test]
    fn two_endpoints_of_one_name_share_a_key_or_are_a_fault() {
        let server = Server::start(&[]);
        let name = "name = \"shop\"";
        drop(Listener::start(&config(&server.url(), "", &[("/a", OLD, name), ("/b", OLD, name)])));
        let done = refused(&config(&server.url(), "", &[("/a", OLD, name), ("/b", OTHER, name)]));
        assert_eq!(done.code, Some(2), "{done:?}");
        for word in ["endpoint[1].name", "\"shop\" belongs to another receiver", "`tenant`", "`name`"] {
            assert!(done.stderr.contains(word), "{done:?}");
        }
        assert!(!done.said().contains(OTHER), "{done:?}");
    }
}
