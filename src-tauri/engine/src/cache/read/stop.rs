//! Stopping work on the rows of a view.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duckdb::InterruptHandle;

use crate::cache::file::error::{CacheErrorKind, Result, Work};

/// How often work that waits for the same work of another thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(5);

/// Stops work from another thread.
#[derive(Debug, Default)]
pub struct Stop {
    stopped: AtomicBool,
    running: Mutex<Option<Running>>,
}

struct Running(Arc<InterruptHandle>);

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

impl Stop {
    /// Stops the work. A statement that is just beginning may not notice, so call it until the work has ended.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(Running(handle)) = &*self.running() {
            handle.interrupt();
        }
    }

    /// Fails if the work is to stop.
    ///
    /// # Errors
    /// `cancelled`.
    pub(crate) fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(CacheErrorKind::Cancelled(Work::Statement).into());
        }
        Ok(())
    }

    /// Locks what another thread may be filling in.
    pub(crate) fn lock<'a, T>(&self, shared: &'a Mutex<T>) -> Result<MutexGuard<'a, T>> {
        loop {
            self.check()?;
            match shared.try_lock() {
                Ok(guard) => return Ok(guard),
                // Whoever panicked has filled nothing in.
                Err(std::sync::TryLockError::Poisoned(guard)) => return Ok(guard.into_inner()),
                Err(std::sync::TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
        }
    }

    /// Notes the connection that work begins to use.
    pub(crate) fn begin(&self, handle: Arc<InterruptHandle>) {
        *self.running() = Some(Running(handle));
    }

    /// Notes that the work has ended with it.
    pub(crate) fn end(&self) {
        *self.running() = None;
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
