//! Deliveries that wait at the same time share a call.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::super::{Accepted, InboxError, InboxErrorKind, NewEvent};
use super::accept::Accepting;
use super::call::in_time;

/// So many calls are under way at once: one is answered while the other is written.
const CALLS: usize = 2;
/// So many deliveries, and bytes of them, share one at most.
const MOST: usize = 64;
const BYTES: usize = 1024 * 1024;
/// Whose clocks differ by more share none, in microseconds: they share the time at which they were received.
const APART: u64 = 100_000;
/// So many deliveries wait at most; others wait until they may.
const WAITING: usize = 1024;

type Answer = Result<Vec<Accepted>, InboxError>;

/// One delivery's events.
struct Delivery {
    events: Vec<NewEvent>,
    now: i64,
    asker: oneshot::Sender<Answer>,
}

/// Where deliveries wait.
pub(super) struct Group {
    waiting: mpsc::Sender<Delivery>,
    deadline: Duration,
}

impl Group {
    /// And the tasks that ask for them.
    pub(super) fn start(accepting: &Accepting) -> (Self, Vec<JoinHandle<()>>) {
        let (waiting, coming) = mpsc::channel(WAITING);
        let queue = Arc::new(Mutex::new(Queue { coming, next: None }));
        let tasks = (0..CALLS).map(|_| tokio::spawn(serve(accepting.clone(), Arc::clone(&queue)))).collect();
        (Self { waiting, deadline: accepting.asking.deadline }, tasks)
    }

    pub(super) async fn accept(&self, events: Vec<NewEvent>, now: i64) -> Answer {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (asker, answer) = oneshot::channel();
        let asked = async {
            self.waiting.send(Delivery { events, now, asker }).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        in_time(self.deadline, asked).await?
    }
}

fn gone() -> InboxError {
    InboxError::new(InboxErrorKind::Unavailable).caused_by("the inbox was closed meanwhile")
}

struct Queue {
    coming: mpsc::Receiver<Delivery>,
    /// One that came, and shares nothing with those before it.
    next: Option<Delivery>,
}

impl Queue {
    /// Whoever waits, as far as they may share a call. Nobody is waited for but the first.
    async fn group(&mut self) -> Option<Vec<Delivery>> {
        let first = match self.next.take() {
            Some(first) => first,
            None => self.coming.recv().await?,
        };
        let (now, mut bytes) = (first.now, weight(&first));
        let mut group = vec![first];
        while group.len() < MOST {
            let Ok(next) = self.coming.try_recv() else { break };
            bytes = bytes.saturating_add(weight(&next));
            if bytes > BYTES || next.now.abs_diff(now) > APART {
                self.next = Some(next);
                break;
            }
            group.push(next);
        }
        Some(group)
    }
}

fn weight(delivery: &Delivery) -> usize {
    delivery.events.iter().map(|event| event.payload.len()).sum()
}

async fn serve(accepting: Accepting, queue: Arc<Mutex<Queue>>) {
    loop {
        let group = queue.lock().await.group().await;
        let Some(mut group) = group else { return };
        // Who gave up has nothing under way yet.
        group.retain(|delivery| !delivery.asker.is_closed());
        if accepting.is_full() {
            // Each is refused for itself, and what is known already is not.
            each_alone(&accepting, group);
        } else if !group.is_empty() {
            share(&accepting, group).await;
        }
    }
}

async fn share(accepting: &Accepting, group: Vec<Delivery>) {
    let events = group.iter().flat_map(|delivery| &delivery.events).enumerate().collect();
    let (places, events) = in_one_order(events);
    let now = group.iter().map(|delivery| delivery.now).min().unwrap_or_default();
    match accepting.shared(&events, now).await {
        Ok(Some(accepted)) => tell(group, places, accepted),
        Ok(None) => each_alone(accepting, group),
        Err(error) => {
            let cause = error.source().map_or_else(String::new, ToString::to_string);
            for delivery in group {
                let _ = delivery.asker.send(Err(InboxError::new(error.kind()).caused_by(cause.clone())));
            }
        }
    }
}

/// Some may wait for long. Nobody waits for them.
fn each_alone(accepting: &Accepting, group: Vec<Delivery>) {
    for delivery in group {
        let accepting = accepting.clone();
        drop(tokio::spawn(async move {
            let events: Vec<_> = delivery.events.iter().collect();
            let _ = delivery.asker.send(accepting.alone(&events, delivery.now).await);
        }));
    }
}

/// Events with their places. Two calls with the same keys ask for them in the same order, or each might wait for the other. Those of
/// lanes stay as they came: calls that share a lane wait for each other at the beginning.
fn in_one_order(mut events: Vec<(usize, &NewEvent)>) -> (Vec<usize>, Vec<&NewEvent>) {
    events.sort_by_key(|(_, event)| event.lane.is_none().then_some(event.key.as_bytes()));
    events.into_iter().unzip()
}

/// Everybody hears of his own.
fn tell(group: Vec<Delivery>, places: Vec<usize>, accepted: Vec<Accepted>) {
    let mut accepted: Vec<_> = places.into_iter().zip(accepted).collect();
    accepted.sort_by_key(|(place, _)| *place);
    let mut accepted = accepted.into_iter().map(|(_, accepted)| accepted);
    for delivery in group {
        let its = accepted.by_ref().take(delivery.events.len()).collect();
        let _ = delivery.asker.send(Ok(its));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::delivery::{Fingerprint, KeyHash};

    #[test]
    fn keys_are_asked_for_in_one_order_and_those_of_lanes_as_they_came() {
        let event = |(key, lane): (u8, Option<&str>)| {
            let until = Timestamp::UNIX_EPOCH + Duration::from_secs(1);
            let mut event = NewEvent::new(KeyHash::from_bytes([key; 32]), Fingerprint::of(&[key]), "", until);
            event.lane = lane.map(str::to_owned);
            event
        };
        let came = [(9, None), (8, Some("a")), (2, None), (7, Some("b")), (2, None), (1, Some("a"))].map(event);
        let (places, events) = in_one_order(came.iter().enumerate().collect());
        assert_eq!(places, [1, 3, 5, 2, 4, 0]);
        assert!(places.iter().zip(events).all(|(place, event)| std::ptr::eq(event, &raw const came[*place])));
    }
}
