#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/mod.rs"]
mod properties;

fuzz_target!(|input: &[u8]| properties::check("owned", input));
