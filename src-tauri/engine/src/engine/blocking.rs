//! Blocking work, kept off the async workers.

use crate::failure::{Code, Failure, Result};

/// Runs blocking work on a thread where it does not block async workers.
///
/// # Errors
/// What `work` returns; `internal` if it panics.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Reading or writing the cache failed unexpectedly.").because(error))
    })
}
