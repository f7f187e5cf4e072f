//! The controls: what is wrong in front of the inbox or behind it is found.

use tower_webhook::testing::crash::Point;

use super::scene::{How, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_before_it_stores_loses() {
    for (point, lost) in [(Point::Admitted, 1), (Point::Written, 1), (Point::Stored, 0)] {
        let came = Scene::dying_at(point, How::AnsweringFirst).play().await;
        assert_eq!((came.judged.lost.len(), came.tries), (lost, 1), "{point:?}: {came:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_completes_before_it_has_handled_loses() {
    let came = Scene::dying_at(Point::Completed, How::CompletingFirst).play().await;
    assert_eq!((came.judged.lost.len(), came.inbox.done), (1, 1), "{came:?}");
}
