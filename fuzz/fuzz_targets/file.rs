//! An inbox whose file is damaged.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::inbox::file(input));
