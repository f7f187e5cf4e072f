//! Lists of signatures and parameters of a signature header.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::signed::signatures(input));
