//! Basic authentication: the vectors of RFC 7617, good and bad headers, and what a refusal tells.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::gate::{Authenticated, ResponseBody};
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

use crate::support::{Log, flips, text};

fn credentials(username: &str, password: &str) -> Credentials {
    Credentials::new(username, Secret::utf8(password).unwrap()).unwrap()
}

fn ours() -> BasicAuthLayer {
    BasicAuthLayer::new([
        credentials("Aladdin", "open sesame"),
        credentials("test", "123\u{a3}"),
        credentials("rotating", "old"),
        credentials("rotating", "new:with:colons:"),
    ])
    .unwrap()
}

fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// Who got in with these `Authorization` headers, or the refusal.
async fn knock(layer: &BasicAuthLayer, headers: &[&[u8]]) -> Result<String, Response<ResponseBody>> {
    let mut request = Request::new(String::new());
    for header in headers {
        request.headers_mut().append("authorization", HeaderValue::from_bytes(header).unwrap());
    }
    let who = service_fn(|request: Request<String>| async move {
        let name = request.extensions().get::<Authenticated>().map(|who| who.username().to_owned());
        Ok::<_, Infallible>(Response::new(name.unwrap_or_default()))
    });
    let response = layer.layer(who).oneshot(request).await.unwrap();
    if response.status().is_success() { Ok(text(response).await) } else { Err(response) }
}

fn kind(response: &Response<ResponseBody>) -> RejectionKind {
    response.extensions().get::<Rejection>().unwrap().kind()
}

#[tokio::test]
async fn good_headers_name_their_owner() {
    let rotated = basic("rotating:new:with:colons:");
    for (header, owner) in [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("Basic dGVzdDoxMjPCow==", "test"),
        ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        (" \tBasic QWxhZGRpbjpvcGVuIHNlc2FtZQ== \t", "Aladdin"),
        ("Basic cm90YXRpbmc6b2xk", "rotating"),
        (&rotated, "rotating"),
    ] {
        assert_eq!(knock(&ours(), &[header.as_bytes()]).await.unwrap(), owner, "{header:?}");
    }
}

#[tokio::test]
async fn bad_headers_are_refused_by_kind() {
    use RejectionKind::{CredentialsMissing, CredentialsWrong, HeaderRepeated};
    let good: &[u8] = b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    for (headers, refused) in [
        (&[][..], CredentialsMissing),
        (&[&b""[..]], CredentialsMissing),
        (&[b" \t "], CredentialsMissing),
        (&[good, good], HeaderRepeated),
        (&[good, b""], HeaderRepeated),
        (&[b"", good], HeaderRepeated),
        (&[b"Basic"], CredentialsWrong),
        (&[b"Basic "], CredentialsWrong),
        (&[b"BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ=="], CredentialsWrong),
        (&[b"Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ=="], CredentialsWrong),
        (&[b"Basic \tQWxhZGRpbjpvcGVuIHNlc2FtZQ=="], CredentialsWrong),
        (&[b"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], CredentialsWrong),
        (&[b"Basi"], CredentialsWrong),
        (&[b"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], CredentialsWrong),
        // Without and with too much padding, a stray last bit, the other alphabet, white space, two tokens, no UTF-8.
        (&[b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"], CredentialsWrong),
        (&[b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==="], CredentialsWrong),
        (&[b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZR=="], CredentialsWrong),
        (&[b"Basic dGVzdDoxMjPC_w=="], CredentialsWrong),
        (&[b"Basic QWxhZGRpbjpv cGVuIHNlc2FtZQ=="], CredentialsWrong),
        (&[b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic x"], CredentialsWrong),
        (&[b"Basic \xff\xfe"], CredentialsWrong),
    ] {
        let response = knock(&ours(), headers).await.unwrap_err();
        assert_eq!(kind(&response), refused, "{headers:?}");
        assert_eq!(response.status(), if refused == HeaderRepeated { 400 } else { 401 }, "{headers:?}");
        assert_eq!(response.headers().contains_key("www-authenticate"), refused != HeaderRepeated, "{headers:?}");
    }
}

#[tokio::test]
async fn credentials_of_nobody_are_refused() {
    for pair in [
        "Aladdin:open sesame!",
        "Aladdin:open sesam",
        "Aladdin:",
        "Aladdin",
        "aladdin:open sesame",
        ":open sesame",
        "Aladdin:123\u{a3}",
        "test:open sesame",
        "rotating:new",
        "rotating:new:with:colons",
        "rotating:old:",
        "Aladdin:open sesame\0",
        "",
        ":",
    ] {
        let response = knock(&ours(), &[basic(pair).as_bytes()]).await.unwrap_err();
        assert_eq!(kind(&response), RejectionKind::CredentialsWrong, "{pair:?}");
    }
    // The pound sign in Latin-1, which is not what we have announced.
    assert!(knock(&ours(), &[basic(b"test:123\xa3").as_bytes()]).await.is_err());
}

#[tokio::test]
async fn every_bit_of_the_credentials_counts() {
    let right = b"Aladdin:open sesame";
    assert!(knock(&ours(), &[basic(right).as_bytes()]).await.is_ok());
    for wrong in flips(right) {
        assert!(knock(&ours(), &[basic(&wrong).as_bytes()]).await.is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn every_bit_of_the_text_counts() {
    let right = b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    for wrong in flips(right) {
        let header = [&b"Basic "[..], &wrong].concat();
        if HeaderValue::from_bytes(&header).is_ok() {
            assert!(knock(&ours(), &[&header]).await.is_err(), "{wrong:?}");
        }
    }
}

#[tokio::test]
async fn the_realm_is_told_with_every_401() {
    let layer = ours().realm("Kontoauszug [2]").unwrap();
    for headers in [&[][..], &[&b"Basic eDp5"[..]]] {
        let response = knock(&layer, headers).await.unwrap_err();
        assert_eq!(response.headers()["www-authenticate"], r#"Basic realm="Kontoauszug [2]", charset="UTF-8""#);
        assert_eq!(response.headers().len(), 1);
        assert!(response.body().whole().unwrap().is_empty());
    }
}

#[test]
fn what_rfc_7617_cannot_carry_is_refused_when_building() {
    let secret = |bytes: &[u8]| Secret::bytes(bytes).unwrap();
    for (username, password, fits) in [
        ("user", &b"pass:word"[..], true),
        ("ü ser", "pä ss".as_bytes(), true),
        ("", b"password", false),
        ("us:er", b"password", false),
        ("us\ner", b"password", false),
        ("user\u{7f}", b"password", false),
        ("user", b"pass\0word", false),
        ("user", b"pass\xff", false),
    ] {
        let built = Credentials::new(username, secret(password));
        assert_eq!(built.is_ok(), fits, "{username:?}");
        assert!(
            fits || matches!(built.map_err(|error| error.kind().clone()), Err(ConfigErrorKind::Credentials(_))),
            "{username:?}"
        );
    }
    assert!(matches!(BasicAuthLayer::new([]).unwrap_err().kind(), ConfigErrorKind::Credentials(_)));
    let many = |count: usize| BasicAuthLayer::new((0..count).map(|at| credentials("user", &at.to_string())));
    assert!(many(8).is_ok());
    assert_eq!(many(9).unwrap_err(), ConfigError::new(ConfigErrorKind::TooManyKeys { most: 8 }));
    for (realm, fits) in [("", true), ("a b", true), ("a\"b", false), ("a\\b", false), ("a\nb", false), ("ä", false)] {
        assert_eq!(ours().realm(realm).is_ok(), fits, "{realm:?}");
    }
}

#[tokio::test]
async fn neither_debug_nor_the_log_shows_a_secret() {
    const CANARY: &str = "canary-3f9a";
    let log = Log::capture();
    let layer = BasicAuthLayer::new([credentials("user", CANARY)]).unwrap();
    let sent = basic(format!("user:{CANARY}x"));
    for header in [sent.clone(), sent.replace("Basic", "Bearer"), format!("Basic {CANARY}"), CANARY.to_owned()] {
        let response = knock(&layer, &[header.as_bytes()]).await.unwrap_err();
        let shown = format!("{layer:?} {:?}", response.extensions().get::<Rejection>());
        assert!(!shown.contains(CANARY), "{shown}");
    }
    assert_eq!(log.text().lines().count(), 4);
    let token = sent.strip_prefix("Basic ").unwrap();
    assert!(!log.text().contains(CANARY) && !log.text().contains(token), "{}", log.text());
}

#[tokio::test]
async fn the_header_of_an_accepted_request_is_marked_as_sensitive() {
    let show = service_fn(|request: Request<String>| async move {
        Ok::<_, Infallible>(Response::new(format!("{:?}", request.headers())))
    });
    let token = "QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    let request = Request::get("/").header("authorization", format!("Basic {token}")).body(String::new()).unwrap();
    let shown = text(ours().layer(show).oneshot(request).await.unwrap()).await;
    assert!(shown.contains("authorization") && !shown.contains(token), "{shown}");
}
