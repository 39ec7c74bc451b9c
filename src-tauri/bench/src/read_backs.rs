//! What the engine took to read stored windows back, from its own log.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The field of the event in which the engine logs it, in microseconds.
const FIELD: &str = "read_back_us";

/// The sum over all windows of this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadBacks(Arc<AtomicU64>);

impl ReadBacks {
    /// Adds up from now on.
    pub(crate) fn watch() -> Result<Self, String> {
        let sum = Self::default();
        let subscriber = tracing_subscriber::registry().with(sum.clone());
        tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())?;
        Ok(sum)
    }

    /// The sum so far, in milliseconds.
    pub(crate) fn ms(&self) -> f64 {
        std::time::Duration::from_micros(self.0.load(Ordering::Relaxed)).as_secs_f64() * 1_000.0
    }
}

impl<S: Subscriber> Layer<S> for ReadBacks {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut Adding(&self.0));
    }
}

struct Adding<'a>(&'a AtomicU64);

impl Visit for Adding<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == FIELD {
            self.0.fetch_add(value, Ordering::Relaxed);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
