//! Compressed bodies: where nothing is decompressed, refused by their header, and without one by what they are; elsewhere
//! taken, and a bomb costs nothing.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::process::{MIB, peak, resident};
use super::{body, exchange, listener, listener_with, said_until, statuses, with_head};

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

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn compressed(signed: &[u8], sent: &[u8]) -> Vec<u8> {
    with_head(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", sent.len()), signed, sent)
}

#[test]
fn what_is_signed_is_either_what_is_sent_or_what_comes_out() {
    for (setting, of_sent, of_plain) in [("signed_as_sent", 200, 401), ("signed_plain", 401, 200), ("refuse", 415, 415)]
    {
        let listener = listener_with(&format!("gzip = \"{setting}\""));
        let (one, other) = (body("one"), body("other"));
        let (first, second) = (gzip(one.as_bytes()), gzip(other.as_bytes()));
        assert_eq!(statuses(&exchange(&listener, &compressed(&first, &first))), [of_sent], "{setting}");
        assert_eq!(statuses(&exchange(&listener, &compressed(other.as_bytes(), &second))), [of_plain], "{setting}");
        let mut handled = vec!["transfer.completed|end"];
        handled.extend((of_sent == 200).then_some("transfer.completed|one"));
        handled.extend((of_plain == 200).then_some("transfer.completed|other"));
        handled.reverse();
        assert_eq!(said_until(&listener, "end"), handled, "{setting}: one that is not compressed is taken too");
    }
}

#[test]
fn what_breaks_off_or_goes_on_is_400_and_another_coding_415() {
    for setting in ["signed_as_sent", "signed_plain"] {
        let listener = listener_with(&format!("gzip = \"{setting}\""));
        let event = body("event");
        let whole = gzip(event.as_bytes());
        let doubled = [&whole[..], &whole].concat();
        for sent in [&whole[..whole.len() - 1], &whole[..20], &[], &doubled, event.as_bytes()] {
            let signed = if setting == "signed_plain" { event.as_bytes() } else { sent };
            assert_eq!(statuses(&exchange(&listener, &compressed(signed, sent))), [400], "{setting} {}", sent.len());
        }
        for lines in ["content-encoding: br\r\n", "content-encoding: gzip, gzip\r\n"] {
            let request = with_head(&format!("{lines}content-length: {}\r\n", whole.len()), &whole, &whole);
            assert_eq!(statuses(&exchange(&listener, &request)), [415], "{setting} {lines}");
        }
        assert_eq!(said_until(&listener, "end"), ["transfer.completed|end"], "{setting}");
    }
}

#[test]
fn a_bomb_is_refused_in_flat_memory() {
    let bomb = gzip(&vec![b' '; 8 << 20]);
    // So that the limit counts, and not the ratio.
    let mixed = gzip(&(0..600_000_u32).flat_map(|at| (at / 7).to_string().into_bytes()).collect::<Vec<_>>());
    for setting in ["signed_as_sent", "signed_plain"] {
        let listener = listener_with(&format!("max_body = \"2MiB\"\ngzip = \"{setting}\""));
        let attack = |count| {
            for _ in 0..count {
                assert_eq!(statuses(&exchange(&listener, &compressed(&bomb, &bomb))), [413], "{setting}");
                assert_eq!(statuses(&exchange(&listener, &compressed(&mixed, &mixed))), [413], "{setting}");
            }
        };
        attack(2);
        let before = resident(&listener);
        attack(6);
        let (after, highest) = (resident(&listener), peak(&listener));
        println!(
            "{setting}: {} and {} bytes; RSS before: {before} KiB, after: {after} KiB, highest: {highest} KiB",
            bomb.len(),
            mixed.len()
        );
        assert!(after < before + 24 * MIB, "{before} KiB before, {after} KiB after");
        assert!(highest < before + 64 * MIB, "{before} KiB before, {highest} KiB at most");
        assert_eq!(said_until(&listener, "end"), ["transfer.completed|end"], "{setting}");
    }
}
