//! Long work on bytes, off the runtime's threads: while one sender's 50 MB are decrypted, everybody else is answered.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Rejection, RejectionKind};

/// The longest text that is worked on where it is, in bytes. That is a fraction of a millisecond for the slowest of our
/// ciphers and MACs by one key; to hand it to another thread would take a tenth of that. A public key takes as long for each
/// signature of a list.
const INLINE: usize = 256 * 1024;

/// As many large bodies as there are cores. The others wait, and hold no thread meanwhile.
static LANES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Whether work on so many bytes is better done by [`offload`].
pub(crate) fn is_long(bytes: usize) -> bool {
    bytes > INLINE
}

/// Does work on so many bytes: here when it is short, else on a thread for blocking work. Work that has begun there is
/// done even if nobody awaits it any more.
///
/// # Errors
///
/// A panic of long work is a rejection (500), as is a runtime that stops (503).
pub(crate) async fn offload<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Rejection> {
    if !is_long(bytes) || Handle::try_current().is_err() {
        return Ok(work());
    }
    // It is never closed.
    let lane = LANES.acquire().await;
    let done = spawn_blocking(move || {
        let _lane = lane;
        work()
    });
    done.await.map_err(|error| match error.is_panic() {
        true => Rejection::new(RejectionKind::HandlerFailed, "the work on a large body ended in a panic"),
        false => Rejection::new(RejectionKind::Draining, "the runtime stops"),
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn short_work_is_done_here_and_long_work_elsewhere() {
        let here = thread::current().id();
        for (bytes, elsewhere) in [(0, false), (INLINE, false), (INLINE + 1, true)] {
            let there = offload(bytes, || thread::current().id()).await.unwrap();
            assert_eq!(there != here, elsewhere, "{bytes}");
        }
    }

    #[tokio::test]
    async fn a_panic_of_long_work_is_a_500() {
        let refused = offload::<()>(INLINE + 1, || panic!("inside")).await.unwrap_err();
        assert_eq!(refused.status(), 500);
        assert!(offload(INLINE + 1, || ()).await.is_ok(), "and its lane is free again");
    }

    #[test]
    fn without_a_runtime_it_is_done_here() {
        assert_eq!(offload(INLINE + 1, || 7).now_or_never().unwrap().unwrap(), 7);
    }

    #[test]
    fn a_runtime_that_stops_ends_it_without_a_panic() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let _inside = handle.enter();
        let refused = offload(INLINE + 1, || ()).now_or_never().expect("it does not wait").unwrap_err();
        assert_eq!(refused.status(), 503);
    }
}
