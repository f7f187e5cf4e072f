//! What a child takes of the machine, by `/proc`.

use std::fs;

use crate::program::child::Listener;

/// A mebibyte, in the kibibytes that `/proc` counts.
pub(super) const MIB: u64 = 1024;

fn status(listener: &Listener, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", listener.running().id())).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// What it has in memory now, in KiB.
pub(super) fn resident(listener: &Listener) -> u64 {
    status(listener, "VmRSS")
}

/// The most that it has ever had, in KiB.
pub(super) fn peak(listener: &Listener) -> u64 {
    status(listener, "VmHWM")
}

/// The time it has computed for, in hundredths of a second.
pub(super) fn computed(listener: &Listener) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/stat", listener.running().id())).unwrap();
    // Its name, in brackets, may hold anything.
    let fields: Vec<_> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
