//! The provider's side under a paused clock: months of tries in no time.

mod activated;
mod events;
mod forge;
mod ladders;
mod malformed;
mod resending;
mod rotation;
mod storm;
mod subscribed;
mod tcp;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, StatusCode};
use tokio::time::{Instant, sleep};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::secret::Secret;
use tower_webhook::sender::{
    Answer, Came, DeliveryProfile, NoAnswer, NotSent, RetryAfter, State, Status, Transport, Webhook,
};

const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const PAYMENT: &str = include_str!("../../fixtures/opp/payment.json");
const TRANSFER: &str = include_str!("../../fixtures/aella/transfer.completed.json");
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A target that does as it is told, and remembers what came.
#[derive(Clone)]
struct Target {
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
    answer: Arc<dyn Fn(usize) -> Result<Answer, NoAnswer> + Send + Sync>,
}

impl Target {
    fn new(answer: impl Fn(usize) -> Result<Answer, NoAnswer> + Send + Sync + 'static) -> Self {
        Self { seen: Arc::default(), answer: Arc::new(answer) }
    }

    fn always(status: u16) -> Self {
        Self::new(move |_| Ok(Answer::of(StatusCode::from_u16(status).unwrap())))
    }

    fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for Target {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let mut seen = self.seen.lock().unwrap();
        seen.push(request);
        (self.answer)(seen.len())
    }
}

fn at<P: Provider, T: Transport>(provider: P, profile: DeliveryProfile, target: T) -> Webhook<P, T> {
    Webhook::new("http://127.0.0.1:8080/hook".parse().unwrap(), provider, profile, target)
}

fn opp_provider() -> Opp {
    Opp::new(Secret::hex(KEY).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn five_days_of_failure_switch_opp_off_and_delete_what_waits() {
    let target = Target::always(500);
    let webhook = at(opp_provider(), DeliveryProfile::opp(), target.clone());
    let first = webhook.send(Message::new(PAYMENT)).unwrap();
    sleep(HOUR * 100).await;
    let later = webhook.send(Message::new(PAYMENT)).unwrap();
    webhook.settled().await;
    assert_eq!(webhook.status(), Status::SwitchedOff { after: 5 * DAY });
    let history = webhook.history();
    assert_eq!(history[first.number()].attempts.len(), 126);
    assert!(history[later.number()].attempts.len() < 126, "it was deleted on its way");
    assert!(history.iter().all(|one| one.state == State::Failed));
    assert_eq!(webhook.send(Message::new(PAYMENT)), Err(NotSent::SwitchedOff));
    webhook.switch_on();
    webhook.settled().await;
    assert!(webhook.history().iter().all(|one| one.state == State::Failed), "what was deleted does not come back");
}

#[tokio::test(start_paused = true)]
async fn banking_circle_keeps_what_waits_until_it_is_switched_on() {
    let up = Arc::new(AtomicUsize::new(503));
    let now = Arc::clone(&up);
    let target = Target::new(move |_| {
        Ok(Answer::of(StatusCode::from_u16(u16::try_from(now.load(Ordering::Relaxed)).unwrap()).unwrap()))
    });
    let bank = BankingCircle::new(Secret::hex(KEY).unwrap()).unwrap();
    let webhook = at(bank, DeliveryProfile::banking_circle(), target.clone());
    webhook.send(Message::new("{}")).unwrap();
    sleep(DAY).await;
    webhook.send(Message::new("{}")).unwrap();
    webhook.settled().await;
    let ladder = Duration::from_secs(15 + 30 + 60 + 600 + 1800) + HOUR * (1 + 2 + 6 + 12 + 24 + 48);
    assert_eq!(webhook.status(), Status::SwitchedOff { after: ladder });
    assert!(webhook.history().iter().all(|one| one.state == State::Waiting));
    let tried = target.seen().len();
    sleep(30 * DAY).await;
    assert_eq!(target.seen().len(), tried, "nothing is tried while it is off");
    up.store(200, Ordering::Relaxed);
    webhook.switch_on();
    webhook.settled().await;
    assert_eq!(webhook.status(), Status::Active);
    assert!(webhook.history().iter().all(|one| one.state == State::Sent));
    assert_eq!(target.seen().len(), tried + 2);
}

#[tokio::test(start_paused = true)]
async fn sibs_reads_its_acknowledgement_and_asks_two_months_for_it() {
    const EVENT: &str = include_str!("../../fixtures/sibs/payment.json");
    let sibs = || Sibs::new(Secret::hex(KEY).unwrap()).unwrap();
    let deaf = at(sibs(), DeliveryProfile::sibs(), Target::always(200));
    deaf.send(Message::new(EVENT)).unwrap();
    deaf.settled().await;
    let history = deaf.history();
    assert_eq!((history[0].attempts.len(), history[0].state), (91, State::Failed));
    assert!(history[0].attempts.iter().all(|one| one.came == Came::Unacknowledged(StatusCode::OK)));
    assert_eq!(deaf.status(), Status::Active, "and nothing else comes of it");

    let events = sibs().decode(&http::HeaderMap::new(), EVENT.into()).unwrap();
    let acknowledgement = sibs().acknowledge(&events).unwrap();
    let spaced = format!(" {} ", String::from_utf8(acknowledgement.body.to_vec()).unwrap());
    let polite = Target::new(move |_| {
        let mut answer = Answer::of(StatusCode::OK);
        answer.body = spaced.clone().into();
        Ok(answer)
    });
    let heard = at(sibs(), DeliveryProfile::sibs(), polite);
    heard.send(Message::new(EVENT)).unwrap();
    heard.settled().await;
    assert_eq!((heard.history()[0].attempts.len(), heard.history()[0].state), (1, State::Sent));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_a_failure_and_so_is_no_answer_in_time() {
    let redirect = at(Mambu::new(), DeliveryProfile::mambu(), Target::always(302));
    redirect.send(Message::new("{}")).unwrap();
    redirect.settled().await;
    let history = redirect.history();
    assert_eq!((history[0].attempts.len(), history[0].state), (5, State::Failed));
    assert!(history[0].attempts.iter().all(|one| one.came == Came::Refused(StatusCode::FOUND)));

    let hangs = |_: Request<Bytes>| std::future::pending::<Result<Answer, NoAnswer>>();
    let slow = at(Mambu::new(), DeliveryProfile::mambu(), hangs);
    slow.send(Message::new("{}")).unwrap();
    slow.settled().await;
    let first = &slow.history()[0].attempts[0];
    assert_eq!((first.came, first.ended - first.at), (Came::Nothing(NoAnswer::TimedOut), Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_what_was_sealed_first_and_a_resend_by_hand_has_a_key_of_its_own() {
    let target = Target::new(|try_| Ok(Answer::of(if try_ < 4 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })));
    let webhook = at(opp_provider(), DeliveryProfile::opp(), target.clone());
    webhook.send(Message::new(PAYMENT)).unwrap();
    webhook.settled().await;
    let seen = target.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|request| request.body() == seen[0].body() && request.headers() == seen[0].headers()));

    let target = Target::always(200);
    let mambu = at(Mambu::new(), DeliveryProfile::mambu(), target.clone());
    let first = mambu.send(Message::new("{}").idempotency_key("one")).unwrap();
    mambu.settled().await;
    let second = mambu.resend(first).unwrap();
    mambu.settled().await;
    let seen = target.seen();
    assert_eq!(seen[0].body(), seen[1].body());
    assert_ne!(seen[0].headers(), seen[1].headers(), "the key is another");
    assert_eq!(mambu.history()[second.number()].resends, Some(first));
    let again = mambu.resend_where(|one| one.state == State::Sent && one.resends.is_none()).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(mambu.resend(tower_webhook::sender::Id::new(99)), Err(NotSent::Unknown));
}

#[tokio::test(start_paused = true)]
async fn standard_webhooks_signs_anew_with_the_same_id_and_keeps_to_its_steps_when_asked_for_less() {
    let target = Target::new(|try_| {
        let mut answer = Answer::of(if try_ < 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT });
        answer.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        Ok(answer)
    });
    let provider = StandardWebhooks::new(Secret::hex(KEY).unwrap()).unwrap();
    let webhook = at(provider, DeliveryProfile::standard_webhooks(), target.clone());
    let start = Instant::now();
    webhook.send(Message::new(r#"{"type":"a.b"}"#).idempotency_key("msg_1")).unwrap();
    webhook.settled().await;
    assert_eq!(start.elapsed().as_secs(), 5 + 300);
    let header = |request: &Request<Bytes>, name: &str| request.headers()[name].to_str().unwrap().to_owned();
    let seen = target.seen();
    for name in ["webhook-timestamp", "webhook-signature"] {
        assert_ne!(header(&seen[0], name), header(&seen[2], name), "{name}");
    }
    assert!(seen.iter().all(|request| header(request, "webhook-id") == "msg_1"));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_the_same() {
    let waits = |seed| async move {
        let mut profile = DeliveryProfile::standard_webhooks();
        profile.retry_after = RetryAfter::Ignored;
        let webhook = at(Aella::new(Secret::hex(KEY).unwrap()).unwrap(), profile, Target::always(500)).seed(seed);
        webhook.send(Message::new(TRANSFER)).unwrap();
        webhook.settled().await;
        webhook.history()[0].attempts.iter().map(|one| one.at).collect::<Vec<_>>()
    };
    assert_eq!(waits(7).await, waits(7).await);
    assert_ne!(waits(7).await, waits(8).await);
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_takes_its_own_notification_along_and_no_other() {
    let tries = AtomicUsize::new(0);
    let breaks_once = move |_: Request<Bytes>| {
        let is_first = tries.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            assert!(!is_first, "made up");
            Ok(Answer::of(StatusCode::OK))
        }
    };
    let webhook = at(opp_provider(), DeliveryProfile::opp(), breaks_once);
    webhook.send(Message::new(PAYMENT)).unwrap();
    webhook.send(Message::new(PAYMENT)).unwrap();
    webhook.settled().await;
    let states: Vec<_> = webhook.history().iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Sending, State::Sent]);
}
