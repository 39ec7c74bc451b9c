//! Blocking work, kept off the async workers.

use tracing::Span;

use crate::failure::{Code, Failure, Result};

/// Runs blocking work on a thread where it does not block async workers. Its events belong to the span of the caller.
///
/// # Errors
/// What `work` returns; `internal` if it panics.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Reading or writing the cache failed unexpectedly.").because(error))
    })
}
