//! Amounts as decimals, bare and inside JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::money::amount(input));
