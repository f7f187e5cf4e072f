//! No order of late, repeated and lost messages breaks the laws; and the rules that were left out would be missed.

use tower_webhook::testing::contract::Subject;

use super::broken::{Broken, Flaw};
use super::explorer::explore;
use super::machine::learn;
use super::stand::{Memory, Stand};

/// How many there are by an explorer of its own, in another language, over a machine written down by hand.
const STATES: usize = 1_806_223;

#[test]
fn no_order_of_messages_breaks_the_memory_store() {
    let machine = learn::<Memory>();
    assert_eq!(machine.0.len(), 32, "states of one key");
    let report = explore(&machine, 1);
    assert_eq!((report.states, report.violations.into_iter().collect()), (STATES, Vec::<&str>::new()));
}

#[test]
fn the_model_is_the_same_machine() {
    let machine = learn::<Control<0>>();
    assert_eq!(format!("{:?}", machine.0), format!("{:?}", learn::<Memory>().0));
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
        const FLAWS: [&[Flaw]; 3] = [&[], &[Flaw::CompleteUpserts, Flaw::ReleaseDeletes], &[Flaw::OwnReleaseDeletes]];
        Broken::new(FLAWS[N], None)
    }
}

impl<const N: usize> Stand for Control<N> {}
