//! All integration tests, in one binary: it links once.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly"
)]

mod aella;
mod architecture;
mod banking_circle;
mod basic_auth;
mod behind_nginx;
mod body;
mod budget;
mod contract;
mod custom;
mod deliveries;
mod gate;
mod hang_up;
mod inside;
mod laws;
mod mambu;
mod memory;
mod offload;
mod opp;
#[cfg(feature = "cli")]
mod program;
mod receiver;
#[cfg(feature = "redis")]
mod redis;
mod scheme;
mod sibs;
mod source_ip;
#[cfg(feature = "asymmetric")]
mod standard_webhooks;
mod support;
mod verify;
