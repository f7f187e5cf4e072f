//! Group commit alone, by as many tasks as call at once.

use std::time::{Duration, Instant};

use tower_webhook::clock::Timestamp;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxStore, NewEvent};

use crate::events::Keys;

/// So many events for each of so many tasks.
pub(crate) fn made(keys: &Keys, tasks: usize, each: usize) -> Vec<Vec<NewEvent>> {
    (0..tasks).map(|_| (0..each).map(|_| keys.event()).collect()).collect()
}

/// How long all took, and each.
pub(crate) type Took = (Duration, Vec<Duration>);

/// Each task has its events accepted one after another.
pub(crate) async fn accept(inbox: &(impl InboxStore + Clone), made: Vec<Vec<NewEvent>>) -> Result<Took, BoxError> {
    let began = Instant::now();
    let mut running = Vec::new();
    for events in made {
        let inbox = inbox.clone();
        running.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for event in events {
                let began = Instant::now();
                inbox.accept(vec![event], Timestamp::now()).await?;
                took.push(began.elapsed());
            }
            Ok::<_, BoxError>(took)
        }));
    }
    let mut took = Vec::new();
    for task in running {
        took.extend(task.await??);
    }
    Ok((began.elapsed(), took))
}
