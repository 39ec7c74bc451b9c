#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tidemark_fuzz::cases::bson_to_columns::run(data);
    // A file is opened, written and read: one input in 256 is enough.
    if data.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)) == 0 {
        tidemark_fuzz::cases::bson_to_columns::store(data);
    }
});
