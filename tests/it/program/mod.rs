//! The program `tower-webhook`, from outside: children with arguments, a configuration and an environment.

pub(crate) mod admin;
mod check_config;
pub(crate) mod child;
mod deploy;
mod explain;
mod faults;
mod forward;
mod help;
mod inbox;
mod kept;
mod kept_in_postgres;
mod killed;
mod listen;
mod mismatch;
mod names;
mod numbers;
mod quiet;
mod readme;
mod reference;
mod reload;
mod send;
mod storm;
mod strain;
mod unreadable;
pub(crate) mod upstream;
pub(crate) mod wire;
