//! CPU time from `/proc`.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use tower_webhook::error::BoxError;

/// Nanoseconds on a CPU that all threads of this process take for it.
pub(crate) fn nanos(work: impl FnOnce() -> Result<(), BoxError>) -> Result<f64, BoxError> {
    let before = spent("self")?;
    work()?;
    Ok((spent("self")?.saturating_sub(before)).as_secs_f64() * 1e9)
}

/// How long the live threads of a process have been on a CPU. Exact only while they sleep, so that they are given the
/// time to. Threads for blocking work live for ten seconds after it.
pub(crate) fn spent(process: &str) -> Result<Duration, BoxError> {
    thread::sleep(Duration::from_millis(3));
    let mut nanos = 0;
    for task in fs::read_dir(Path::new("/proc").join(process).join("task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
