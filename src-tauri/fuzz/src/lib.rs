//! The fuzz targets' own crate. What they check lies in `cases`, which an ordinary test of the engine runs too.

#[path = "../cases/mod.rs"]
pub mod cases;
