//! Peers that dawdle: each loses its connection in time, and nobody else waits for them.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::process::{MIB, resident};
use super::{body, connect, exchange, genuine, listener, said_until, statuses, until_closed, with_head};
use crate::program::child::Listener;

const SLOW: usize = 200;

/// Less than that is not told from a machine that does something else.
const FLOOR: Duration = Duration::from_millis(200);

/// The time that all but one of a hundred genuine deliveries stay within.
fn usual(listener: &Listener, round: &str, between: &mut dyn FnMut(usize)) -> Duration {
    let mut times: Vec<_> = (0..200)
        .map(|at| {
            between(at);
            let start = Instant::now();
            assert_eq!(statuses(&exchange(listener, &genuine(&format!("{round}{at}")))), [200]);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() * 99 / 100 - 1]
}

fn begun(listener: &Listener, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(listener);
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn two_hundred_slow_heads_and_bodies_are_ended_and_delay_nobody() {
    let listener = listener();
    let normal = usual(&listener, "normal", &mut |_| {});
    let memory = resident(&listener);

    let start = Instant::now();
    let event = body("slow");
    let announced = with_head("content-length: 100000\r\n", event.as_bytes(), &event.as_bytes()[..20]);
    let mut bodies: Vec<_> = (0..SLOW).map(|_| begun(&listener, &announced)).collect();
    let mut heads: Vec<_> = (0..SLOW).map(|_| begun(&listener, &announced[..40])).collect();
    // A byte for each now and then, so that none of them is silent.
    let beside = usual(&listener, "beside", &mut |at| {
        if at % 40 == 0 {
            bodies.iter_mut().chain(&mut heads).for_each(|stream| drop(stream.write_all(b"x")));
        }
    });
    println!("p99 {normal:?} alone, {beside:?} beside {} slow ones", 2 * SLOW);
    assert!(beside <= 2 * normal.max(FLOOR), "p99 {normal:?} alone, {beside:?} beside slow ones");

    // Who writes on when it is answered may lose the answer, as the connection is gone.
    let answers: Vec<_> = bodies.iter_mut().map(|stream| statuses(&until_closed(stream))).collect();
    assert!(answers.iter().all(|answer| answer.is_empty() || answer == &[408]), "{answers:?}");
    let heard = answers.iter().filter(|answer| !answer.is_empty()).count();
    assert!(heard > SLOW / 2, "only {heard} hear of it: {answers:?}");
    for stream in &mut heads {
        let answers = statuses(&until_closed(stream));
        assert!(answers.is_empty() || answers == [408], "{answers:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
    said_until(&listener, "end");
    let after = resident(&listener);
    println!("RSS before: {memory} KiB, after: {after} KiB");
    assert!(after < memory + 32 * MIB, "{memory} KiB before, {after} KiB after");
}

#[test]
fn one_that_dawdles_within_its_time_is_handled() {
    let listener = listener();
    let mut stream = connect(&listener);
    for piece in genuine("slow").chunks(40) {
        stream.write_all(piece).unwrap();
        // So that each is a piece of its own, and others go on meanwhile.
        assert_eq!(statuses(&exchange(&listener, b"GET /nowhere HTTP/1.1\r\nconnection: close\r\n\r\n")), [404]);
    }
    assert_eq!(statuses(&until_closed(&mut stream)), [200]);
    assert_eq!(said_until(&listener, "end"), ["transfer.completed|slow", "transfer.completed|end"]);
}
