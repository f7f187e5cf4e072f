//! All integration tests, in one binary: it links once.

mod aella;
mod banking_circle;
mod basic_auth;
mod body;
mod contract;
mod mambu;
mod memory;
mod opp;
mod scheme;
mod source_ip;
mod verify;
