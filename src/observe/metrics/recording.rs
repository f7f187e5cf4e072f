//! Where series are registered.

use std::sync::Once;

use metrics::Recorder;

use super::names;

/// A recorder, which is told what the names say before anything else.
pub(super) struct Recording {
    /// `None`: the application's own.
    recorder: Option<Box<dyn Recorder + Send + Sync>>,
    described: Once,
}

impl Recording {
    pub(super) fn new(recorder: Option<Box<dyn Recorder + Send + Sync>>) -> Self {
        Self { recorder, described: Once::new() }
    }

    /// Only for what is new: a series that is there needs no recorder.
    #[cold]
    pub(super) fn with<T>(&self, work: impl FnOnce(&dyn Recorder) -> T) -> T {
        let described = |recorder: &dyn Recorder| {
            self.described.call_once(|| names::describe(recorder));
            work(recorder)
        };
        match &self.recorder {
            Some(recorder) => described(&**recorder),
            None => metrics::with_recorder(described),
        }
    }
}
