//! What the disk is like on which an inbox lies: asked once, when it is opened.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::InboxError;
use super::connect::unreachable;
use super::fault::unusable;

/// Beyond this a flush is slow: an answer takes as long.
const SLOW: Duration = Duration::from_millis(20);
const TIMES: usize = 5;

/// What the disk was like when the inbox was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Disk {
    /// How long a record takes until it is on disk: the median of five. `None`: there was no room for one.
    pub flush: Option<Duration>,
    /// It is memory, and what is on it is gone when the machine goes down.
    pub is_volatile: bool,
}

impl Disk {
    /// Whether a flush takes more than 20 ms, and each answer as long at least.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.flush.is_some_and(|flush| flush > SLOW)
    }

    /// Writes and flushes into `scratch`, a file beside the inbox that says nothing.
    pub(super) fn probe(scratch: &File, path: &Path, must_be_durable: bool) -> Result<Self, InboxError> {
        let is_volatile = is_volatile(path);
        if is_volatile && must_be_durable {
            return Err(unusable(
                "it would lie in memory (tmpfs or ramfs), where a 2xx promises nothing: take another folder",
            ));
        }
        match flushes(scratch) {
            Ok(flush) => Ok(Self { flush, is_volatile }),
            // What is stored can be handled all the same, and makes room.
            Err(error) if is_full(&error) => Ok(Self { flush: None, is_volatile }),
            Err(error) => Err(unreachable(error)),
        }
    }
}

fn flushes(mut scratch: &File) -> io::Result<Option<Duration>> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        scratch.rewind()?;
        scratch.write_all(&[0x2E; 512])?;
        scratch.sync_data()?;
        took.push(began.elapsed());
    }
    scratch.set_len(0)?;
    took.sort();
    Ok(took.get(TIMES / 2).copied())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// What cannot be asked is taken for a disk.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_volatile(path: &Path) -> bool {
    const TMPFS: i128 = 0x0102_1994;
    const RAMFS: i128 = 0x8584_58F6;
    rustix::fs::statfs(path).is_ok_and(|disk| {
        // Signed or not by the machine.
        let kind = i128::from(disk.f_type) & 0xFFFF_FFFF;
        kind == TMPFS || kind == RAMFS
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_volatile(_: &Path) -> bool {
    false
}
