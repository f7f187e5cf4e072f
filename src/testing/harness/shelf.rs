//! What the app has stored, for a worker to handle later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::delivery::{Ended, KeyHash};

/// Is told that a handler is called, by which fence.
pub(super) type Seen = Arc<dyn Fn(u64) -> Ended + Send + Sync>;

/// How the last attempt at an event has left it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stands {
    Done,
    /// A dead letter, for this reason.
    Dead(String),
    /// Parked, for this reason.
    Parked(String),
}

struct Stored {
    /// In the harness's ledger.
    number: Option<u64>,
    is_forged: bool,
    seen: Seen,
    stands: Option<Stands>,
}

/// What the app has stored. It is known by its key, since nothing of its delivery goes along with it.
#[derive(Default)]
pub(super) struct Shelf {
    stored: Mutex<HashMap<KeyHash, Stored>>,
    /// An attempt has ended.
    pub(super) changed: Notify,
}

impl Shelf {
    /// It is about to be stored. A repeat changes nothing, unless what was there is forged and this is not.
    pub(super) fn put(&self, key: KeyHash, number: Option<u64>, is_forged: bool, seen: Seen) {
        let mut stored = self.stored();
        if stored.get(&key).is_none_or(|before| before.is_forged && !is_forged) {
            stored.insert(key, Stored { number, is_forged, seen, stands: None });
        }
    }

    /// A handler is called. `None`: with what this harness has not sent.
    pub(super) fn called(&self, key: &KeyHash, fence: u64) -> Option<Ended> {
        let seen = Arc::clone(&self.stored().get(key)?.seen);
        Some(seen(fence))
    }

    /// An attempt has ended so. With it, the event's number.
    pub(super) fn ended(&self, key: &KeyHash, stands: Option<Stands>) -> Option<u64> {
        let number = self.stored().get_mut(key).and_then(|stored| {
            stored.stands = stands;
            stored.number
        });
        self.changed.notify_one();
        number
    }

    /// `None`: its last attempt was not its last, or there was none.
    pub(super) fn stands(&self, number: u64) -> Option<Stands> {
        self.stored().values().find(|stored| stored.number == Some(number))?.stands.clone()
    }

    fn stored(&self) -> MutexGuard<'_, HashMap<KeyHash, Stored>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
