//! Keys that can be replaced, and every place where they lie ready.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::key::Key;
use super::prepared::{Prepare, PreparedKeys, Slot};
use crate::error::ConfigError;

/// The keys as they are now, and the schemes that were made from them.
pub(super) struct Registry(Mutex<State>);

struct State {
    keys: Arc<[Key]>,
    places: Vec<Weak<dyn Place>>,
}

/// A [`Slot`], whatever its keys are made ready for.
trait Place: Send + Sync {
    fn stage(self: Arc<Self>, keys: &[Key]) -> Result<Box<dyn FnOnce()>, ConfigError>;
}

impl<K: Send + Sync + 'static> Place for Slot<K> {
    fn stage(self: Arc<Self>, keys: &[Key]) -> Result<Box<dyn FnOnce()>, ConfigError> {
        Ok(Box::new(Slot::stage(self, keys)?))
    }
}

impl Registry {
    pub(super) fn new(keys: Arc<[Key]>) -> Self {
        Self(Mutex::new(State { keys, places: Vec::new() }))
    }

    pub(super) fn keys(&self) -> Arc<[Key]> {
        self.state().keys.clone()
    }

    /// No replacement happens between making the keys ready and knowing of them.
    pub(super) fn prepare<K: Send + Sync + 'static>(
        &self,
        prepare: Box<Prepare<K>>,
    ) -> Result<PreparedKeys<K>, ConfigError> {
        let mut state = self.state();
        let slot = Arc::new(Slot::new(&state.keys, prepare)?);
        let place: Weak<Slot<K>> = Arc::downgrade(&slot);
        // A builder's setter makes a scheme anew: those that are gone must not add up.
        state.places.retain(|place| place.strong_count() > 0);
        state.places.push(place);
        Ok(PreparedKeys::replaceable(slot))
    }

    /// All or nothing: what can fail comes first, and then nothing can.
    pub(super) fn replace(&self, keys: Arc<[Key]>) -> Result<(), ConfigError> {
        let mut state = self.state();
        let places = state.places.iter().filter_map(Weak::upgrade);
        let staged: Vec<_> = places.map(|place| place.stage(&keys)).collect::<Result<_, _>>()?;
        staged.into_iter().for_each(|put_in_place| put_in_place());
        state.keys = keys;
        Ok(())
    }

    /// No code of others runs between the first and the last write, so that a panic leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
