//! Configuration and one check each, on the shell of `gate`.

mod basic_auth;
mod source_ip;
mod verify;
