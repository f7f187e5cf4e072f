//! A store that dies with its process: what was handled before is handled again, and the judgement sees it.

use futures_util::future::join_all;
use tower_webhook::testing::crash::Point;

use super::scene::{Came, How, Scene};

/// Every point at once, each with a receiver of its own; and the fences of the calls at each.
async fn at_every_point(how: How) -> Vec<(Point, Came)> {
    let scenes =
        Point::HANDLED_FIRST.iter().map(|&point| async move { (point, Scene::of_one(None, how, point).play().await) });
    let all = join_all(scenes).await;
    for (point, came) in &all {
        let [death] = came.deaths[..] else { panic!("{point:?}: {came:?}") };
        assert!(!death.status.success() && death.armed == Some(point.nth(1)), "{point:?}: {came:?}");
        assert!(came.tries > 1, "{point:?}: nobody was answered by a receiver that died: {came:?}");
    }
    all
}

fn is_behind_the_handler(point: Point) -> bool {
    matches!(point, Point::Handled | Point::Completed | Point::Answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_memory_runs_the_handler_again_behind_it_and_the_key_makes_one_effect() {
    for (point, came) in at_every_point(How::ByKey).await {
        // The new process has never seen a fence.
        let expected = if is_behind_the_handler(point) { &[1, 1][..] } else { &[1] };
        assert_eq!(came.judged.only(), expected, "{point:?}");
        assert!(came.judged.is_exactly_once(), "{point:?}: {came:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_looks_at_no_key_makes_its_effect_again_and_is_found() {
    for (point, came) in at_every_point(How::Blindly).await {
        let twice = usize::from(is_behind_the_handler(point));
        assert_eq!((came.judged.twice.len(), came.judged.lost.len()), (twice, 0), "{point:?}: {came:?}");
    }
}
