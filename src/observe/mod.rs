//! What is reported of deliveries, and to whom.

pub(crate) mod log;
