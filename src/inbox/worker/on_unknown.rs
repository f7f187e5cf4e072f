//! What becomes of an event whose attempt has no end.

/// What becomes of an event when nobody knows how far its last attempt came: the process died within it, its lease ran out, or
/// its handler panicked, took longer than its limit, or was dropped at the end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnUnknown {
    /// It is handled again: at least once. For handlers whose effect is once by the event's key.
    #[default]
    Again,
    /// It is [parked](crate::inbox::Verdict::Park), with "outcome unknown" as its reason: at most once. People look at what became of
    /// it, and replay it or leave it. An error that the handler returns is an end, and says that it has done nothing.
    Park,
}

pub(super) fn unknown(why: &str) -> String {
    format!("outcome unknown: {why}")
}
