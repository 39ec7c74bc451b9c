#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tidemark_fuzz::cases::filter_and_match::run(data);
});
