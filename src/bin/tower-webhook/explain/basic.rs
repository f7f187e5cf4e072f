//! Basic auth, told to the operator more plainly than any peer is told. The password is never printed.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request};
use tower_webhook::RejectionKind;
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::HeadCheck as _;
use tower_webhook::layers::BasicAuthLayer;

use super::case::Case;
use super::report::{Step, Why};

const NAME: &str = "basic auth";

pub(super) fn step(case: &Case<'_>) -> Step {
    let Some(layer) = &case.endpoint.basic_auth else { return Step::ok(NAME, "not asked for") };
    let mut head = case.request.head.clone();
    let Err(no) = layer.check(&mut head) else {
        return Step::ok(NAME, "the credentials are ours");
    };
    let why = match no.kind() {
        RejectionKind::CredentialsMissing => {
            Why::new("the Authorization header is missing", "set user name and password at the sender")
        }
        RejectionKind::HeaderRepeated => {
            Why::new("the Authorization header stands twice", "have the proxy in between add none of its own")
        }
        _ => wrong(case, layer, &case.request.head),
    };
    Step::failed(NAME, no.detail().to_owned(), why)
}

/// What exactly is wrong with credentials that are there.
fn wrong(case: &Case<'_>, layer: &BasicAuthLayer, head: &Parts) -> Why {
    let Some(given) = given(head) else {
        return Why::new(
            "the Authorization header is not Basic credentials in Base64",
            "write it as Basic and the Base64 of user:password",
        );
    };
    if let Some(other) = case.others().find(|other| other.basic_auth.as_ref().is_some_and(|other| takes(other, &given)))
    {
        return Why::new(
            format!("these are the credentials of {}: wrong environment?", other.path()),
            "set the credentials of this endpoint at the sender",
        );
    }
    let (user, password) = given.split_once(':').unwrap_or((&given, ""));
    for (password, what) in [
        (password.trim().to_owned(), "white space around the password"),
        (unquoted(password).to_owned(), "quotation marks around the password"),
    ] {
        if takes(layer, &format!("{}:{password}", user.trim())) {
            return Why::new(format!("{what}: without that it fits"), "enter the password anew at the sender");
        }
    }
    if takes(layer, &format!("{password}:{user}")) {
        return Why::new("user name and password have changed places", "swap them at the sender");
    }
    if known(case).any(|known| known == user) {
        return Why::new(
            format!("the user name {user:?} is known, the password differs"),
            "set the same password at the sender and in basic_auth",
        );
    }
    let known: Vec<&str> = known(case).collect();
    Why::new(
        format!("the user name is none of ours; known are {}", known.join(", ")),
        "set user name and password at the sender, or add them to basic_auth",
    )
}

fn known<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a str> {
    case.endpoint.spec.basic_auth.iter().map(|pair| pair.username.as_str())
}

fn given(head: &Parts) -> Option<String> {
    let value = head.headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ')?;
    let bytes = Encoding::Base64.decode(token.trim().as_bytes()).ok()?;
    String::from_utf8(bytes).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

fn takes(layer: &BasicAuthLayer, credentials: &str) -> bool {
    let value = format!("Basic {}", Encoding::Base64.encode(credentials.as_bytes()));
    let (mut head, ()) = Request::new(()).into_parts();
    let Ok(value) = HeaderValue::try_from(value) else { return false };
    head.headers.insert(AUTHORIZATION, value);
    layer.check(&mut head).is_ok()
}
