//! A way to a server that holds pulls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::relay::{Ends, Serve, Watched, listen, read_message, uri_of};

/// A way to a server that lets only so many pulls of input pass, and holds the others.
pub struct Gate {
    /// Its connection string.
    pub uri: String,
    port: u16,
    shared: Arc<Watched<State>>,
}

#[derive(Default)]
struct State {
    allowed: usize,
    passed: usize,
    arrived: usize,
}

impl Gate {
    /// A gate to the server at a port that lets so many pulls pass.
    ///
    /// # Panics
    /// If no port is free.
    pub fn to(port: u16, allowed: usize) -> Self {
        let shared: Arc<Watched<State>> = Arc::default();
        shared.lock().allowed = allowed;
        let each = Arc::clone(&shared);
        let connected = move |asking: Ends, answering: Ends| {
            let is_unanswered = Arc::new(AtomicBool::new(false));
            let (shared, is_asked) = (Arc::clone(&each), Arc::clone(&is_unanswered));
            std::thread::spawn(move || forward(asking, &shared, &is_asked));
            let shared = Arc::clone(&each);
            std::thread::spawn(move || answer(answering, &shared, &is_unanswered));
        };
        let own = listen(move || Serve::At(port), connected);
        Self { uri: uri_of(own), port: own, shared }
    }

    /// Its own port, for what stands before it.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Lets so many more pulls pass, and holds the others.
    pub fn allow(&self, pulls: usize) {
        self.shared.change(|state| state.allowed = pulls);
    }

    /// Lets all pulls pass from now on.
    pub fn open(&self) {
        self.allow(usize::MAX);
    }

    /// Holds all pulls from now on.
    pub fn close(&self) {
        self.allow(0);
    }

    /// Pulls that have reached the gate, held ones included.
    pub fn arrived(&self) -> usize {
        self.shared.lock().arrived
    }

    /// Pulls that have reached the server.
    pub fn passed(&self) -> usize {
        self.shared.lock().passed
    }
}

/// Whether the other side, or this one, has closed a connection that only this thread reads from.
fn is_closed(connection: &TcpStream) -> bool {
    let peeked =
        connection.set_read_timeout(Some(Duration::from_millis(1))).and_then(|()| connection.peek(&mut [0]));
    let restored = connection.set_read_timeout(None);
    match peeked {
        Ok(bytes) => bytes == 0 || restored.is_err(),
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// From the driver to the server, message by message.
fn forward(mut ends: Ends, shared: &Watched<State>, is_unanswered: &AtomicBool) {
    while let Some(message) = read_message(&mut ends.from) {
        let has = |text: &[u8]| message.windows(text.len()).any(|window| window == text);
        let pulls_input = has(b"aggregate\0")
            && has(b"day_of_year")
            && ![&b"$count"[..], b"$group", b"$exists"].iter().any(|text| has(text));
        if pulls_input {
            let mut state = shared.lock();
            state.arrived += 1;
            while state.allowed == 0 {
                state = shared.wait(state);
                // A pull that was held until its connection broke must not use up what others are allowed.
                if is_closed(&ends.from) {
                    ends.close();
                    return;
                }
            }
            if state.allowed != usize::MAX {
                state.allowed -= 1;
            }
            state.passed += 1;
            is_unanswered.store(true, Ordering::SeqCst);
        }
        if ends.to.write_all(&message).is_err() {
            break;
        }
    }
    give_back(shared, is_unanswered);
    ends.close();
}

/// A pull on a connection that turns out to be broken, since the server was restarted, must not use up what others are
/// allowed: the driver asks again.
fn give_back(shared: &Watched<State>, is_unanswered: &AtomicBool) {
    if is_unanswered.swap(false, Ordering::SeqCst) {
        shared.change(|state| state.allowed = state.allowed.saturating_add(1));
    }
}

/// From the server to the driver.
fn answer(mut ends: Ends, shared: &Watched<State>, is_unanswered: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = ends.from.read(&mut buffer) {
        is_unanswered.store(false, Ordering::SeqCst);
        if ends.to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    give_back(shared, is_unanswered);
    ends.close();
}
