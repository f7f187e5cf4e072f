//! One delivery: what its fault has done to it, and every try until it is settled.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::{Instant, sleep, timeout};

use super::fault::Fault;
use super::report::on_the_ladder;
use super::route::Theme;
use super::run::{Delivery, Run};
use crate::provider::Message;
use crate::sender::conduct::Conduct;
use crate::sender::judge::{expected, judge, retry_after};
use crate::sender::ladder::Ladder;
use crate::sender::notification::Came;
use crate::sender::profile::LongFailure;
use crate::sender::transport::{Answer, NoAnswer, Transport, in_words};

/// How many copies a crowd has.
const CROWD: usize = 100;
/// How often what must be refused is tried while nobody says yes or no, and what no handler ever does.
const TRIES: u32 = 5;
/// Half the first wait between such tries. Each is twice as long as the one before.
const BETWEEN_FORGERIES: Duration = Duration::from_secs(30);

/// Between tries while nobody answers at all.
const BETWEEN_KNOCKS: Duration = Duration::from_millis(100);

/// What is sent, and what it is the message of.
pub(super) struct Sealed {
    message: Message,
    request: Request<Bytes>,
    events: Vec<u64>,
}

impl<T: Transport> Run<T> {
    /// The first delivery, which opens the way: tried until it is answered well or refused, or the time for it is over. False: nobody
    /// is there.
    pub(super) async fn open(&self, delivery: Delivery) -> bool {
        let message = delivery.route.author.write(&delivery.themes);
        let Ok(request) = delivery.route.seal(&message, self.now()) else {
            self.unsealable(&delivery);
            return true;
        };
        let sealed = self.sealed(message, request, &delivery.events, &delivery.themes);
        let mut is_there = false;
        let knocking = async {
            self.sent(&sealed);
            loop {
                let (answer, took) = self.timed(&delivery, &sealed.request, true).await;
                is_there |= answer.is_ok();
                if self.is_settled_by(answer, took, &delivery, &sealed) {
                    return;
                }
                sleep(BETWEEN_KNOCKS).await;
            }
        };
        // What is left when it is over was not settled.
        let _ = timeout(self.plan.heal, knocking).await;
        is_there
    }

    pub(super) async fn deliver(&self, mut delivery: Delivery) {
        self.overtaken(&delivery).await;
        let message = delivery.route.author.write(&delivery.themes);
        let fault = delivery.fault;
        let is_bad_first = delivery.chance.below(2) == 0;
        if is_bad_first {
            self.badly(&mut delivery, &message).await;
        }
        let sealed = match fault {
            Some(fault) => delivery.route.seal_oddly(&message, self.now(), fault),
            None => delivery.route.seal(&message, self.now()),
        };
        let Ok(request) = sealed else { return self.unsealable(&delivery) };
        let sealed = self.sealed(message, request, &delivery.events, &delivery.themes);
        self.genuinely(&mut delivery, &sealed).await;
        if !is_bad_first {
            self.badly(&mut delivery, &sealed.message).await;
        }
    }

    pub(super) fn sealed(&self, message: Message, request: Request<Bytes>, events: &[u64], themes: &[Theme]) -> Sealed {
        for (event, theme) in events.iter().zip(themes) {
            self.ledger.says(*event, &message.body, &theme.about.to_string());
        }
        Sealed { message, request, events: events.to_vec() }
    }

    fn unsealable(&self, delivery: &Delivery) {
        delivery.events.iter().for_each(|event| self.ledger.refused(*event, &"it cannot be sealed"));
    }

    /// What must be refused, if the fault is of that kind.
    async fn badly(&self, delivery: &mut Delivery, message: &Message) {
        let Some(fault) = delivery.fault else { return };
        let drawn = delivery.chance.draw();
        self.must_refuse(delivery, || delivery.route.seal_badly(message, self.now(), fault, drawn).ok().flatten())
            .await;
    }

    /// What must be accepted, once or more often.
    async fn genuinely(&self, delivery: &mut Delivery, sealed: &Sealed) {
        let again = |request: Request<Bytes>| Sealed {
            message: sealed.message.clone(),
            request,
            events: sealed.events.clone(),
        };
        match delivery.fault {
            Some(Fault::Duplicate) => {
                self.settle(delivery, sealed).await;
                self.settle(delivery, sealed).await;
            }
            Some(Fault::Resealed) => {
                self.settle(delivery, sealed).await;
                if let Ok(request) = delivery.route.seal(&sealed.message, self.now()) {
                    self.settle(delivery, &again(request)).await;
                }
            }
            Some(Fault::Relabelled) => {
                self.settle(delivery, sealed).await;
                let label = delivery.chance.draw();
                self.settle(delivery, &again(delivery.route.relabelled(&sealed.request, label))).await;
            }
            Some(Fault::Together) => {
                self.crowd(delivery, sealed, 2).await;
            }
            Some(Fault::Crowd) => {
                self.crowd(delivery, sealed, CROWD).await;
            }
            Some(Fault::LostAnswer) => {
                self.sent(sealed);
                let _ = self.exchange(delivery, &sealed.request).await;
                self.settle(delivery, sealed).await;
            }
            Some(Fault::Sent(conduct)) => {
                let mut odd = sealed.request.clone();
                odd.extensions_mut().insert(conduct);
                if conduct.comes_whole() {
                    self.settle_from(delivery, sealed, odd).await;
                } else {
                    let _ = self.may_not_take(delivery, &odd).await;
                    self.settle(delivery, sealed).await;
                }
            }
            Some(Fault::OtherBody) => {
                self.settle(delivery, sealed).await;
                self.contradict(delivery).await;
            }
            Some(Fault::OtherId) => {
                self.settle(delivery, sealed).await;
                self.twin(delivery).await;
            }
            Some(Fault::OtherReceiver) => {
                self.settle(delivery, sealed).await;
                self.at_the_other(delivery).await;
            }
            _ => self.settle(delivery, sealed).await,
        }
    }

    /// So many copies at once.
    async fn crowd(&self, delivery: &Delivery, sealed: &Sealed, copies: usize) {
        let mut all: Vec<_> = (0..copies).map(|_| Some(Box::pin(self.settle(delivery, sealed)))).collect();
        poll_fn(|cx| {
            for one in &mut all {
                if one.as_mut().is_some_and(|copy| copy.as_mut().poll(cx).is_ready()) {
                    *one = None;
                }
            }
            if all.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn sent(&self, sealed: &Sealed) {
        sealed.events.iter().for_each(|event| self.ledger.sent(*event));
    }

    pub(super) async fn settle(&self, delivery: &Delivery, sealed: &Sealed) {
        self.settle_from(delivery, sealed, sealed.request.clone()).await;
    }

    /// Tries by the ladder until it is accepted or refused for good, this way at first.
    async fn settle_from(&self, delivery: &Delivery, sealed: &Sealed, mut request: Request<Bytes>) {
        self.sent(sealed);
        let (route, mut chance) = (&delivery.route, delivery.chance.clone());
        let mut ladder = Ladder::default();
        for tries in 0_u32.. {
            let is_usual = request.extensions().get::<Conduct>().is_none();
            let (answer, took) = self.timed(delivery, &request, is_usual).await;
            let asked = answer.as_ref().ok().and_then(|answer| retry_after(&answer.headers));
            let said = status_of(&answer);
            if self.is_settled_by(answer, took, delivery, sealed) {
                return;
            }
            if delivery.fault == Some(Fault::Poison) && tries >= TRIES {
                return;
            }
            match ladder.next(&route.profile, asked, &mut chance) {
                Some(wait) => self.wait(wait / self.plan.compressed).await,
                None if self.goes_on().await => {}
                None => return self.given_up(delivery, sealed, ladder.reached(), said),
            }
            request = match route.profile.seals_anew() || route.is_timed() {
                true => route.seal(&sealed.message, self.now()).unwrap_or_else(|_| sealed.request.clone()),
                false => sealed.request.clone(),
            };
        }
    }

    /// Whether this answer accepts it or refuses it for good.
    fn is_settled_by(
        &self,
        answer: Result<Answer, NoAnswer>,
        took: Duration,
        delivery: &Delivery,
        sealed: &Sealed,
    ) -> bool {
        let (profile, provider) = (&delivery.route.profile, delivery.route.provider());
        let expected = expected(profile, provider, &sealed.request, &sealed.message);
        let said = status_of(&answer);
        match judge(profile, expected.as_ref(), answer) {
            Came::Delivered(_) => self.accepted(sealed, took),
            Came::Refused(status) if !self.plan.insists && !comes_again(status) => self.refused(sealed, status),
            Came::Unacknowledged(status) => self.refused(sealed, status),
            Came::Refused(_) | Came::Nothing(_) => {
                sealed.events.iter().for_each(|event| self.ledger.came_to_nothing(*event, said));
                return false;
            }
        }
        true
    }

    fn accepted(&self, sealed: &Sealed, took: Duration) {
        sealed.events.iter().for_each(|event| self.ledger.accepted(*event));
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.took.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
    }

    fn refused(&self, sealed: &Sealed, status: StatusCode) {
        let why = in_words(Ok(status));
        sealed.events.iter().for_each(|event| self.ledger.refused(*event, &why));
    }

    /// The ladder is at its end.
    fn given_up(&self, delivery: &Delivery, sealed: &Sealed, at: Duration, said: Result<StatusCode, NoAnswer>) {
        let last = format!("its ladder ended {}, {}", on_the_ladder(at), in_words(said));
        sealed.events.iter().for_each(|event| self.ledger.note(*event, last.clone()));
        if matches!(delivery.route.profile.long_failure, LongFailure::SwitchesOff(_))
            && delivery.fault != Some(Fault::Poison)
        {
            let mut all = self.switched_off.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(delivery.route.name.clone()).or_insert(at);
        }
    }

    /// Nobody may say yes to it, and whoever is there has to say no: with any 4xx, if need be behind some that ask for patience.
    /// Each try is sealed anew: what is too early is not for ever.
    async fn must_refuse(&self, delivery: &Delivery, sealed: impl Fn() -> Option<Request<Bytes>>) {
        let (mut said, mut wait, mut tries) = (Err(NoAnswer::Unreachable), BETWEEN_FORGERIES, 0);
        while tries < TRIES {
            let Some(request) = sealed() else { return };
            said = self.may_not_take(delivery, &request).await;
            match said {
                Ok(status) if status.is_success() => return,
                Ok(status) if status.is_client_error() && !comes_again(status) => break,
                // Who is not there can refuse nothing.
                Err(NoAnswer::Unreachable) => {}
                Ok(_) | Err(_) => (tries, wait) = (tries + 1, wait * 2),
            }
            if tries < TRIES {
                self.wait(wait / self.plan.compressed).await;
            }
        }
        match said {
            Ok(status) if status.is_client_error() => self.counts.count_refused(),
            _ => delivery.events.iter().for_each(|event| self.ledger.not_refused(*event, &in_words(said))),
        }
    }

    /// Nobody may say yes to it.
    async fn may_not_take(&self, delivery: &Delivery, request: &Request<Bytes>) -> Result<StatusCode, NoAnswer> {
        let said = self.exchange(delivery, request).await.map(|answer| answer.status);
        if said.is_ok_and(|status| status.is_success()) {
            delivery.events.iter().for_each(|event| self.ledger.taken(*event, &in_words(said)));
        }
        said
    }

    pub(super) async fn exchange(&self, delivery: &Delivery, request: &Request<Bytes>) -> Result<Answer, NoAnswer> {
        self.timed(delivery, request, false).await.0
    }

    /// What was answered, and how long it took. `is_usual`: whoever is up answers it.
    async fn timed(
        &self,
        delivery: &Delivery,
        request: &Request<Bytes>,
        is_usual: bool,
    ) -> (Result<Answer, NoAnswer>, Duration) {
        // It is never closed.
        let _place = self.at_once.acquire().await;
        let before = self.counts.count_request(delivery.events.len());
        let at = usize::try_from(before % self.targets.len().max(1) as u64).unwrap_or_default();
        let began = Instant::now();
        let Some(target) = self.targets.get(at) else { return (Err(NoAnswer::Unreachable), Duration::ZERO) };
        let exchange = target.target.exchange(request.clone());
        let answer = timeout(delivery.route.profile.answer_within, exchange).await.unwrap_or(Err(NoAnswer::TimedOut));
        target.heard(began, &answer, is_usual);
        (answer, began.elapsed())
    }
}

/// Whether a sender is asked to come again.
fn comes_again(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
}

fn status_of(answer: &Result<Answer, NoAnswer>) -> Result<StatusCode, NoAnswer> {
    answer.as_ref().map(|answer| answer.status).map_err(|no_answer| *no_answer)
}
