//! Heads: how many headers, how long, and what a thousand refused ones leave behind.

use std::time::Duration;

use super::process::{MIB, computed, resident};
use super::{body, exchange, listener, said_until, statuses, with_head};

fn with_headers(id: &str, more: usize, length: usize) -> Vec<u8> {
    let event = body(id);
    let many: String = (0..more).map(|at| format!("x-{at}: {}\r\n", "v".repeat(length))).collect();
    with_head(&format!("content-length: {}\r\n{many}", event.len()), event.as_bytes(), event.as_bytes())
}

#[test]
fn a_hundred_headers_pass_and_one_more_does_not() {
    let listener = listener();
    // Beside the host, the signature and the length.
    for (id, more, status) in [("some", 10, 200), ("hundred", 97, 200), ("more", 98, 431), ("thousands", 5000, 431)] {
        assert_eq!(statuses(&exchange(&listener, &with_headers(id, more, 1))), [status], "{id}");
    }
    let handled = ["some", "hundred", "end"].map(|id| format!("transfer.completed|{id}"));
    assert_eq!(said_until(&listener, "end"), handled);
}

#[test]
fn a_thousand_bad_heads_leave_neither_memory_nor_work_behind() {
    let listener = listener();
    let long = with_headers("long", 50, 20_000);
    let many = with_headers("many", 2000, 10);
    let attack = |count: usize| {
        for _ in 0..count {
            assert_eq!(statuses(&exchange(&listener, &long)), [431]);
            assert_eq!(statuses(&exchange(&listener, &many)), [431]);
        }
    };
    attack(50);
    said_until(&listener, "before");
    let before = resident(&listener);
    attack(450);
    said_until(&listener, "after");
    let after = resident(&listener);
    println!("RSS before: {before} KiB, after: {after} KiB");
    assert!(after < before + 24 * MIB, "{before} KiB before, {after} KiB after");
    // Lines of the last refusals may still come.
    let idle = (0..30).find_map(|_| {
        let before = computed(&listener);
        let said = listener.running().line_within(Duration::from_secs(1));
        said.is_none().then(|| computed(&listener) - before)
    });
    println!("{idle:?} hundredths of a second computed in an idle one");
    assert!(idle.is_some_and(|idle| idle <= 5), "{idle:?} hundredths of a second computed in an idle one");
}
