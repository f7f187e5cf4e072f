//! Public keys in PEM and JWK.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::key::key(input));
