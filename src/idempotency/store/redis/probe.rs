//! The start probe: what the server says of itself, and one real claim.

use std::collections::HashMap;
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, timeout};

use super::super::{Claim, DedupeStore as _, Held, StoreError, StoreErrorKind, StoredResponse, Terms, Token};
use super::fault::{Failed, Fault};
use super::report::{Finding, Report, Severity, Topic};
use super::store::RedisStore;
use crate::clock::OsEntropy;
use crate::delivery::{Fingerprint, KeyHash};

/// What is known of a server besides what it says.
pub(super) struct Expected {
    pub(super) cluster: bool,
    pub(super) replicas: Option<u32>,
}

impl RedisStore {
    /// Looks at the server before the first delivery: its version and role, whether it evicts, whether it outlives a
    /// restart and a failover, and whether a claim, its completion and its repeat work.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the server does not answer at all.
    pub async fn probe(&self) -> Result<Report, StoreError> {
        let expected = Expected { cluster: self.client.cluster, replicas: self.client.wait.map(|wait| wait.replicas) };
        let mut findings = Vec::new();
        for (node, info) in self.info().await? {
            let judged = judge(&Info::read(&info), &expected);
            findings.extend(judged.into_iter().map(|(topic, severity, sentence)| Finding {
                topic,
                severity,
                node: node.clone(),
                sentence,
            }));
        }
        let (severity, sentence) = self.try_claim().await;
        findings.push(Finding { topic: Topic::Claim, severity, node: None, sentence });
        Ok(Report::new(findings))
    }

    /// What each master says. A user who may not ask gets an empty text.
    async fn info(&self) -> Result<Vec<(Option<String>, String)>, StoreError> {
        let asking = async {
            let mut in_hand = self.client.lines.take(self.client.attempt).await?;
            let answer = in_hand.line.send(&redis::cmd("INFO")).await;
            in_hand.answered();
            answer.map_err(Failed::from)
        };
        match timeout(self.client.deadline, asking).await {
            Err(_) => Err(StoreErrorKind::Timeout.into()),
            Ok(Ok(Value::Map(nodes))) => Ok(nodes.iter().map(|(node, info)| (Some(text(node)), text(info))).collect()),
            Ok(Ok(info)) => Ok(vec![(None, text(&info))]),
            Ok(Err(Failed { fault: Fault::Final(StoreErrorKind::Misconfigured(_)), .. })) => {
                Ok(vec![(None, String::new())])
            }
            Ok(Err(Failed { fault: Fault::Final(kind), cause })) => Err(StoreError::new(kind).caused_by(cause)),
            Ok(Err(Failed { cause, .. })) => Err(StoreError::new(StoreErrorKind::Unavailable).caused_by(cause)),
        }
    }

    /// A claim on a key that nobody else has, and that is gone soon.
    async fn try_claim(&self) -> (Severity, String) {
        let start = Instant::now();
        match self.claim_complete_repeat().await {
            Ok(true) => (Severity::Fine, format!("a claim and its completion took {:?}", start.elapsed())),
            Ok(false) => (Severity::Refusal, "a claim was answered as no store may".to_owned()),
            Err(error) => (Severity::Refusal, format!("a claim failed: {error:#}")),
        }
    }

    async fn claim_complete_repeat(&self) -> Result<bool, StoreError> {
        let random =
            || Token::new(&OsEntropy).map_err(|error| StoreError::new(StoreErrorKind::Unavailable).caused_by(error));
        let (token, other, half) = (random()?, random()?, random()?);
        let mut bytes = [0; 32];
        for (byte, random) in bytes.iter_mut().zip(half.as_bytes().iter().chain(other.as_bytes())) {
            *byte = *random;
        }
        let (key, print) = (KeyHash::from_bytes(bytes), Fingerprint::of(b"probe"));
        let terms = Terms::new(Duration::from_secs(10));
        let response = StoredResponse::new(http::StatusCode::OK, None, bytes::Bytes::from_static(b"probe"));

        let claimed =
            self.claim(&key, &token, &print, &terms).await? == Claim::Acquired { fence: 1, other_payload: false };
        let held = self.complete(&key, &token, &response, terms.retention).await? == Held::Ok;
        let done = Claim::Done { fence: 1, response };
        Ok(claimed && held && self.claim(&key, &other, &print, &terms).await? == done)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.clone(),
        _ => String::new(),
    }
}

/// The lines of INFO.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn read(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.trim_end().split_once(':')).collect())
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).copied().unwrap_or("?")
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }
}

type Judged = (Topic, Severity, String);

fn judge(info: &Info<'_>, expected: &Expected) -> Vec<Judged> {
    if info.0.is_empty() {
        let sentence = "the server does not let this user ask INFO: nothing could be looked at".to_owned();
        return vec![(Topic::Server, Severity::Warning, sentence)];
    }
    vec![server(info, expected), role(info), eviction(info), log(info), replicas(info, expected)]
}

fn server(info: &Info<'_>, expected: &Expected) -> Judged {
    let version = info.text("redis_version");
    let (name, own) = match info.text("valkey_version") {
        "?" => ("Redis", version),
        own => ("Valkey", own),
    };
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    // Valkey calls it so from version 8 on.
    let mode = match info.text("redis_mode") {
        "?" => info.text("server_mode"),
        mode => mode,
    };
    let (severity, more) = match major {
        _ if mode == "cluster" && !expected.cluster => {
            (Severity::Refusal, ": it belongs to a cluster, so its address must begin with redis-cluster://")
        }
        None | Some(..6) => (Severity::Refusal, ": at least version 6 is needed"),
        Some(6) => (Severity::Warning, ": before version 7 a full server refuses completions too"),
        Some(_) => (Severity::Fine, ""),
    };
    (Topic::Server, severity, format!("{name} {own}, {mode}{more}"))
}

fn role(info: &Info<'_>) -> Judged {
    match info.text("role") {
        "master" => (Topic::Role, Severity::Fine, "it is a master".to_owned()),
        role => (Topic::Role, Severity::Refusal, format!("its role is {role}, which takes no writes")),
    }
}

fn eviction(info: &Info<'_>) -> Judged {
    let policy = info.text("maxmemory_policy");
    let (severity, sentence) = match info.number("maxmemory") {
        _ if policy == "noeviction" => (Severity::Fine, "it evicts nothing: a full server says so".to_owned()),
        Some(0) => (Severity::Fine, "it has no maxmemory, so it evicts nothing".to_owned()),
        _ => (
            Severity::Refusal,
            format!("its maxmemory-policy {policy} forgets live keys in silence when it is full: set noeviction"),
        ),
    };
    (Topic::Eviction, severity, sentence)
}

fn log(info: &Info<'_>) -> Judged {
    let (severity, sentence) = match info.text("aof_enabled") {
        "1" => (Severity::Fine, "it has an append-only file"),
        _ => (Severity::Warning, "it has no append-only file: a restart forgets claims: set appendonly yes"),
    };
    (Topic::Log, severity, sentence.to_owned())
}

fn replicas(info: &Info<'_>, expected: &Expected) -> Judged {
    let connected = info.number("connected_slaves").unwrap_or(0);
    let (severity, sentence) = match expected.replicas {
        Some(wanted) if connected < u64::from(wanted) => {
            (Severity::Refusal, format!("{connected} replicas are connected and {wanted} are waited for"))
        }
        Some(wanted) => (Severity::Fine, format!("{wanted} of {connected} replicas have each write before its answer")),
        None if connected > 0 => {
            let sentence =
                format!("{connected} replicas are connected and none is waited for: a failover forgets claims");
            (Severity::Warning, sentence)
        }
        None => (Severity::Fine, "it has no replica, and so no failover".to_owned()),
    };
    (Topic::Replicas, severity, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:100\r\n\
                        maxmemory_policy:noeviction\r\naof_enabled:1\r\nconnected_slaves:0\r\n";

    fn judged(text: &str, cluster: bool, replicas: Option<u32>) -> Vec<(Topic, Severity)> {
        let found = judge(&Info::read(text), &Expected { cluster, replicas });
        found.into_iter().filter(|judged| judged.1 > Severity::Fine).map(|judged| (judged.0, judged.1)).collect()
    }

    #[test]
    fn a_good_server_is_fine_and_each_change_is_found() {
        assert_eq!(judged(GOOD, false, None), []);
        for (from, to, replicas, topic, severity) in [
            (":7.0.15", ":6.2.1", None, Topic::Server, Severity::Warning),
            (":7.0.15", ":5.0.14", None, Topic::Server, Severity::Refusal),
            (":7.0.15", ":x", None, Topic::Server, Severity::Refusal),
            ("standalone", "cluster", None, Topic::Server, Severity::Refusal),
            ("master", "slave", None, Topic::Role, Severity::Refusal),
            ("noeviction", "volatile-ttl", None, Topic::Eviction, Severity::Refusal),
            ("noeviction", "allkeys-lru", None, Topic::Eviction, Severity::Refusal),
            ("maxmemory_policy", "other", None, Topic::Eviction, Severity::Refusal),
            ("aof_enabled:1", "aof_enabled:0", None, Topic::Log, Severity::Warning),
            ("slaves:0", "slaves:2", None, Topic::Replicas, Severity::Warning),
            ("slaves:0", "slaves:2", Some(3), Topic::Replicas, Severity::Refusal),
        ] {
            let changed = GOOD.replace(from, to);
            assert_ne!(changed, GOOD);
            assert_eq!(judged(&changed, false, replicas), [(topic, severity)], "{from} becomes {to}");
        }
    }

    #[test]
    fn what_depends_on_more_than_one_line_is_seen_together() {
        let unbounded = GOOD.replace("maxmemory:100", "maxmemory:0").replace("noeviction", "volatile-lru");
        assert_eq!(judged(&unbounded, false, None), []);
        assert_eq!(judged(&GOOD.replace("slaves:0", "slaves:2"), false, Some(2)), []);
        assert_eq!(judged(&GOOD.replace("standalone", "cluster"), true, None), []);
        assert_eq!(judged("", false, None), [(Topic::Server, Severity::Warning)]);
        let valkey = format!("{GOOD}valkey_version:8.1.0\r\n").replace(":7.0.15", ":7.2.4");
        let (_, _, sentence) = server(&Info::read(&valkey), &Expected { cluster: false, replicas: None });
        assert_eq!(sentence, "Valkey 8.1.0, standalone");
        let node = valkey.replace("redis_mode:standalone", "server_mode:cluster");
        assert_eq!(judged(&node, false, None), [(Topic::Server, Severity::Refusal)]);
        assert_eq!(judged(&node, true, None), []);
    }
}
