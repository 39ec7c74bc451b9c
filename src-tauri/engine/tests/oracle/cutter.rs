//! A way to the server whose connections break in the middle of a fetch. It counts what passes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::script::At;

/// Questions broken off in a row: the driver asks once more by itself.
const BROKEN: usize = 2;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Vec<TcpStream>,
    cut: Option<Cut>,
    /// Messages that were broken off since the last cut began.
    broken: usize,
    /// Questions for more documents that were sent.
    more: usize,
}

#[derive(Clone, Copy)]
struct Cut {
    at: At,
    /// Those that still pass.
    passing: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a message breaks its connection.
    fn breaks(&mut self, message: &[u8]) -> bool {
        let command = command_of(message);
        self.more += usize::from(command == b"getMore");
        let broken = self.broken;
        let Some(cut) = &mut self.cut else { return false };
        let meant = match cut.at {
            At::Question => command == b"aggregate" && broken < BROKEN,
            At::More => command == b"getMore" && broken < BROKEN,
            At::Anything => true,
        };
        if meant && cut.passing > 0 {
            cut.passing -= 1;
            return false;
        }
        self.broken += usize::from(meant);
        meant
    }
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
        let each = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Its end wakes the listener with one last connection.
                let Some(shared) = each.upgrade() else { break };
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                // Small messages both ways: waiting to join them would take longer than they do.
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (Ok(from), Ok(to), Ok(kept)) =
                    (client.try_clone(), server.try_clone(), client.try_clone())
                else {
                    continue;
                };
                shared.lock().open.push(kept);
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

    /// Breaks connections once so many messages of a kind have passed.
    pub(crate) fn cut_after(&self, at: At, passing: usize) {
        let mut state = self.shared.lock();
        state.broken = 0;
        state.cut = Some(Cut { at, passing });
    }

    /// Lets everything pass again. How many messages were broken off.
    pub(crate) fn heal(&self) -> usize {
        let mut state = self.shared.lock();
        state.cut = None;
        state.broken
    }

    /// Questions for more documents so far.
    pub(crate) fn more(&self) -> usize {
        self.shared.lock().more
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        for stream in self.shared.lock().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let address = self.uri.trim_start_matches("mongodb://");
        let _ = TcpStream::connect(address.split('/').next().unwrap_or_default());
    }
}

/// The command of a message: the name of the first field of its document, which follows a header of 16
/// bytes, 4 of flags, 1 for the kind of section, 4 of length and 1 for the field's type. Nothing for the
/// handshake, which may have another form.
fn command_of(message: &[u8]) -> &[u8] {
    const OP_MSG: [u8; 4] = 2013_u32.to_le_bytes();
    if message.get(12..16) != Some(&OP_MSG) {
        return b"";
    }
    let name = message.get(26..).unwrap_or_default();
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// From the driver to the server, message by message.
fn forward(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut header = [0; 4];
    while from.read_exact(&mut header).is_ok() {
        let Ok(length) = usize::try_from(u32::from_le_bytes(header)) else { break };
        let mut message = vec![0; length.max(4)];
        message[..4].copy_from_slice(&header);
        if from.read_exact(&mut message[4..]).is_err() || shared.lock().breaks(&message) {
            break;
        }
        if to.write_all(&message).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
