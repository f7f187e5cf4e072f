//! What is logged of a failure: what the server or the connection said, and nothing that was sent.

use std::fmt;

use redis::RedisError;

/// Where a server begins to repeat what it was sent. Of a `HELLO` or an `AUTH` that it does not know, that is the password.
const REPEATED: &str = ", with args beginning with";
/// The most characters of a server's words that are kept.
const MAX: usize = 256;

/// Why a call failed, in words that hold no secret. The client library's own error stays inside: its version is no part
/// of this crate's API.
#[derive(Clone, Debug)]
pub(super) struct Cause(String);

impl Cause {
    pub(super) fn of(error: &RedisError) -> Self {
        let text = error.to_string();
        // The client library's name of it, behind what the library itself says.
        let text = text.trim_end_matches(&format!(" - {:?}", error.kind()));
        let own = text.split(REPEATED).next().unwrap_or_default();
        Self(own.chars().take(MAX).map(|letter| if letter.is_control() { ' ' } else { letter }).collect())
    }

    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_kept_and_what_it_repeats_is_not() {
        let long = format!("ERR {}", "x".repeat(1000));
        for (line, cause) in [
            ("LOADING Redis is loading the dataset", "BusyLoading: Redis is loading the dataset"),
            (
                "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'a' 'canary'",
                "ResponseError: unknown command 'HELLO'",
            ),
            (
                "ERR unknown command `AUTH`, with args beginning with: `canary`, ",
                "ResponseError: unknown command `AUTH`",
            ),
            ("OOM full\x1b[31m", "\"OOM\": full [31m"),
            (&long, &format!("ResponseError: {}", "x".repeat(MAX - 15))),
        ] {
            let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
            let error = value.extract_error().unwrap_err();
            assert_eq!(Cause::of(&error).to_string(), cause);
        }
    }
}
