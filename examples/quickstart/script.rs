//! One delivery with what must come of it, and the list of all of them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use tower_webhook::error::BoxError;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::sender::Conduct;
use tower_webhook::sender::forge::{Forgery, forge};

use crate::common::Who;
use crate::keys::Which;
use crate::messages::{self, Sent};
use crate::outcome::Answers;
use crate::sender::{provider, seal};

/// One delivery, what it must be answered, and the events that it brings for the first time.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) who: Who,
    pub(crate) what: String,
    pub(crate) request: Request<Bytes>,
    pub(crate) copies: usize,
    pub(crate) expected: Answers,
    pub(crate) events: Vec<Sent>,
}

impl Case {
    pub(crate) fn new(who: Who, what: &str, request: Request<Bytes>, expected: Answers) -> Self {
        Self { who, what: what.into(), request, copies: 1, expected, events: Vec::new() }
    }

    /// The same, with a header set.
    pub(crate) fn header(&mut self, name: &'static str, value: &'static str) -> &mut Self {
        self.request.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// The same, in chunks of a hundred bytes and without a length.
    pub(crate) fn chunked(&mut self) -> Result<(), BoxError> {
        let conduct = Conduct::Chunked { bytes: 100.try_into()?, ornate: false };
        self.request.extensions_mut().insert(conduct);
        Ok(())
    }

    pub(crate) fn headers(&mut self) -> &mut HeaderMap {
        self.request.headers_mut()
    }
}

/// All deliveries, in order.
#[derive(Default)]
pub(crate) struct Script(pub(crate) Vec<Case>);

impl Script {
    /// A delivery that must get this answer, and of which nothing must come.
    pub(crate) fn add(&mut self, who: Who, what: &str, request: Request<Bytes>, expected: Answers) -> &mut Case {
        self.push(Case::new(who, what, request, expected))
    }

    /// A good delivery: 200, and its events are handled.
    pub(crate) fn good(&mut self, who: Who, what: &str, message: Message) -> Result<&mut Case, BoxError> {
        self.good_under(Which::Current, who, what, message)
    }

    /// A good delivery under this key.
    pub(crate) fn good_under(
        &mut self,
        which: Which,
        who: Who,
        what: &str,
        message: Message,
    ) -> Result<&mut Case, BoxError> {
        let events = messages::events(who, &message)?;
        let case = Case::new(who, what, seal(who, which, message)?, Answers::one(200));
        Ok(self.push(Case { events, ..case }))
    }

    /// The bytes of the delivery before, once more.
    pub(crate) fn again(&mut self) -> Result<&mut Case, BoxError> {
        let last = self.0.last().ok_or("nothing was sent before")?.clone();
        Ok(self.push(Case {
            events: Vec::new(),
            expected: Answers::repeated(),
            what: "  the same bytes again".into(),
            ..last
        }))
    }

    /// A message that was sent before, sealed anew: the same event in other bytes.
    pub(crate) fn resealed(&mut self, who: Who, what: &str, message: Message) -> Result<&mut Case, BoxError> {
        Ok(self.add(who, what, seal(who, Which::Current, message)?, Answers::repeated()))
    }

    /// A bad delivery, made of a good one that was never sent.
    pub(crate) fn bad(&mut self, who: Who, what: &str, status: u16) -> Result<&mut Case, BoxError> {
        let unsent = messages::fresh(who, &what.replace(' ', "-"));
        Ok(self.add(who, what, seal(who, Which::Current, unsent)?, Answers::one(status)))
    }

    /// The same, forged.
    pub(crate) fn forged(&mut self, who: Who, what: &str, status: u16, how: Forgery) -> Result<(), BoxError> {
        let sender = provider(who, Which::Current)?;
        let case = self.bad(who, what, status)?;
        case.request = forge(&case.request, sender.scheme(), how).ok_or("there is nothing to forge so")?;
        Ok(())
    }

    fn push(&mut self, case: Case) -> &mut Case {
        self.0.push_mut(case)
    }
}
