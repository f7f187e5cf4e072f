//! Configuration files.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::config::text(input));
