//! From TOML to a specification. Every fault is found in one go.

mod custom;
mod endpoint;
mod file;
mod inbox;
mod provider;
mod secret;
mod section;
mod units;

pub(super) use file::{file, text};
pub(super) use units::duration;
