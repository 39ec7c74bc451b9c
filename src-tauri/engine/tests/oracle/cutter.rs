//! A way to the server whose connections break in the middle of a fetch.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Questions broken off in a row: the driver asks once more by itself.
const BROKEN: i64 = 2;

#[derive(Default)]
struct Shared {
    /// Questions that still pass; then those that break, counted below zero.
    passing: AtomicI64,
    open: Mutex<Vec<TcpStream>>,
}

/// The way. It lets everything pass until it is told otherwise.
pub(crate) struct Cutter {
    pub(crate) uri: String,
    shared: Arc<Shared>,
}

impl Cutter {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        shared.passing.store(i64::MAX, Ordering::SeqCst);
        let each = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Its end wakes the listener with one last connection.
                let Some(shared) = each.upgrade() else { break };
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (Ok(from), Ok(to), Ok(kept)) =
                    (client.try_clone(), server.try_clone(), client.try_clone())
                else {
                    continue;
                };
                shared.open.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                std::thread::spawn(move || forward(from, to, &shared));
                std::thread::spawn(move || {
                    let (mut from, mut to) = (server, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        });
        Self { uri: format!("mongodb://127.0.0.1:{own}/?directConnection=true"), shared }
    }

    /// Breaks the connections once so many questions for documents have passed.
    pub(crate) fn cut_after(&self, questions: usize) {
        self.shared.passing.store(i64::try_from(questions).expect("a few"), Ordering::SeqCst);
    }

    /// Lets everything pass again.
    pub(crate) fn heal(&self) {
        self.shared.passing.store(i64::MAX, Ordering::SeqCst);
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let address = self.uri.trim_start_matches("mongodb://");
        let _ = TcpStream::connect(address.split('/').next().unwrap_or_default());
    }
}

/// From the driver to the server, message by message.
fn forward(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut header = [0; 4];
    while from.read_exact(&mut header).is_ok() {
        let Ok(length) = usize::try_from(u32::from_le_bytes(header)) else { break };
        let mut message = vec![0; length.max(4)];
        message[..4].copy_from_slice(&header);
        if from.read_exact(&mut message[4..]).is_err() {
            break;
        }
        let asks = message.windows(10).any(|window| window == b"aggregate\0");
        if asks {
            let left = shared.passing.fetch_sub(1, Ordering::SeqCst);
            if left <= 0 && left > -BROKEN {
                break;
            }
        }
        if to.write_all(&message).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
