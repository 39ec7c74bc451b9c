//! Values to suggest for the fields of the form: read once, then looked through as the trader types.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tidemark_engine::api::rows::Suggested;
use tidemark_engine::failure::Result;
use tokio::sync::{OnceCell, SetOnce};

/// Values of a field that are remembered from the cache, and as many from the source.
pub(crate) const REMEMBERED: u32 = 5_000;
/// Values that are offered at once.
pub(crate) const OFFERED: u32 = 50;
/// How long values are remembered.
const FRESH: Duration = Duration::from_secs(300);
/// How long to wait before asking a source again that failed to answer.
const PAUSE: Duration = Duration::from_secs(10);
/// How long an answer waits for the source. What comes later is offered when it is asked for again.
const PATIENCE: Duration = Duration::from_millis(60);

/// What is remembered, by field.
#[derive(Default)]
pub(crate) struct Suggestions {
    fields: Mutex<HashMap<String, Arc<Known>>>,
}

/// Values of one field.
struct Known {
    begun: Instant,
    cached: OnceCell<Vec<String>>,
    is_asked: AtomicBool,
    /// When the source failed to answer. It is asked again after [`PAUSE`].
    failed: OnceLock<Instant>,
    told: SetOnce<Vec<String>>,
}

impl Suggestions {
    /// Forgets all, for the cache has other values now.
    pub(crate) fn forget(&self) {
        self.fields().clear();
    }

    /// The values of a field that start with a prefix, ignoring case: those in the cache first, then those of the
    /// source, each once. `cached` reads the cache and `asked` asks the source, if it can be reached. Returns none if
    /// there are too many values to remember, or if no remembered value starts with the prefix: older documents may
    /// have one.
    ///
    /// # Errors
    /// What `cached` comes to.
    pub(crate) async fn starting_with<A>(
        &self,
        field: &str,
        prefix: &str,
        cached: impl Future<Output = Result<Vec<String>>>,
        asked: Option<A>,
    ) -> Result<Option<Suggested>>
    where
        A: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        let known = self.known(field);
        let cached = known.cached.get_or_try_init(|| cached).await?;
        let mut is_coming = false;
        let told = match asked {
            None => known.told.get(),
            Some(asked) => {
                if !known.is_asked.swap(true, Ordering::Relaxed) {
                    let known = Arc::clone(&known);
                    tauri::async_runtime::spawn(async move {
                        let values = asked.await;
                        if values.is_err() {
                            let _ = known.failed.set(Instant::now());
                        }
                        // A suggestion that does not come is only a value to type.
                        let _ = known.told.set(values.unwrap_or_default());
                    });
                }
                let told = tokio::time::timeout(PATIENCE, known.told.wait()).await.ok();
                is_coming = told.is_none();
                told
            }
        };
        let told = told.map(Vec::as_slice).unwrap_or_default();
        if cached.len().max(told.len()) >= REMEMBERED as usize {
            return Ok(None);
        }
        let prefix = prefix.to_lowercase();
        let starts = |value: &&String| value.to_lowercase().starts_with(&prefix);
        let values = merged(cached.iter().chain(told).filter(starts).cloned());
        if values.is_empty() && !prefix.is_empty() && !is_coming {
            return Ok(None);
        }
        Ok(Some(Suggested { values, is_coming }))
    }

    fn known(&self, field: &str) -> Arc<Known> {
        let mut fields = self.fields();
        let is_good = |known: &Known| {
            let may_ask_again = known.failed.get().is_some_and(|failed| failed.elapsed() > PAUSE);
            known.begun.elapsed() < FRESH && !may_ask_again
        };
        fields.retain(|_, known| is_good(known));
        let begin = || {
            Arc::new(Known {
                begun: Instant::now(),
                cached: OnceCell::new(),
                is_asked: AtomicBool::new(false),
                failed: OnceLock::new(),
                told: SetOnce::new(),
            })
        };
        Arc::clone(fields.entry(field.to_owned()).or_insert_with(begin))
    }

    fn fields(&self) -> MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each value once, as many as are offered.
pub(crate) fn merged(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    values.filter(|value| seen.insert(value.clone())).take(OFFERED as usize).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    /// A source that counts how often it is asked, and answers after a while.
    fn source(
        asked: &Arc<AtomicU32>,
        after: Duration,
    ) -> Option<impl Future<Output = Result<Vec<String>>> + Send + 'static> {
        let asked = Arc::clone(asked);
        Some(async move {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(after).await;
            Ok(texts(&["Brent", "Coal API2", "Gas NBP"]))
        })
    }

    #[tokio::test]
    async fn what_is_cached_comes_first_and_once_and_the_source_is_asked_once() {
        let (known, asked) = (Suggestions::default(), Arc::default());
        let cached = || async { Ok(texts(&["Gas TTF", "Brent"])) };
        for (prefix, expected) in [
            ("", &["Gas TTF", "Brent", "Coal API2", "Gas NBP"][..]),
            ("gas", &["Gas TTF", "Gas NBP"]),
            ("Gas T", &["Gas TTF"]),
        ] {
            let found = known
                .starting_with("product", prefix, cached(), source(&asked, Duration::ZERO))
                .await
                .expect("the cache is read")
                .expect("few values");
            assert_eq!(found, Suggested { values: texts(expected), is_coming: false }, "{prefix}");
        }
        let other = known.starting_with("product", "x", cached(), source(&asked, Duration::ZERO)).await;
        assert_eq!(other.expect("the cache is read"), None);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        known.forget();
        known
            .starting_with("product", "", cached(), source(&asked, Duration::ZERO))
            .await
            .expect("the cache is read");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_slow_source_is_not_waited_for() {
        let (known, asked) = (Suggestions::default(), Arc::default());
        let cached = || async { Ok(texts(&["Gas TTF"])) };
        let slow = || source(&asked, PATIENCE * 4);
        let first = known
            .starting_with("product", "", cached(), slow())
            .await
            .expect("the cache is read")
            .expect("few values");
        assert_eq!(first, Suggested { values: texts(&["Gas TTF"]), is_coming: true });
        tokio::time::sleep(PATIENCE * 6).await;
        let then = known
            .starting_with("product", "c", cached(), slow())
            .await
            .expect("the cache is read")
            .expect("few values");
        assert_eq!(then, Suggested { values: texts(&["Coal API2"]), is_coming: false });
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn too_many_values_are_not_remembered_and_few_are_offered() {
        let numbers = |count: u32| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
        let (known, asked) = (Suggestions::default(), Arc::default());
        let many = async { Ok(numbers(REMEMBERED)) };
        let none = source(&asked, Duration::ZERO).filter(|_| false);
        assert_eq!(known.starting_with("product", "", many, none).await.expect("the cache is read"), None);
        assert_eq!(merged(numbers(80).into_iter().chain(numbers(80))).len(), 50);
    }
}
