//! The sources that are set up, and their secrets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidemark_engine::api::source::{SavedSource, SecretPlace, SourceDraft, SourceProfile, TypedSecrets};
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure, FailureTarget, Result};
use tidemark_settings::{Keychain, KeychainError, Settings, SettingsFile, SourceSecrets, StoredSource};
use tokio::sync::OnceCell;
use tracing::warn;

/// How long to wait until it is known whether there is a keychain. It is a question to a service on this computer.
const KEYCHAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The secrets of the sources: those that were typed since the start, and the system's keychain.
#[derive(Debug)]
pub(crate) struct SecretStore {
    keychain: Keychain,
    is_there: OnceCell<bool>,
    in_memory: Mutex<HashMap<String, SourceSecrets>>,
}

/// What a draft says, with its secrets apart.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The profile, without secrets.
    pub(crate) profile: SourceProfile,
    /// The secrets to connect with.
    pub(crate) secrets: SourceSecrets,
}

impl SecretStore {
    pub(crate) fn new(keychain: Keychain) -> Self {
        Self { keychain, is_there: OnceCell::new(), in_memory: Mutex::default() }
    }

    /// Whether the system has a keychain.
    pub(crate) async fn has_keychain(&self) -> bool {
        let keychain = self.keychain;
        let look = || async move { off_thread(move || Ok(keychain.is_there())).await.unwrap_or(false) };
        tokio::time::timeout(KEYCHAIN_TIMEOUT, self.is_there.get_or_init(look))
            .await
            .is_ok_and(|found| *found)
    }

    /// Secrets that were typed or read since the start.
    pub(crate) fn in_memory(&self, id: &str) -> SourceSecrets {
        self.lock().get(id).cloned().unwrap_or_default()
    }

    /// The secrets of a source. Waits while the keychain asks a person to unlock it.
    pub(crate) async fn of(&self, source: &StoredSource) -> SourceSecrets {
        let known = self.in_memory(&source.id);
        if !known.is_empty() || !source.keep_secrets {
            return known;
        }
        let id = source.id.clone();
        let read = self.ask(move |keychain| keychain.read(&id)).await;
        match read {
            Ok(kept) => {
                let secrets = kept.unwrap_or_default();
                // What was typed while the keychain was being unlocked stands.
                let typed = self.in_memory(&source.id);
                if !typed.is_empty() {
                    return typed;
                }
                self.remember(&source.id, secrets.clone());
                secrets
            }
            Err(problem) => {
                warn!("the secrets of a source cannot be read: {problem}");
                SourceSecrets::default()
            }
        }
    }

    /// Remembers secrets until the program ends.
    pub(crate) fn remember(&self, id: &str, secrets: SourceSecrets) {
        if secrets.is_empty() {
            self.lock().remove(id);
        } else {
            self.lock().insert(id.to_owned(), secrets);
        }
    }

    /// Keeps secrets in the keychain, or removes them from it. Returns whether they are kept there now.
    pub(crate) async fn keep(&self, id: &str, secrets: &SourceSecrets, wanted: bool) -> bool {
        if !self.has_keychain().await {
            return false;
        }
        let is_kept = wanted && !secrets.is_empty();
        let (id, secrets) = (id.to_owned(), secrets.clone());
        let done = self.ask(move |keychain| match is_kept {
            true => keychain.write(&id, &secrets),
            false => keychain.remove(&id),
        });
        match done.await {
            Ok(()) => is_kept,
            Err(problem) => {
                warn!("the secrets of a source are kept in memory only: {problem}");
                false
            }
        }
    }

    /// Forgets the secrets of a source everywhere.
    pub(crate) async fn forget(&self, source: &StoredSource) {
        self.lock().remove(&source.id);
        if source.keep_secrets {
            self.keep(&source.id, &SourceSecrets::default(), false).await;
        }
    }

    /// Asks the keychain, which may take as long as a person takes to unlock it.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Keychain) -> std::result::Result<T, KeychainError> + Send + 'static,
    ) -> std::result::Result<T, String> {
        let keychain = self.keychain;
        let asked = off_thread(move || Ok(question(keychain).map_err(|error| error.to_string())));
        match tokio::time::timeout(Keychain::PATIENCE, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => Err(failure.message),
            Err(_) => Err("the keychain does not answer".to_owned()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, SourceSecrets>> {
        self.in_memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources as the window shows them.
pub(crate) fn saved(settings: &Settings, secrets: &SecretStore) -> Vec<SavedSource> {
    let place = |source: &StoredSource| {
        if source.keep_secrets {
            SecretPlace::Keychain
        } else if secrets.in_memory(&source.id).is_empty() {
            SecretPlace::None
        } else {
            SecretPlace::Memory
        }
    };
    let saved = |source: &StoredSource| SavedSource {
        id: source.id.clone(),
        name: source.name.clone(),
        colour: source.colour,
        profile: source.profile.clone(),
        secrets: place(source),
    };
    settings.sources.iter().map(saved).collect()
}

/// The name of a draft: what was typed, or one made of its database and collection.
///
/// # Errors
/// `bad_source` if another source is called so.
pub(crate) fn name_of(settings: &Settings, draft: &SourceDraft) -> Result<String> {
    let typed = draft.name.trim();
    if typed.is_empty() {
        return Ok(settings.free_name(&draft.profile, draft.id.as_deref()));
    }
    match settings.named(typed) {
        Some(other) if Some(&other.id) != draft.id.as_ref() => {
            let message = format!("There is already a source with the name {}.", other.name);
            Err(Failure::new(Code::BadSource, message)
                .advise("Choose a different name.")
                .at(FailureTarget::SourceName))
        }
        _ => Ok(typed.to_owned()),
    }
}

/// Takes the secrets out of a draft, and completes them by those that are known for its connection string.
pub(crate) async fn prepare(
    settings: &Settings,
    store: &SecretStore,
    draft: &SourceDraft,
    typed: TypedSecrets,
) -> Prepared {
    let (uri, in_text) = SourceSecrets::split(&draft.profile.uri);
    let secrets = SourceSecrets::from(typed).or(&in_text);
    let profile = SourceProfile {
        uri,
        database: draft.profile.database.trim().to_owned(),
        collection: draft.profile.collection.trim().to_owned(),
        mapping: draft.profile.mapping.clone(),
    };
    // A password is for the hosts and the user that it was typed for.
    let known = draft.secrets_of.as_deref().and_then(|id| settings.source(id));
    let secrets = match known.filter(|known| known.profile.uri == profile.uri) {
        Some(known) => secrets.or(&store.of(known).await),
        None => secrets,
    };
    Prepared { profile, secrets }
}

/// Which source is in use once a draft is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InUse {
    /// The saved one.
    Saved,
    /// The same as before; the saved one if there was none.
    AsBefore,
}

/// Saves a draft under a name that is free, and which source is in use, in one go. Returns its id.
///
/// # Errors
/// If the settings could not be written.
pub(crate) fn put(
    settings: &SettingsFile,
    draft: &SourceDraft,
    name: &str,
    profile: &SourceProfile,
    in_use: InUse,
) -> Result<String> {
    let changed = settings.change(|settings| {
        // A source that was deleted meanwhile comes back under its old id.
        let kept =
            draft.id.as_deref().and_then(|id| settings.source(id)).is_some_and(|known| known.keep_secrets);
        let id = settings.put(draft.id.clone(), |id| StoredSource {
            id,
            name: name.to_owned(),
            colour: draft.colour,
            profile: profile.clone(),
            keep_secrets: kept,
        });
        if in_use == InUse::Saved || settings.in_use.is_none() {
            settings.in_use = Some(id.clone());
        }
        id
    });
    Ok(changed?)
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;

    fn draft(uri: &str, secrets_of: Option<&str>) -> SourceDraft {
        SourceDraft {
            profile: SourceProfile {
                uri: uri.to_owned(),
                database: " desk ".to_owned(),
                collection: "trades".to_owned(),
                mapping: String::new(),
            },
            secrets_of: secrets_of.map(str::to_owned),
            ..SourceDraft::default()
        }
    }

    /// Settings with the source 1, whose password was typed.
    fn known(uri: &str) -> (SettingsFile, SecretStore) {
        let (file, store) =
            (SettingsFile::in_memory(Settings::default()), SecretStore::new(Keychain::of_system()));
        let draft = SourceDraft { id: Some("1".to_owned()), ..draft(uri, None) };
        let id = put(&file, &draft, "Production", &draft.profile, InUse::AsBefore).expect("saved");
        store.remember(&id, SourceSecrets { password: Some("s3cret".into()), ..SourceSecrets::default() });
        (file, store)
    }

    async fn password(draft: &SourceDraft, typed: Option<&str>) -> (String, Option<String>) {
        let (file, store) = known("mongodb://ann@db1/");
        let typed = TypedSecrets { password: typed.map(SecretString::from), ..TypedSecrets::default() };
        let Prepared { profile, secrets } = prepare(&file.get(), &store, draft, typed).await;
        assert_eq!(profile.database, "desk");
        (profile.uri, secrets.password.map(|password| password.expose_secret().to_owned()))
    }

    #[tokio::test]
    async fn a_password_is_for_the_hosts_and_the_user_that_it_was_typed_for() {
        let own = Some("1");
        let taken = |uri: &str, password: Option<&str>| (uri.to_owned(), password.map(str::to_owned));
        let same = draft("mongodb://ann@db1/", own);
        assert_eq!(password(&same, None).await, taken("mongodb://ann@db1/", Some("s3cret")));
        assert_eq!(password(&same, Some("new")).await.1.as_deref(), Some("new"));
        for other in ["mongodb://ann@db2/", "mongodb://bob@db1/"] {
            assert_eq!(password(&draft(other, own), None).await, taken(other, None));
        }
        assert_eq!(password(&draft("mongodb://ann@db1/", None), None).await.1, None, "a new source");
        let pasted = draft("mongodb://ann:pasted@db1/", own);
        assert_eq!(password(&pasted, None).await, taken("mongodb://ann@db1/", Some("pasted")));
    }

    #[test]
    fn a_name_belongs_to_one_source() {
        let settings = known("mongodb://db1/").0.get();
        let named = |name: &str, id: Option<&str>| {
            let draft = SourceDraft {
                name: name.to_owned(),
                id: id.map(str::to_owned),
                ..draft("mongodb://db1/", None)
            };
            name_of(&settings, &draft)
        };
        assert_eq!(named("Test", None).as_deref(), Ok("Test"));
        assert_eq!(named(" ", None).as_deref(), Ok("desk.trades"));
        assert_eq!(named("production", Some("1")).as_deref(), Ok("production"), "its own name");
        let failure = named("production ", None).expect_err("it is taken");
        assert_eq!((failure.code, failure.target), (Code::BadSource, Some(FailureTarget::SourceName)));
    }

    #[test]
    fn a_source_and_its_use_are_written_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SettingsFile::open(Some(folder.path()));
        let written = || SettingsFile::peek(Some(folder.path())).in_use;
        let add = |name: &str, in_use| {
            let draft = draft("mongodb://db1/", None);
            put(&file, &draft, name, &draft.profile, in_use).expect("saved")
        };
        let first = add("A", InUse::AsBefore);
        assert_eq!(written(), Some(first.clone()), "there was none");
        add("B", InUse::AsBefore);
        assert_eq!(written(), Some(first));
        let third = add("C", InUse::Saved);
        assert_eq!(written(), Some(third));
    }
}
