//! Deliveries that no receiver should take: forged, tampered, stale, oversized, malformed.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use tower_webhook::error::BoxError;
use tower_webhook::provider::Message;
use tower_webhook::sender::forge::{Forgery, flip_header};

use crate::common::Who::{self, Aella, Bank, Mambu, Opp};
use crate::keys::{MAMBU_PASSWORD, MAMBU_USER, Which};
use crate::messages::{fresh, long_transfer, vector, with_other_amount};
use crate::outcome::Answers;
use crate::receiver::AELLA_MAX_BODY;
use crate::script::Script;
use crate::sender::{basic, seal};

const KEY: &str = "x-notifications-idempotency-key";

pub(crate) fn mambu(script: &mut Script) -> Result<(), BoxError> {
    let wrong = basic(MAMBU_USER, &MAMBU_PASSWORD.replace('c', "C"))?;
    script.bad(Mambu, "wrong password", 401)?.headers().insert(AUTHORIZATION, wrong);
    let wrong = basic("mambo", MAMBU_PASSWORD)?;
    script.bad(Mambu, "wrong user", 401)?.headers().insert(AUTHORIZATION, wrong);
    script.bad(Mambu, "missing credentials", 401)?.headers().remove(AUTHORIZATION);
    script.bad(Mambu, "missing idempotency key", 400)?.headers().remove(KEY);
    script.bad(Mambu, "blank idempotency key", 400)?.header(KEY, " ");
    script.bad(Mambu, "idempotency key twice", 400)?.headers().append(KEY, HeaderValue::from_static("second"));
    script.bad(Mambu, "text/html", 415)?.header("content-type", "text/html");
    other_amount(script, Mambu)?;
    both(script, Mambu)
}

pub(crate) fn aella(script: &mut Script) -> Result<(), BoxError> {
    signed(script, Aella, &["x-aella-signature"])?;
    let long = long_transfer("too-long", AELLA_MAX_BODY + 1);
    let long = seal(Aella, Which::Current, long)?;
    script.add(Aella, "a body of one byte over the limit", long.clone(), Answers::one(413));
    script.add(Aella, "  the same in chunks", long, Answers::one(413)).chunked()?;
    let mut request = seal(Aella, Which::Current, Message::new(vector("aella", "body")?))?;
    request.headers_mut().insert("x-aella-signature", HeaderValue::try_from(vector("aella", "signature_hex")?)?);
    script.add(Aella, "same id with other data, the vector", request, Answers::one(200));
    Ok(())
}

pub(crate) fn opp(script: &mut Script) -> Result<(), BoxError> {
    signed(script, Opp, &["x-authentication-tag", "x-initialization-vector"])?;
    script.bad(Opp, "a tag of 15 bytes", 400)?.header("x-authentication-tag", "00112233445566778899aabbccddee");
    *script.bad(Opp, "a body that is no hexadecimal", 400)?.request.body_mut() = Bytes::from_static(b"xyz");
    *script.bad(Opp, "a wrapper of another name", 400)?.request.body_mut() = Bytes::from_static(br#"{"body":"00"}"#);
    Ok(())
}

pub(crate) fn bank(script: &mut Script) -> Result<(), BoxError> {
    signed(script, Bank, &["authenticationtag", "nonce", "checksum"])?;
    script.bad(Bank, "application/json", 415)?.header("content-type", "application/json");
    let no_id = Message::new(r#"{"notifications":[{"notificationType":"IncomingPaymentBooked","payment":{}}]}"#);
    script.add(Bank, "a notification without eventId", seal(Bank, Which::Current, no_id)?, Answers::one(400));
    Ok(())
}

/// What goes wrong in the same way wherever a key proves the sender. The first of the headers is the signature or tag.
fn signed(script: &mut Script, who: Who, headers: &[&'static str]) -> Result<(), BoxError> {
    for (what, which) in
        [("forged: a stranger's key", Which::Strange), ("stale: a key that has expired", Which::Expired)]
    {
        script.add(who, what, seal(who, which, fresh(who, what))?, Answers::one(401));
    }
    script.forged(who, "one bit of the body", 401, Forgery::BodyBit)?;
    for header in headers {
        let case = script.bad(who, &format!("one bit of {header}"), 401)?;
        let flipped = case.headers().get(*header).and_then(flip_header).ok_or("a sealed request lacks its header")?;
        case.headers().insert(*header, flipped);
    }
    if let Some(proof) = headers.first() {
        script.forged(who, &format!("missing {proof}"), 401, Forgery::NoProof)?;
        script.forged(who, &format!("{proof} twice"), 400, Forgery::TwoProofs)?;
    }
    let broken = seal(who, Which::Current, Message::new(r#"{"event":"#))?;
    script.add(who, "broken JSON under a good key", broken, Answers::one(400));
    other_amount(script, who)?;
    both(script, who)
}

/// An event that was handled, with another amount under its key. The platform's keys hold all that is said: there it is
/// another event.
fn other_amount(script: &mut Script, who: Who) -> Result<(), BoxError> {
    script.good(who, "an event", fresh(who, "amount"))?;
    if who == Opp {
        script.good(who, "  its id with another amount", with_other_amount(who, "amount"))?;
        return Ok(());
    }
    let other = seal(who, Which::Current, with_other_amount(who, "amount"))?;
    script.add(who, "  its key with another amount", other, Answers::one(200));
    Ok(())
}

/// What no provider does.
fn both(script: &mut Script, who: Who) -> Result<(), BoxError> {
    *script.bad(who, "a GET", 405)?.request.method_mut() = Method::GET;
    script.bad(who, "Content-Encoding: gzip", 415)?.header("content-encoding", "gzip");
    Ok(())
}
