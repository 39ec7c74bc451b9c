//! Blocking work, kept off the async workers.

use tracing::{Span, debug, error};

use crate::failure::{Code, Failure, Result};

/// Runs blocking work on a thread where it does not block async workers. Its events belong to the span of the caller.
///
/// # Errors
/// What `work` returns; `internal` if it panics.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let span = Span::current();
    let result = tokio::task::spawn_blocking(move || span.in_scope(work)).await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Reading or writing the cache failed unexpectedly.").because(error))
    });
    if let Err(failure) = &result {
        match failure.code {
            Code::Internal => error!(code = %failure.code, "{}", failure.for_log()),
            _ => debug!(code = %failure.code, "{}", failure.for_log()),
        }
    }
    result
}
