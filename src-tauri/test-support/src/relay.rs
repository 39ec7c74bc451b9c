//! What the ways to a server have in common: each is a listener that connects every client with the server, and passes
//! on what it likes.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A state that threads wait for.
#[derive(Debug, Default)]
pub struct Watched<T> {
    state: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// Locks the state. A change made through this guard wakes no waiting thread; [`change`](Self::change) does.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes all who wait for it.
    pub fn change(&self, to: impl FnOnce(&mut T)) {
        to(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits for the next change.
    pub fn wait<'a>(&self, state: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something no longer holds.
    pub fn wait_while(&self, holds: impl Fn(&T) -> bool) {
        let mut state = self.lock();
        while holds(&state) {
            state = self.wait(state);
        }
    }
}

/// What to do with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serve {
    /// Connect it with the server at this port.
    At(u16),
    /// Close its connection.
    Refuse,
    /// Close its connection, and listen no more.
    Stop,
}

/// Listens at a free port, and hands over each client with its connection to the server. If the server is gone, the
/// client's connection breaks, as it would without a relay. Returns the port.
///
/// # Panics
/// If no port is free.
pub fn listen(
    serve: impl Fn() -> Serve + Send + 'static,
    connected: impl Fn(Ends, Ends) + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = match serve() {
                Serve::At(port) => TcpStream::connect(("127.0.0.1", port)),
                Serve::Refuse => continue,
                Serve::Stop => break,
            };
            let Ok(server) = server else { continue };
            // Small messages both ways: waiting to join them would take longer than they do.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            if let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) {
                connected(Ends { from, to }, Ends { from: server, to: client });
            }
        }
    });
    port
}

/// One direction of a connection.
#[derive(Debug)]
pub struct Ends {
    /// Where bytes come from.
    pub from: TcpStream,
    /// Where they go.
    pub to: TcpStream,
}

impl Ends {
    /// Closes both.
    pub fn close(&self) {
        for end in [&self.from, &self.to] {
            let _ = end.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Reads a message of MongoDB's protocol; `None` at the end.
pub fn read_message(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut header = [0; 4];
    from.read_exact(&mut header).ok()?;
    let length = usize::try_from(u32::from_le_bytes(header)).ok()?;
    let mut message = vec![0; length.max(4)];
    message[..4].copy_from_slice(&header);
    from.read_exact(&mut message[4..]).ok()?;
    Some(message)
}

/// The connection string of a relay.
#[must_use]
pub fn uri_of(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}/?directConnection=true")
}
