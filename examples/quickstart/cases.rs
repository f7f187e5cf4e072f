//! What the providers send when all is well, with every way to repeat it.

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::provider::opp::{Opp, Wrapper};
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::events;

use crate::common::Who::{Aella, Bank, Mambu, Opp as Platform};
use crate::keys::{self, Which};
use crate::messages::{fresh, long_transfer, vector};
use crate::outcome::Answers;
use crate::receiver::AELLA_MAX_BODY;
use crate::script::{Case, Script};
use crate::sender::seal;

/// The event of the batch whose first booking fails.
pub(crate) const FAILS_ONCE: &str = "00000001-0000-4000-8000-000000000003";

pub(crate) fn mambu(script: &mut Script) -> Result<(), BoxError> {
    let [json, xml, text] = [events::mambu::json, events::mambu::xml, events::mambu::text]
        .map(|template| move |key: &str| template("LOAN_DISBURSEMENT").id(key));
    script.good(Mambu, "POST, JSON template", json("m-1").message())?;
    script.again()?;
    script.good(Mambu, "PUT, JSON template", json("m-2").message())?.request.method_mut().clone_from(&Method::PUT);
    script.again()?;
    script.good(Mambu, "PATCH, XML template", xml("m-3").message())?.request.method_mut().clone_from(&Method::PATCH);
    script.again()?;
    script.good(Mambu, "POST, text template", text("m-4").message())?;
    script.again()?;
    script.good(Mambu, "amount without a value: broken JSON", json("m-5").amount("").message())?;
    Ok(())
}

pub(crate) fn aella(script: &mut Script) -> Result<(), BoxError> {
    for (what, message) in [
        ("transfer.completed", events::aella::transfer().message()),
        ("inwards.completed", events::aella::inwards().message()),
        ("mandate.debit.successful", events::aella::debit_successful().message()),
    ] {
        script.good(Aella, what, message)?;
        script.again()?;
    }
    let later = events::aella::transfer().timestamp("2024-12-06T14:05:00Z");
    script.resealed(Aella, "the first, with a later timestamp", later.message())?;
    let unknown = events::aella::mandate_created().event("wallet.frozen");
    script.good(Aella, "an event nobody knows yet", unknown.message())?;
    script.good(Aella, "a body of exactly the limit", long_transfer("long", AELLA_MAX_BODY))?;
    script.good(Aella, "a chunked body", fresh(Aella, "chunked"))?.chunked()?;
    let hundred = script.good(Aella, "a hundred copies at once", fresh(Aella, "hundred"))?;
    (hundred.copies, hundred.expected) = (100, Answers::once_of(100));
    script.good_under(Which::Previous, Aella, "the previous key, still valid", fresh(Aella, "previous"))?;
    Ok(())
}

pub(crate) fn opp(script: &mut Script) -> Result<(), BoxError> {
    let payment = events::opp::payment().message();
    script.good(Platform, "PAYMENT, bare hexadecimal", payment.clone())?;
    script.again()?;
    script.resealed(Platform, "  under a fresh IV", payment.clone())?;
    script.add(Platform, "  in the JSON wrapper", wrapped(payment.clone())?, Answers::repeated());
    script.resealed(Platform, "  as Content-Encoding: UTF-8", payment)?.header("content-encoding", "UTF-8");

    let test = events::opp::activation_test().message();
    script.good(Platform, "activation test, JSON wrapper", test.clone())?.request = wrapped(test.clone())?;
    script.again()?;
    script.resealed(Platform, "  under a fresh IV", test)?;
    published(script)?;
    script.again()?;

    let payment = events::opp::payment().number(1).timestamp("2026-11-21 16:46:07+0000");
    let pending = payment.clone().result_code("000.200.000").message();
    script.good(Platform, "a payment, PENDING", pending.clone())?;
    script.good(Platform, "  the same payment, SUCCESS", payment.timestamp("2026-11-21 16:47:12+0000").message())?;
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

fn wrapped(message: Message) -> Result<Request<Bytes>, BoxError> {
    let platform = Opp::new(keys::secret(Platform, Which::Current)?)?.sealed_as(Wrapper::Json)?;
    let mut request = platform.seal(message, &Sealing::new(keys::now()?, &OsEntropy))?;
    *request.uri_mut() = Platform.path().parse()?;
    Ok(request)
}

pub(crate) fn bank(script: &mut Script) -> Result<(), BoxError> {
    for (what, event) in [
        ("IncomingPaymentProcessed", events::banking_circle::incoming_payment_processed().number(101)),
        ("OutgoingPaymentBooked", events::banking_circle::outgoing_payment_booked().number(102)),
    ] {
        let message = event.message();
        script.good(Bank, what, message.clone())?;
        script.again()?;
        script.resealed(Bank, "  under a fresh nonce", message)?;
    }
    let all = (1..=12).map(|number| events::banking_circle::outgoing_payment_rejected().number(number));
    let batch = events::banking_circle::batch(all).message();
    script.good(Bank, "a batch of 12, one booking fails", batch.clone())?;
    script.again()?;
    script.resealed(Bank, "  under a fresh nonce", batch)?;
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
