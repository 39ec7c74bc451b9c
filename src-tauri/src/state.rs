//! The state that the commands share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tidemark_engine::api::source::{
    Connection, FilterField, OpenRequest, SourceColour, SourceProfile, SourceView,
};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::SourceName;
use tidemark_engine::zone_rules::ZoneRules;
use tidemark_settings::{Keychain, Settings, SettingsFile, SourceSecrets, StoredSource};

use crate::active::ActiveSource;
use crate::connection::{ConnectionMonitor, is_out_of_reach};
use crate::environment::{Demo, Environment, demo_form};
use crate::opening::Opening;
use crate::sources::{SecretStore, saved};
use crate::tasks::Tasks;

/// Number of files that stay open after their last use: a trader pages through one and goes back to a few others.
const KEEP_OPEN: usize = 4;
/// How long closing the window waits for runs to stop on the server.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// How long the keychain may take before the window says that it is waited for.
const KEYCHAIN_NOTICE: Duration = Duration::from_millis(500);
/// How long choosing a source waits for its secrets. They usually come at once, unless the keychain is locked.
const SECRETS_TIMEOUT: Duration = Duration::from_secs(1);

/// The state that the commands share.
pub(crate) struct AppState {
    /// Whether the source is reachable.
    pub(crate) monitor: ConnectionMonitor,
    /// Fetches in progress.
    pub(crate) runs: Tasks,
    /// Attempts to reach a source before using it.
    pub(crate) connects: Tasks,
    /// Exports in progress.
    pub(crate) exports: Tasks,
    /// Requests for rows that take a while.
    pub(crate) row_requests: Tasks,
    /// The clipboard, opened on first use. On X11, the copied text is available only as long as this exists.
    pub(crate) clipboard: Arc<Mutex<Option<arboard::Clipboard>>>,
    /// Overrides from environment variables.
    pub(crate) environment: Environment,
    /// What is remembered between starts.
    pub(crate) settings: SettingsFile,
    /// The secrets of the sources.
    pub(crate) secrets: SecretStore,
    engine: RwLock<Result<Engine>>,
    active: RwLock<Option<Arc<ActiveSource>>>,
    /// The id of the source that this window uses, also if it cannot be set up. The settings have the one to begin with,
    /// which a second window may change.
    chosen: RwLock<Option<String>>,
    /// What the command line asks to be shown, until the window asks for it.
    opening: Mutex<Option<OpenRequest>>,
}

impl AppState {
    /// Opens the cache and the settings, and sets up the source that was used last, or the demo's. Does not use the
    /// network.
    pub(crate) fn new(environment: Environment, opening: &Opening) -> Self {
        let secrets = SecretStore::new(Keychain::of_system());
        let (settings, demo_failure) = match &environment.demo {
            Some(demo) => demo_settings(demo, &secrets),
            None => (SettingsFile::open(environment.settings_folder.as_deref()), None),
        };
        let engine = open_engine(&environment, &settings.get());
        let connection = match demo_failure {
            Some(failure) => Connection::Offline { failure },
            None => Connection::NotConfigured,
        };
        let state = Self {
            monitor: ConnectionMonitor::new(connection),
            runs: Tasks::default(),
            connects: Tasks::default(),
            exports: Tasks::default(),
            row_requests: Tasks::default(),
            clipboard: Arc::default(),
            engine: RwLock::new(engine),
            active: RwLock::new(None),
            chosen: RwLock::new(None),
            opening: Mutex::default(),
            secrets,
            settings,
            environment,
        };
        let chosen = state.follow(opening).or_else(|| state.settings.get().used().cloned());
        if let Some(source) = chosen {
            state.activate(&source, &state.secrets.in_memory(&source.id));
        }
        if state.environment.demo.is_some()
            && let (Some(active), Ok(engine)) = (state.active(), state.engine())
        {
            let today = active.mapping.day_zone.day_of(engine.now());
            state.remember_form(demo_form(&active.mapping, today));
        }
        state
    }

    /// The engine.
    ///
    /// # Errors
    /// Why there is none: its folder cannot be used, or it is being moved.
    pub(crate) fn engine(&self) -> Result<Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the engine, or says why there is none.
    pub(crate) fn set_engine(&self, engine: Result<Engine>) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// An engine on a folder, with the settings that are in force.
    ///
    /// # Errors
    /// `disk_full` or `cache_unusable` if the folder cannot be used.
    pub(crate) fn engine_on(&self, folder: &Path) -> Result<Engine> {
        engine_on(folder, &self.settings.get())
    }

    /// The source in use, if one is set up.
    pub(crate) fn active(&self) -> Option<Arc<ActiveSource>> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The source in use.
    ///
    /// # Errors
    /// `source_unreachable` if none is set up.
    pub(crate) fn source(&self) -> Result<Arc<ActiveSource>> {
        self.active().ok_or_else(|| {
            Failure::new(Code::SourceUnreachable, "No source is set up.")
                .advise("Set up a source; what is cached can be opened without one.")
        })
    }

    /// Whether a source is still the one in use.
    pub(crate) fn is_in_use(&self, source: &Arc<ActiveSource>) -> bool {
        self.active().is_some_and(|active| Arc::ptr_eq(&active, source))
    }

    /// Takes note of a command to the source that failed: whether it can be reached shows at once, and is checked.
    pub(crate) fn note_failure(&self, source: &Arc<ActiveSource>, failure: &Failure) {
        if !is_out_of_reach(failure) {
            return;
        }
        // A server that took too long for one command may answer others.
        if failure.code != Code::SourceTimeout && self.is_in_use(source) {
            self.monitor.lost(failure);
        }
        self.monitor.check_soon();
    }

    /// The id of the source that this window uses.
    pub(crate) fn chosen(&self) -> Option<String> {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The source that this window uses, as it is saved.
    pub(crate) fn used(&self) -> Option<StoredSource> {
        self.settings.get().source(&self.chosen()?).cloned()
    }

    /// Makes a source that has been reached the one in use.
    pub(crate) fn use_source(&self, active: ActiveSource) {
        let id = active.id.clone();
        self.set_active(Some(id), Some(Arc::new(active)));
    }

    fn set_active(&self, chosen: Option<String>, active: Option<Arc<ActiveSource>>) {
        let mut in_use = self.active.write().unwrap_or_else(PoisonError::into_inner);
        *self.chosen.write().unwrap_or_else(PoisonError::into_inner) = chosen;
        *in_use = active;
    }

    /// Makes a saved source the one in use, without reaching it. If its secrets are in the keychain and do not come at
    /// once, it goes on without them and takes them when they come.
    pub(crate) async fn choose(self: &Arc<Self>, source: StoredSource) {
        self.activate(&source, &self.secrets.in_memory(&source.id));
        let state = Arc::clone(self);
        let unlocking = tauri::async_runtime::spawn(async move { state.unlock(&source).await });
        let _ = tokio::time::timeout(SECRETS_TIMEOUT, unlocking).await;
        self.monitor.check_soon();
    }

    /// Gives the source in use its secrets, if they are in the keychain.
    pub(crate) async fn unlock(&self, source: &StoredSource) {
        if !source.keep_secrets || !self.secrets.in_memory(&source.id).is_empty() {
            return;
        }
        let is_current =
            || self.active().is_some_and(|active| active.id == source.id && active.profile == source.profile);
        let mut asked = std::pin::pin!(self.secrets.of(source));
        let secrets = match tokio::time::timeout(KEYCHAIN_NOTICE, &mut asked).await {
            Ok(secrets) => secrets,
            Err(_) => {
                if is_current() {
                    self.monitor.found(Connection::Unlocking);
                }
                asked.await
            }
        };
        // The trader may have chosen a different source meanwhile, or have changed this one, or typed its password.
        if !is_current() || matches!(self.monitor.now(), Connection::Online { .. }) {
            return;
        }
        if secrets.is_empty() {
            self.monitor.found(Connection::Checking);
        } else {
            self.activate(source, &secrets);
        }
        self.monitor.check_soon();
    }

    /// Makes a source the one in use. One that cannot be used says so in place of the connection.
    fn activate(&self, source: &StoredSource, secrets: &SourceSecrets) {
        let (active, connection) = match ActiveSource::open(&source.id, &source.profile, secrets) {
            Ok(active) => (Some(Arc::new(active)), Connection::Checking),
            Err(failure) => (None, Connection::Offline { failure }),
        };
        self.set_active(Some(source.id.clone()), active);
        self.monitor.found(connection);
    }

    /// Uses no source any more.
    pub(crate) fn deactivate(&self) {
        self.set_active(None, None);
        self.monitor.found(Connection::NotConfigured);
    }

    /// Notes what a start of the program asks for. Returns the source to use, if it names one.
    pub(crate) fn follow(&self, opening: &Opening) -> Option<StoredSource> {
        if opening.is_empty() {
            return None;
        }
        let settings = self.settings.get();
        let source = opening.source.as_deref().and_then(|name| settings.named(name)).cloned();
        let problem = match &opening.source {
            Some(name) if source.is_none() => Some(format!("There is no source with the name {name}.")),
            _ => None,
        };
        if let Some(source) = &source {
            let id = source.id.clone();
            // If this cannot be saved, the source is in use until the program ends.
            let _ = self.settings.change(|settings| settings.in_use = Some(id));
        }
        let request = OpenRequest { signature: opening.query.clone(), problem };
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
        source
    }

    /// What the command line asks to be shown, once.
    pub(crate) fn take_opening(&self) -> Option<OpenRequest> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Remembers the form.
    pub(crate) fn remember_form(&self, form: QueryInput) {
        // If it cannot be saved, the log says so, and the form only has to be typed again.
        let _ = self.settings.change(|settings| settings.form = Some(form));
    }

    /// What the window needs to know about the source in use, and about the others.
    ///
    /// # Errors
    /// If there is no engine.
    pub(crate) async fn source_view(&self) -> Result<SourceView> {
        let has_keychain = self.secrets.has_keychain().await;
        let engine = self.engine()?;
        let active = self.active();
        let settings = self.settings.get();
        let mapping = active.as_ref().map_or_else(Mapping::default, |active| active.mapping.clone());
        let used = self.used();
        let profile = active.as_ref().map(|active| active.profile.clone());
        Ok(SourceView {
            sources: saved(&settings, &self.secrets),
            in_use: used.as_ref().map(|source| source.id.clone()),
            has_keychain,
            has_sample: self.environment.sample.is_some(),
            source: active.as_ref().map(|active| SourceName::of(&active.query_of(Filters::default()))),
            profile: profile.or_else(|| used.map(|source| source.profile)),
            fields: FilterField::of(&mapping),
            day_zone: mapping.day_zone.name().to_owned(),
            zone_rules: ZoneRules::in_use().to_string(),
            today: mapping.day_zone.day_of(engine.now()),
            connection: self.monitor.now(),
            form: settings.form,
            cache_folder: engine.cache().folder().display().to_string(),
        })
    }

    /// Cancels everything in progress and waits briefly, so that no cursor stays open on the server.
    pub(crate) fn shutdown(&self) {
        let is_fetching = !self.runs.is_idle();
        self.runs.cancel_all();
        self.exports.cancel_all();
        self.row_requests.cancel_all();
        let until = Instant::now() + SHUTDOWN_GRACE;
        while Instant::now() < until && !(self.runs.is_idle() && self.exports.is_idle()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(active) = active.filter(|_| is_fetching) {
            tauri::async_runtime::block_on(active.source.close());
        }
    }
}

fn open_engine(environment: &Environment, settings: &Settings) -> Result<Engine> {
    let folder = environment.cache_folder.clone().or_else(|| chosen_folder(settings).ok().flatten());
    engine_on(&folder.unwrap_or_else(Engine::default_folder), settings)
}

fn engine_on(folder: &Path, settings: &Settings) -> Result<Engine> {
    Ok(Engine::new(folder, KEEP_OPEN)?.with_memory(settings.memory_limit))
}

/// The cache folder that the settings name, if they name one.
///
/// # Errors
/// The folder, if it is missing: it may be on a disk that is not connected, and must not be made anew in its place.
pub(crate) fn chosen_folder(settings: &Settings) -> std::result::Result<Option<PathBuf>, PathBuf> {
    match &settings.cache_folder {
        Some(folder) if !folder.is_dir() => Err(folder.clone()),
        folder => Ok(folder.clone()),
    }
}

/// Settings with the demo's source alone, which are not stored because they are not the trader's. Its password stays in
/// memory.
fn demo_settings(demo: &Demo, secrets: &SecretStore) -> (SettingsFile, Option<Failure>) {
    let mut settings = Settings::default();
    let failure = match demo.profile() {
        Ok(profile) => {
            let (source, typed) = demo_source(profile);
            let id = settings.put(None, |id| StoredSource { id, ..source });
            secrets.remember(&id, typed);
            settings.in_use = Some(id);
            None
        }
        Err(failure) => Some(failure),
    };
    (SettingsFile::in_memory(settings), failure)
}

/// The source of the demo, and its secrets.
pub(crate) fn demo_source(profile: SourceProfile) -> (StoredSource, SourceSecrets) {
    let (uri, secrets) = SourceSecrets::split(&profile.uri);
    let source = StoredSource {
        id: String::new(),
        name: "Sample desk".to_owned(),
        colour: SourceColour::Green,
        profile: SourceProfile { uri, ..profile },
        keep_secrets: false,
    };
    (source, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_window_does_not_change_which_source_this_one_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = |id: &str| {
            serde_json::json!({
                "id": id, "name": id, "uri": format!("mongodb://127.0.0.1:{id}/"), "database": "desk",
                "collection": "trades",
            })
        };
        let settings =
            serde_json::json!({"version": 2, "in_use": "1", "sources": [source("1"), source("2")]})
                .to_string();
        std::fs::write(folder.path().join("settings.json"), settings).expect("written");
        let open = |cache: &str| {
            let environment = Environment {
                settings_folder: Some(folder.path().to_owned()),
                cache_folder: Some(folder.path().join(cache)),
                ..Environment::default()
            };
            Arc::new(AppState::new(environment, &Opening::default()))
        };
        let (first, second) = (open("a"), open("b"));
        let other = second.settings.get().source("2").expect("it is set up").clone();
        second.settings.change(|settings| settings.in_use = Some("2".to_owned())).expect("saved");
        second.choose(other).await;
        // Whatever is saved here, the settings are read again.
        first.remember_form(QueryInput {
            from: String::new(),
            to: String::new(),
            filters: Vec::new(),
            advanced: String::new(),
        });
        assert_eq!(first.settings.get().in_use.as_deref(), Some("2"));
        for (window, id) in [(&first, "1"), (&second, "2")] {
            let view = window.source_view().await.expect("a view");
            assert_eq!(view.in_use.as_deref(), Some(id));
            assert!(view.profile.expect("a source").uri.contains(&format!(":{id}/")));
        }
        first.deactivate();
        assert_eq!(first.source_view().await.expect("a view").in_use, None);
    }
}
