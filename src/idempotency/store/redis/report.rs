//! What the start probe found, for operators.

use std::fmt;

/// What a server may promise, as [`RedisStore::probe`](super::RedisStore::probe) found it. Prints as a line a finding.
#[derive(Clone, Debug)]
pub struct Report {
    findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub topic: Topic,
    /// How bad it is.
    pub severity: Severity,
    /// The server it is about, in a cluster.
    pub node: Option<String>,
    /// What was found, as a sentence.
    pub sentence: String,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Topic {
    /// Which server it is, its version, and whether it is addressed as what it is.
    Server,
    /// Master or replica.
    Role,
    /// Whether live keys may be evicted.
    Eviction,
    /// Whether a restart is survived.
    Log,
    /// Whether a failover is survived.
    Replicas,
    /// A claim, its completion and its repeat, on a key of their own.
    Claim,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Acknowledged claims may be lost, in a way that the finding names.
    Warning,
    /// The store cannot keep its promises here.
    Refusal,
}

/// A report that was not good enough to start with.
#[derive(Clone, Debug)]
pub struct Unfit(Report);

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    /// All findings, good ones too.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst of all findings.
    #[must_use]
    pub fn worst(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Fine)
    }

    /// The report again, for a start that takes warnings.
    ///
    /// # Errors
    ///
    /// [`Unfit`] with a [`Severity::Refusal`].
    pub fn lenient(self) -> Result<Self, Unfit> {
        if self.worst() >= Severity::Refusal { Err(Unfit(self)) } else { Ok(self) }
    }

    /// The report again, for a start that takes nothing but the best.
    ///
    /// # Errors
    ///
    /// [`Unfit`] with a [`Severity::Warning`] or worse.
    pub fn strict(self) -> Result<Self, Unfit> {
        if self.worst() >= Severity::Warning { Err(Unfit(self)) } else { Ok(self) }
    }
}

impl Unfit {
    /// The report.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.0
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Refusal => "refusal",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{:8} {node}: {}", self.severity, self.sentence),
            None => write!(f, "{:8} {}", self.severity, self.sentence),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.findings.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Redis server is not fit to hold claims:\n{}", self.0)
    }
}

impl std::error::Error for Unfit {}
