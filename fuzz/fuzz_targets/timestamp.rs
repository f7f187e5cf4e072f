//! Signed times and their tolerance.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::signed::timestamp(input));
