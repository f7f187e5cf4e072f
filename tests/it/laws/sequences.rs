//! Random stories of several keys, tokens and events, told to the model and to the store.
//!
//! A story knows the model, so that it often speaks for whoever holds a key, and what was sent before, so that a call
//! comes twice or late.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngAlgorithm, TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tower_webhook::testing::contract::Subject;

use super::broken::{Broken, Flaw};
use super::model::{Call, Model, Span};
use super::stand::{EVENT, Memory, Stand, Unpaused, ask, key};

const STEPS: usize = 40;
/// In ticks. A lease may be longer.
const RETENTION: u32 = 100;
const KEYS: u64 = 5;

#[derive(Clone, Debug)]
enum Step {
    Call(u64, Call),
    Pass(Duration),
    /// What a store's owner may do at any time, and no caller may notice.
    Tidy,
}

/// Where a story stands: what the model makes of it, and what was said so far.
#[derive(Clone, Debug)]
struct Story<B> {
    model: Model,
    now: Duration,
    sent: Vec<(u64, Call)>,
    on: PhantomData<fn() -> B>,
}

impl<B: Stand> ReferenceStateMachine for Story<B> {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { model: Model::with_room(B::ROOM), now: Duration::ZERO, sent: Vec::new(), on: PhantomData }).boxed()
    }

    fn transitions(story: &Self) -> BoxedStrategy<Step> {
        let ticks = |ticks: u32| B::default().tick() * ticks;
        let any = (0..KEYS, 1..4_u128).boxed();
        let held = || {
            let held: Vec<_> = story.held().collect();
            if held.is_empty() { any.clone() } else { prop_oneof![any.clone(), select(held)].boxed() }
        };
        let time = || prop_oneof![6 => 0..40_u32, 1 => Just(150)].prop_map(ticks);
        let event = prop_oneof![9 => Just(EVENT), 1 => Just(2)];
        let most = prop_oneof![3 => Just(None), 1 => (1..4_u32).prop_map(Some)];
        let retention = ticks(RETENTION);
        let again = if story.sent.is_empty() { None } else { Some(select(story.sent.clone())) };
        let claims = (any.clone(), event, time(), most).prop_map(move |((key, token), event, lease, most)| {
            Step::Call(key, Call::Claim { token, event, lease, retention, most })
        });
        let ends = (held(), time(), 0..8_u64).prop_map(move |((key, token), time, kind)| {
            Step::Call(
                key,
                match kind {
                    0..3 => Call::Renew { token, lease: time },
                    3..5 => Call::Release { token, delay: time },
                    answer => Call::Complete { token, answer, retention },
                },
            )
        });
        let passes = (0..50_u32).prop_map(move |count| Step::Pass(ticks(count)));
        let fresh = prop_oneof![6 => claims, 6 => ends, 3 => passes, 1 => Just(Step::Tidy)];
        match again {
            Some(again) => prop_oneof![5 => fresh, 1 => again.prop_map(|(key, call)| Step::Call(key, call))].boxed(),
            None => fresh.boxed(),
        }
    }

    fn apply(mut story: Self, step: &Step) -> Self {
        match step {
            Step::Tidy => {}
            Step::Pass(time) => story.now += *time,
            Step::Call(number, call) => {
                story.model.answer(key(*number), call, story.now);
                story.sent.push((*number, call.clone()));
            }
        }
        story
    }
}

impl<B> Story<B> {
    /// Who holds which key.
    fn held(&self) -> impl Iterator<Item = (u64, u128)> {
        let holder = |number| self.model.row(key(number), self.now).and_then(|row| row.holder);
        (0..KEYS).filter_map(move |number| Some((number, holder(number)?)))
    }
}

/// A store, and the model that follows it by the time that calls really took.
struct Watched<B: Stand> {
    runtime: Runtime,
    stand: B,
    store: B::Store,
    model: Model,
    start: Instant,
}

struct Told<B>(PhantomData<B>);

impl<B: Stand> StateMachineTest for Told<B> {
    type SystemUnderTest = Watched<B>;
    type Reference = Story<B>;

    fn init_test(_: &Story<B>) -> Watched<B> {
        let (runtime, stand) = (B::runtime(), B::default());
        let (store, start) = runtime.block_on(async {
            let store = match B::ROOM {
                Some(room) => stand.bounded(room).await.expect("a store with that room"),
                None => stand.store().await,
            };
            (store, Instant::now())
        });
        Watched { runtime, stand, store, model: Model::with_room(B::ROOM), start }
    }

    fn apply(mut watched: Watched<B>, _: &Story<B>, step: Step) -> Watched<B> {
        let Watched { runtime, stand, store, model, start } = &mut watched;
        runtime.block_on(async {
            match step {
                Step::Tidy => B::tidy(store),
                Step::Pass(time) => stand.pass(time).await,
                Step::Call(number, call) => {
                    let from = start.elapsed();
                    let said = ask(store, &key(number), &call).await.expect("a store without faults answers");
                    let now = Span { from, to: start.elapsed() }.widened(B::SLACK);
                    SEEN.with_borrow_mut(|seen| *seen.entry(said.kind()).or_default() += 1);
                    if let Err(may) = model.follow(key(number), &call, now, &said) {
                        panic!("at {now:?}, {call:?} on key {number} was answered {said:?}, not {may:?}");
                    }
                }
            }
        });
        B::inspect(store);
        watched
    }

    fn teardown(watched: Watched<B>, _: Story<B>) {
        let rest = watched.stand.tick() * 1000;
        watched.runtime.block_on(async {
            if B::PAUSED {
                watched.stand.pass(rest).await;
                B::inspect_at_rest(&watched.store);
            }
        });
    }
}

/// How often each kind of answer was given.
type Seen = BTreeMap<&'static str, u32>;

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// Tells so many stories to stores of that kind. The error is the shortest story found that one takes differently.
fn tell<B: Stand>(stories: u32) -> Result<Seen, String> {
    let config = ProptestConfig {
        cases: stories,
        failure_persistence: None,
        max_shrink_iters: 1000,
        // Ten times as fast as the default in a build without optimisation.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    };
    SEEN.take();
    let strategy = Story::<B>::sequential_strategy(STEPS);
    let told = TestRunner::new(config.clone()).run(&strategy, |(story, steps, seen)| {
        Told::<B>::test_sequential(config.clone(), story, steps, seen);
        Ok(())
    });
    match told {
        Ok(()) => Ok(SEEN.take()),
        Err(TestError::Fail(why, (_, steps, _))) => Err(format!("{why}, at the end of {steps:#?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The same on threads of its own, for stores that take real time.
pub(crate) fn tell_at_once<B: Stand>(threads: u32, stories: u32) -> Result<Seen, String> {
    let told: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| tell::<B>(stories.div_ceil(threads)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut all = Seen::new();
    for (kind, times) in told.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        *all.entry(kind).or_default() += times;
    }
    Ok(all)
}

/// How many stories: `LAWS_STORIES`, or that many.
fn stories(otherwise: u32) -> u32 {
    std::env::var("LAWS_STORIES").map_or(otherwise, |number| number.parse().expect("LAWS_STORIES is a number"))
}

#[test]
fn the_memory_store_goes_as_the_model_says() {
    let seen = tell::<Memory>(stories(10_000)).unwrap_or_else(|why| panic!("{why}"));
    assert!(seen.len() == 10 && seen.values().all(|times| *times > 100), "a kind of answer is hardly tested: {seen:?}");
}

#[test]
fn a_store_in_real_time_is_judged_by_when_calls_were_made() {
    let seen = tell_at_once::<Unpaused>(8, 400).unwrap_or_else(|why| panic!("{why}"));
    assert!(seen.len() == 10, "a kind of answer is not tested: {seen:?}");
}

macro_rules! control {
    ($($flaw:ident)*) => {
        /// Every flaw is a store of its own, since the state machine knows stores by type.
        fn controls() -> Vec<(Flaw, Result<Seen, String>)> {
            $(
                #[derive(Clone, Debug, Default)]
                struct $flaw;

                impl Subject for $flaw {
                    type Store = Broken;

                    async fn store(&self) -> Broken {
                        Broken::new(&[Flaw::$flaw], None)
                    }

                    async fn bounded(&self, keys: usize) -> Option<Broken> {
                        Some(Broken::new(&[Flaw::$flaw], Some(keys)))
                    }
                }

                impl Stand for $flaw {
                    const ROOM: Option<usize> = Some(3);
                }
            )*
            vec![$((Flaw::$flaw, tell::<$flaw>(1000))),*]
        }
    };
}

control! {
    CompleteUpserts ReleaseDeletes OwnReleaseDeletes LeaseIsIgnored FenceStands RepeatCounts DoneIsForgotten Evicts
    LeaseIsLonger OtherIsRefused OtherIsUnsaid OtherIsForgotten OtherTakesTheLease OtherLeavesNoTrace
}

#[test]
fn each_flaw_is_found_by_a_story() {
    for (flaw, told) in controls() {
        let why = told.expect_err(&format!("{flaw:?} was not noticed"));
        assert!(why.contains("was answered"), "{flaw:?}: {why}");
    }
}
