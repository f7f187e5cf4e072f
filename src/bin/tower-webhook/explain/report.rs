//! What is said in the end: steps, events, a verdict, and what would make it another.

use std::fmt::Write as _;

use serde::Serialize;
use tower_webhook::clock::Timestamp;
use tower_webhook::event::Project as _;
use tower_webhook::provider::AnyEvent;

use super::words::tidy;
use crate::{lines, plain};

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Failed,
    /// Worth knowing, and nothing that decides.
    Note,
    /// Cannot be told from here.
    Unknown,
    /// Nothing to look at, since an earlier check failed.
    NotReached,
}

/// What one check saw.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) step: String,
    pub(super) state: State,
    pub(super) saw: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Step {
    pub(super) fn new(step: impl Into<String>, state: State, saw: impl Into<String>) -> Self {
        Self { step: step.into(), state, saw: saw.into(), cause: None, fix: None }
    }

    pub(super) fn ok(step: impl Into<String>, saw: impl Into<String>) -> Self {
        Self::new(step, State::Ok, saw)
    }

    pub(super) fn failed(step: impl Into<String>, saw: impl Into<String>, why: Why) -> Self {
        Self { cause: Some(why.cause), fix: Some(why.fix), ..Self::new(step, State::Failed, saw) }
    }
}

/// What went wrong, and what would be right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Why {
    pub(super) cause: String,
    pub(super) fix: String,
}

impl Why {
    pub(super) fn new(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { cause: cause.into(), fix: fix.into() }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self::new(format!("{}; and {}", self.cause, other.cause), format!("{}; and {}", self.fix, other.fix))
    }
}

/// An event as far as it may be told.
#[derive(Serialize)]
pub(super) struct Told {
    pub(super) key: String,
    pub(super) event: String,
    pub(super) kind: String,
}

impl Told {
    pub(super) fn new(key: &str, event: &AnyEvent) -> Self {
        // The name that the event's kind has in JSON.
        let json = serde_json::to_value(event.project()).unwrap_or_default();
        let kind = json.get("kind").and_then(|kind| kind.as_str()).unwrap_or("unknown");
        Self { key: key.to_owned(), event: event.name().to_owned(), kind: kind.to_owned() }
    }

    pub(super) fn line(&self) -> String {
        format!("{} (key {}, kind {})", tidy(&self.event), tidy(&self.key), self.kind)
    }
}

#[derive(Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(super) enum Verdict {
    Accepted,
    Refused { status: u16, kind: String, detail: String, likely_cause: String, to_fix: String },
}

#[derive(Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    pub(super) endpoint: String,
    pub(super) provider: Option<String>,
    pub(super) at: String,
    pub(super) steps: Vec<Step>,
    /// How many variations were tried for want of one that fits.
    pub(super) tried: usize,
    pub(super) events: Vec<Told>,
}

impl Report {
    pub(super) fn no_endpoint(path: &str, known: &str, at: Timestamp) -> Self {
        let path = tidy(path);
        let why = Why::new(
            format!("no endpoint has the path {path:?}"),
            format!("send it to one of {known}, or say which is meant: --endpoint {known}"),
        );
        let verdict = Verdict::Refused {
            status: 404,
            kind: "no_endpoint".to_owned(),
            detail: "no endpoint has this path".to_owned(),
            likely_cause: why.cause.clone(),
            to_fix: why.fix.clone(),
        };
        let steps = vec![Step::failed("endpoint", path.clone(), why)];
        Self { verdict, endpoint: path, provider: None, at: at.to_string(), steps, tried: 0, events: Vec::new() }
    }

    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted)
    }

    pub(super) fn json(&self) -> String {
        lines::text(self).unwrap_or_else(|_| "{}\n".to_owned())
    }

    pub(super) fn text(&self, colours: bool) -> String {
        let mut out = String::new();
        let paint = Paint(colours);
        let longest = self.steps.iter().map(|step| step.step.len()).max().unwrap_or(0);
        for step in &self.steps {
            let (name, state) = (&step.step, paint.state(step.state));
            let _ = writeln!(out, "{name:longest$}  {state}  {}", plain::shown(&step.saw));
            for (word, text) in [("cause", &step.cause), ("fix", &step.fix)] {
                if let Some(text) = text {
                    let _ = writeln!(out, "{:longest$}  {word}: {}", "", plain::shown(text));
                }
            }
        }
        for event in &self.events {
            let _ = writeln!(out, "event: {}", event.line());
        }
        out.push('\n');
        let _ = match &self.verdict {
            Verdict::Accepted => {
                let count = self.events.len();
                let s = if count == 1 { "" } else { "s" };
                writeln!(out, "{}", paint.green(&format!("accepted: {count} event{s}")))
            }
            Verdict::Refused { status, kind, likely_cause, to_fix, .. } => {
                let verdict = paint.red(&format!("refused: {status} {kind}"));
                let (cause, fix) = (plain::shown(likely_cause), plain::shown(to_fix));
                writeln!(out, "{verdict}\nlikely cause: {cause}\nto fix: {fix}")
            }
        };
        out
    }
}

/// Colours, where somebody looks.
struct Paint(bool);

impl Paint {
    fn state(&self, state: State) -> String {
        match state {
            State::Ok => self.green("ok     "),
            State::Failed => self.red("FAILED "),
            State::Note => "note   ".to_owned(),
            State::Unknown => "unknown".to_owned(),
            State::NotReached => "-      ".to_owned(),
        }
    }

    fn green(&self, text: &str) -> String {
        self.in_colour("32", text)
    }

    fn red(&self, text: &str) -> String {
        self.in_colour("31", text)
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
