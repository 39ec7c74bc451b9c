//! Values to suggest in the form's fields: read once, then filtered as the trader types.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tidemark_engine::api::rows::Suggested;
use tidemark_engine::failure::Result;
use tokio::sync::{OnceCell, SetOnce};

/// Maximum number of values of a field to keep from the cache, and likewise from the source.
pub(crate) const REMEMBERED: u32 = 5_000;
/// Maximum number of values to offer at once.
pub(crate) const OFFERED: u32 = 50;
/// How long values are kept.
const FRESH: Duration = Duration::from_secs(300);
/// How long to wait before querying a source again that failed to answer.
const PAUSE: Duration = Duration::from_secs(10);
/// How long to wait for the source. Values that arrive later are offered on the next call.
const FIRST_CHECK_TIMEOUT: Duration = Duration::from_millis(60);

/// The values kept, by field.
#[derive(Default)]
pub(crate) struct Suggestions {
    fields: Mutex<HashMap<String, Arc<Known>>>,
}

/// The values of one field.
struct Known {
    begun: Instant,
    cached: OnceCell<Vec<String>>,
    is_asked: AtomicBool,
    /// When the source failed to answer. It is queried again after [`PAUSE`].
    failed: OnceLock<Instant>,
    answered: SetOnce<Vec<String>>,
}

impl Suggestions {
    /// Discards everything, because the cache has changed.
    pub(crate) fn forget(&self) {
        self.fields().clear();
    }

    /// The values of a field that start with a prefix, ignoring case: those in the cache first, then those of the
    /// source, without duplicates. `cached` reads the cache, and `asked` queries the source if it is reachable.
    /// Returns `None` if there are too many values to keep, or if none of those kept starts with the prefix: older
    /// documents may have one.
    ///
    /// # Errors
    /// Those of `cached`.
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
        let answered = match asked {
            None => known.answered.get(),
            Some(asked) => {
                if !known.is_asked.swap(true, Ordering::Relaxed) {
                    let known = Arc::clone(&known);
                    tauri::async_runtime::spawn(async move {
                        let values = asked.await;
                        if values.is_err() {
                            let _ = known.failed.set(Instant::now());
                        }
                        // A suggestion that does not arrive just has to be typed.
                        let _ = known.answered.set(values.unwrap_or_default());
                    });
                }
                let answered = tokio::time::timeout(FIRST_CHECK_TIMEOUT, known.answered.wait()).await.ok();
                is_coming = answered.is_none();
                answered
            }
        };
        let answered = answered.map(Vec::as_slice).unwrap_or_default();
        if cached.len().max(answered.len()) >= REMEMBERED as usize {
            return Ok(None);
        }
        let prefix = prefix.to_lowercase();
        let starts = |value: &&String| value.to_lowercase().starts_with(&prefix);
        let values = merged(cached.iter().chain(answered).filter(starts).cloned());
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
                answered: SetOnce::new(),
            })
        };
        Arc::clone(fields.entry(field.to_owned()).or_insert_with(begin))
    }

    fn fields(&self) -> MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes duplicates, and limits the values to as many as are offered.
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

    /// A source that counts how often it is queried, and answers after a while.
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
        let slow = || source(&asked, FIRST_CHECK_TIMEOUT * 4);
        let first = known
            .starting_with("product", "", cached(), slow())
            .await
            .expect("the cache is read")
            .expect("few values");
        assert_eq!(first, Suggested { values: texts(&["Gas TTF"]), is_coming: true });
        tokio::time::sleep(FIRST_CHECK_TIMEOUT * 6).await;
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
