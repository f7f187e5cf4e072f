//! Ways to wait: not at all, until a limit, and for many at a time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What the work yields when it is polled once.
pub(crate) fn at_once<T>(mut work: Pin<&mut impl Future<Output = T>>) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
}

/// What the work yields, unless the limit completes first. When both are complete, the work counts.
pub(crate) fn until<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
    mut limit: Pin<&mut impl Future>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(cx).map(|_| None),
    })
}

/// Runs all of them, so many at a time and at least one, and yields what came of them in their order.
pub(crate) async fn all<F: Future>(works: impl Iterator<Item = F>, at_a_time: usize) -> Vec<F::Output> {
    let mut waiting = works.enumerate().fuse();
    let (mut running, mut ended) = (Vec::new(), Vec::new());
    let finished = poll_fn(|cx| {
        loop {
            let room = at_a_time.max(1).saturating_sub(running.len());
            running.extend(waiting.by_ref().take(room).map(|(at, work)| (at, Run::new(work, cx.waker()))));
            if running.is_empty() {
                return Poll::Ready(());
            }
            let before = ended.len();
            running.retain_mut(|(at, run)| match run.poll(cx.waker()) {
                Poll::Ready(output) => {
                    ended.push((*at, output));
                    false
                }
                Poll::Pending => true,
            });
            if ended.len() == before {
                return Poll::Pending;
            }
        }
    });
    finished.await;
    ended.sort_unstable_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, output)| output).collect()
}

/// One of many, which is polled only when it was woken.
struct Run<F> {
    work: Pin<Box<F>>,
    bell: Arc<Bell>,
}

struct Bell {
    rung: AtomicBool,
    sleeper: Waker,
}

impl<F: Future> Run<F> {
    fn new(work: F, sleeper: &Waker) -> Self {
        Self { work: Box::pin(work), bell: Bell::rung(sleeper) }
    }

    fn poll(&mut self, sleeper: &Waker) -> Poll<F::Output> {
        if !self.bell.sleeper.will_wake(sleeper) {
            self.bell = Bell::rung(sleeper);
        }
        if !self.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        self.work.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&self.bell))))
    }
}

impl Bell {
    fn rung(sleeper: &Waker) -> Arc<Self> {
        Arc::new(Self { rung: AtomicBool::new(true), sleeper: sleeper.clone() })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::{pending, ready};
    use std::pin::pin;

    use tokio::sync::oneshot;
    use tokio_test::{assert_pending, assert_ready, assert_ready_eq, task};

    use super::*;

    #[test]
    fn what_is_not_there_at_once_is_polled_once_and_goes_on_later() {
        let (answer, work) = oneshot::channel();
        let mut work = task::spawn(async move {
            let mut work = pin!(work);
            (at_once(work.as_mut()).await, work.await)
        });
        assert_pending!(work.poll());
        answer.send(7).unwrap();
        assert!(work.is_woken());
        assert_eq!(assert_ready!(work.poll()), (None, Ok(7)));
        assert_ready_eq!(task::spawn(at_once(pin!(ready(7)))).poll(), Some(7));
    }

    #[test]
    fn work_that_is_complete_counts_and_else_its_limit() {
        assert_ready_eq!(task::spawn(until(pin!(ready(7)), pin!(ready(())))).poll(), Some(7));
        assert_ready_eq!(task::spawn(until(pin!(ready(7)), pin!(pending::<()>()))).poll(), Some(7));
        assert_ready_eq!(task::spawn(until(pin!(pending::<()>()), pin!(ready(())))).poll(), None);
        assert_pending!(task::spawn(until(pin!(pending::<()>()), pin!(pending::<()>()))).poll());
    }

    #[test]
    fn what_comes_of_many_stands_in_their_order_and_no_more_run_than_may() {
        for (at_a_time, most) in [(0, 1), (1, 1), (2, 2), (3, 3), (5, 5), (9, 5)] {
            let (answers, works): (Vec<_>, Vec<_>) = (0..5).map(|_| oneshot::channel()).unzip();
            let (mut answers, begun) = (answers.into_iter().map(Some).collect::<Vec<_>>(), Cell::new(0));
            let works = works.into_iter().map(|work| {
                let begun = &begun;
                async move {
                    begun.set(begun.get() + 1);
                    work.await.unwrap()
                }
            });
            let mut many = task::spawn(all(works, at_a_time));
            for answered in 0..5 {
                assert_pending!(many.poll());
                assert_eq!(begun.get(), (answered + most).min(5), "{at_a_time}");
                // The last that has begun is done first.
                let last = answers[..begun.get()].iter().rposition(Option::is_some).unwrap();
                answers[last].take().unwrap().send(last).unwrap();
                assert!(many.is_woken());
            }
            assert_ready_eq!(many.poll(), vec![0, 1, 2, 3, 4], "{at_a_time}");
        }
    }

    #[test]
    fn only_who_was_woken_is_polled_and_all_by_another_waker() {
        let (answers, works): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel::<()>()).unzip();
        let polls = RefCell::new([0; 3]);
        let works = works.into_iter().enumerate().map(|(at, mut work)| {
            let polls = &polls;
            poll_fn(move |cx| {
                polls.borrow_mut()[at] += 1;
                Pin::new(&mut work).poll(cx)
            })
        });
        let mut many = Box::pin(all(works, 3));
        let mut first = task::spawn(poll_fn(|cx| many.as_mut().poll(cx)));
        assert_pending!(first.poll());
        assert_pending!(first.poll());
        assert_eq!(*polls.borrow(), [1, 1, 1]);
        let [one, two, three]: [_; 3] = answers.try_into().unwrap();
        two.send(()).unwrap();
        assert!(first.is_woken());
        assert_pending!(first.poll());
        assert_eq!(*polls.borrow(), [1, 2, 1]);
        drop(first);
        let mut second = task::spawn(poll_fn(|cx| many.as_mut().poll(cx)));
        assert_pending!(second.poll());
        assert_eq!(*polls.borrow(), [2, 2, 2]);
        one.send(()).unwrap();
        assert!(second.is_woken(), "it is the last waker that is called");
        assert_pending!(second.poll());
        three.send(()).unwrap();
        assert_ready!(second.poll());
    }

    #[test]
    fn of_none_comes_nothing() {
        assert_ready_eq!(task::spawn(all(std::iter::empty::<std::future::Ready<()>>(), 3)).poll(), vec![]);
    }
}
