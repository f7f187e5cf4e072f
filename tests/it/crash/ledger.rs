//! What handlers did, in a file to which every process appends, and the judgement of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file of one test, removed when dropped by who made it.
pub(crate) struct Ledger {
    path: PathBuf,
    /// One process at a time has it, and in that one thread at a time: the keys of all effects, once they were read.
    turn: Mutex<Option<BTreeSet<String>>>,
    is_ours: bool,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("crash-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, "").unwrap();
        Self { path, turn: Mutex::default(), is_ours: true }
    }

    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), turn: Mutex::default(), is_ours: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The handler is called.
    pub(crate) fn call(&self, key: &str, fence: u64) {
        let _turn = self.turn();
        self.append("call", key, fence);
    }

    /// The effect is made.
    pub(crate) fn effect(&self, key: &str, fence: u64) {
        let mut turn = self.turn();
        if let Some(known) = &mut *turn {
            known.insert(key.to_owned());
        }
        self.append("effect", key, fence);
    }

    /// The effect is made, unless there is one of this key.
    pub(crate) fn effect_once(&self, key: &str, fence: u64) {
        let mut turn = self.turn();
        let known = turn.get_or_insert_with(|| self.fences("effect").into_keys().collect());
        if known.insert(key.to_owned()) {
            self.append("effect", key, fence);
        }
    }

    fn append(&self, what: &str, key: &str, fence: u64) {
        let line = format!("{what} {fence} {key}\n");
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn turn(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By key, the fences of all calls or of all effects.
    fn fences(&self, wanted: &str) -> BTreeMap<String, Vec<u64>> {
        let mut fences: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in fs::read_to_string(&self.path).unwrap().lines() {
            let [what, fence, key] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
            if what == wanted {
                fences.entry(key.to_owned()).or_default().push(fence.parse().unwrap());
            }
        }
        fences
    }

    /// What became of these events, all of which the sender believes to be delivered.
    pub(crate) fn judge(&self, keys: &[String]) -> Judgement {
        let (calls, effects) = (self.fences("call"), self.fences("effect"));
        let count = |key: &String| effects.get(key).map_or(0, Vec::len);
        let lost = keys.iter().filter(|key| count(key) == 0).cloned().collect();
        let twice = keys.iter().filter(|key| count(key) > 1).cloned().collect();
        let invented = effects.keys().filter(|key| !keys.contains(key)).cloned().collect();
        Judgement { lost, twice, invented, calls }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the ledger says of what was sent.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) lost: Vec<String>,
    pub(crate) twice: Vec<String>,
    pub(crate) invented: Vec<String>,
    /// The fence of each call, by key.
    pub(crate) calls: BTreeMap<String, Vec<u64>>,
}

impl Judgement {
    pub(crate) fn is_exactly_once(&self) -> bool {
        [&self.lost, &self.twice, &self.invented].iter().all(|faults| faults.is_empty())
    }

    /// The fences of the calls for the only event.
    pub(crate) fn only(&self) -> &[u64] {
        let mut calls = self.calls.values();
        match (calls.next(), calls.next()) {
            (Some(only), None) => only,
            _ => panic!("one event: {self:?}"),
        }
    }
}

#[test]
fn a_ledger_tells_what_is_lost_what_is_twice_and_what_nobody_sent() {
    let (ledger, keys) = (Ledger::new(), ["a", "b", "c"].map(str::to_owned));
    ledger.call("a", 1);
    ledger.effect_once("a", 1);
    Ledger::at(ledger.path()).effect_once("a", 2);
    ledger.effect("b", 1);
    assert!(ledger.judge(&keys[..2]).is_exactly_once());
    ledger.effect("b", 2);
    ledger.effect("d", 1);
    let judged = ledger.judge(&keys);
    assert_eq!(
        (&judged.lost[..], &judged.twice[..], &judged.invented[..]),
        (&keys[2..], &keys[1..2], &["d".to_owned()][..])
    );
    assert!(!judged.is_exactly_once());
    assert_eq!(judged.only(), [1]);
}
