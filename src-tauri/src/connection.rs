//! Whether the source is reachable: checked in the background, so that nothing else has to wait for a dead server.

use std::sync::Arc;
use std::time::Duration;

use tauri::{AppHandle, Emitter as _, Manager as _};
use tidemark_engine::api::source::Connection;
use tidemark_engine::failure::{Code, Failure};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use crate::state::AppState;

/// The event that the window subscribes to.
const EVENT: &str = "connection";
/// Interval between checks while the source answers.
const ONLINE_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between checks while it does not: its return should be noticed soon.
const OFFLINE_INTERVAL: Duration = Duration::from_secs(2);

/// How long an answer may take before the source no longer counts as online.
const SLOW: Duration = Duration::from_secs(1);

/// The result of the latest check.
#[derive(Debug)]
pub(crate) struct ConnectionMonitor {
    latest: watch::Sender<Connection>,
    wanted: Notify,
}

impl ConnectionMonitor {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { latest: watch::Sender::new(connection), wanted: Notify::new() }
    }

    /// The result of the latest check.
    pub(crate) fn now(&self) -> Connection {
        self.latest.borrow().clone()
    }

    /// The result of the first check, if it arrives within `patience`; otherwise the current state.
    pub(crate) async fn settled(&self, patience: Duration) -> Connection {
        let mut changes = self.latest.subscribe();
        let known = changes.wait_for(|connection| *connection != Connection::Checking);
        match tokio::time::timeout(patience, known).await {
            Ok(Ok(connection)) => connection.clone(),
            _ => self.now(),
        }
    }

    /// Records the result of a check. Notifies subscribers only if the state changed.
    pub(crate) fn found(&self, connection: Connection) {
        self.latest.send_if_modified(|held| {
            let news = is_news(held, &connection);
            *held = connection;
            news
        });
    }

    /// Records that the source is out of reach, because a command of something else than a check failed. If it was
    /// known already, the reason stays: a command that is not even sent fails as well.
    pub(crate) fn lost(&self, failure: &Failure) {
        if matches!(self.now(), Connection::Online { .. } | Connection::Checking) {
            let mut failure = failure.clone();
            // The status outlasts the run.
            failure.run = None;
            self.found(Connection::Offline { failure });
        }
    }

    /// Requests a check without waiting for the interval.
    pub(crate) fn check_soon(&self) {
        self.wanted.notify_one();
    }
}

/// Whether a fetch should not contact the server. A server that answers but rejects the connection is contacted
/// again, so that the trader sees the reason in the result of the fetch.
pub(crate) fn out_of_reach(connection: &Connection) -> bool {
    matches!(connection, Connection::Offline { failure } if is_out_of_reach(failure))
}

/// Whether a failure means that the source cannot be reached.
pub(crate) fn is_out_of_reach(failure: &Failure) -> bool {
    matches!(failure.code, Code::SourceUnreachable | Code::SourceTimeout | Code::TlsFailed)
}

/// Whether the connection state changed. The cause of a failure contains times and counts that differ from check to
/// check, so it is ignored.
fn is_news(held: &Connection, found: &Connection) -> bool {
    match (held, found) {
        (Connection::Offline { failure: held }, Connection::Offline { failure: found }) => {
            (held.code, &held.message) != (found.code, &found.message)
        }
        _ => held != found,
    }
}

/// Starts the checks, and informs the window of changes.
pub(crate) fn watch(app: &AppHandle) {
    let app = app.clone();
    let window = app.clone();
    let mut changes = app.state::<Arc<AppState>>().monitor.latest.subscribe();
    let state = Arc::clone(&app.state::<Arc<AppState>>());
    // Asked while the page loads, which needs the answer first of all.
    tauri::async_runtime::spawn(async move { state.secrets.has_keychain().await });
    tauri::async_runtime::spawn(async move {
        let mut logged = Connection::NotConfigured;
        while changes.changed().await.is_ok() {
            let connection = changes.borrow_and_update().clone();
            if !is_as_logged(&logged, &connection) {
                log(&connection);
                logged = connection.clone();
            }
            // A closing window no longer needs the event.
            let _ = window.emit(EVENT, connection);
        }
    });
    tauri::async_runtime::spawn(async move {
        let state = Arc::clone(&app.state::<Arc<AppState>>());
        if let Some(source) = state.used() {
            state.unlock(&source).await;
        }
        loop {
            let pause = check(&state).await;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = state.monitor.wanted.notified() => {}
                () = server_lost(&state) => {}
            }
        }
    });
}

/// Whether the log says this already: round trips differ from check to check.
fn is_as_logged(logged: &Connection, found: &Connection) -> bool {
    match (logged, found) {
        (Connection::Online { version: logged, .. }, Connection::Online { version: found, .. }) => {
            logged == found
        }
        _ => !is_news(logged, found),
    }
}

/// Writes a change to the log.
fn log(connection: &Connection) {
    match connection {
        Connection::Online { version, round_trip_ms, .. } => {
            info!(version, round_trip_ms, "the source answers")
        }
        Connection::Offline { failure } => {
            warn!(code = %failure.code, "the source does not answer: {}", failure.for_log());
        }
        Connection::NotConfigured | Connection::Checking | Connection::Unlocking => {}
    }
}

/// Waits until the driver loses a server of a source that was online; never returns for one that was not.
async fn server_lost(state: &AppState) {
    match state.active() {
        Some(active) if matches!(state.monitor.now(), Connection::Online { .. }) => {
            active.probe_client.server_lost().await;
        }
        _ => std::future::pending().await,
    }
}

/// Makes one check; returns the pause until the next.
async fn check(state: &AppState) -> Duration {
    let Some(active) = state.active() else { return ONLINE_INTERVAL };
    // Without its password, the server would refuse it.
    if state.monitor.now() == Connection::Unlocking {
        return ONLINE_INTERVAL;
    }
    let found = unless_slow(SLOW, active.check(), || {
        if state.is_in_use(&active) && matches!(state.monitor.now(), Connection::Online { .. }) {
            state.monitor.found(Connection::Checking);
        }
    })
    .await;
    let is_online = matches!(found, Connection::Online { .. });
    let pause = if is_online { ONLINE_INTERVAL } else { OFFLINE_INTERVAL };
    // Ignored if the trader has switched to a different source meanwhile.
    if state.is_in_use(&active) {
        state.monitor.found(found);
        if is_online && let Ok(engine) = state.engine() {
            active.check_origin(&engine).await;
        }
    }
    pause
}

/// Awaits an answer, and calls `slow` once if it does not arrive within `patience`.
async fn unless_slow<T>(patience: Duration, answer: impl Future<Output = T>, slow: impl FnOnce()) -> T {
    let mut answer = std::pin::pin!(answer);
    match tokio::time::timeout(patience, &mut answer).await {
        Ok(found) => found,
        Err(_) => {
            slow();
            answer.await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::opening::Opening;

    const ONLINE: Connection = Connection::Online {
        round_trip_ms: 1,
        version: String::new(),
        unverified: None,
        warnings: Vec::new(),
    };

    fn offline(code: Code, cause: &str) -> Connection {
        Connection::Offline { failure: Failure::new(code, "No server answers.").because(cause) }
    }

    #[test]
    fn the_same_failure_is_reported_once() {
        let before = offline(Code::SourceUnreachable, "after 3001 ms");
        assert!(!is_news(&before, &offline(Code::SourceUnreachable, "after 3002 ms")));
        assert!(is_news(&before, &offline(Code::AuthFailed, "after 3001 ms")));
        assert!(is_news(&before, &Connection::Checking));
    }

    #[test]
    fn checks_that_differ_in_their_round_trip_are_logged_once() {
        let online = |round_trip_ms, version: &str| Connection::Online {
            round_trip_ms,
            version: version.to_owned(),
            unverified: None,
            warnings: Vec::new(),
        };
        assert!(is_as_logged(&online(1, "8.0"), &online(2, "8.0")));
        assert!(!is_as_logged(&online(1, "8.0"), &online(1, "8.2")));
        assert!(!is_as_logged(&Connection::Checking, &online(1, "8.0")));
    }

    #[test]
    fn a_server_that_rejects_the_login_is_in_reach() {
        assert!(out_of_reach(&offline(Code::SourceUnreachable, "")));
        assert!(!out_of_reach(&offline(Code::AuthFailed, "")));
        assert!(!out_of_reach(&Connection::Checking));
    }

    #[tokio::test]
    async fn the_first_check_is_waited_for_and_a_dead_server_is_not() {
        let monitor = ConnectionMonitor::new(Connection::Checking);
        assert_eq!(monitor.settled(Duration::from_millis(10)).await, Connection::Checking);
        monitor.found(offline(Code::SourceUnreachable, ""));
        assert!(out_of_reach(&monitor.settled(Duration::from_secs(60)).await));
    }

    #[test]
    fn a_command_that_fails_shows_at_once_that_the_source_is_gone() {
        let failure = Failure::new(Code::SourceUnreachable, "It is gone.");
        let monitor = ConnectionMonitor::new(ONLINE);
        monitor.lost(&failure);
        assert!(
            matches!(monitor.now(), Connection::Offline { failure: held } if held.message == "It is gone.")
        );
        monitor.lost(&Failure::new(Code::SourceUnreachable, "It was not asked."));
        assert!(
            matches!(monitor.now(), Connection::Offline { failure: held } if held.message == "It is gone.")
        );
        for other in [Connection::NotConfigured, Connection::Unlocking] {
            let monitor = ConnectionMonitor::new(other.clone());
            monitor.lost(&failure);
            assert_eq!(monitor.now(), other);
        }
    }

    #[tokio::test]
    async fn an_answer_that_takes_long_is_noticed_before_it_comes() {
        for (takes, expected) in [(Duration::ZERO, 0), (Duration::from_millis(60), 1)] {
            let mut calls = 0;
            let answer = async {
                tokio::time::sleep(takes).await;
                7
            };
            assert_eq!(unless_slow(Duration::from_millis(20), answer, || calls += 1).await, 7);
            assert_eq!(calls, expected, "{takes:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_source_that_waits_for_the_keychain_is_not_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = serde_json::json!({
            "id": "1", "name": "A", "uri": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100",
            "database": "desk", "collection": "trades",
        });
        let settings = serde_json::json!({"version": 2, "in_use": "1", "sources": [source]}).to_string();
        std::fs::write(folder.path().join("settings.json"), settings).expect("written");
        let environment = Environment {
            settings_folder: Some(folder.path().to_owned()),
            cache_folder: Some(folder.path().join("cache")),
            ..Environment::default()
        };
        let state = AppState::new(environment, &Opening::default());
        state.monitor.found(Connection::Unlocking);
        check(&state).await;
        assert_eq!(state.monitor.now(), Connection::Unlocking);
        state.monitor.found(Connection::Checking);
        check(&state).await;
        assert!(matches!(state.monitor.now(), Connection::Offline { .. }));
    }
}
