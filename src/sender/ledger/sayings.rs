//! What a handler may be called with: the JSON that was sent, or a part of it that names the event, however it is written.

use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

/// The objects and lists in which this name stands, from the innermost to the whole, each as a number. None of what is no JSON.
pub(super) fn sayings(json: &[u8], name: &str) -> Vec<u64> {
    let mut naming = Vec::new();
    if let Ok(value) = serde_json::from_slice(json) {
        let _ = walk(&value, name, &mut naming);
    }
    naming
}

/// All of it, as the same number. `None`: it is no JSON.
pub(super) fn said(json: &[u8]) -> Option<u64> {
    serde_json::from_slice(json).ok().map(|value| walk(&value, "", &mut Vec::new()).0)
}

/// The number of a value, and whether the name stands in it. Members have no order, and a number is what it counts: other
/// languages write it as they like. Nobody parses deeper than `serde_json` does.
fn walk(value: &Value, name: &str, naming: &mut Vec<u64>) -> (u64, bool) {
    let mut hash = Xxh3::new();
    let mut is_named = false;
    match value {
        Value::Null => hash.update(b"0"),
        Value::Bool(is) => hash.update(if *is { b"t" } else { b"f" }),
        Value::Number(number) => {
            hash.update(b"n");
            hash.update(&number.as_f64().unwrap_or_default().to_le_bytes());
        }
        Value::String(text) => {
            hash.update(b"s");
            hash.update(text.as_bytes());
            is_named = text.contains(name);
        }
        Value::Array(items) => {
            hash.update(b"l");
            for item in items {
                let (item, is_in) = walk(item, name, naming);
                hash.update(&item.to_le_bytes());
                is_named |= is_in;
            }
        }
        Value::Object(members) => {
            hash.update(b"o");
            for (member, value) in members {
                let (value, is_in) = walk(value, name, naming);
                hash.update(&(member.len() as u64).to_le_bytes());
                hash.update(member.as_bytes());
                hash.update(&value.to_le_bytes());
                is_named |= is_in;
            }
        }
    }
    let hash = hash.digest();
    if is_named && (value.is_object() || value.is_array()) {
        naming.push(hash);
    }
    (hash, is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[u8] =
        br#"{"events":[{"id":"m-1","amount":2500.00,"n":[1,"m-1x"]},{"id":"m-2","paid":true}],"day":null}"#;

    #[test]
    fn the_whole_and_its_parts_with_the_name_are_said_however_they_are_written() {
        let may = sayings(SENT, "m-1");
        for same in [SENT, br#"{ "n": [1.0, "m-1x"], "amount": 2.5e3, "id": "\u006d-1" }"#, br#"[1,"m-1x"]"#] {
            assert!(may.contains(&said(same).unwrap()), "{}", String::from_utf8_lossy(same));
        }
    }

    #[test]
    fn what_differs_in_a_scalar_a_member_or_an_order_of_items_is_not_said() {
        let may = sayings(SENT, "m-1");
        for other in [
            r#"{"id":"m-1","amount":2500.01,"n":[1,"m-1x"]}"#,
            r#"{"id":"m-1","amount":"2500.00","n":[1,"m-1x"]}"#,
            r#"{"id":"m-1","n":[1,"m-1x"]}"#,
            r#"{"id":"m-1","amount":2500.00,"n":[1,"m-1x"],"more":0}"#,
            r#"{"id":"m-1","amounts":2500.00,"n":[1,"m-1x"]}"#,
            r#"{"id":"m-1","amount":2500.00,"n":["m-1x",1]}"#,
            r#"{"id":"m-2","paid":true}"#,
            r#"{"id":"m-1"}"#,
            r#""m-1""#,
            "{}",
            "null",
        ] {
            assert!(!may.contains(&said(other.as_bytes()).unwrap()), "{other}");
        }
        assert_eq!((said(b"m-1"), said(b""), sayings(b"m-1", "m-1")), (None, None, vec![]));
    }
}
