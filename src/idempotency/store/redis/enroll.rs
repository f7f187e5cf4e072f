//! Whose the names on this server are, so that two receivers that never heard of each other do not share one.

use std::fmt;

use super::super::{StoreError, StoreErrorKind, Token};
use super::reply::Reply;
use super::script::{self, Call, Op};
use super::store::RedisStore;
use crate::delivery::Namespace;
use crate::idempotency::identity::{Known, NameTaken, ReceiverIdentity};
use crate::provider::EventKey;

/// How often others may come in between. Each time another receiver of the name has started, so a fleet of this size may
/// start at once.
const MAX_ROUNDS: u32 = 64;
/// What no record is, so that nothing is written where it is seen.
const NEVER: &[u8] = b"?";
/// Whose a name is has no token, since it is nobody's alone.
const NOBODY: Token = Token::from_bytes([0; 16]);

impl RedisStore {
    /// Registers a receiver under its name, or reports that the name is another's. For the start, after [`probe`](Self::probe).
    ///
    /// For each tenant and name the server remembers the provider and a [check value](crate::secret::KeyCheck) of each key,
    /// the newest 16; of Basic credentials a check value of the user name alone. Replicas share all of that, and a receiver
    /// whose keys are being replaced shares one. One that shares none got the name by chance: the two would claim each
    /// other's events. What is remembered never expires. It stands under the prefix, `whose:` and a hash of tenant and
    /// name; whoever deletes it makes the name nobody's.
    ///
    /// # Errors
    ///
    /// [`EnrollError::Taken`] when the name is another's, [`EnrollError::Store`] when the server does not answer.
    ///
    /// # Security
    ///
    /// It keeps honest receivers apart. Whoever may write to the server may write this too.
    pub async fn enroll(&self, receiver: &ReceiverIdentity) -> Result<(), EnrollError> {
        let key = self.name_key(receiver);
        let nothing = Known::nothing_of(receiver.provider());
        let (mut seen, mut record) = (Vec::new(), encode(&receiver.known.before(nothing)));
        for _ in 0..MAX_ROUNDS {
            let found = self.whose(&key, &seen, &record).await?;
            if found == record {
                return Ok(());
            }
            let known = decode(&found).ok_or(StoreError::new(StoreErrorKind::Corrupt))?;
            receiver.may_use(&known)?;
            record = encode(&receiver.known.before(known));
            if found == record {
                return Ok(());
            }
            seen = found;
        }
        Err(EnrollError::Store(StoreErrorKind::Unavailable.into()))
    }

    /// The same question, and nothing is written: for a program of several receivers, which is to start with all of them or
    /// not at all.
    ///
    /// # Errors
    ///
    /// As [`enroll`](Self::enroll).
    pub async fn may_enroll(&self, receiver: &ReceiverIdentity) -> Result<(), EnrollError> {
        let found = self.whose(&self.name_key(receiver), NEVER, NEVER).await?;
        if found.is_empty() {
            return Ok(());
        }
        Ok(receiver.may_use(&decode(&found).ok_or(StoreError::new(StoreErrorKind::Corrupt))?)?)
    }

    fn name_key(&self, receiver: &ReceiverIdentity) -> String {
        let whose = Namespace::new(receiver.tenant(), "", receiver.receiver()).key(&EventKey::of(&[]));
        script::key_text(&format!("{}whose:", self.client.prefix), &whose)
    }

    async fn whose(&self, key: &str, seen: &[u8], record: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (op, replicated) = (Op::Whose { seen, record }, self.client.wait.is_some());
        match self.client.answer(&Call { key: key.to_owned(), token: &NOBODY, op, replicated }).await? {
            Reply::Whose(record) => Ok(record),
            _ => Err(StoreErrorKind::Corrupt.into()),
        }
    }
}

/// A version, the check values, and the provider: `1 k0a1b2c,u3d4e5f aella`.
fn encode(known: &Known) -> Vec<u8> {
    let text = |kind: char| move |check: &[u8; 3]| format!("{kind}{}", faster_hex::Hex::new(check));
    let checks: Vec<_> = known.keys.iter().map(text('k')).chain(known.users.iter().map(text('u'))).collect();
    format!("1 {} {}", checks.join(","), known.provider).into_bytes()
}

/// `None` for anything that [`encode`] does not write.
fn decode(record: &[u8]) -> Option<Known> {
    let (checks, provider) = std::str::from_utf8(record).ok()?.strip_prefix("1 ")?.split_once(' ')?;
    let mut known = Known::nothing_of(provider);
    for check in checks.split(',').filter(|check| !check.is_empty()) {
        let (kind, digits) = check.split_at_checked(1)?;
        let of_kind = match kind {
            "k" => &mut known.keys,
            "u" => &mut known.users,
            _ => return None,
        };
        of_kind.push(faster_hex::hex_decode_array(digits.as_bytes()).ok()?);
    }
    Some(known)
}

/// Why a receiver may not use its name. `{:#}` prints the causes too, as that of [`StoreError`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EnrollError {
    /// It is another's.
    Taken(NameTaken),
    /// Whose it is could not be read.
    Store(StoreError),
}

impl From<NameTaken> for EnrollError {
    fn from(taken: NameTaken) -> Self {
        Self::Taken(taken)
    }
}

impl From<StoreError> for EnrollError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for EnrollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(taken) => taken.fmt(f),
            Self::Store(error) => {
                f.write_str("it is not known whose the name is: ")?;
                error.fmt(f)
            }
        }
    }
}

impl std::error::Error for EnrollError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Taken(_) => None,
            Self::Store(error) => error.source(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(keys: &[u8], users: &[u8], provider: &str) -> Known {
        let checks = |of: &[u8]| of.iter().map(|byte| [*byte; 3]).collect();
        Known { provider: provider.to_owned(), keys: checks(keys), users: checks(users) }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(encode(&known(&[1, 0xAB], &[2], "aella")), b"1 k010101,kababab,u020202 aella");
        for case in [
            known(&[], &[], ""),
            known(&[], &[9], "custom"),
            known(&[1, 2, 3], &[4, 5], "a provider, of k010203 \u{e9}"),
        ] {
            assert_eq!(decode(&encode(&case)), Some(case));
        }
    }

    #[test]
    fn what_nobody_wrote_is_not_read() {
        for record in
            ["", "1", "1 ", "2 k010101 aella", "1 k01010 aella", "1 x010101 aella", "1 k01010g aella", "1 \u{e9} a"]
        {
            assert_eq!(decode(record.as_bytes()), None, "{record}");
        }
        assert_eq!(decode(b"1 k010101 \xFF"), None);
    }
}
