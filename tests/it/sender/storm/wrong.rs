//! A receiver by hand that does everything as it should, but for one flaw. The list of flaws is the test: each is caught, and by
//! the promise that it breaks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use http::{HeaderValue, Request, StatusCode};
use tokio::time::{Instant, sleep};
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::{Opp, Wrapper};
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{AnyEvent, AnyProvider, Events, Message, Provider as _};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::sender::events::banking_circle;
use tower_webhook::sender::storm::{Author, Fault, Mark, Route, Theme, Writer};
use tower_webhook::sender::{Answer, Broken, DeliveryProfile, Handling, Ledger, NoAnswer, Transport};

use super::{run, storm};

/// What a receiver does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flaw {
    None,
    HandlesEveryCopy,
    ForgetsOnRestart,
    ChecksBeforeItClaims,
    AnswersBeforeItHandles,
    LosesWhatItAnswered,
    VerifiesNothing,
    VerifiesReserialisedJson,
    ComparesPrefixes,
    DedupesBeforeItVerifies,
    TrustsAnUnsignedHeader,
    IgnoresTime,
    AllowsNoSkew,
    KnowsOneKey,
    KeepsOldKeys,
    AsksNoPassword,
    HoldsClaimsForEver,
    MarksBeforeItHandles,
    HandlesOtherBodies,
    DedupesByBody,
    RefusesWhatIsInHand,
    RepeatsItsFence,
    ReadsWhatIsCompressed,
    SaysYesToWhatItRefuses,
    InsistsOnOrder,
    AnswersWhenItTakesLong,
    StopsAtAFailure,
    MixesReceivers,
    MixesBodies,
}

const FLAWS: [(Flaw, &str, Broken); 23] = [
    (Flaw::HandlesEveryCopy, "duplicate=0.2", Broken::HandledTwice),
    (Flaw::ForgetsOnRestart, "duplicate=0.1,resealed=0.1,held=0.1", Broken::HandledTwice),
    (Flaw::ChecksBeforeItClaims, "together=0.1,crowd=0.01", Broken::HandledTwice),
    (Flaw::AnswersBeforeItHandles, "", Broken::AnsweredEarly),
    (Flaw::LosesWhatItAnswered, "", Broken::Lost),
    (Flaw::VerifiesNothing, "bad=0.1", Broken::WronglyAccepted),
    (Flaw::VerifiesReserialisedJson, "", Broken::WronglyRefused),
    (Flaw::ComparesPrefixes, "half-proof=0.1", Broken::WronglyAccepted),
    (Flaw::DedupesBeforeItVerifies, "body-bit=0.1,proof-bit=0.1", Broken::WronglyAccepted),
    (Flaw::TrustsAnUnsignedHeader, "relabelled=0.1", Broken::HandledTwice),
    (Flaw::IgnoresTime, "stale=0.1,early=0.1", Broken::WronglyAccepted),
    (Flaw::AllowsNoSkew, "clock-behind=0.1,clock-ahead=0.1", Broken::WronglyRefused),
    (Flaw::KnowsOneKey, "other-key=0.1", Broken::WronglyRefused),
    (Flaw::KeepsOldKeys, "wrong-key=0.1", Broken::WronglyAccepted),
    (Flaw::AsksNoPassword, "no-credentials=0.1,wrong-password=0.1", Broken::WronglyAccepted),
    (Flaw::HoldsClaimsForEver, "handler-fails=0.1", Broken::Unsettled),
    (Flaw::MarksBeforeItHandles, "handler-fails=0.1", Broken::AnsweredEarly),
    (Flaw::HandlesOtherBodies, "other-body=0.1", Broken::HandledTwice),
    (Flaw::DedupesByBody, "other-id=0.1", Broken::Lost),
    (Flaw::RefusesWhatIsInHand, "together=0.1,handler-slow=0.1", Broken::WronglyRefused),
    (Flaw::RepeatsItsFence, "handler-fails=0.1", Broken::HandledTwice),
    (Flaw::ReadsWhatIsCompressed, "gzip-only-said=0.1", Broken::WronglyAccepted),
    (Flaw::MixesBodies, "", Broken::WronglyAccepted),
];

/// The flaw that this fault finds, and the promise that is broken then.
fn found_by(fault: Fault) -> Option<(Flaw, Broken)> {
    Some(match fault {
        Fault::Duplicate | Fault::Resealed | Fault::Relabelled | Fault::LostAnswer => {
            (Flaw::HandlesEveryCopy, Broken::HandledTwice)
        }
        Fault::Together | Fault::Crowd => (Flaw::ChecksBeforeItClaims, Broken::HandledTwice),
        Fault::OtherBody => (Flaw::HandlesOtherBodies, Broken::HandledTwice),
        Fault::OtherId => (Flaw::DedupesByBody, Broken::Lost),
        Fault::OtherReceiver => (Flaw::MixesReceivers, Broken::Lost),
        Fault::Swapped | Fault::Held => (Flaw::InsistsOnOrder, Broken::WronglyRefused),
        Fault::ClockBehind | Fault::ClockAhead => (Flaw::AllowsNoSkew, Broken::WronglyRefused),
        Fault::OtherKey => (Flaw::KnowsOneKey, Broken::WronglyRefused),
        Fault::HandlerFails => (Flaw::HoldsClaimsForEver, Broken::Unsettled),
        Fault::HandlerSlow => (Flaw::AnswersWhenItTakesLong, Broken::AnsweredEarly),
        Fault::Poison => (Flaw::StopsAtAFailure, Broken::Unsettled),
        Fault::Sent(_) => return None,
        _ => (Flaw::SaysYesToWhatItRefuses, Broken::WronglyAccepted),
    })
}

const EVERYTHING: &str = "duplicates=0.2,keys=0.1,order=0.1,bad=0.15,bodies=0.05,handlers=0.1,load=0.05";

/// What is known of a key.
#[derive(Default)]
struct Known {
    is_done: bool,
    is_in_hand: bool,
    body: Bytes,
    fence: u64,
}

#[derive(Clone)]
pub(super) struct Receiver {
    flaw: Flaw,
    ledger: Ledger,
    known: Arc<Mutex<HashMap<String, Known>>>,
    made: Arc<Mutex<HashMap<String, AnyProvider>>>,
    requests: Arc<AtomicU64>,
    began: Instant,
    /// The highest event so far, and one that failed.
    highest: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    /// What a handler was called with last.
    last: Arc<Mutex<Bytes>>,
}

pub(super) const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn ring(secrets: &[&str]) -> KeyRing {
    KeyRing::new(secrets.iter().map(|text| Key::new(*text, Secret::utf8(text).unwrap()))).unwrap()
}

const KEY: &str = "a key of this receiver's";
const SECOND: &str = "another that it has as well";
const OVER: &str = "one that it had once upon a time";

fn aella(secrets: &[&str]) -> AnyProvider {
    AnyProvider::new(Aella::new(ring(secrets)).unwrap())
}

fn standard(secrets: &[&str]) -> AnyProvider {
    AnyProvider::new(StandardWebhooks::new(ring(secrets)).unwrap())
}

/// With the envelope, which has near misses of its own.
fn opp() -> AnyProvider {
    let key = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
    AnyProvider::new(Opp::new(Secret::hex(key).unwrap()).unwrap().sealed_as(Wrapper::Json).unwrap())
}

fn bank() -> AnyProvider {
    AnyProvider::new(BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars").unwrap()).unwrap())
}

/// Messages of one notification.
fn booked(themes: &[Theme]) -> Message {
    let Theme { about, is_other, .. } = themes[0];
    let amount = if is_other { "99.50" } else { "2500.00" };
    banking_circle::incoming_payment_booked().id(about.to_string()).amount(amount).message()
}

fn password() -> HeaderValue {
    HeaderValue::from_static("Basic bWFtYnU6Y29ycmVjdA==")
}

/// Transfers, whose id is their key, written in more than one way.
fn transfers(themes: &[Theme]) -> Message {
    let Theme { about, variant, is_other, .. } = themes[0];
    let amount = if is_other { "99.50" } else { "2500.00" };
    let body = format!(r#"{{"event":"transfer.completed","data":{{"id":"{about}","amount":{amount}}}}}"#);
    Message::new(if variant % 2 == 0 { body } else { body.replace(':', " :  ") })
}

/// Events whose key stands in a header.
struct Keyed(&'static str);

impl Author for Keyed {
    fn write(&self, themes: &[Theme]) -> Message {
        let Theme { key, about, is_other, .. } = themes[0];
        let body = format!(r#"{{"type":"{}","data":{{"about":"{about}","other":{is_other}}}}}"#, self.0);
        Message::new(body).idempotency_key(key.to_string())
    }

    fn has_key_outside(&self) -> bool {
        true
    }
}

impl Receiver {
    pub(super) fn honest(ledger: &Ledger) -> Self {
        Self::new(Flaw::None, ledger)
    }

    pub(super) fn that_handles_every_copy(ledger: &Ledger) -> Self {
        Self::new(Flaw::HandlesEveryCopy, ledger)
    }

    pub(super) fn that_says_yes(ledger: &Ledger) -> Self {
        Self::new(Flaw::SaysYesToWhatItRefuses, ledger)
    }

    fn new(flaw: Flaw, ledger: &Ledger) -> Self {
        Self {
            flaw,
            ledger: ledger.clone(),
            known: Arc::default(),
            made: Arc::default(),
            requests: Arc::default(),
            began: Instant::now(),
            highest: Arc::default(),
            failed: Arc::default(),
            last: Arc::default(),
        }
    }

    pub(super) fn routes(&self) -> [Route; 6] {
        let to = |path: &str| path.parse().unwrap();
        let aella_route = Route::new("aella", to("/aella"), aella(&[KEY]), DeliveryProfile::aella(), transfers);
        let profile = DeliveryProfile::standard_webhooks();
        let standard_route = Route::new("standard", to("/standard"), standard(&[KEY]), profile, Keyed("a.b"));
        let mambu = Route::new("mambu", to("/mambu"), Mambu::new(), DeliveryProfile::mambu(), Keyed("c.d"));
        let second = Route::new("aella-2", to("/aella-2"), aella(&[KEY]), DeliveryProfile::aella(), transfers);
        [
            second.other_key(aella(&[SECOND])).wrong_key(aella(&[OVER])),
            aella_route.other_key(aella(&[SECOND])).wrong_key(aella(&[OVER])),
            standard_route.other_key(standard(&[SECOND])).wrong_key(standard(&[OVER])),
            mambu.credentials(password()),
            Route::new("opp", to("/opp"), opp(), DeliveryProfile::opp(), Writer::Opp),
            Route::new("bank", to("/bank"), bank(), DeliveryProfile::banking_circle(), booked),
        ]
    }

    fn now(&self) -> Timestamp {
        NOW + self.began.elapsed()
    }

    fn provider(&self, path: &str) -> AnyProvider {
        let mut made = self.made.lock().unwrap();
        made.entry(path.to_owned()).or_insert_with(|| self.make(path)).clone()
    }

    fn make(&self, path: &str) -> AnyProvider {
        let secrets: &[&str] = match self.flaw {
            Flaw::KnowsOneKey => &[KEY],
            Flaw::KeepsOldKeys => &[KEY, SECOND, OVER],
            _ => &[KEY, SECOND],
        };
        match path {
            "/aella" | "/aella-2" => aella(secrets),
            "/standard" => standard(secrets),
            "/opp" => opp(),
            "/bank" => bank(),
            _ => AnyProvider::new(Mambu::new()),
        }
    }

    /// Whether the request is whose it says it is.
    fn is_proved(&self, provider: &AnyProvider, request: &Request<Bytes>) -> bool {
        let (path, headers) = (request.uri().path(), request.headers());
        if path == "/mambu" {
            let is_asked = !matches!(self.flaw, Flaw::AsksNoPassword | Flaw::VerifiesNothing);
            return !is_asked || headers.get(AUTHORIZATION) == Some(&password());
        }
        let opens = |body: Bytes, now: Timestamp| provider.scheme().open(headers, body, now).is_ok();
        let signed = |body: &[u8]| {
            let sealing = tower_webhook::scheme::Sealing::new(NOW, &tower_webhook::clock::OsEntropy);
            let sealed = aella(&[KEY]).seal(Message::new(body.to_vec()), &sealing).unwrap();
            sealed.headers()["x-aella-signature"].as_bytes().to_vec()
        };
        let given = || headers.get("x-aella-signature").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        let time = headers.get("webhook-timestamp").and_then(|time| time.to_str().ok()?.parse::<i64>().ok());
        match self.flaw {
            Flaw::VerifiesNothing => true,
            Flaw::IgnoresTime => {
                let then = time.and_then(|time| Timestamp::from_second(time).ok()).unwrap_or(self.now());
                opens(request.body().clone(), then)
            }
            Flaw::AllowsNoSkew if time.is_some_and(|time| (time - self.now().as_second()).abs() > 60) => false,
            Flaw::ComparesPrefixes if path.starts_with("/aella") => {
                !given().is_empty() && signed(request.body()).starts_with(&given())
            }
            Flaw::VerifiesReserialisedJson if path.starts_with("/aella") => {
                let value: Option<serde_json::Value> = serde_json::from_slice(request.body()).ok();
                value.is_some_and(|value| signed(value.to_string().as_bytes()) == given())
            }
            _ => opens(request.body().clone(), self.now()),
        }
    }

    fn key(&self, provider: &AnyProvider, request: &Request<Bytes>) -> Option<String> {
        let events = events(provider, request)?;
        let own = events.first()?.key.as_str().to_owned();
        let text = String::from_utf8_lossy(&plain(provider, request)).into_owned();
        let label = request.headers().get("x-event-id").and_then(|label| label.to_str().ok());
        Some(match self.flaw {
            Flaw::TrustsAnUnsignedHeader => label.map_or(own, str::to_owned),
            Flaw::DedupesByBody => text,
            Flaw::HandlesOtherBodies => own + &text,
            _ => own,
        })
    }

    async fn receive(&self, request: Request<Bytes>) -> u16 {
        let status = self.judged(request).await;
        let says_yes = self.flaw == Flaw::SaysYesToWhatItRefuses && (400..500).contains(&status);
        if says_yes { 200 } else { status }
    }

    async fn judged(&self, request: Request<Bytes>) -> u16 {
        let provider = self.provider(request.uri().path());
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if self.flaw == Flaw::ForgetsOnRestart && number % 100 == 99 {
            self.known.lock().unwrap().clear();
        }
        if request.headers().contains_key(CONTENT_ENCODING) && self.flaw != Flaw::ReadsWhatIsCompressed {
            return 415;
        }
        let proved = self.is_proved(&provider, &request);
        if !proved && self.flaw != Flaw::DedupesBeforeItVerifies {
            return 401;
        }
        let Some(key) = self.key(&provider, &request) else { return 400 };
        let key = if self.flaw == Flaw::MixesReceivers { key } else { format!("{} {key}", request.uri().path()) };
        match self.claim(&key, &request).await {
            Ok(fence) if proved => self.handle(&key, &request, fence).await,
            Ok(_) => {
                self.known.lock().unwrap().remove(&key);
                401
            }
            Err(status) => status,
        }
    }

    /// The fence of the claim, or what is answered at once.
    async fn claim(&self, key: &str, request: &Request<Bytes>) -> Result<u64, u16> {
        if self.flaw == Flaw::HandlesEveryCopy {
            return Ok(1);
        }
        if self.flaw == Flaw::ChecksBeforeItClaims {
            let is_done = self.known.lock().unwrap().get(key).is_some_and(|known| known.is_done);
            tokio::task::yield_now().await;
            return if is_done { Err(200) } else { Ok(1) };
        }
        let body = plain(&self.provider(request.uri().path()), request);
        let mut all = self.known.lock().unwrap();
        let known = all.entry(key.to_owned()).or_default();
        if known.is_done && known.body != body && self.flaw != Flaw::DedupesBeforeItVerifies {
            return Err(422);
        }
        if known.is_done {
            return Err(200);
        }
        if known.is_in_hand {
            return Err(if self.flaw == Flaw::RefusesWhatIsInHand { 409 } else { 503 });
        }
        known.is_in_hand = true;
        known.is_done = self.flaw == Flaw::MarksBeforeItHandles;
        known.fence += u64::from(self.flaw != Flaw::RepeatsItsFence || known.fence == 0);
        known.body = body;
        Ok(known.fence)
    }

    async fn handle(&self, key: &str, request: &Request<Bytes>, fence: u64) -> u16 {
        let lost = self.flaw == Flaw::LosesWhatItAnswered && fence_of(request) % 50 == 1;
        if lost {
            return 200;
        }
        if self.flaw == Flaw::AnswersBeforeItHandles {
            let (receiver, key, request) = (self.clone(), key.to_owned(), request.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(1)).await;
                receiver.effect(&key, &request, fence).await
            });
            return 200;
        }
        self.effect(key, request, fence).await
    }

    async fn effect(&self, key: &str, request: &Request<Bytes>, fence: u64) -> u16 {
        let own = events(&self.provider(request.uri().path()), request);
        let own = own.and_then(|events| Some(events.first()?.key.as_str().to_owned())).unwrap_or_default();
        let mark = Mark::find(own.as_bytes()).or(Mark::find(request.body()));
        let number = mark.map(Mark::number).unwrap_or_default();
        let highest = self.highest.fetch_max(number, Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        if self.flaw == Flaw::InsistsOnOrder && number < highest {
            return 409;
        }
        if self.flaw == Flaw::StopsAtAFailure && failed > 0 && failed != number {
            self.known.lock().unwrap().entry(key.to_owned()).or_default().is_in_hand = false;
            return 503;
        }
        let receiver = request.uri().path().trim_start_matches('/');
        let call = self.ledger.called_by(receiver, mark.map(Mark::number), Some(fence));
        let body = plain(&self.provider(request.uri().path()), request);
        let last = std::mem::replace(&mut *self.last.lock().unwrap(), body.clone());
        let call = call.with(if self.flaw == Flaw::MixesBodies { &last } else { &body });
        if call.handling() == Handling::Slow && self.flaw == Flaw::AnswersWhenItTakesLong {
            return 200;
        }
        if call.handling() == Handling::Slow {
            sleep(Duration::from_secs(1)).await;
        } else {
            tokio::task::yield_now().await;
        }
        let fails = matches!(call.handling(), Handling::FailsAtFirst | Handling::Poison);
        if fails {
            call.failed()
        } else {
            call.done()
        }
        if fails {
            self.failed.store(number, Ordering::Relaxed);
        }
        let mut all = self.known.lock().unwrap();
        let known = all.entry(key.to_owned()).or_default();
        known.is_in_hand = fails && self.flaw == Flaw::HoldsClaimsForEver;
        known.is_done |= !fails;
        if fails { 500 } else { 200 }
    }
}

/// What is inside, where it opens; else the body, for whoever does not mind.
fn plain(provider: &AnyProvider, request: &Request<Bytes>) -> Bytes {
    let (scheme, body) = (provider.scheme(), request.body().clone());
    match scheme.tolerance() {
        // In clear text, and its time is looked at elsewhere.
        Some(_) => body,
        None => scheme.open(request.headers(), body.clone(), NOW).map_or(body, |opened| opened.plaintext),
    }
}

fn events(provider: &AnyProvider, request: &Request<Bytes>) -> Option<Events<AnyEvent>> {
    provider.decode(request.headers(), plain(provider, request)).ok()
}

/// A number of the event, for what happens to one in many.
fn fence_of(request: &Request<Bytes>) -> u64 {
    Mark::find(request.body()).map_or(0, Mark::number)
}

impl Transport for Receiver {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let receiver = self.clone();
        let status = receiver.receive(request).await;
        Ok(Answer::of(StatusCode::from_u16(status).unwrap()))
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_flaw_nothing_is_found() {
    for seed in 0..4 {
        let ledger = Ledger::new();
        let report = run(Receiver::new(Flaw::None, &ledger), &ledger, EVERYTHING, seed).await;
        assert!(report.is_happy(), "seed {seed}: {report}");
        assert_eq!(report.events, 400, "{report}");
        // All but the poisoned, which are a third of the handlers' faults.
        assert!((360..400).contains(&report.accepted), "{report}");
        assert!(report.refused > 30 && report.called_again > 0, "{report}");
    }
    let ledger = Ledger::new();
    let report = run(Receiver::new(Flaw::None, &ledger), &ledger, "duplicates=0.3,bad=0.3,handler-fails=0.1", 1).await;
    assert!(report.is_happy() && report.accepted == report.events, "{report}");
}

/// Not even the first event, which is tried until somebody is there.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_twice_that_was_accepted_at_once() {
    let ledger = Ledger::new();
    let report = run(Receiver::that_handles_every_copy(&ledger), &ledger, "", 7).await;
    assert!(report.is_happy() && report.sent == report.events, "{report}");
}

/// Each fault but those of connections, which need some.
#[tokio::test(start_paused = true)]
async fn every_fault_finds_a_flaw() {
    for fault in Fault::all() {
        let Some((flaw, broken)) = found_by(fault) else { continue };
        let ledger = Ledger::new();
        let faults = format!("{}=0.5", fault.name());
        let receiver = Receiver::new(flaw, &ledger);
        let storm = storm(receiver.routes(), receiver, &ledger).events(100).seed(7);
        let report = storm.faults(faults.parse().unwrap()).run().await;
        assert!(ledger.close().count(broken) > 0, "{faults} with {flaw:?}: {report}");
    }
}

/// What stays down for all of its ladder's hundred hours, and what does not.
#[tokio::test(start_paused = true)]
async fn what_a_provider_would_have_switched_off_is_said_and_when() {
    let ledger = Ledger::new();
    let inside = Receiver::honest(&ledger);
    let routes = inside.routes();
    let bank_is_down = move |request: Request<Bytes>| {
        let inside = inside.clone();
        async move {
            match request.uri().path() {
                "/bank" => Ok(Answer::of(StatusCode::SERVICE_UNAVAILABLE)),
                _ => inside.exchange(request).await,
            }
        }
    };
    let report = storm(routes, bank_is_down, &ledger)
        .events(60)
        .seed(7)
        .compressed(1)
        .heal(Duration::from_secs(200 * 3600))
        .run()
        .await;
    assert_eq!(report.switched_off.len(), 1, "{report}");
    assert!(report.switched_off[0].starts_with("bank: ") && report.switched_off[0].ends_with("at T+93 h"), "{report}");
    assert!(report.unsettled > 0 && report.wrongly_refused == 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_found_by_the_promise_that_it_breaks() {
    for (flaw, faults, broken) in FLAWS {
        let ledger = Ledger::new();
        let report = run(Receiver::new(flaw, &ledger), &ledger, faults, 7).await;
        let tally = ledger.close();
        assert!(!report.is_happy() && tally.count(broken) > 0, "{flaw:?} with {faults}: {report}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_comes_to_the_same_and_another_does_not() {
    let hash = |seed| async move {
        let ledger = Ledger::new();
        run(Receiver::new(Flaw::None, &ledger), &ledger, EVERYTHING, seed).await.hash
    };
    assert_eq!(hash(7).await, hash(7).await);
    assert_ne!(hash(7).await, hash(8).await);
}
