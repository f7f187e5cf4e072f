//! The first word of a claim: most keys are new, and most of the others are done.
//!
//! `SET key record NX PX` and `GET key` go out together, which costs a third of a script. What they bring proves itself,
//! so that no reply to another call is taken for this one's: a new record holds this claim's own token, and a done one
//! the mark of this key and this event. Whatever else comes is a script's to judge.
//!
//! Where replicas are waited for, that goes out with them: behind a write of this claim's own, by which a done record that
//! another wrote is waited for too.

use redis::{Pipeline, Value};

use super::super::{Claim, Terms, Token};
use super::fault::{Failed, Fault};
use super::record::{Mark, life, millis};
use super::reply::Reply;
use super::response;

/// A claim's record as it is when nobody had one, and how long it lives, in milliseconds.
pub(super) struct New {
    record: Vec<u8>,
    pub(super) life: u64,
}

impl New {
    /// As `record.lua` describes it.
    pub(super) fn of(token: &Token, mark: &Mark, terms: &Terms) -> Self {
        let life = life(terms);
        let rest = format!("1;{:x}", life.saturating_sub(millis(terms.lease)));
        Self { record: [b"P", &token.as_bytes()[..], mark, rest.as_bytes()].concat(), life }
    }

    pub(super) fn ask(&self, key: &str) -> Pipeline {
        let mut both = Pipeline::with_capacity(2);
        both.cmd("SET").arg(key).arg(&self.record).arg("NX").arg("PX").arg(self.life);
        both.cmd("GET").arg(key);
        both
    }

    /// What the two replies say, or `None` where a script must say it.
    pub(super) fn read(&self, mark: &Mark, set: Value, got: Value) -> Result<Option<Reply>, Failed> {
        let set = set.extract_error().map_err(Failed::from);
        let got = got.extract_error()?;
        match (set, got) {
            (Err(failed), _) if failed.fault == Fault::Broken => Err(failed),
            (Ok(Value::Okay), Value::BulkString(record)) if record == self.record => {
                Ok(Some(Reply::Claim(Claim::Acquired { fence: 1, other_payload: false })))
            }
            (_, Value::BulkString(record)) => Ok(done(&record, mark).map(Reply::Claim)),
            (Err(failed), _) => Err(failed),
            _ => Ok(None),
        }
    }
}

/// What a record of this mark says, where it is done.
fn done(record: &[u8], mark: &Mark) -> Option<Claim> {
    let ([b'D', ..], rest) = record.split_first_chunk::<17>()? else { return None };
    let rest = rest.strip_prefix(mark)?;
    let end = rest.iter().position(|byte| *byte == b';')?;
    let (fence, bytes) = (rest.get(..end)?, rest.get(end.checked_add(1)?..)?);
    let fence = u64::from_str_radix(std::str::from_utf8(fence).ok()?, 16).ok()?;
    Some(Claim::Done { fence, response: response::decode(bytes)? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::StatusCode;

    use super::*;
    use crate::idempotency::store::{StoreErrorKind, StoredResponse};

    const TOKEN: Token = Token::from_bytes([b't'; 16]);
    const MARK: &Mark = &[b'm'; 16];

    fn new(retention: u64, lease: u64) -> New {
        let terms = Terms::new(Duration::from_millis(retention)).lease(Duration::from_millis(lease));
        New::of(&TOKEN, MARK, &terms)
    }

    fn text(bytes: &[u8]) -> Value {
        Value::BulkString(bytes.to_vec())
    }

    fn judged(read: Result<Option<Reply>, Failed>) -> Result<Option<Reply>, Fault> {
        read.map_err(|failed| failed.fault)
    }

    fn error(line: &str) -> Value {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn a_new_record_lives_for_the_retention_or_the_lease() {
        for (retention, lease, rest, life) in [
            (3_024_000_000, 30_000, "1;b43e1ed0", 3_024_000_000),
            (100, 100, "1;0", 100),
            (50, 100, "1;0", 100),
            (100, 0, "1;64", 100),
            (0, 0, "1;1", 1),
        ] {
            let new = new(retention, lease);
            let record = format!("Pttttttttttttttttmmmmmmmmmmmmmmmm{rest}");
            assert_eq!((new.record, new.life), (record.into_bytes(), life), "{retention} {lease}");
        }
        assert!(new(75 * 24 * 3_600_000, 0).record.len() <= 44, "which the server keeps in one piece with its head");
    }

    #[test]
    fn two_replies_are_believed_only_where_they_prove_themselves() {
        let new = new(100, 50);
        let response = StoredResponse::new(StatusCode::CREATED, None, Bytes::from_static(b";"));
        let done = [b"D", &[b'o'; 16][..], MARK, b"1f;", &response::encode(&response)].concat();
        let one_off = |at: usize| {
            move |mut record: Vec<u8>| {
                record[at] ^= 1;
                record
            }
        };
        let other_done = one_off(17)(done.clone());
        let other_token = one_off(1)(new.record.clone());
        let acquired = Ok(Some(Reply::Claim(Claim::Acquired { fence: 1, other_payload: false })));
        let is_done = || Ok(Some(Reply::Claim(Claim::Done { fence: 31, response: response.clone() })));
        let (full, away) = (error("OOM full"), error("NOREPLICAS few"));
        let (okay, nil) = (Value::Okay, Value::Nil);
        for (case, set, got, read) in [
            ("a new record", &okay, text(&new.record), acquired),
            ("an own one of before", &nil, text(&new.record), Ok(None)),
            ("another's, held", &nil, text(&other_token), Ok(None)),
            ("another's, although it was set", &okay, text(&other_token), Ok(None)),
            ("none, although it was set", &okay, nil.clone(), Ok(None)),
            ("done", &nil, text(&done), is_done()),
            ("done by another mark", &nil, text(&other_done), Ok(None)),
            ("done and cut short", &nil, text(&done[..38]), Ok(None)),
            ("done without a fence", &nil, text(&done[..33]), Ok(None)),
            ("done, in a full server", &full, text(&done), is_done()),
            ("held, in a full server", &full, text(&other_token), Ok(None)),
            ("none, in a full server", &full, nil.clone(), Err(Fault::Final(StoreErrorKind::Full))),
            ("done, with too few replicas", &away, text(&done), is_done()),
            ("none, with too few replicas", &away, nil.clone(), Err(Fault::Away)),
            ("done, by a replica", &error("READONLY replica"), text(&done), Err(Fault::Broken)),
            ("an error", &nil, error("LOADING it"), Err(Fault::Away)),
        ] {
            assert_eq!(judged(new.read(MARK, set.clone(), got)), read, "{case}");
        }
    }
}
