//! A way to a server with faults: answers that break off, crawl or fall silent, connections that are refused,
//! and questions for more of a cursor that wait. It remembers what was asked.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bson::Document;

use crate::relay::{Ends, Serve, Watched, listen, read_message, uri_of};

/// What happens to what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every connection breaks, and new ones are refused.
    Cut,
    /// The connection that brings the byte breaks; others stay, and new ones are served.
    CutOne,
    /// Every connection stays open and nothing passes any more, on new ones either.
    Stall,
    /// The connection that brings the byte falls silent; the others go on.
    StallOne,
}

/// The way. It lets everything pass until it is told otherwise.
pub struct Wire {
    /// Its connection string.
    pub uri: String,
    shared: Arc<Watched<State>>,
}

#[derive(Default)]
struct State {
    /// The fault, and the bytes of the server's that still pass before it.
    due: Option<(usize, Fault)>,
    /// A fault that is not due before the driver says this.
    waiting: Option<(String, usize, Fault)>,
    /// A fault of all connections that has come about.
    now: Option<Fault>,
    /// Bytes a second of every connection.
    speed: Option<u32>,
    holding: bool,
    /// Whether questions for documents are held.
    holds_questions: bool,
    /// Those that were.
    questions_held: usize,
    /// Cursors whose next batch was asked for while that was held.
    held: Vec<i64>,
    /// Every command that the driver has sent.
    commands: Vec<Document>,
    open: Vec<TcpStream>,
    /// Those on which more was asked than who the server is.
    used: Vec<TcpStream>,
}

impl Wire {
    /// A way to the server at a port.
    ///
    /// # Panics
    /// If no port is free.
    pub fn to(port: u16) -> Self {
        let shared: Arc<Watched<State>> = Arc::default();
        let (each, cut) = (Arc::clone(&shared), Arc::clone(&shared));
        let connected = move |asking: Ends, answering: Ends| {
            let (Ok(one), Ok(other)) = (asking.from.try_clone(), asking.to.try_clone()) else { return };
            each.lock().open.extend([one, other]);
            let (to_ask, to_answer) = (Arc::clone(&each), Arc::clone(&each));
            std::thread::spawn(move || ask(asking, &to_ask));
            std::thread::spawn(move || answer(answering, &to_answer));
        };
        let serve = move || match cut.lock().now {
            Some(Fault::Cut) => Serve::Refuse,
            _ => Serve::At(port),
        };
        Self { uri: uri_of(listen(serve, connected)), shared }
    }

    /// The fault comes about once so many more bytes have come from the server.
    pub fn fault_after(&self, bytes: usize, fault: Fault) {
        self.shared.change(|state| state.due = Some((bytes, fault)));
    }

    /// The fault comes about once so many more bytes have come from the server after the driver has asked
    /// for something that has this name.
    pub fn fault_after_asking(&self, name: &str, bytes: usize, fault: Fault) {
        self.shared.change(|state| state.waiting = Some((name.to_owned(), bytes, fault)));
    }

    /// Whether the fault has come about.
    pub fn is_faulty(&self) -> bool {
        let state = self.shared.lock();
        state.due.is_none() && state.waiting.is_none()
    }

    /// Ends every connection on which more was asked than who the server is, as a firewall does with idle ones: the
    /// driver's check of the server goes on. New ones are served.
    pub fn drop_idle(&self) {
        self.shared.change(|state| {
            state.used.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
    }

    /// Lets so many bytes a second pass on each connection.
    pub fn slow(&self, bytes_a_second: u32) {
        self.shared.change(|state| state.speed = Some(bytes_a_second));
    }

    /// Holds every question for more of a cursor.
    pub fn hold_more(&self) {
        self.shared.change(|state| state.holding = true);
    }

    /// From now on no question for documents passes.
    pub fn hold_questions(&self) {
        self.shared.change(|state| state.holds_questions = true);
    }

    /// How many were held.
    pub fn questions_held(&self) -> usize {
        self.shared.lock().questions_held
    }

    /// The cursors that are held.
    pub fn held(&self) -> Vec<i64> {
        self.shared.lock().held.clone()
    }

    /// Every command that has been sent so far; its first name says what it is.
    pub fn commands(&self) -> Vec<Document> {
        self.shared.lock().commands.clone()
    }

    /// All is well again.
    pub fn heal(&self) {
        self.shared.change(|state| {
            let open = std::mem::take(&mut state.open);
            // What was silent does not speak again; the others go on.
            if state.now == Some(Fault::Stall) {
                open.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            } else {
                state.open = open;
            }
            (state.due, state.waiting, state.now) = (None, None, None);
            (state.speed, state.holding, state.holds_questions) = (None, false, false);
            state.held.clear();
        });
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.heal();
    }
}

/// From the driver to the server, message by message.
fn ask(mut ends: Ends, shared: &Watched<State>) {
    let mut is_used = false;
    while let Some(message) = read_message(&mut ends.from) {
        let command = command_in(&message).expect("a message that holds a command");
        let cursor = command.get_i64("getMore").ok();
        let is_pull = command.get_document("cursor").is_ok_and(|cursor| cursor.contains_key("batchSize"));
        let name = command.keys().next().map(|name| name.to_lowercase());
        if !is_used && !matches!(name.as_deref(), Some("hello" | "ismaster")) {
            is_used = true;
            shared.change(|state| state.used.extend(ends.from.try_clone()));
        }
        shared.change(|state| state.commands.push(command));
        if let Some(cursor) = cursor {
            shared.change(|state| {
                if state.holding {
                    state.held.push(cursor);
                }
            });
            shared.wait_while(|state| state.holding);
        }
        if is_pull {
            shared.change(|state| state.questions_held += usize::from(state.holds_questions));
            shared.wait_while(|state| state.holds_questions);
        }
        shared.wait_while(|state| state.now == Some(Fault::Stall));
        shared.change(|state| {
            let names = |(name, ..): &mut (String, usize, Fault)| has(&message, name);
            if let Some((_, bytes, fault)) = state.waiting.take_if(names) {
                state.due = Some((bytes, fault));
            }
        });
        if ends.to.write_all(&message).is_err() {
            break;
        }
    }
    ends.close();
}

/// Whether a message holds a text as BSON writes it.
fn has(message: &[u8], text: &str) -> bool {
    message
        .windows(text.len() + 1)
        .any(|part| part[..text.len()] == *text.as_bytes() && part[text.len()] == 0)
}

/// Kinds of messages: what all commands are sent as, and what some drivers begin a connection with.
const OP_MSG: i32 = 2013;
const OP_QUERY: i32 = 2004;

/// The command that a message holds. In an `OP_MSG` it follows a header of 16 bytes, flags of 4 and a kind of 1;
/// in an `OP_QUERY` the header, flags, a name and two numbers.
fn command_in(message: &[u8]) -> Option<Document> {
    let kind = i32::from_le_bytes(*message.get(12..)?.first_chunk()?);
    let start = match kind {
        OP_MSG => 21,
        OP_QUERY => 20 + message.get(20..)?.iter().position(|byte| *byte == 0)? + 1 + 8,
        _ => return None,
    };
    let rest = message.get(start..)?;
    let length = usize::try_from(u32::from_le_bytes(*rest.first_chunk()?)).ok()?;
    bson::deserialize_from_slice(rest.get(..length)?).ok()
}

/// From the server to the driver, byte by byte as far as faults are concerned.
fn answer(mut ends: Ends, shared: &Watched<State>) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = ends.from.read(&mut bytes) {
        let (mut passing, mut fault, speed) = (count, None, shared.lock().speed);
        shared.change(|state| match &mut state.due {
            Some((left, due)) if *left < count => {
                (passing, fault) = (*left, Some(*due));
                state.due = None;
            }
            Some((left, _)) => *left -= count,
            None => {}
        });
        shared.wait_while(|state| state.now == Some(Fault::Stall));
        if ends.to.write_all(&bytes[..passing]).is_err() {
            break;
        }
        match fault {
            Some(Fault::Cut) => shared.change(|state| {
                state.now = Some(Fault::Cut);
                state.open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            }),
            Some(Fault::CutOne) => break,
            Some(Fault::Stall) => shared.change(|state| state.now = Some(Fault::Stall)),
            // Neither is closed while this thread keeps them.
            Some(Fault::StallOne) => loop {
                std::thread::park();
            },
            None => {}
        }
        if let Some(speed) = speed {
            std::thread::sleep(Duration::from_secs(1) * u32::try_from(count).expect("a few") / speed);
        }
    }
    ends.close();
}
