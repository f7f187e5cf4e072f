//! What this crate ships for tests: the contract suite that every dedupe store must pass.

pub mod contract;
