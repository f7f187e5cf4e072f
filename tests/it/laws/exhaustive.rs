//! No order of late, repeated and lost messages breaks the laws; and the rules that were left out would be missed.

use tower_webhook::testing::contract::Subject;

use super::broken::{Broken, Flaw};
use super::explorer::explore;
use super::machine::{learn, learn_two_payloads};
use super::stand::{Memory, Stand};

/// How many there are by an explorer of its own, in another language, over a machine written down by hand.
pub(crate) const STATES: usize = 1_806_223;
/// How many this explorer found, over the machine of memory, of Redis and of the model.
pub(crate) const STATES_OF_TWO_PAYLOADS: usize = 1_929_055;

#[test]
fn no_order_of_messages_breaks_the_memory_store() {
    let machine = learn::<Memory>();
    assert_eq!(machine.0.len(), 32, "states of one key");
    let report = explore(&machine, 1);
    assert_eq!((report.states, report.violations.into_iter().collect()), (STATES, Vec::<&str>::new()));
}

/// One of the three deliveries has another payload than the others.
#[test]
fn no_order_of_messages_breaks_the_memory_store_with_two_payloads() {
    let machine = learn_two_payloads::<Memory>();
    assert_eq!(machine.0.len(), 47, "states of one key");
    let report = explore(&machine, 1);
    assert_eq!((report.states, report.violations.into_iter().collect()), (STATES_OF_TWO_PAYLOADS, Vec::<&str>::new()));
}

#[test]
fn the_model_is_the_same_machine() {
    for (of_model, of_memory) in [
        (learn::<Control<0>>(), learn::<Memory>()),
        (learn_two_payloads::<Control<0>>(), learn_two_payloads::<Memory>()),
    ] {
        assert_eq!(format!("{:?}", of_model.0), format!("{:?}", of_memory.0));
    }
}

#[test]
fn a_word_that_is_missing_is_missed() {
    let unsaid = explore(&learn_two_payloads::<Control<3>>(), 1);
    assert!(unsaid.violations.contains("another payload was not told"), "{unsaid:?}");
    let no_trace = explore(&learn_two_payloads::<Control<4>>(), 2);
    assert!(no_trace.violations.contains("another payload was replayed"), "{no_trace:?}");
}

#[test]
fn upserts_and_deletes_break_all_four_rules() {
    let found: Vec<_> = explore(&learn::<Control<1>>(), 4).violations.into_iter().collect();
    let all = ["a done record was lost", "acquired after done", "the fence did not grow", "two first completions"];
    assert_eq!(found, all);
}

#[test]
fn a_release_that_deletes_takes_the_fence_back() {
    let found: Vec<_> = explore(&learn::<Control<2>>(), 1).violations.into_iter().collect();
    assert_eq!(found, ["the fence did not grow"]);
}

#[derive(Clone, Debug, Default)]
struct Control<const N: usize>;

impl<const N: usize> Subject for Control<N> {
    type Store = Broken;

    async fn store(&self) -> Broken {
        const FLAWS: [&[Flaw]; 5] = [
            &[],
            &[Flaw::CompleteUpserts, Flaw::ReleaseDeletes],
            &[Flaw::OwnReleaseDeletes],
            &[Flaw::OtherIsUnsaid],
            &[Flaw::OtherLeavesNoTrace],
        ];
        Broken::new(FLAWS[N], None)
    }
}

impl<const N: usize> Stand for Control<N> {}
