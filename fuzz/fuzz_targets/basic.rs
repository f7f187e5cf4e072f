//! The `Authorization` header of Basic credentials, beside a plain reading of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::head::basic(input));
