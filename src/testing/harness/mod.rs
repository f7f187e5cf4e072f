//! A harness around an app: it sends as providers do, forges, looks on while events are handled, and complains of each promise
//! that was broken.

mod app;
mod book;
pub mod forge;
mod line;
mod party;
mod send;
mod sent;
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code, reason = "nothing is stored"))]
mod shelf;
mod storm;
mod verdict;
mod words;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Extensions, Request, Response, Uri};
use tower_service::Service;

use self::app::App;
use self::book::Book;
pub use self::line::Line;
pub use self::party::Party;
pub use self::sent::Sent;
pub use self::verdict::{BrokenPromises, Kept};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use self::worker::Watched;
use crate::clock::{Clock, Entropy, SystemClock, Timestamp};
use crate::error::BoxError;
use crate::gate::Body;
use crate::layers::Credentials;
use crate::provider::{AnyProvider, Message, Provider};
use crate::scheme::Sealing;
use crate::sender::Chance;

/// An app under test, and those who send to it. See [`testing`](super) for an example.
///
/// The app is any tower service, such as an axum `Router` or a receiver with its handler; no sockets, no accounts. What a
/// delivery's events are, the harness knows by the provider's own decoder; and when a handler is called for one, it is told by
/// this crate's receivers and layers, in which somebody looks on in tests. A handler that no receiver of this crate calls is
/// not seen; that of a worker behind an inbox is, once the worker is [watched](Self::watched).
///
/// Dropped, it panics where a promise was broken, unless the test panics already; [`verify`](Self::verify) returns it. It judges
/// that
///
/// - no event is handled twice: again after its sender had a 2xx, or again without a higher fencing token;
/// - none is lost: accepted, and never handled; and none is accepted before its handler is done, unless it is stored before;
/// - what is forged, and what cannot be read, is neither accepted nor handled;
/// - what is genuine is accepted, unless the test [says otherwise](Sent::refused) of a delivery.
pub struct Harness {
    line: Line,
    parties: Vec<Party>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    seed: u64,
    is_verified: bool,
}

impl Harness {
    /// Around this app.
    #[must_use]
    pub fn start<S, R>(app: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        R: http_body::Body + Send + 'static,
        R::Data: Send,
        R::Error: Into<BoxError>,
    {
        Self {
            line: Line { app: App::new(app), book: Arc::new(Book::new()), extensions: Extensions::new() },
            parties: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: from_seed(0),
            seed: 0,
            is_verified: false,
        }
    }

    /// With a provider that sends to this path, as it seals itself: with the key that the app has.
    ///
    /// # Panics
    ///
    /// Where the path is none, or another provider sends there: a query tells two apart, such as `/hook?tenant=b`.
    #[must_use]
    #[track_caller]
    pub fn provider(mut self, path: &str, provider: impl Provider) -> Self {
        let uri = path.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'));
        let Some(uri) = uri else { self.fails(format_args!("{path:?} is no path")) };
        if self.parties.iter().any(|party| party.path == uri) {
            self.fails(format_args!("two providers send to {path}; a query tells them apart"));
        }
        self.parties.push(Party::new(self.parties.len(), uri, AnyProvider::new(provider)));
        self
    }

    /// With Basic credentials for what is sent to this path. Default: none.
    ///
    /// # Panics
    ///
    /// Where no [`provider`](Self::provider) sends there.
    #[must_use]
    #[track_caller]
    pub fn basic_auth(mut self, path: &str, credentials: &Credentials) -> Self {
        let place = self.party(path).number;
        if let Some(party) = self.parties.get_mut(place) {
            party.credentials = Some(credentials.header());
        }
        self
    }

    /// With an extension of each request, such as the [`PeerAddr`](crate::gate::PeerAddr) that a server would have put there.
    /// Default: none.
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.line.extensions.insert(value);
        self
    }

    /// Whose time deliveries are sealed at. Default: the machine's. The app has to go by the same, and both by a
    /// [`TokioClock`](super::TokioClock) where the test pauses tokio's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where nonces and drawn waits come from. Default: 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        (self.seed, self.entropy) = (seed, from_seed(seed));
        self
    }

    /// Nothing is said in the end of genuine deliveries that were refused: the test looks at them itself, such as at those of a
    /// [`webhook`](Self::webhook) whose app is down.
    #[must_use]
    pub fn may_refuse(self) -> Self {
        self.line.book.may_refuse();
        self
    }

    /// What was kept, or what was broken, in place of a panic when it is dropped.
    ///
    /// # Errors
    ///
    /// [`BrokenPromises`], all of them.
    pub fn verify(mut self) -> Result<Kept, BrokenPromises> {
        self.is_verified = true;
        self.line.book.close(self.seed)
    }

    #[track_caller]
    fn party(&self, path: &str) -> &Party {
        let found = self.parties.iter().find(|party| party.path == path);
        found.unwrap_or_else(|| self.fails(format_args!("nobody sends to {path}: see `Harness::provider`")))
    }

    /// A test that is wrong itself.
    #[track_caller]
    #[allow(clippy::panic, reason = "a wrong test must not pass")]
    fn fails(&self, why: impl fmt::Display) -> ! {
        panic!("the test is wrong: {why}")
    }

    #[track_caller]
    fn now(&self) -> Timestamp {
        self.clock.now().unwrap_or_else(|| self.fails("the harness's clock failed"))
    }

    #[track_caller]
    fn sealed(&self, path: &str, message: Message) -> Request<Bytes> {
        let sealed = self.party(path).seal(message, &Sealing::new(self.now(), &*self.entropy));
        sealed.unwrap_or_else(|why| self.fails(format_args!("the message to {path} cannot be sealed: {why}")))
    }
}

/// Dropped unverified, it panics where a promise was broken.
impl Drop for Harness {
    #[allow(clippy::panic, reason = "this is how a test fails")]
    fn drop(&mut self) {
        if self.is_verified || std::thread::panicking() {
            return;
        }
        if let Err(broken) = self.line.book.close(self.seed) {
            panic!("{broken}");
        }
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").field("parties", &self.parties).field("seed", &self.seed).finish_non_exhaustive()
    }
}

fn from_seed(seed: u64) -> Arc<dyn Entropy> {
    let chance = Mutex::new(Chance::new(seed));
    Arc::new(move |out: &mut [u8]| {
        let mut chance = chance.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in out {
            *byte = u8::try_from(chance.below(256)).unwrap_or_default();
        }
        Ok(())
    })
}
