//! Blocking work, kept off the async workers.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{Span, debug, error};

use crate::failure::{Code, Failure, Result};

/// How long blocking work may wait for a thread. Usually it begins at once.
const THREAD_WAIT: Duration = Duration::from_secs(30);

/// Runs blocking work on a thread where it does not block async workers. Its events belong to the span of the caller.
///
/// # Errors
/// What `work` returns; `internal` if it panics; `out_of_memory` as for [`begin_on_thread`].
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let result = begin_on_thread(work).await?.await.unwrap_or_else(|error| {
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

/// Begins blocking work on a thread of its own, and returns once it has begun.
///
/// # Errors
/// `out_of_memory` if the system gives this process no further thread. The work would then be queued for a thread of
/// other work, which may itself be waiting for this work: neither would ever end.
pub(crate) async fn begin_on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    begin_within(THREAD_WAIT, work).await
}

async fn begin_within<T: Send + 'static>(
    wait: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let (begun, has_begun) = oneshot::channel();
    let span = Span::current();
    let handle = tokio::task::spawn_blocking(move || {
        let _ = begun.send(());
        span.in_scope(work)
    });
    if timeout(wait, has_begun).await.is_err() {
        handle.abort();
        let what = "The system gives Tidemark no further thread.";
        return Err(Failure::new(Code::OutOfMemory, what)
            .advise("Close other programs, or raise the limit on this user's processes and memory."));
    }
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_without_a_thread_fails_and_does_not_wait_forever() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (sender, receiver) = mpsc::channel::<()>();
            let first = begin_on_thread(move || receiver.recv()).await.expect("the only thread is free");
            let second = begin_within(Duration::from_millis(50), || ()).await;
            assert_eq!(second.expect_err("no thread is left").code, Code::OutOfMemory);
            drop(sender);
            first.await.expect("it ends").expect_err("nothing was sent");
            let third = begin_on_thread(|| 7).await.expect("the thread is free again");
            assert_eq!(third.await.expect("it ends"), 7);
        });
    }
}
