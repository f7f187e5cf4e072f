//! Encrypted bodies: IV, tag and ciphertext in any place and spelling.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::envelope::envelope(input));
