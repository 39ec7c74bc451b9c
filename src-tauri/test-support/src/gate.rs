//! A way to a server that holds pulls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::relay::{Ends, Serve, Watched, listen, read_message, uri_of};

/// The epoch of a connection with no unanswered pull.
const NONE: usize = usize::MAX;

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
    /// How often it was said how many may pass.
    epoch: usize,
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
        shared.change(|state| state.allowed = allowed);
        let each = Arc::clone(&shared);
        let connected = move |asking: Ends, answering: Ends| {
            let unanswered = Arc::new(AtomicUsize::new(NONE));
            let (shared, asked) = (Arc::clone(&each), Arc::clone(&unanswered));
            std::thread::spawn(move || forward(asking, &shared, &asked));
            let shared = Arc::clone(&each);
            std::thread::spawn(move || answer(answering, &shared, &unanswered));
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
        self.shared.change(|state| {
            state.allowed = pulls;
            state.epoch += 1;
        });
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
fn forward(mut ends: Ends, shared: &Watched<State>, unanswered: &AtomicUsize) {
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
            unanswered.store(state.epoch, Ordering::SeqCst);
        }
        if ends.to.write_all(&message).is_err() {
            break;
        }
    }
    give_back(shared, unanswered);
    ends.close();
}

/// A pull on a connection that turns out to be broken, since the server was restarted, must not use up what others are
/// allowed: the driver asks again. What was allowed before the gate was last set counts no more.
fn give_back(shared: &Watched<State>, unanswered: &AtomicUsize) {
    let epoch = unanswered.swap(NONE, Ordering::SeqCst);
    shared.change(|state| {
        if epoch == state.epoch {
            state.allowed = state.allowed.saturating_add(1);
        }
    });
}

/// From the server to the driver.
fn answer(mut ends: Ends, shared: &Watched<State>, unanswered: &AtomicUsize) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = ends.from.read(&mut buffer) {
        unanswered.store(NONE, Ordering::SeqCst);
        if ends.to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    give_back(shared, unanswered);
    ends.close();
}
