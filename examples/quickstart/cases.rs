//! What the providers send when all is well, with every way to repeat it.

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::opp::{Opp, Wrapper};
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::template::Escape;

use crate::client::BoxError;
use crate::common::Who::{Aella, Bank, Mambu, Opp as Platform};
use crate::keys::{self, Which};
use crate::messages::{self, fresh, loan, rendered, vector};
use crate::outcome::Answers;
use crate::receiver::AELLA_MAX_BODY;
use crate::script::{Case, Script};
use crate::sender::seal;

/// The event of the batch whose first booking fails.
pub(crate) const FAILS_ONCE: &str = "00000000-0000-4000-8000-000000000013";

pub(crate) fn mambu(script: &mut Script) -> Result<(), BoxError> {
    let xml = "<loan><client>{CLIENT_NAME}</client><amount>{LOAN_AMOUNT}</amount></loan>";
    let text = "{CLIENT_NAME} gets {LOAN_AMOUNT} {ACCOUNT_CURRENCY_CODE} on {ACCOUNT_ID}, score {CF:CLIENT:Score:1}";
    script.good(Mambu, "POST, JSON template", loan("m-1", None)?)?;
    script.again()?;
    script.good(Mambu, "PUT, JSON template", loan("m-2", None)?)?.request.method_mut().clone_from(&Method::PUT);
    script.again()?;
    let message = rendered("m-3", "application/xml", xml, Escape::Xml)?;
    script.good(Mambu, "PATCH, XML template", message)?.request.method_mut().clone_from(&Method::PATCH);
    script.again()?;
    let message = rendered("m-4", "text/plain; charset=UTF-8", text, Escape::Plain)?;
    script.good(Mambu, "POST, text template", message)?;
    script.again()?;
    script.good(Mambu, "amount without a value: broken JSON", loan("m-5", Some("LOAN_AMOUNT"))?)?;
    Ok(())
}

pub(crate) fn aella(script: &mut Script) -> Result<(), BoxError> {
    for (what, body) in [
        ("transfer.completed", messages::TRANSFER),
        ("inwards.completed", messages::INWARDS),
        ("mandate.debit.successful", messages::DEBIT),
    ] {
        script.good(Aella, what, Message::new(body))?;
        script.again()?;
    }
    let later = messages::TRANSFER.replace("2024-12-06T14:00:00Z", "2024-12-06T14:05:00Z");
    script.resealed(Aella, "the first, with a later timestamp", Message::new(later))?;
    let unknown = r#"{"event":"wallet.frozen","timestamp":"2026-11-21T14:00:00Z","data":{"id":"w-1"}}"#;
    script.good(Aella, "an event nobody knows yet", Message::new(unknown))?;
    let exact = messages::long_transfer("long", AELLA_MAX_BODY);
    script.good(Aella, "a body of exactly the limit", exact)?;
    script.good(Aella, "a chunked body", fresh(Aella, "chunked"))?.is_chunked = true;
    let hundred = script.good(Aella, "a hundred copies at once", fresh(Aella, "hundred"))?;
    (hundred.copies, hundred.expected) = (100, Answers::once_of(100));
    script.good_under(Which::Previous, Aella, "the previous key, still valid", fresh(Aella, "previous"))?;
    Ok(())
}

pub(crate) fn opp(script: &mut Script) -> Result<(), BoxError> {
    script.good(Platform, "PAYMENT, bare hexadecimal", Message::new(messages::PAYMENT))?;
    script.again()?;
    script.resealed(Platform, "  under a fresh IV", Message::new(messages::PAYMENT))?;
    let wrapped = wrapped(messages::PAYMENT)?;
    script.add(Platform, "  in the JSON wrapper", wrapped, Answers::repeated());
    script
        .resealed(Platform, "  as Content-Encoding: UTF-8", Message::new(messages::PAYMENT))?
        .header("content-encoding", "UTF-8");

    let activation = script.good(Platform, "activation test, JSON wrapper", Message::new(messages::ACTIVATION))?;
    activation.request = self::wrapped(messages::ACTIVATION)?;
    script.again()?;
    script.resealed(Platform, "  under a fresh IV", Message::new(messages::ACTIVATION))?;
    published(script)?;
    script.again()?;

    let pending = messages::payment("8a-1", "000.200.000", "92.00", "2026-11-21 16:46:07+0000");
    let success = messages::payment("8a-1", "000.000.000", "92.00", "2026-11-21 16:47:12+0000");
    script.good(Platform, "a payment, PENDING", pending.clone())?;
    script.good(Platform, "  the same payment, SUCCESS", success)?;
    script.resealed(Platform, "  PENDING once more, late", pending)?;
    script.good_under(Which::Previous, Platform, "the previous key, still valid", fresh(Platform, "previous"))?;
    Ok(())
}

/// The platform's published example, byte for byte.
fn published(script: &mut Script) -> Result<(), BoxError> {
    let example =
        script.good(Platform, "the published example as it stands", Message::new(vector("opp", "plaintext")?))?;
    *example.request.body_mut() = vector("opp", "body_hex")?.into();
    example.headers().insert("x-initialization-vector", HeaderValue::try_from(vector("opp", "iv_hex")?)?);
    example.headers().insert("x-authentication-tag", HeaderValue::try_from(vector("opp", "tag_hex")?)?);
    Ok(())
}

fn wrapped(body: &'static str) -> Result<Request<Bytes>, BoxError> {
    let platform = Opp::new(keys::secret(Platform, Which::Current)?)?.sealed_as(Wrapper::Json)?;
    let mut request = platform.seal(Message::new(body), &Sealing::new(keys::now()?, &OsEntropy))?;
    *request.uri_mut() = Platform.path().parse()?;
    Ok(request)
}

pub(crate) fn bank(script: &mut Script) -> Result<(), BoxError> {
    for (what, body) in
        [("IncomingPaymentProcessed", messages::INCOMING), ("OutgoingPaymentBooked", messages::OUTGOING)]
    {
        script.good(Bank, what, Message::new(body))?;
        script.again()?;
        script.resealed(Bank, "  under a fresh nonce", Message::new(body))?;
    }
    let batch = || Message::new(messages::BATCH);
    let first = script.good(Bank, "a batch of 12, one booking fails", batch())?;
    first.expected = Answers::one(500);
    let (failed, done) = first.events.drain(..).partition(|event| event.key == FAILS_ONCE);
    first.events = done;
    let retry = script.again()?;
    retry.what = "  its retry runs that one alone".into();
    (retry.expected, retry.events) = (Answers::one(200), failed);
    script.again()?;
    script.resealed(Bank, "  under a fresh nonce", batch())?;
    vector_without_events(script)?;
    script.good_under(Which::Previous, Bank, "the previous key, still valid", fresh(Bank, "previous"))?;
    Ok(())
}

/// The vector of the fixtures, byte for byte: an empty list, with which nothing is lost.
fn vector_without_events(script: &mut Script) -> Result<(), BoxError> {
    let message = Message::new(vector("banking_circle", "plaintext")?);
    let empty = script.good(Bank, "no notifications, the vector", message)?;
    *empty.request.body_mut() = Encoding::Hex.decode(vector("banking_circle", "body_hex")?.as_bytes())?.into();
    for (header, member) in [("nonce", "nonce_b64"), ("authenticationtag", "tag_b64"), ("checksum", "checksum_b64")] {
        empty.headers().insert(header, HeaderValue::try_from(vector("banking_circle", member)?)?);
    }
    Ok(())
}

/// A good delivery for a receiver that drains.
pub(crate) fn while_draining() -> Result<Case, BoxError> {
    let request = seal(Aella, Which::Current, fresh(Aella, "too late"))?;
    Ok(Case::new(Aella, "a good one while the receiver drains", request, Answers::one(503)))
}

/// Everything, provider by provider, good and bad.
pub(crate) fn all() -> Result<Vec<Case>, BoxError> {
    let mut script = Script::default();
    mambu(&mut script)?;
    crate::bad::mambu(&mut script)?;
    aella(&mut script)?;
    crate::bad::aella(&mut script)?;
    opp(&mut script)?;
    crate::bad::opp(&mut script)?;
    bank(&mut script)?;
    crate::bad::bank(&mut script)?;
    Ok(script.0)
}
