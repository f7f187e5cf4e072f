//! Captured requests: raw HTTP/1.1, or an entry of an HTTP archive.

mod framing;
mod har;
mod raw;

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use http::request::Parts;

use super::report::Why;
pub(super) use har::har;
pub(super) use raw::raw;

/// The largest input that is read, in bytes.
const MAX: u64 = 64 * 1024 * 1024;
/// More headers than any real request has.
const MAX_HEADERS: usize = 1000;

/// A request as it was recorded.
#[derive(Clone)]
pub(super) struct Captured {
    pub(super) head: Parts,
    pub(super) body: Bytes,
    /// The body as it came, where what is signed is what it is decompressed to.
    pub(super) compressed: Option<Bytes>,
    /// What is odd about the recording.
    pub(super) notes: Vec<String>,
    /// Why these may not be the bytes that were sent.
    pub(super) altered: Option<String>,
    /// Why a server does not take it for a request at all.
    pub(super) malformed: Option<Why>,
    /// Why a server waits for more of its body.
    pub(super) unfinished: Option<Unfinished>,
}

impl Captured {
    fn new(head: Parts, body: Bytes, notes: Vec<String>) -> Self {
        Self { head, body, compressed: None, notes, altered: None, malformed: None, unfinished: None }
    }
}

/// A body whose end is not there.
#[derive(Clone)]
pub(super) struct Unfinished {
    /// How long it says it is, in bytes. Chunks do not say.
    pub(super) declared: Option<usize>,
    pub(super) why: Why,
}

/// The file that this option names.
pub(super) fn read_file(option: &str, path: &Path) -> Result<Vec<u8>, String> {
    let opened = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"));
    opened.and_then(read_all).map_err(|why| format!("{option}: {} {why}; give a file with a request", path.display()))
}

pub(super) fn read_all(from: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(MAX + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX) {
        true => Ok(bytes),
        false => Err(format!("is longer than {} MiB", MAX / 1024 / 1024)),
    }
}
