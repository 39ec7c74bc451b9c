//! The state that the commands share.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tauri::AppHandle;
use tidemark_engine::api::source::{Connection, FilterField, SourceProfile, SourceView};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::SourceName;
use tidemark_engine::zone_rules::ZoneRules;

use crate::active::ActiveSource;
use crate::connection::ConnectionMonitor;
use crate::environment::{Environment, demo_form};
use crate::settings::Settings;
use crate::tasks::Tasks;

/// Number of files that stay open after their last use: a trader pages through one and goes back to a few others.
const KEEP_OPEN: usize = 4;
/// How long closing the window waits for runs to stop on the server.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// The state that the commands share.
pub(crate) struct AppState {
    /// Whether the source is reachable.
    pub(crate) monitor: ConnectionMonitor,
    /// Fetches in progress.
    pub(crate) runs: Tasks,
    /// Attempts to connect to a source before using it.
    pub(crate) connects: Tasks,
    /// Exports in progress.
    pub(crate) exports: Tasks,
    /// The clipboard, opened on first use. On X11, the copied text is available only as long as this exists.
    pub(crate) clipboard: Arc<Mutex<Option<arboard::Clipboard>>>,
    /// Overrides from environment variables.
    pub(crate) environment: Environment,
    /// What is remembered between starts.
    pub(crate) settings: Settings,
    engine: Result<Engine>,
    active: RwLock<Option<Arc<ActiveSource>>>,
    /// The demo's form, which is not stored because it is not the trader's.
    demo_form: Mutex<Option<QueryInput>>,
}

impl AppState {
    /// Opens the cache and the settings, and sets up the source that was used last, or the demo's. Does not use the
    /// network.
    pub(crate) fn new(app: &AppHandle, environment: Environment) -> Self {
        let settings = Settings::open(app, environment.settings_folder.as_deref());
        let folder = environment.cache_folder.clone().unwrap_or_else(Engine::default_folder);
        let profile = match &environment.demo {
            Some(demo) => demo.profile().map(Some),
            None => Ok(settings.profile()),
        };
        let opened: Result<Option<ActiveSource>> = profile.and_then(|profile: Option<SourceProfile>| {
            profile.map(|profile| ActiveSource::open(&profile, None, None)).transpose()
        });
        let (active, connection) = match opened {
            Ok(None) => (None, Connection::NotConfigured),
            Ok(Some(active)) => (Some(Arc::new(active)), Connection::Checking),
            Err(failure) => (None, Connection::Offline { failure }),
        };
        let state = Self {
            monitor: ConnectionMonitor::new(connection),
            runs: Tasks::default(),
            connects: Tasks::default(),
            exports: Tasks::default(),
            clipboard: Arc::default(),
            engine: Engine::new(&folder, KEEP_OPEN),
            active: RwLock::new(active),
            demo_form: Mutex::new(None),
            settings,
            environment,
        };
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
    /// Why there is none: its folder cannot be used.
    pub(crate) fn engine(&self) -> Result<&Engine> {
        self.engine.as_ref().map_err(Clone::clone)
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

    /// Switches to a different source, and remembers it unless this is the demo.
    pub(crate) fn use_source(&self, active: ActiveSource) {
        if self.environment.demo.is_none() {
            self.settings.remember_profile(&active.profile);
        }
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(active));
    }

    /// Remembers the form; in the demo only until the window closes.
    pub(crate) fn remember_form(&self, form: QueryInput) {
        if self.environment.demo.is_some() {
            *self.demo_form.lock().unwrap_or_else(PoisonError::into_inner) = Some(form);
        } else {
            self.settings.remember_form(&form);
        }
    }

    /// What the window needs to know about the source.
    ///
    /// # Errors
    /// If there is no engine.
    pub(crate) fn source_view(&self) -> Result<SourceView> {
        let engine = self.engine()?;
        let active = self.active();
        let mapping = active.as_ref().map_or_else(Mapping::default, |active| active.mapping.clone());
        let form = match self.environment.demo {
            Some(_) => self.demo_form.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            None => self.settings.form(),
        };
        Ok(SourceView {
            source: active.as_ref().map(|active| SourceName::of(&active.query_of(Filters::default()))),
            profile: active.map(|active| active.profile.clone()),
            fields: FilterField::of(&mapping),
            day_zone: mapping.day_zone.name().to_owned(),
            zone_rules: ZoneRules::in_use().to_string(),
            today: mapping.day_zone.day_of(engine.now()),
            connection: self.monitor.now(),
            form,
            cache_folder: engine.cache().folder().display().to_string(),
        })
    }

    /// Cancels everything in progress and waits briefly, so that no cursor stays open on the server.
    pub(crate) fn shutdown(&self) {
        let is_fetching = !self.runs.is_idle();
        self.runs.cancel_all();
        self.exports.cancel_all();
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
