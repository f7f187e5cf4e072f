//! The state machine of a real store, found out by asking it.
//!
//! A state of one key is known by the way there and told from others by what each of ten questions is answered in it.
//! From the absent key on, every input is tried in every state, each time on a key of its own. So what is explored
//! later is what the store itself does, through its public calls alone. It cannot show what a store hides from one
//! question and tells at a later one.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;
use tower_webhook::idempotency::RecordState;

use super::model::{Answer, Call, Span};
use super::stand::{EVENT, Stand, ask, key};

pub(crate) const WORKERS: usize = 3;
pub(crate) const OPS: [Op; 4] = [Op::Claim, Op::Renew, Op::Complete, Op::Release];
const MAX: u32 = 3;
/// From four ticks to half a minute, where a tick is 50 ms.
const MAX_DOUBLED: u32 = 8;
const RETENTION: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Op {
    Claim,
    Renew,
    Complete,
    Release,
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Call(Op, usize),
    /// A claim of another event under the same key.
    Stranger,
    LeaseEnds,
}

/// What a key is to its callers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) is_done: bool,
    /// Who may renew it.
    pub(crate) holder: Option<usize>,
    pub(crate) when_the_lease_ends: usize,
    /// Per operation and worker, the answer and the next state.
    pub(crate) moves: [[(Answer, usize); WORKERS]; OPS.len()],
}

/// The states, the absent key first, and what each worker claims the key for.
pub(crate) struct Machine(pub(crate) Vec<State>, pub(crate) [u128; WORKERS]);

/// Ten answers: what a state is known by.
type Face = Vec<Answer>;

type Way = Vec<Input>;

struct Asker<B: Stand> {
    stand: B,
    store: B::Store,
    /// What each worker claims the key for.
    events: [u128; WORKERS],
    /// How many keys were used.
    used: u64,
}

impl<B: Stand> Asker<B> {
    /// The last answer of each way and one more step, for each of the steps; many at once, since a lease takes time.
    async fn answers(&mut self, ways: &[Way], steps: &[Input]) -> Vec<Answer> {
        let runs = ways.iter().flat_map(|way| steps.iter().map(|step| with(way, *step)));
        let runs: Vec<_> = runs.zip(self.used + 1..).collect();
        self.used += runs.len() as u64;
        let runs: Vec<_> = runs.into_iter().map(|(way, fresh)| self.last_answer(fresh, way)).collect();
        futures_util::stream::iter(runs).buffered(B::AT_ONCE).collect().await
    }

    /// Goes that way on a key that nobody used before, and tells the last answer. Where a lease may have ended between two
    /// calls, the answer says nothing, and the way is gone again on another key with a lease of twice the length.
    async fn last_answer(&self, fresh: u64, way: Way) -> Answer {
        for doubled in 0..MAX_DOUBLED {
            let lease = self.stand.tick() * 4 * (1 << doubled);
            if let Some(last) = self.go(fresh | u64::from(doubled) << 32, &way, lease).await {
                return if let Answer::InFlight(_) = last {
                    Answer::InFlight(Span::exactly(Duration::ZERO))
                } else {
                    last
                };
            }
        }
        panic!("the store is too slow to tell its leases' ends from its answers' delay")
    }

    /// `None`: it took longer than a lease, all of which began after `since`.
    async fn go(&self, fresh: u64, way: &Way, lease: Duration) -> Option<Answer> {
        let mut last = Answer::Full;
        let mut since = Instant::now();
        let is_quick = |since: Instant| since.elapsed() + B::SLACK < lease;
        for input in way {
            match input {
                Input::LeaseEnds if !is_quick(since) => return None,
                Input::LeaseEnds => {
                    self.stand.pass(lease * 3 / 2).await;
                    since = Instant::now();
                }
                Input::Call(op, worker) => last = self.call(fresh, &self.named(*op, *worker, lease)).await,
                Input::Stranger => {
                    let stranger = Call::Claim { token: 9, event: 9, lease, retention: RETENTION, most: None };
                    last = self.call(fresh, &stranger).await;
                }
            }
        }
        is_quick(since).then_some(last)
    }

    async fn call(&self, fresh: u64, call: &Call) -> Answer {
        ask(&self.store, &key(fresh), call).await.expect("a store without faults answers")
    }

    fn named(&self, op: Op, worker: usize, lease: Duration) -> Call {
        let (token, retention) = (worker as u128 + 1, RETENTION);
        match op {
            Op::Claim => Call::Claim { token, event: self.events[worker], lease, retention, most: Some(MAX) },
            Op::Renew => Call::Renew { token, lease },
            Op::Complete => Call::Complete { token, answer: worker as u64 + 1, retention },
            Op::Release => Call::Release { token, delay: Duration::ZERO },
        }
    }
}

fn questions() -> Vec<Input> {
    let of = |op| (0..WORKERS).map(move |worker| Input::Call(op, worker));
    of(Op::Claim).chain(of(Op::Renew)).chain(of(Op::Complete)).chain([Input::Stranger]).collect()
}

fn inputs() -> Vec<Input> {
    let calls = OPS.into_iter().flat_map(|op| (0..WORKERS).map(move |worker| Input::Call(op, worker)));
    calls.chain([Input::LeaseEnds]).collect()
}

/// Finds out the machine of a store.
pub(crate) fn learn<B: Stand>() -> Machine {
    learn_of::<B>([EVENT; WORKERS])
}

/// The same where the last worker's delivery of the key has another payload.
pub(crate) fn learn_two_payloads<B: Stand>() -> Machine {
    learn_of::<B>([EVENT, EVENT, EVENT + 1])
}

fn learn_of<B: Stand>(events: [u128; WORKERS]) -> Machine {
    B::runtime().block_on(async {
        let stand = B::default();
        let store = stand.store().await;
        learn_with(Asker { stand, store, events, used: 0 }).await
    })
}

async fn learn_with<B: Stand>(mut asker: Asker<B>) -> Machine {
    let first = asker.answers(&[vec![]], &questions()).await;
    let mut faces = HashMap::from([(format!("{first:?}"), 0)]);
    let (mut known, mut ways, mut states) = (vec![first], vec![vec![]], Vec::new());
    while let Some(way) = ways.get(states.len()).cloned() {
        let theres: Vec<Way> = inputs().into_iter().map(|input| with(&way, input)).collect();
        let mut moves = asker.answers(&[way], &inputs()).await.into_iter();
        let answers = asker.answers(&theres, &questions()).await;
        let mut nexts = Vec::new();
        for (face, there) in answers.chunks(questions().len()).zip(theres) {
            let next = *faces.entry(format!("{face:?}")).or_insert(known.len());
            if next == known.len() {
                known.push(face.to_vec());
                ways.push(there);
            }
            nexts.push(next);
        }
        let mut nexts = nexts.into_iter();
        let moves = OPS.map(|_| [(); WORKERS].map(|()| (moves.next().unwrap(), nexts.next().unwrap())));
        states.push(state(&known[states.len()], moves, nexts.next().unwrap()));
        assert!(states.len() < 64, "more states than a claim, its lease and three tries can have");
    }
    Machine(states, asker.events)
}

fn with(way: &Way, step: Input) -> Way {
    way.iter().copied().chain([step]).collect()
}

fn state(face: &Face, moves: [[(Answer, usize); WORKERS]; OPS.len()], when_the_lease_ends: usize) -> State {
    let holder = (0..WORKERS).find(|worker| face[WORKERS + worker] == Answer::Held);
    let is_done = face.last() == Some(&Answer::Mismatch(RecordState::Done));
    State { is_done, holder, when_the_lease_ends, moves }
}
