//! One operation, one key, one script: what is sent to the server.
//!
//! The server's own clock decides, so that no receiver's clock matters. A script is called by its hash, and by its text
//! where the server has forgotten it.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::Cmd;
use sha1::{Digest as _, Sha1};

use super::super::{Terms, Token};
use super::record::{Mark, life, millis};
use crate::delivery::KeyHash;

/// From version 7 on, a script that begins so may write to a full server.
const IN_A_FULL_SERVER: &str = "#!lua flags=allow-oom\n";

struct Script {
    text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! script {
    ($name:ident, $($file:literal)+) => {
        static $name: Script = {
            const TEXT: &str = concat!($(include_str!($file)),+);
            Script { text: TEXT, hash: LazyLock::new(|| faster_hex::Hex::new(&Sha1::digest(TEXT)).to_string()) }
        };
    };
}

script!(CLAIM, "script/record.lua" "script/claim.lua");
script!(HOLD, "script/record.lua" "script/hold.lua");
script!(COMPLETE, "script/record.lua" "script/complete.lua");
script!(WHOSE, "script/whose.lua");

/// One of the four operations, or the word about whose a name is, with its arguments.
#[derive(Clone, Copy)]
pub(super) enum Op<'a> {
    Claim { mark: &'a Mark, terms: &'a Terms },
    Renew { lease: Duration },
    Complete { response: &'a [u8], retention: Duration },
    Release { delay: Duration },
    Whose { seen: &'a [u8], record: &'a [u8] },
}

/// An operation on a key by a token, ready to be sent as often as it takes.
pub(super) struct Call<'a> {
    pub(super) key: String,
    pub(super) token: &'a Token,
    pub(super) op: Op<'a>,
    /// Whether replicas are waited for. What is found is then written again, so that there is a write to wait for.
    pub(super) replicated: bool,
}

/// How a script is named to the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    Hash,
    Text,
    /// By a text that may write although the server is full.
    TextWhenFull,
}

impl Call<'_> {
    /// The command. The server's reply begins with `number`.
    pub(super) fn command(&self, by: By, number: u64) -> Cmd {
        let script = self.op.script();
        let mut command = match by {
            By::Hash => redis::cmd("EVALSHA"),
            By::Text | By::TextWhenFull => redis::cmd("EVAL"),
        };
        match by {
            By::Hash => command.arg(script.hash.as_str()),
            By::Text => command.arg(script.text),
            By::TextWhenFull => command.arg([IN_A_FULL_SERVER, script.text].concat()),
        };
        command.arg(1).arg(&self.key).arg(number).arg(self.token.as_bytes());
        command.arg(if self.replicated { "replicated" } else { "" });
        self.op.arguments(&mut command);
        command
    }

    /// Whether the operation finishes what was begun, and so may write although the server is full.
    pub(super) fn finishes(&self) -> bool {
        !matches!(self.op, Op::Claim { .. } | Op::Whose { .. })
    }
}

impl Op<'_> {
    fn script(&self) -> &'static Script {
        match self {
            Self::Claim { .. } => &CLAIM,
            Self::Renew { .. } | Self::Release { .. } => &HOLD,
            Self::Complete { .. } => &COMPLETE,
            Self::Whose { .. } => &WHOSE,
        }
    }

    fn arguments(&self, command: &mut Cmd) {
        match *self {
            Self::Claim { mark, terms } => command
                .arg(mark)
                .arg(millis(terms.lease))
                .arg(life(terms))
                .arg(terms.max_attempts.map_or(0, std::num::NonZeroU32::get)),
            Self::Renew { lease } => command.arg("P").arg(millis(lease)),
            Self::Complete { response, retention } => command.arg(millis(retention).max(1)).arg(response),
            Self::Release { delay } => command.arg("F").arg(millis(delay)),
            Self::Whose { seen, record } => command.arg(seen).arg(record),
        };
    }
}

/// The key's text, with one hash tag, so that it has one slot in a cluster.
pub(super) fn key_text(prefix: &str, key: &KeyHash) -> String {
    let mut text = String::with_capacity(prefix.len().saturating_add(45));
    text.push_str(prefix);
    text.push('{');
    URL_SAFE_NO_PAD.encode_string(key.as_bytes(), &mut text);
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_prefix_and_43_characters_in_a_hash_tag() {
        let text = key_text("whd1:", &KeyHash::from_bytes([0xFB; 32]));
        assert_eq!(text, "whd1:{-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s}");
        assert_ne!(text, key_text("whd1:", &KeyHash::from_bytes([0xFA; 32])));
    }

    #[test]
    fn the_longest_time_is_exact_in_a_double_beside_any_clock() {
        let now = 4_102_444_800_000; // the year 2100
        assert!(millis(Duration::MAX) + now < 1 << 53);
        assert_eq!(millis(Duration::from_millis(1500)), 1500);
    }
}
