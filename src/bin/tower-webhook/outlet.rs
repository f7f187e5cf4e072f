//! One output of the program, written by a thread of its own: a reader who stalls stops nobody else.
//!
//! What waits to be written is bounded in lines and in bytes. A line that nobody counts on is left out when its part of
//! the room is taken, and the count of those is there to be said later. A line that counts waits for its room, without
//! a thread, and may ask whether it was really written.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

/// How much may wait to be written.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
}

impl Room {
    fn has(self, queue: &Queue) -> bool {
        queue.lines.len() < self.lines && queue.bytes < self.bytes
    }
}

/// Why a line is not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unsaid {
    /// Nobody has read for too long.
    Stalled,
    /// It is closed for good.
    Gone,
}

/// Lines on their way to one output. The thread that writes them is never waited for: it may be stuck for ever.
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    /// For lines that count.
    room: Room,
    /// For the others: less, so that strangers cannot make an event wait.
    spare: Room,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    /// Woken by each line that was written.
    drained: Notify,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    bytes: usize,
    next: u64,
    left_out: u64,
    is_writing: bool,
    is_gone: bool,
}

struct Line {
    number: u64,
    text: String,
    written: Option<oneshot::Sender<()>>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next line, when there is one.
    fn next(&self) -> Line {
        let mut queue = self.queue();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.is_writing = true;
                return line;
            }
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write_all(&self, mut out: impl Write) {
        loop {
            let Line { text, written, .. } = self.next();
            let is_gone = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err();
            let mut queue = self.queue();
            queue.is_writing = false;
            queue.bytes = queue.bytes.saturating_sub(text.len());
            if is_gone {
                // Whoever waits for one of these lines learns it from the line's end.
                *queue = Queue { is_gone, ..Queue::default() };
            } else if let Some(written) = written {
                let _ = written.send(());
            }
            drop(queue);
            self.drained.notify_waiters();
            if is_gone {
                return;
            }
        }
    }
}

impl Outlet {
    /// Starts the thread.
    pub(crate) fn start(out: impl Write + Send + 'static, room: Room, spare: Room) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new(), drained: Notify::new() });
        let writes = Arc::clone(&shared);
        std::thread::Builder::new().name("outlet".to_owned()).spawn(move || writes.write_all(out))?;
        Ok(Self { shared, room, spare })
    }

    /// Waits until a line that counts has room. Where all is closed there is room for everything.
    pub(crate) async fn ready(&self, patience: Duration) -> Result<(), Unsaid> {
        self.wait(patience, |queue| self.room.has(queue)).await
    }

    /// Queues a line that counts, whatever is queued: for what was [`ready`](Self::ready) before it was done. So no more
    /// is queued than there is room for, and one line for whatever was being done by then.
    pub(crate) fn say(&self, text: String) {
        self.push(&mut self.shared.queue(), text, None);
    }

    /// Queues a line that counts and waits until it is written. One that is not, within this time, is taken back, unless
    /// its writing has begun.
    pub(crate) async fn say_surely(&self, text: String, patience: Duration) -> Result<(), Unsaid> {
        let (sender, written) = oneshot::channel();
        let number = self.push(&mut self.shared.queue(), text, Some(sender));
        match timeout(patience, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Unsaid::Gone),
            Err(_) => {
                self.take_back(number);
                Err(Unsaid::Stalled)
            }
        }
    }

    /// Queues a line, or leaves it out where there is no room for it.
    pub(crate) fn mention(&self, text: String) {
        let mut queue = self.shared.queue();
        if self.spare.has(&queue) {
            self.push(&mut queue, text, None);
        } else {
            queue.left_out = queue.left_out.saturating_add(1);
        }
    }

    /// The same for a line that is worth more: it has the room of lines that count.
    pub(crate) fn note(&self, text: String) {
        let mut queue = self.shared.queue();
        if self.room.has(&queue) {
            self.push(&mut queue, text, None);
        } else {
            queue.left_out = queue.left_out.saturating_add(1);
        }
    }

    /// How many lines were left out since this was last asked. Waits until there are some, and until half of their room
    /// is free again.
    pub(crate) async fn left_out(&self) -> u64 {
        let half = Room { lines: self.spare.lines.div_ceil(2), bytes: self.spare.bytes.div_ceil(2) };
        let _ = self.wait(Duration::MAX, |queue| queue.left_out > 0 && half.has(queue)).await;
        std::mem::take(&mut self.shared.queue().left_out)
    }

    /// Whether it is closed for good.
    pub(crate) fn is_gone(&self) -> bool {
        self.shared.queue().is_gone
    }

    /// Waits until it is closed for good.
    pub(crate) async fn gone(&self) {
        let _ = self.wait(Duration::MAX, |queue| queue.is_gone).await;
    }

    /// Waits until all is written, and returns how many lines are not.
    pub(crate) async fn finish(&self, patience: Duration) -> u64 {
        let _ = self.wait(patience, |queue| queue.lines.is_empty() && !queue.is_writing).await;
        let queue = self.shared.queue();
        let waiting = queue.lines.len() + usize::from(queue.is_writing);
        queue.left_out.saturating_add(u64::try_from(waiting).unwrap_or(u64::MAX))
    }

    async fn wait(&self, patience: Duration, is_so: impl Fn(&Queue) -> bool) -> Result<(), Unsaid> {
        let waiting = async {
            loop {
                // Made before the look, so that nothing that is written after it is missed.
                let drained = self.shared.drained.notified();
                if is_so(&self.shared.queue()) {
                    return;
                }
                drained.await;
            }
        };
        timeout(patience, waiting).await.map_err(|_| Unsaid::Stalled)
    }

    /// The number of the line. Where all is closed it is dropped, and with it whoever waits for it.
    fn push(&self, queue: &mut Queue, text: String, written: Option<oneshot::Sender<()>>) -> u64 {
        let number = queue.next;
        if !queue.is_gone {
            queue.next += 1;
            queue.bytes = queue.bytes.saturating_add(text.len());
            queue.lines.push_back(Line { number, text, written });
            self.shared.filled.notify_one();
        }
        number
    }

    fn take_back(&self, number: u64) {
        let mut queue = self.shared.queue();
        if let Some(at) = queue.lines.iter().position(|line| line.number == number)
            && let Some(line) = queue.lines.remove(at)
        {
            queue.bytes = queue.bytes.saturating_sub(line.text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use super::*;

    /// An output that writes when it is told to, as often as it is told.
    struct Gate(mpsc::Receiver<io::Result<()>>, mpsc::Sender<String>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)??;
            let _ = self.1.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Stand {
        outlet: Outlet,
        open: mpsc::Sender<io::Result<()>>,
        written: mpsc::Receiver<String>,
    }

    const SPARE: Room = Room { lines: 4, bytes: 100 };
    const ROOM: Room = Room { lines: 8, bytes: 200 };
    const PATIENCE: Duration = Duration::from_secs(30);

    fn stand() -> Stand {
        let (open, opened) = mpsc::channel();
        let (writes, written) = mpsc::channel();
        Stand { outlet: Outlet::start(Gate(opened, writes), ROOM, SPARE).unwrap(), open, written }
    }

    impl Stand {
        /// Says one line and waits until its writing has begun, so that what follows is queued.
        fn block(&self) {
            self.outlet.say("first\n".to_owned());
            while !self.outlet.shared.queue().is_writing {
                std::thread::yield_now();
            }
        }

        fn write(&self, lines: usize) -> Vec<String> {
            (0..lines)
                .map(|_| {
                    self.open.send(Ok(())).unwrap();
                    self.written.recv().unwrap()
                })
                .collect()
        }
    }

    /// Waits in vain, in no time: for what the writing thread, which stands still, cannot change meanwhile.
    async fn in_vain<T>(waiting: impl Future<Output = T>) -> T {
        tokio::time::pause();
        let result = waiting.await;
        tokio::time::resume();
        result
    }

    fn sent(from: impl Iterator<Item = usize>) -> Vec<String> {
        from.map(|at| at.to_string()).collect()
    }

    #[tokio::test]
    async fn lines_that_do_not_count_take_their_part_of_the_room_and_the_rest_is_counted() {
        let stand = stand();
        stand.block();
        for at in 0..7 {
            stand.outlet.mention(at.to_string());
        }
        assert!(in_vain(timeout(PATIENCE, stand.outlet.left_out())).await.is_err(), "there is no room yet");
        assert_eq!(stand.outlet.ready(PATIENCE).await, Ok(()), "lines that count have room");
        assert_eq!(stand.write(3), ["first\n", "0", "1"]);
        assert_eq!(stand.outlet.left_out().await, 3);
        assert_eq!(stand.write(2), sent(2..4));
        assert_eq!(stand.outlet.finish(PATIENCE).await, 0);
    }

    #[tokio::test]
    async fn a_line_that_is_worth_more_has_the_room_of_those_that_count_and_is_left_out_beyond_it() {
        let stand = stand();
        stand.block();
        for at in 0..10 {
            stand.outlet.note(at.to_string());
        }
        assert_eq!(stand.write(9), [vec!["first\n".to_owned()], sent(0..8)].concat());
        assert_eq!(stand.outlet.left_out().await, 2);
        assert_eq!(stand.outlet.finish(PATIENCE).await, 0);
    }

    #[tokio::test]
    async fn long_lines_take_the_room_as_many_lines_do() {
        let stand = stand();
        stand.block();
        stand.outlet.mention("x".repeat(95));
        stand.outlet.mention("y".to_owned());
        assert_eq!(stand.outlet.ready(PATIENCE).await, Ok(()));
        // One line may be longer than all of the room: it is taken while there is some.
        stand.outlet.say("z".repeat(1000));
        assert_eq!(in_vain(stand.outlet.ready(PATIENCE)).await, Err(Unsaid::Stalled));
        assert_eq!(in_vain(stand.outlet.finish(PATIENCE)).await, 4, "one of them was left out");
    }

    #[tokio::test]
    async fn a_line_that_counts_waits_for_room_and_is_never_left_out() {
        let stand = stand();
        stand.block();
        for at in 0..8 {
            assert_eq!(stand.outlet.ready(PATIENCE).await, Ok(()), "{at}");
            stand.outlet.say(at.to_string());
        }
        assert_eq!(in_vain(stand.outlet.ready(PATIENCE)).await, Err(Unsaid::Stalled));
        stand.outlet.say("8".to_owned());
        assert_eq!(stand.write(3), ["first\n", "0", "1"]);
        assert_eq!(stand.outlet.ready(Duration::MAX).await, Ok(()));
        assert_eq!(stand.write(7), sent(2..9));
    }

    #[tokio::test]
    async fn a_line_that_was_waited_for_in_vain_is_taken_back() {
        let stand = stand();
        stand.block();
        assert_eq!(in_vain(stand.outlet.say_surely("unsaid".to_owned(), PATIENCE)).await, Err(Unsaid::Stalled));
        stand.outlet.say("said".to_owned());
        assert_eq!(stand.write(2), ["first\n", "said"]);
        stand.open.send(Ok(())).unwrap();
        assert_eq!(stand.outlet.say_surely("surely".to_owned(), Duration::MAX).await, Ok(()));
        assert_eq!(stand.written.recv().unwrap(), "surely");
    }

    #[tokio::test]
    async fn an_output_that_is_gone_holds_nobody_and_no_line() {
        let stand = stand();
        stand.block();
        stand.open.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        assert_eq!(stand.outlet.say_surely("x".to_owned(), Duration::MAX).await, Err(Unsaid::Gone));
        assert_eq!(stand.outlet.say_surely("x".to_owned(), Duration::MAX).await, Err(Unsaid::Gone));
        stand.outlet.say("x".repeat(1000));
        assert_eq!(stand.outlet.ready(PATIENCE).await, Ok(()));
        assert_eq!(stand.outlet.finish(PATIENCE).await, 0);
    }
}
