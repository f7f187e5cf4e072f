//! What a script replies, read without trust: the number of the call it answers, a letter, and what belongs to it.

use std::time::Duration;

use redis::Value;

use super::super::{Claim, Held, LostReason, RecordState};
use super::response;

/// A script's reply, or why it is none.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    Claim(Claim),
    Held(Held),
    /// Whose a name is.
    Whose(Vec<u8>),
    /// The record is not one that a script wrote.
    Corrupt,
    /// This answers another call, or is no script's reply: the connection is out of step.
    Stray,
}

impl Reply {
    /// Reads the reply to call `number`.
    pub(super) fn read(value: &Value, number: u64) -> Self {
        let Value::Array(parts) = value else { return Self::Stray };
        match parts.as_slice() {
            [Value::BulkString(of), rest @ ..] if of.as_slice() == number.to_string().as_bytes() => Self::of(rest),
            _ => Self::Stray,
        }
    }

    fn of(parts: &[Value]) -> Self {
        let Some((Value::BulkString(letter), rest)) = parts.split_first() else { return Self::Stray };
        match (letter.as_slice(), rest) {
            (b"A", [fence]) => natural(fence).map(|fence| acquired(fence, false)),
            (b"O", [fence]) => natural(fence).map(|fence| acquired(fence, true)),
            (b"W", [left]) => {
                natural(left).map(|left| Self::Claim(Claim::InFlight { retry_in: Duration::from_millis(left) }))
            }
            (b"R", [left]) => {
                natural(left).map(|left| Self::Claim(Claim::Resting { retry_in: Duration::from_millis(left) }))
            }
            (b"D", [fence, Value::BulkString(bytes)]) => natural(fence)
                .zip(response::decode(bytes))
                .map(|(fence, response)| Self::Claim(Claim::Done { fence, response })),
            (b"M", [state]) => tag(state).map(|state| Self::Claim(Claim::Mismatch { state })),
            (b"X", [fence]) => natural(fence).map(|attempts| Self::Claim(Claim::Poison { attempts })),
            (b"H", []) => Some(Self::Held(Held::Ok)),
            (b"L", [Value::BulkString(gone)]) if gone == b"G" => Some(Self::Held(Held::Lost(LostReason::Gone))),
            (b"L", [state]) => tag(state).map(|state| Self::Held(Held::Lost(LostReason::Taken(state)))),
            (b"N", [Value::BulkString(record)]) => Some(Self::Whose(record.clone())),
            (b"C", []) => None,
            _ => return Self::Stray,
        }
        .unwrap_or(Self::Corrupt)
    }
}

fn acquired(fence: u64, other_payload: bool) -> Reply {
    Reply::Claim(Claim::Acquired { fence, other_payload })
}

fn natural(value: &Value) -> Option<u64> {
    let Value::Int(number) = value else { return None };
    u64::try_from(*number).ok()
}

fn tag(value: &Value) -> Option<RecordState> {
    let Value::BulkString(letter) = value else { return None };
    match letter.as_slice() {
        b"P" => Some(RecordState::Pending),
        b"D" => Some(RecordState::Done),
        b"X" => Some(RecordState::Poison),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_reply_counts_for_its_own_call_only() {
        let reply = Value::Array(vec![text("7"), text("A"), Value::Int(3)]);
        assert_eq!(Reply::read(&reply, 7), Reply::Claim(Claim::Acquired { fence: 3, other_payload: false }));
        let other = Value::Array(vec![text("7"), text("O"), Value::Int(3)]);
        assert_eq!(Reply::read(&other, 7), Reply::Claim(Claim::Acquired { fence: 3, other_payload: true }));
        for other in [0, 6, 8, 77] {
            assert_eq!(Reply::read(&reply, other), Reply::Stray, "read as {other}");
        }
    }

    #[test]
    fn what_no_script_says_is_stray_or_corrupt() {
        let array = |parts: &[Value]| Value::Array([&[text("7")], parts].concat());
        for (case, value, read) in [
            ("no array", Value::Nil, Reply::Stray),
            ("an empty array", Value::Array(vec![]), Reply::Stray),
            ("nothing but a number", array(&[]), Reply::Stray),
            ("an unknown letter", array(&[text("Z")]), Reply::Stray),
            ("a fence too many", array(&[text("A"), Value::Int(1), Value::Int(2)]), Reply::Stray),
            ("a negative fence", array(&[text("A"), Value::Int(-1)]), Reply::Corrupt),
            ("a fence of another payload as text", array(&[text("O"), text("1")]), Reply::Corrupt),
            ("a fence as text", array(&[text("A"), text("1")]), Reply::Corrupt),
            ("an unknown state", array(&[text("L"), text("Q")]), Reply::Corrupt),
            ("a damaged response", array(&[text("D"), Value::Int(1), text("x")]), Reply::Corrupt),
            ("a record of somebody else", array(&[text("C")]), Reply::Corrupt),
        ] {
            assert_eq!(Reply::read(&value, 7), read, "{case}");
        }
    }
}
