//! Group commit alone: no HTTP, no proof and no JSON. Each inbox with a thread of its own, which sleeps unless it is its turn,
//! and its file or schema grows from round to round as that of a receiver does.

use std::future::Future;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxStore, NewEvent};

use crate::accepting::{Took, accept, made};
use crate::events::{Keys, first};
use crate::floor::Floor;

pub(crate) struct Engine {
    keys: Keys,
    events: Sender<Vec<Vec<NewEvent>>>,
    took: Receiver<Took>,
}

impl Engine {
    pub(crate) fn start<S, F>(open: impl FnOnce() -> F + Send + 'static) -> Result<Self, BoxError>
    where
        S: InboxStore + Clone,
        F: Future<Output = Result<S, BoxError>>,
    {
        Self::working(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let inbox = runtime.block_on(open())?;
            Ok(move |events| runtime.block_on(accept(&inbox, events)))
        })
    }

    /// The least that must be written, 64 events a transaction, by one thread and for nobody.
    pub(crate) fn floor(file: PathBuf) -> Result<Self, BoxError> {
        Self::working(move || {
            let mut floor = Floor::open(file)?;
            Ok(move |events: Vec<Vec<NewEvent>>| {
                let keys: Vec<_> = events.iter().flatten().map(|event| first(event.key.as_bytes())).collect();
                let began = Instant::now();
                floor.fill(&keys)?;
                Ok((began.elapsed(), Vec::new()))
            })
        })
    }

    fn working<W>(begin: impl FnOnce() -> Result<W, BoxError> + Send + 'static) -> Result<Self, BoxError>
    where
        W: FnMut(Vec<Vec<NewEvent>>) -> Result<Took, BoxError>,
    {
        let (events, coming) = channel();
        let (tell, took) = channel();
        let work = move || -> Result<(), BoxError> {
            let mut work = begin()?;
            for events in coming {
                tell.send(work(events)?)?;
            }
            Ok(())
        };
        thread::spawn(move || work().inspect_err(|error| eprintln!("engine: {error}")));
        Ok(Self { keys: Keys::default(), events, took })
    }

    /// So many tasks, and events of all of them.
    pub(crate) fn made(&self, tasks: usize, events: usize) -> Vec<Vec<NewEvent>> {
        made(&self.keys, tasks, events / tasks)
    }

    pub(crate) fn accept(&self, events: Vec<Vec<NewEvent>>) -> Result<Took, BoxError> {
        self.events.send(events)?;
        self.took.recv().map_err(|_| "the engine failed".into())
    }
}
