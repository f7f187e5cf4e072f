//! A death at every step between a delivery and the end of its event, and in the handler: cases 1 to 4, and 23.

use futures_util::future::join_all;
use tower_webhook::testing::crash::Point;

use super::child::{ATTEMPTS, TOGETHER};
use super::place::{Kind, for_each_engine};
use super::scene::{Came, How, Scene};

for_each_engine!(
    wherever_it_dies_nothing_is_lost_and_the_key_makes_one_effect,
    a_handler_that_looks_at_no_key_is_twice_in_the_known_window_alone,
    a_process_that_dies_in_its_handler_leaves_the_event_to_the_next,
    an_event_that_kills_its_process_is_a_dead_letter_and_the_others_are_handled,
);

/// Every point at once, each with a receiver of its own.
async fn at_every_point(how: How, kind: Kind) -> Vec<(Point, Came)> {
    // A statement in Postgres is written and committed by another process.
    let points = Point::STORED_FIRST.iter().filter(|point| kind == Kind::File || **point != Point::Written);
    let scenes = points.map(|&point| async move { (point, Scene::dying_at(point, how, kind).play().await) });
    let all = join_all(scenes).await;
    for (point, came) in &all {
        let [death] = came.deaths[..] else { panic!("{point:?}: {came:?}") };
        assert!(!death.status.success() && death.armed == Some(point.nth(1)), "{point:?}: {came:?}");
        assert_eq!((came.inbox.done, came.inbox.dead), (1, 0), "{point:?}: {came:?}");
    }
    all
}

async fn wherever_it_dies_nothing_is_lost_and_the_key_makes_one_effect(kind: Kind) {
    for (point, came) in at_every_point(How::ByKey, kind).await {
        assert!(came.judged.is_exactly_once(), "{point:?}: {came:?}");
        let calls = came.judged.only();
        match point {
            // Nothing was committed, and nobody was answered.
            Point::Collected | Point::Opened | Point::Admitted | Point::Written => {
                assert!(calls == [1] && came.tries > 1, "{point:?}: {came:?}");
            }
            // The worker may have had it already.
            Point::Stored | Point::Answered => {
                assert!(calls.len() <= 2 && calls.is_sorted() && came.tries > 1, "{point:?}: {came:?}");
            }
            Point::Claimed => assert_eq!(calls, [2], "{point:?}"),
            Point::Handled => assert_eq!(calls, [1, 2], "{point:?}"),
            Point::Completed => assert_eq!(calls, [1], "{point:?}"),
            _ => panic!("{point:?}: what is expected there?"),
        }
    }
}

async fn a_handler_that_looks_at_no_key_is_twice_in_the_known_window_alone(kind: Kind) {
    for (point, came) in at_every_point(How::Blindly, kind).await {
        let (twice, lost) = (came.judged.twice.len(), came.judged.lost.len());
        let window = match point {
            Point::Handled => 1..=1,
            Point::Stored | Point::Answered => 0..=1,
            _ => 0..=0,
        };
        assert!(window.contains(&twice) && lost == 0, "{point:?}: {came:?}");
    }
}

async fn a_process_that_dies_in_its_handler_leaves_the_event_to_the_next(kind: Kind) {
    for (how, twice) in [(How::DyingBefore, 0), (How::DyingBehind, 0), (How::DyingBehindBlindly, 1)] {
        let came = Scene { kind, how, crashes: vec![], events: 1, deaths: 1 }.play().await;
        assert_eq!((came.judged.only(), came.deaths.len()), (&[1, 2][..], 1), "{how:?}");
        assert_eq!((came.judged.lost.len(), came.judged.twice.len()), (0, twice), "{how:?}: {came:?}");
    }
}

async fn an_event_that_kills_its_process_is_a_dead_letter_and_the_others_are_handled(kind: Kind) {
    let deaths = usize::try_from(ATTEMPTS).unwrap();
    let came = Scene { kind, how: How::Poisoned, crashes: vec![], events: TOGETHER, deaths }.play().await;
    assert_eq!((came.deaths.len(), came.inbox.dead, came.inbox.done), (deaths, 1, 9), "{came:?}");
    assert_eq!((came.judged.lost.len(), came.judged.twice.len()), (1, 0), "the poison alone: {came:?}");
    assert!(came.judged.lost[0].ends_with("x-0"), "{came:?}");
}
