//! Whether the source is in reach: asked in the background, so that nothing else ever waits for a dead
//! server to find out.

use std::sync::Arc;
use std::time::Duration;

use tauri::{AppHandle, Emitter as _, Manager as _};
use tidemark_engine::api::source::Connection;
use tidemark_engine::failure::{Code, Failure};
use tokio::sync::{Notify, watch};

use crate::state::AppState;

/// The event that the window listens to.
const EVENT: &str = "connection";
/// Pause between checks while the source answers.
const CALM: Duration = Duration::from_secs(5);
/// Pause between checks while it does not: coming back should be noticed soon.
const EAGER: Duration = Duration::from_secs(2);

/// What the last check found.
#[derive(Debug)]
pub(crate) struct Link {
    latest: watch::Sender<Connection>,
    wanted: Notify,
}

impl Link {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { latest: watch::Sender::new(connection), wanted: Notify::new() }
    }

    /// What the last check found.
    pub(crate) fn now(&self) -> Connection {
        self.latest.borrow().clone()
    }

    /// What the first check finds, if it is over before the patience is.
    pub(crate) async fn settled(&self, patience: Duration) -> Connection {
        let mut changes = self.latest.subscribe();
        let known = changes.wait_for(|connection| *connection != Connection::Checking);
        match tokio::time::timeout(patience, known).await {
            Ok(Ok(connection)) => connection.clone(),
            _ => self.now(),
        }
    }

    /// Notes what a check found. Whoever listens hears of it where it is news.
    pub(crate) fn found(&self, connection: Connection) {
        self.latest.send_if_modified(|held| {
            let news = is_news(held, &connection);
            *held = connection;
            news
        });
    }

    /// Asks for a check without waiting for its time.
    pub(crate) fn check_soon(&self) {
        self.wanted.notify_one();
    }
}

/// Whether a fetch should leave the server alone. A server that answers and refuses is asked again, so
/// that the trader is told why in the place where they look.
pub(crate) fn out_of_reach(connection: &Connection) -> bool {
    matches!(connection, Connection::Offline { failure } if is_out_of_reach(failure))
}

/// Whether a failure says that nobody answers.
pub(crate) fn is_out_of_reach(failure: &Failure) -> bool {
    matches!(failure.code, Code::SourceUnreachable | Code::SourceTimeout | Code::TlsFailed)
}

/// The cause of a failure tells times and counts that differ from check to check; that is no news.
fn is_news(held: &Connection, found: &Connection) -> bool {
    match (held, found) {
        (Connection::Offline { failure: held }, Connection::Offline { failure: found }) => {
            (held.code, &held.message) != (found.code, &found.message)
        }
        _ => held != found,
    }
}

/// Starts the check, and tells the window of changes.
pub(crate) fn watch(app: &AppHandle) {
    let app = app.clone();
    let teller = app.clone();
    let mut changes = app.state::<AppState>().link.latest.subscribe();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let connection = changes.borrow_and_update().clone();
            // A window that is closing hears nothing, and needs nothing.
            let _ = teller.emit(EVENT, connection);
        }
    });
    tauri::async_runtime::spawn(async move {
        let state = app.state::<AppState>();
        loop {
            let pause = check(&state).await;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = state.link.wanted.notified() => {}
            }
        }
    });
}

/// One check; returns the pause until the next.
async fn check(state: &AppState) -> Duration {
    let Some(active) = state.active() else { return CALM };
    let found = active.check().await;
    let is_online = matches!(found, Connection::Online { .. });
    let pause = if is_online { CALM } else { EAGER };
    // The trader may have gone to another source meanwhile, of which this says nothing.
    if state.active().is_some_and(|now| Arc::ptr_eq(&now, &active)) {
        state.link.found(found);
        if is_online && let Ok(engine) = state.engine() {
            active.check_origin(engine).await;
        }
    }
    pause
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline(code: Code, cause: &str) -> Connection {
        Connection::Offline { failure: Failure::new(code, "No server answers.").because(cause) }
    }

    #[test]
    fn the_same_trouble_is_told_once() {
        let before = offline(Code::SourceUnreachable, "after 3001 ms");
        assert!(!is_news(&before, &offline(Code::SourceUnreachable, "after 3002 ms")));
        assert!(is_news(&before, &offline(Code::AuthFailed, "after 3001 ms")));
        assert!(is_news(&before, &Connection::Checking));
    }

    #[test]
    fn who_refuses_is_in_reach() {
        assert!(out_of_reach(&offline(Code::SourceUnreachable, "")));
        assert!(!out_of_reach(&offline(Code::AuthFailed, "")));
        assert!(!out_of_reach(&Connection::Checking));
    }

    #[tokio::test]
    async fn the_first_check_is_waited_for_and_a_dead_server_is_not() {
        let link = Link::new(Connection::Checking);
        assert_eq!(link.settled(Duration::from_millis(10)).await, Connection::Checking);
        link.found(offline(Code::SourceUnreachable, ""));
        assert!(out_of_reach(&link.settled(Duration::from_secs(60)).await));
    }
}
