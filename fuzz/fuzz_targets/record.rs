//! A stored event whose columns hold anything.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::inbox::record(input));
