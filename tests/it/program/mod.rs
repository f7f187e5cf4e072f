//! The program `tower-webhook`, from outside: children with arguments, a configuration and an environment.

mod check_config;
pub(crate) mod child;
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
mod quiet;
mod readme;
mod reference;
mod send;
mod storm;
mod strain;
mod unreadable;
mod upstream;
pub(crate) mod wire;
