//! All integration tests, in one binary: it links once.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly"
)]

mod aella;
mod ahead;
mod architecture;
mod banking_circle;
mod basic_auth;
mod batch;
mod behind_nginx;
mod body;
mod budget;
mod by_hand;
mod candidate;
mod cavs;
#[cfg(feature = "config")]
mod configuration;
mod contract;
mod crash;
mod custom;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[path = "../../src/inbox/store/delegated.rs"]
mod delegated;
mod deliveries;
mod diagnostics;
mod effects;
mod faults;
mod floors;
mod gate;
mod handlers;
mod hang_up;
mod hanging;
mod harness;
mod identity;
#[cfg(feature = "sqlite")]
mod inbox;
mod inside;
mod key_swap;
mod keys;
mod laws;
#[cfg(feature = "cli")]
mod limits;
mod mambu;
mod marking;
mod memory;
mod mismatch;
mod offload;
mod opp;
mod other_payload;
mod ports;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "cli")]
mod program;
mod promises;
mod receiver;
mod receiver_identity;
#[cfg(feature = "redis")]
mod redis;
mod rewriting;
mod rewritten;
mod scheme;
mod secrecy;
mod sender;
mod sibs;
mod source_ip;
#[cfg(feature = "asymmetric")]
mod standard_webhooks;
mod subscriber;
mod support;
mod tenants;
mod testing;
mod tower_http;
mod traced;
mod unreadable;
#[cfg(feature = "config")]
mod vectors;
mod verify;
mod wycheproof;
