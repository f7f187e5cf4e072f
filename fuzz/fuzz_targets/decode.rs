//! What each provider makes of a body that is proved.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::decode::decode(input));
