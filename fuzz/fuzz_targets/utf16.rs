//! UTF-16 beside the standard library.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tower_webhook_fuzz::encoding::utf16(input));
