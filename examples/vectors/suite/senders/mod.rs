//! Who sends, and what.

mod custom;
mod providers;
mod recorded;

use http::Method;
use tower_webhook::RejectionKind;

/// A sender, and the receiver that it is sent to.
pub(crate) struct Sender {
    /// The folder of its vectors.
    pub(crate) name: &'static str,
    /// The configuration of the receiver. Encodings of keys are written out, for who knows no provider's usual one.
    pub(crate) toml: &'static str,
    pub(crate) seals: Seals,
    /// A key, or a password, that the receiver does not know; of the same form as the right one.
    pub(crate) other_key: &'static str,
    /// What is accepted. Forged is the first.
    pub(crate) cases: Vec<Case>,
    /// What is sealed as it should be, and refused for what it says.
    pub(crate) refused: Vec<(Case, RejectionKind)>,
}

/// What the sending side needs beyond the configuration of the receiving one.
#[derive(Clone, Copy)]
pub(crate) enum Seals {
    AsConfigured,
    /// OPP's other wrapper, of which a configuration says nothing since both are taken.
    OppWrapped,
    /// By this private key, of Standard Webhooks.
    Privately(&'static str),
    /// Nothing is sealed, since this crate verifies such signatures and makes none: a case has all of its headers, and counts at
    /// this second.
    Recorded(i64),
}

/// A message.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) body: &'static str,
    pub(crate) key: Option<&'static str>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) method: Option<Method>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new(name: &'static str, body: &'static str) -> Self {
        Self { name, body, key: None, content_type: None, method: None, headers: Vec::new() }
    }

    fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    fn content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(content_type);
        self
    }

    fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

pub(crate) fn all() -> Vec<Sender> {
    let mut all = providers::all();
    all.extend(custom::all());
    all.extend(recorded::all());
    all
}
