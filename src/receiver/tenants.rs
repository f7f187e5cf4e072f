//! [`Tenants`]: keys that are looked up by what a delivery's head claims.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Extensions;
use http::request::Parts;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::error::{BoxError, ConfigError, Rejection, RejectionKind};
use crate::gate::Preparation;
use crate::provider::Provider;
use crate::secret::KeyRing;

/// The longest name of a tenant, in bytes. A longer claim is nobody's.
const MAX_NAME: usize = 256;
/// Look-ups under way at a time. Whoever claims names at random must not take up the source for all.
const MAX_LOOKUPS: usize = 64;
/// When a sender may try again whose keys could not be looked up.
const SOON: Duration = Duration::from_secs(5);

/// Where the keys of tenants are looked up: a database, a secret manager.
pub trait KeySource: Send + Sync + 'static {
    /// Whose delivery this claims to be, by its path or a header. `None`: nobody's, and it is answered 401. Nothing is proved
    /// yet.
    ///
    /// # Security
    ///
    /// A tenant has one name, and nothing else may find its keys: idempotency keys are kept by that name. Where the source
    /// takes `A` for `a`, as some databases do, a delivery that was recorded under the one runs again under the other; and a name
    /// that changes with the tenant's key makes new events of the retries. So bring it into one spelling here.
    fn tenant(&self, head: &Parts) -> Option<String>;

    /// The keys of a tenant. `None`: there is no such tenant, and the delivery is answered 401 as one by a wrong key is.
    ///
    /// # Errors
    ///
    /// Any error: the delivery is answered 503, and the error goes to the log. It must hold no secret.
    fn keys(&self, tenant: &str) -> impl Future<Output = Result<Option<KeyRing>, BoxError>> + Send;
}

/// The tenants of a receiver, each with keys of its own, from a [`KeySource`]. Clones share what they have looked up.
///
/// What is found is remembered for a minute, and that there is no such tenant for ten seconds, each for so many tenants
/// as there is room. A key that was changed counts at once when [`forget`](Self::forget) is called.
///
/// ```
/// use http::request::Parts;
/// use tower_webhook::error::BoxError;
/// use tower_webhook::provider::aella::{self, Aella};
/// use tower_webhook::receiver::{KeySource, Tenants};
/// use tower_webhook::secret::{KeyRing, Secret};
/// use tower_webhook::{MemoryStore, Received, Receiver};
///
/// struct Merchants;
///
/// impl KeySource for Merchants {
///     /// `/aella/MERCHANT`
///     fn tenant(&self, head: &Parts) -> Option<String> {
///         head.uri.path().strip_prefix("/aella/").map(str::to_owned)
///     }
///
///     async fn keys(&self, merchant: &str) -> Result<Option<KeyRing>, BoxError> {
///         // A query in earnest.
///         match merchant {
///             "m1" => Ok(Some(Secret::utf8("ae_sk_test_example")?.into())),
///             _ => Ok(None),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let tenants = Tenants::new(Merchants, Aella::new);
/// // It decodes; its own key proves nothing.
/// let aella = Aella::new(Secret::utf8("no delivery is proved by this")?)?;
/// let service = Receiver::new("aella", aella)
///     .tenants(&tenants)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<aella::Event>| async move {
///         println!("{:?}", event.delivery().verified().tenant());
///     });
/// # use tower::ServiceExt;
/// # use tower_webhook::{clock::{Clock, OsEntropy, SystemClock}, provider::{Message, Provider}, scheme::Sealing};
/// # let sender = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// # let body = r#"{"event":"transfer.completed","data":{"id":"7b"}}"#;
/// # for (path, status) in [("/aella/m1", 200), ("/aella/m2", 401)] {
/// #     let sealing = Sealing::new(SystemClock.now().unwrap(), &OsEntropy);
/// #     let mut request = sender.seal(Message::new(body), &sealing)?.map(|body| String::from_utf8(body.to_vec()).unwrap());
/// #     *request.uri_mut() = path.parse()?;
/// #     assert_eq!(service.clone().oneshot(request).await?.status(), status);
/// # }
/// # Ok(()) }
/// ```
///
/// # Security
///
/// Anybody can claim to be any tenant, and so cause a look-up: 64 are under way at a time, and what is beyond is answered
/// 503. An unknown tenant is answered like a wrong key, but earlier: who measures can tell them apart, so names of tenants
/// should not be secrets.
pub struct Tenants<P>(Arc<Inner<P>>);

struct Inner<P> {
    source: Box<dyn Source<P>>,
    limits: Limits,
    known: Mutex<Known<P>>,
    lookups: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Limits {
    capacity: usize,
    remember: Duration,
    remember_absent: Duration,
    time: Duration,
}

/// A tenant's name, and the provider with its keys.
pub(super) struct Tenant<P> {
    pub(super) name: Arc<str>,
    pub(super) provider: Arc<P>,
}

impl<P> Clone for Tenant<P> {
    fn clone(&self) -> Self {
        Self { name: Arc::clone(&self.name), provider: Arc::clone(&self.provider) }
    }
}

/// What comes of a look-up: nothing, for a tenant that there is not.
type Found<P> = Result<Option<Arc<P>>, BoxError>;

/// A source whose keys are put into a provider.
trait Source<P>: Send + Sync {
    fn tenant(&self, head: &Parts) -> Option<String>;
    fn provider<'a>(&'a self, tenant: &'a str) -> Pin<Box<dyn Future<Output = Found<P>> + Send + 'a>>;
}

struct Built<K, F> {
    source: K,
    build: F,
}

impl<P, K, F> Source<P> for Built<K, F>
where
    K: KeySource,
    F: Fn(KeyRing) -> Result<P, ConfigError> + Send + Sync,
{
    fn tenant(&self, head: &Parts) -> Option<String> {
        self.source.tenant(head)
    }

    fn provider<'a>(&'a self, tenant: &'a str) -> Pin<Box<dyn Future<Output = Found<P>> + Send + 'a>> {
        Box::pin(async move {
            let Some(keys) = self.source.keys(tenant).await? else { return Ok(None) };
            Ok(Some(Arc::new((self.build)(keys)?)))
        })
    }
}

impl<P: Provider> Tenants<P> {
    /// The tenants of this source, whose keys are put to use by such a function as `Aella::new`.
    #[must_use]
    pub fn new<K, F>(source: K, build: F) -> Self
    where
        K: KeySource,
        F: Fn(KeyRing) -> Result<P, ConfigError> + Send + Sync + 'static,
    {
        let limits = Limits {
            capacity: 10_000,
            remember: Duration::from_secs(60),
            remember_absent: Duration::from_secs(10),
            time: Duration::from_secs(2),
        };
        Self::with(Box::new(Built { source, build }), limits)
    }

    fn with(source: Box<dyn Source<P>>, limits: Limits) -> Self {
        let lookups = Arc::new(Semaphore::new(MAX_LOOKUPS));
        Self(Arc::new(Inner { source, limits, known: Mutex::new(Known::default()), lookups }))
    }

    fn limits(self, change: impl FnOnce(&mut Limits)) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(Inner { source, mut limits, .. }) => {
                change(&mut limits);
                Self::with(source, limits)
            }
            Err(shared) => Self(shared),
        }
    }

    /// How many tenants are remembered, and how many names of which there is no tenant. At least 1. Default: 10,000. To be
    /// set before it is cloned.
    #[must_use]
    pub fn capacity(self, tenants: usize) -> Self {
        self.limits(|limits| limits.capacity = tenants.max(1))
    }

    /// How long keys that were found are used before they are looked up again. Default: 1 minute. To be set before it is
    /// cloned.
    #[must_use]
    pub fn remember(self, time: Duration) -> Self {
        self.limits(|limits| limits.remember = time)
    }

    /// How long it is remembered that there is no such tenant. Default: 10 seconds. To be set before it is cloned.
    #[must_use]
    pub fn remember_absent(self, time: Duration) -> Self {
        self.limits(|limits| limits.remember_absent = time)
    }

    /// How long a look-up may take; beyond it the delivery is answered 503. Default: 2 seconds. To be set before it is
    /// cloned.
    #[must_use]
    pub fn time_limit(self, time: Duration) -> Self {
        self.limits(|limits| limits.time = time)
    }

    /// Forgets a tenant's keys, so that the next delivery looks them up: a key that was changed counts at once.
    pub fn forget(&self, tenant: &str) {
        self.known().forget(tenant);
    }

    /// Forgets all keys.
    pub fn forget_all(&self) {
        self.known().forget_all();
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known<P>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the keys that are to prove a request.
    pub(super) fn prepare(&self, head: &Parts) -> Preparation {
        let Some(name) = self.0.source.tenant(head).filter(|name| name.len() <= MAX_NAME) else {
            return Preparation::Ready(Err(unknown("no tenant is claimed")));
        };
        if let Some(known) = self.known().find(&name, Instant::now()) {
            return Preparation::Ready(known.map(found).ok_or_else(|| unknown("there is no such tenant")));
        }
        let Ok(place) = Arc::clone(&self.0.lookups).try_acquire_owned() else {
            let rejection = Rejection::new(RejectionKind::KeysUnavailable, "too many keys are being looked up");
            return Preparation::Ready(Err(rejection.retry_in(SOON)));
        };
        let tenants = self.clone();
        Preparation::Pending(Box::pin(async move {
            let tenant = tenants.look_up(&name).await;
            drop(place);
            tenant
        }))
    }

    async fn look_up(&self, name: &str) -> Result<Extensions, Rejection> {
        let era = self.known().era;
        let failed = |detail| Rejection::new(RejectionKind::KeysUnavailable, detail).retry_in(SOON);
        let looked_up = timeout(self.0.limits.time, self.0.source.provider(name)).await;
        let provider = looked_up
            .map_err(|_| failed("the look-up of keys took too long"))?
            .map_err(|error| failed("the keys could not be looked up").caused_by(error))?;
        let tenant = provider.map(|provider| Tenant { name: name.into(), provider });
        self.known().remember(name, tenant.clone(), era, &self.0.limits);
        tenant.map(found).ok_or_else(|| unknown("there is no such tenant"))
    }
}

fn found<P: Provider>(tenant: Tenant<P>) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(tenant);
    extensions
}

/// The answer to a wrong key, with another detail for the log.
fn unknown(detail: &'static str) -> Rejection {
    Rejection::new(RejectionKind::SignatureMismatch, detail)
}

impl<P> Clone for Tenants<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> fmt::Debug for Tenants<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}

/// What has been looked up, found or not: each within its own room, so that names made up at random push out no tenant.
struct Known<P> {
    found: Side<Tenant<P>>,
    absent: Side<()>,
    /// Grows with each forgetting: what was looked up before is not remembered after.
    era: u64,
}

impl<P> Default for Known<P> {
    fn default() -> Self {
        Self { found: Side::default(), absent: Side::default(), era: 0 }
    }
}

impl<P> Known<P> {
    fn find(&self, name: &str, now: Instant) -> Option<Option<Tenant<P>>> {
        let found = self.found.find(name, now).cloned().map(Some);
        found.or_else(|| self.absent.find(name, now).map(|()| None))
    }

    fn remember(&mut self, name: &str, tenant: Option<Tenant<P>>, era: u64, limits: &Limits) {
        if self.era != era {
            return;
        }
        let until = |time| Instant::now().checked_add(time);
        match tenant {
            Some(tenant) => {
                self.absent.entries.remove(name);
                self.found.keep(name, tenant, until(limits.remember), limits.capacity);
            }
            None => {
                self.found.entries.remove(name);
                self.absent.keep(name, (), until(limits.remember_absent), limits.capacity);
            }
        }
    }

    fn forget(&mut self, name: &str) {
        self.era += 1;
        self.found.entries.remove(name);
        self.absent.entries.remove(name);
    }

    fn forget_all(&mut self) {
        *self = Self { era: self.era + 1, ..Self::default() };
    }
}

/// Names with what is known of them, the oldest first to go.
struct Side<T> {
    /// Until when, or for ever.
    entries: HashMap<Arc<str>, (T, Option<Instant>)>,
    order: VecDeque<Arc<str>>,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Side<T> {
    fn find(&self, name: &str, now: Instant) -> Option<&T> {
        self.entries.get(name).filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(value, _)| value)
    }

    fn keep(&mut self, name: &str, value: T, until: Option<Instant>, capacity: usize) {
        if let Some(entry) = self.entries.get_mut(name) {
            *entry = (value, until);
            return;
        }
        // A name that was forgotten stands in the order still; so the order, and not the entries, is what is bounded.
        while self.order.len() >= capacity {
            let Some(oldest) = self.order.pop_front() else { break };
            self.entries.remove(&oldest);
        }
        let name: Arc<str> = name.into();
        self.order.push_back(Arc::clone(&name));
        self.entries.insert(name, (value, until));
    }
}
