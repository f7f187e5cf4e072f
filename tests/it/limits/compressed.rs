//! Compressed bodies where nothing is decompressed: refused by their header, and without one by what they are.

use super::{body, exchange, listener, said_until, statuses, with_head};

/// "{}" in gzip.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];

#[test]
fn compressed_bodies_are_refused_with_their_header_and_without() {
    let listener = listener();
    for (lines, status) in [
        ("content-encoding: gzip\r\n", 415),
        ("Content-Encoding: br\r\n", 415),
        ("content-encoding: identity\r\ncontent-encoding: gzip\r\n", 415),
        ("content-encoding: identity, gzip\r\n", 415),
        ("content-encoding: identity\r\n", 400),
        ("", 400),
    ] {
        let request = with_head(&format!("{lines}content-length: {}\r\n", GZIP.len()), GZIP, GZIP);
        assert_eq!(statuses(&exchange(&listener, &request)), [status], "{lines}");
    }
    let event = body("plain");
    let lines = format!("content-encoding: identity\r\ncontent-length: {}\r\n", event.len());
    assert_eq!(statuses(&exchange(&listener, &with_head(&lines, event.as_bytes(), event.as_bytes()))), [200]);
    let handled = ["plain", "end"].map(|id| format!("transfer.completed|{id}"));
    assert_eq!(said_until(&listener, "end"), handled);
}
