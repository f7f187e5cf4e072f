//! Base64 beside a plain reading of RFC 4648.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::encoding::base64(input));
