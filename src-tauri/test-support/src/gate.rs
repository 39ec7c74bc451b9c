//! A way to a server that holds pulls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A way to a server that lets only so many pulls of input pass, and holds the others.
pub struct Gate {
    /// Its connection string.
    pub uri: String,
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    allowed: usize,
    passed: usize,
    arrived: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// A gate to the server at a port that lets so many pulls pass.
    ///
    /// # Panics
    /// If no port is free.
    pub fn to(port: u16, allowed: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port_of_gate = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        shared.lock().allowed = allowed;
        let each = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone: the connection breaks, as it would without a gate.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let shared = Arc::clone(&each);
                if let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) {
                    std::thread::spawn(move || forward(from, to, &shared));
                }
                std::thread::spawn(move || {
                    let (mut from, mut to) = (server, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        });
        let uri = format!("mongodb://127.0.0.1:{port_of_gate}/?directConnection=true");
        Self { uri, port: port_of_gate, shared }
    }

    /// Its own port, for what stands before it.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Lets so many more pulls pass, and holds the others.
    pub fn allow(&self, pulls: usize) {
        self.shared.lock().allowed = pulls;
        self.shared.changed.notify_all();
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
fn forward(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut header = [0; 4];
    while from.read_exact(&mut header).is_ok() {
        let length = usize::try_from(u32::from_le_bytes(header)).expect("a length");
        let mut message = vec![0; length];
        message[..4].copy_from_slice(&header);
        if from.read_exact(&mut message[4..]).is_err() {
            break;
        }
        let has = |text: &[u8]| message.windows(text.len()).any(|window| window == text);
        let pulls_input = has(b"aggregate\0")
            && has(b"day_of_year")
            && ![&b"$count"[..], b"$group", b"$exists"].iter().any(|text| has(text));
        if pulls_input {
            let mut state = shared.lock();
            state.arrived += 1;
            while state.allowed == 0 {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                // A pull that was held until its connection broke must not use up what others are allowed.
                if is_closed(&from) {
                    let _ = to.shutdown(Shutdown::Both);
                    return;
                }
            }
            if state.allowed != usize::MAX {
                state.allowed -= 1;
            }
            state.passed += 1;
        }
        if to.write_all(&message).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
