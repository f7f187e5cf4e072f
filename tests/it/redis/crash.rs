//! Receivers that die at every point in front of one Redis, which remembers what they did: cases 3 and 4, and the same under
//! load.

use futures_util::future::join_all;
use tower_webhook::testing::crash::Point;

use super::server::Server;
use crate::crash::scene::{Came, How, Scene};

/// Every point at once, each with a receiver of its own.
async fn at_every_point(how: How) -> Vec<(Point, Came)> {
    let redis = Server::start(&[]);
    let url = redis.url();
    let scenes = Point::HANDLED_FIRST.iter().map(|&point| {
        let scene = Scene::of_one(Some(&url), how, point);
        async move { (point, scene.play().await) }
    });
    let all = join_all(scenes).await;
    for (point, came) in &all {
        assert_eq!(came.deaths.len(), 1, "{point:?}: {came:?}");
        assert!(came.tries > 1, "{point:?}: nobody was answered by a receiver that died: {came:?}");
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_receiver_dies_nothing_is_lost_and_the_key_makes_one_effect() {
    for (point, came) in at_every_point(How::ByKey).await {
        assert!(came.judged.is_exactly_once(), "{point:?}: {came:?}");
        let fences = match point {
            Point::Collected | Point::Opened | Point::Completed | Point::Answered => &[1][..],
            Point::Claimed => &[2],
            Point::Handled => &[1, 2],
            _ => panic!("{point:?}: what is expected there?"),
        };
        assert_eq!(came.judged.only(), fences, "{point:?}: one call, and another only between effect and mark");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_looks_at_no_key_is_twice_in_the_known_window_alone() {
    for (point, came) in at_every_point(How::Blindly).await {
        let twice = usize::from(point == Point::Handled);
        assert_eq!((came.judged.twice.len(), came.judged.lost.len()), (twice, 0), "{point:?}: {came:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_inside_its_handler_leaves_the_event_to_the_next() {
    let redis = Server::start(&[]);
    let scene = Scene { redis: Some(redis.url()), how: How::DyingAtFirst, crashes: vec![], events: 1 };
    let came = scene.play().await;
    assert!(came.judged.is_exactly_once(), "{came:?}");
    assert_eq!((came.judged.only(), came.deaths.len()), (&[1, 2][..], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_events_and_five_deaths_are_one_effect_each() {
    let redis = Server::start(&[]);
    // The last two are reached by repeats too, however many events the third process has marked.
    let crashes = vec![
        Point::Claimed.nth(3),
        Point::Handled.nth(2),
        Point::Completed.nth(2),
        Point::Opened.nth(5),
        Point::Answered.nth(4),
    ];
    let came = Scene { redis: Some(redis.url()), how: How::ByKey, crashes: crashes.clone(), events: 40 }.play().await;
    assert!(came.judged.is_exactly_once(), "{came:?}");
    assert_eq!(came.judged.calls.len(), 40);
    let armed = came.deaths.iter().map(|death| death.armed.unwrap()).collect::<Vec<_>>();
    assert_eq!(armed, crashes, "every one has died where it was told to");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_receiver_that_answers_before_it_handles_loses_events_and_is_found() {
    for (point, came) in at_every_point(How::Later).await {
        let is_lost = matches!(point, Point::Completed | Point::Answered);
        assert_eq!(came.judged.lost.len(), usize::from(is_lost), "{point:?}: {came:?}");
        assert_eq!(came.judged.is_exactly_once(), !is_lost, "{point:?}: {came:?}");
    }
}
