//! Waiting for replicas. The word goes out behind what it waits for, and so costs no round trip.

use std::time::Duration;

use redis::{Pipeline, Value};

use super::super::StoreErrorKind;
use super::cause::Cause;
use super::fault::{Failed, Fault};

/// How many replicas must have a write, and how long they are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) time: Duration,
}

impl Wait {
    pub(super) fn is_possible(self, attempt: Duration) -> bool {
        self.replicas > 0 && (Duration::from_millis(1)..attempt).contains(&self.time)
    }

    /// Waits for all that the commands before it wrote.
    pub(super) fn ask(self, commands: &mut Pipeline) {
        let time = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX);
        commands.cmd("WAIT").arg(self.replicas).arg(time);
    }

    pub(super) fn read(self, reply: Value) -> Result<(), Failed> {
        match reply.extract_error()? {
            Value::Int(acknowledged) if acknowledged >= i64::from(self.replicas) => Ok(()),
            Value::Int(_) => Err(Failed {
                fault: Fault::Final(StoreErrorKind::Unavailable),
                cause: Cause::new("fewer replicas than are waited for have what was written"),
            }),
            _ => Err(Failed { fault: Fault::Broken, cause: Cause::new("the server answered WAIT with no number") }),
        }
    }
}

/// A write, so that what was found before it is waited for too: replicas read in the server's order. What is written is
/// nothing, and lives as long as a claim.
pub(super) fn mark_time(commands: &mut Pipeline, prefix: &str, life: u64) {
    commands.cmd("SET").arg(format!("{prefix}wait")).arg("").arg("PX").arg(life);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_replicas_are_enough() {
        let wait = Wait { replicas: 2, time: Duration::from_millis(5) };
        let error = |line: &str| redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        for (reply, read) in [
            (Value::Int(3), Ok(())),
            (Value::Int(2), Ok(())),
            (Value::Int(1), Err(Fault::Final(StoreErrorKind::Unavailable))),
            (Value::Int(-1), Err(Fault::Final(StoreErrorKind::Unavailable))),
            (Value::Nil, Err(Fault::Broken)),
            (Value::Okay, Err(Fault::Broken)),
            (error("READONLY replica"), Err(Fault::Broken)),
            (error("LOADING it"), Err(Fault::Away)),
        ] {
            assert_eq!(wait.read(reply.clone()).map_err(|failed| failed.fault), read, "{reply:?}");
        }
    }
}
