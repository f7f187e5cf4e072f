//! The program `tower-webhook`, from outside: children with arguments, a configuration and an environment.

pub(crate) mod child;
mod explain;
mod faults;
mod forward;
mod listen;
mod mismatch;
mod readme;
mod send;
mod strain;
mod unreadable;
mod upstream;
mod wire;
