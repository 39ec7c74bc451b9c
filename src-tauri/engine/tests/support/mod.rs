//! What the engine's tests share.
#![allow(dead_code, reason = "each test program uses its part")]

#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod desk;
