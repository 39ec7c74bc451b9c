//! What the engine's tests share.

#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod fixture;
