#![no_main]

#[allow(dead_code)]
#[path = "../../tests/client/fuzz/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::response_headers_and_body::run(data));
