//! Standard Webhooks beside its reference library.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::standard::standard(input));
