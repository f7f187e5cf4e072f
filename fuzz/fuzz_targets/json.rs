//! The strict reader beside `serde_json`, and the identity of documents that are written anew.
//!
//! What the reader takes, `serde_json` takes, with equal values, and so it does what nobody reads. A document that is
//! written with its members in another order and with other spaces and escapes has the same identity, and one with
//! another scalar, another name or another order of a list has another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use tower_webhook::json::parse;
use tower_webhook::provider::Identity;

fuzz_target!(|input: &[u8]| {
    let theirs = serde_json::from_slice::<Value>(input);
    if parse::<IgnoredAny>(input).is_ok() {
        serde_json::from_slice::<IgnoredAny>(input).expect("what the reader takes is JSON");
    }
    let Ok(ours) = parse::<Value>(input) else { return };
    let theirs = theirs.expect("what the reader takes is JSON");
    assert!(same(&ours, &theirs), "{ours} {theirs}");
    if has_fraction(&ours) {
        // Written anew, a number may be another text, and then it is another document.
        return;
    }
    let identity = Identity::of_json(input);
    for written in [ours.to_string(), format!("{ours:#}"), escaped(&ours)] {
        assert_eq!(Identity::of_json(written.as_bytes()), identity, "{ours} {written}");
    }
    for change in [scalar, name, order] {
        let mut changed = ours.clone();
        if change(&mut changed) && changed != ours {
            assert_ne!(Identity::of_json(changed.to_string().as_bytes()), identity, "{ours} {changed}");
        }
    }
});

/// Equal, but that `serde_json` may miss the last bit of a number with a fraction.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() && theirs.is_f64() => {
            let [ours, theirs] = [ours, theirs].map(|number| number.as_f64().expect("it is one"));
            (ours - theirs).abs() <= ours.abs() * 4.0 * f64::EPSILON
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_same = |(name, ours)| theirs.get::<String>(name).is_some_and(|theirs| same(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_same)
        }
        _ => ours == theirs,
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// The same document, members from last to first, every character of a text as an escape.
fn escaped(value: &Value) -> String {
    let text =
        |text: &str| format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>());
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => format!("[{}\n]", items.iter().map(escaped).collect::<Vec<_>>().join(" ,\t")),
        Value::Object(members) => {
            let members = members.iter().rev().map(|(name, value)| format!("{} :\r{}", text(name), escaped(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(","))
        }
        _ => value.to_string(),
    }
}

/// Visits values from the outside inwards until one visit says that it was the last.
fn visit(value: &mut Value, see: &mut impl FnMut(&mut Value) -> bool) -> bool {
    see(value)
        || match value {
            Value::Array(items) => items.iter_mut().any(|item| visit(item, see)),
            Value::Object(members) => members.values_mut().any(|value| visit(value, see)),
            _ => false,
        }
}

fn scalar(value: &mut Value) -> bool {
    visit(value, &mut |value| {
        *value = match &*value {
            Value::Array(_) | Value::Object(_) => return false,
            Value::String(text) => Value::from(format!("{text}x")),
            other => Value::from(other.to_string()),
        };
        true
    })
}

fn name(value: &mut Value) -> bool {
    visit(value, &mut |value| match value.as_object_mut() {
        Some(members) => match members.keys().next().cloned() {
            Some(name) => {
                let value = members.remove(&name).unwrap_or_default();
                members.insert(format!("{name}/"), value).is_none()
            }
            None => false,
        },
        None => false,
    })
}

fn order(value: &mut Value) -> bool {
    visit(value, &mut |value| match value.as_array_mut() {
        Some(items) if items.len() > 1 => {
            items.rotate_left(1);
            true
        }
        _ => false,
    })
}
