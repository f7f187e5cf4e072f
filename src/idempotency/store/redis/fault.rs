//! What an error of the server or of the connection means for the call.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::super::StoreErrorKind;
use super::cause::Cause;

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The server does not know the script: send its text.
    NoScript,
    /// The call was not run, and will not be now: the caller gets it.
    Final(StoreErrorKind),
    /// The server cannot answer now: again, on the same connection.
    Away,
    /// The connection is of no more use, or leads to the wrong server: again, on a new one.
    Broken,
}

/// A call that failed: what that means, and what was said.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) fault: Fault,
    pub(super) cause: Cause,
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self { fault: Fault::of(&error), cause: Cause::of(&error) }
    }
}

const DENIED: StoreErrorKind =
    StoreErrorKind::Misconfigured("the server refuses the user, the password or the user's rights");
const UNKNOWN: StoreErrorKind =
    StoreErrorKind::Misconfigured("the server does not know a command that the scripts need");

impl Fault {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::NoScript,
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::Broken,
            ErrorKind::Server(ServerErrorKind::NoPerm) | ErrorKind::AuthenticationFailed => Self::Final(DENIED),
            ErrorKind::Server(ServerErrorKind::ResponseError) => Self::of_general(error.detail().unwrap_or_default()),
            ErrorKind::Server(_) => Self::Away,
            ErrorKind::Extension => Self::of_code(error.code().unwrap_or_default()),
            _ => Self::Broken,
        }
    }

    /// Codes that the client library has no name for. Among them are BUSY, NOREPLICAS and MISCONF.
    fn of_code(code: &str) -> Self {
        match code {
            "OOM" => Self::Final(StoreErrorKind::Full),
            "WRONGTYPE" => Self::Final(StoreErrorKind::Corrupt),
            "NOAUTH" | "WRONGPASS" => Self::Final(DENIED),
            _ => Self::Away,
        }
    }

    /// Before version 7 an error inside of a script is told in the text of a general one.
    fn of_general(text: &str) -> Self {
        if text.contains("OOM command not allowed") {
            Self::Final(StoreErrorKind::Full)
        } else if text.contains("WRONGTYPE") {
            Self::Final(StoreErrorKind::Corrupt)
        } else if text.contains("READONLY") {
            Self::Broken
        } else if text.contains("nknown command") || text.contains("nknown Redis command") {
            Self::Final(UNKNOWN)
        } else {
            Self::Away
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the client library reads it from the wire.
    fn told(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    #[test]
    fn every_error_of_a_server_has_its_meaning() {
        let full = Fault::Final(StoreErrorKind::Full);
        let corrupt = Fault::Final(StoreErrorKind::Corrupt);
        for (line, fault) in [
            ("NOSCRIPT No matching script.", Fault::NoScript),
            ("OOM command not allowed when used memory > 'maxmemory'.", full),
            ("ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed", full),
            ("READONLY You can't write against a read only replica.", Fault::Broken),
            ("ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write", Fault::Broken),
            ("LOADING Redis is loading the dataset in memory", Fault::Away),
            ("MASTERDOWN Link with MASTER is down", Fault::Away),
            ("NOREPLICAS Not enough good replicas to write.", Fault::Away),
            ("CLUSTERDOWN Hash slot not served", Fault::Away),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Fault::Away),
            ("MOVED 1 127.0.0.1:1", Fault::Away),
            ("BUSY Redis is busy running a script.", Fault::Away),
            ("MISCONF Redis is configured to save RDB snapshots", Fault::Away),
            ("ERR max number of clients reached", Fault::Away),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", corrupt),
            ("NOAUTH Authentication required.", Fault::Final(DENIED)),
            ("WRONGPASS invalid username-password pair", Fault::Final(DENIED)),
            ("NOPERM this user has no permissions to run the 'evalsha' command", Fault::Final(DENIED)),
            ("ERR unknown command 'EVALSHA', with args beginning with:", Fault::Final(UNKNOWN)),
        ] {
            assert_eq!(Fault::of(&told(line)), fault, "{line}");
        }
    }

    #[test]
    fn a_broken_connection_is_replaced() {
        for kind in [std::io::ErrorKind::BrokenPipe, std::io::ErrorKind::ConnectionReset] {
            assert_eq!(Fault::of(&RedisError::from(std::io::Error::from(kind))), Fault::Broken, "{kind}");
        }
    }
}
