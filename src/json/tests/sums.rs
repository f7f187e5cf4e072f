//! The sum of a document against its definition, for texts of every length that matters.

use xxhash_rust::xxh3::xxh3_128;

use super::super::Identity;

/// After the definition, over bytes that are put together one by one.
fn defined(name: &str, value: &str) -> u128 {
    let object = xxh3_128(&[&[0; 16][..], &[0x10]].concat());
    let length = (name.len() as u64).to_le_bytes();
    let place = [&object.to_le_bytes()[..], &[0x01], &length, name.as_bytes()].concat();
    object.wrapping_add(xxh3_128(&[&place[..], &[0x12], value.as_bytes()].concat()))
}

#[test]
fn a_sum_is_as_defined_whatever_the_lengths() {
    let long = "abcdefghijklmnopqrstuvwxyz".repeat(30);
    for name in [0, 1, 31, 32, 33, 199, 200, 229, 230, 231, 232, 255, 256, 257, 600].map(|length| &long[..length]) {
        for length in (0..=40).chain(160..=260).chain([700]) {
            let value = &long[..length];
            for behind in ["", "                                "] {
                let text = format!(r#"{{"{name}":"{value}"}}{behind}"#);
                let summed = Identity::of_json(text.as_bytes());
                assert_eq!(summed, Identity::of_sum(defined(name, value)), "{text}");
                let escaped = format!(r#"{{"{name}":"{value}\n\u00e9{value}"}}{behind}"#);
                let summed = Identity::of_json(escaped.as_bytes());
                let value = format!("{value}\n\u{e9}{value}");
                assert_eq!(summed, Identity::of_sum(defined(name, &value)), "{escaped}");
            }
        }
    }
}

#[test]
fn what_comes_behind_a_long_text_stands_alone() {
    let long = "x".repeat(500);
    let both = |first: &str, second: &str| Identity::of_json(format!("{{{first},{second}}}").as_bytes());
    let (one, other) = (format!(r#""{long}":"{long}""#), r#""a":"b""#);
    assert_eq!(both(&one, other), both(other, &one));
    assert_ne!(both(&one, other), both(&one, r#""a":"c""#));
    let object = xxh3_128(&[&[0; 16][..], &[0x10]].concat());
    let sum = defined(&long, &long).wrapping_add(defined("a", "b")).wrapping_sub(object);
    assert_eq!(both(&one, other), Identity::of_sum(sum));
}
