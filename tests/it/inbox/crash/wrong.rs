//! The controls: what is wrong in front of the inbox or behind it is found.

use tower_webhook::testing::crash::Point;

use super::place::{Kind, for_each_engine};
use super::scene::{How, Scene};

for_each_engine!(whoever_answers_before_it_stores_loses, whoever_completes_before_it_has_handled_loses);

async fn whoever_answers_before_it_stores_loses(kind: Kind) {
    let written = (Point::Written, 1);
    let points = [(Point::Admitted, 1), written, (Point::Stored, 0)];
    for (point, lost) in points.into_iter().filter(|point| kind == Kind::File || *point != written) {
        let came = Scene::dying_at(point, How::AnsweringFirst, kind).play().await;
        assert_eq!((came.judged.lost.len(), came.tries), (lost, 1), "{point:?}: {came:?}");
    }
}

async fn whoever_completes_before_it_has_handled_loses(kind: Kind) {
    let came = Scene::dying_at(Point::Completed, How::CompletingFirst, kind).play().await;
    assert_eq!((came.judged.lost.len(), came.inbox.done), (1, 1), "{came:?}");
}
