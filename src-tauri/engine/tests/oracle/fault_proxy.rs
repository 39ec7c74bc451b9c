//! A way to the server whose connections break or wait in the middle of a fetch, behind which another server may
//! come to stand, and on which the server's clock may be made to say what a test wants. It counts what passes.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bson::{RawDocument, RawDocumentBuf, rawdoc};
use tidemark_test_support::relay::{Ends, Serve, Watched, listen, read_message, uri_of};
use tokio::sync::watch;

use super::script::At;

/// Questions broken off in a row: the driver asks once more by itself.
const BROKEN: usize = 2;

struct Shared {
    state: Watched<State>,
    /// The server's port.
    port: AtomicU16,
    /// Whether a message waits.
    waiting: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    open: Vec<TcpStream>,
    cut: Option<Cut>,
    /// Messages that were broken off since the last cut began.
    broken: usize,
    /// Questions for more documents that were sent.
    more: usize,
    /// The message that is to wait.
    hold: Option<Cut>,
    /// The server's time in milliseconds, where it is made up.
    time: Option<i64>,
}

#[derive(Clone, Copy)]
struct Cut {
    at: At,
    /// Those that still pass.
    passing: usize,
}

impl At {
    fn is_meant(self, command: &[u8]) -> bool {
        match self {
            Self::Question => command == b"aggregate",
            Self::More => command == b"getMore",
            Self::Anything => true,
        }
    }
}

impl State {
    /// Whether a message breaks its connection.
    fn breaks(&mut self, message: &[u8]) -> bool {
        let command = command_of(message);
        self.more += usize::from(command == b"getMore");
        let broken = self.broken;
        let Some(cut) = &mut self.cut else { return false };
        let meant = cut.at.is_meant(command) && (cut.at == At::Anything || broken < BROKEN);
        if meant && cut.passing > 0 {
            cut.passing -= 1;
            return false;
        }
        self.broken += usize::from(meant);
        meant
    }

    /// Whether a message is the one that has to wait.
    fn holds(&mut self, message: &[u8]) -> bool {
        let Some(hold) = &mut self.hold else { return false };
        if !hold.at.is_meant(command_of(message)) {
            return false;
        }
        match hold.passing.checked_sub(1) {
            Some(left) => hold.passing = left,
            None => return true,
        }
        false
    }
}

/// The way. It lets everything pass until it is told otherwise.
pub(crate) struct FaultProxy {
    pub(crate) uri: String,
    shared: Arc<Shared>,
}

impl FaultProxy {
    pub(crate) fn to(port: u16) -> Self {
        let shared = Arc::new(Shared {
            state: Watched::default(),
            port: AtomicU16::new(port),
            waiting: watch::channel(false).0,
        });
        let (each, reached) = (Arc::downgrade(&shared), Arc::downgrade(&shared));
        let connected = move |asking: Ends, answering: Ends| {
            let (Some(shared), Ok(kept)) = (each.upgrade(), asking.from.try_clone()) else { return };
            shared.state.lock().open.push(kept);
            let to_answer = Arc::clone(&shared);
            std::thread::spawn(move || forward(asking, &shared));
            std::thread::spawn(move || answer(answering, &to_answer));
        };
        // Its end wakes the listener with one last connection.
        let serve = move || match reached.upgrade() {
            Some(shared) => Serve::At(shared.port.load(Ordering::SeqCst)),
            None => Serve::Stop,
        };
        Self { uri: uri_of(listen(serve, connected)), shared }
    }

    /// Breaks connections once so many messages of a kind have passed.
    pub(crate) fn cut_after(&self, at: At, passing: usize) {
        let mut state = self.shared.state.lock();
        state.broken = 0;
        state.cut = Some(Cut { at, passing });
    }

    /// Lets everything pass again. How many messages were broken off.
    pub(crate) fn heal(&self) -> usize {
        let mut state = self.shared.state.lock();
        state.cut = None;
        state.broken
    }

    /// Holds a message of a kind once so many have passed, until it is released.
    pub(crate) fn hold_after(&self, at: At, passing: usize) {
        self.shared.waiting.send_replace(false);
        self.shared.state.lock().hold = Some(Cut { at, passing });
    }

    /// Waits until a message is held.
    pub(crate) async fn held(&self) {
        let mut waiting = self.shared.waiting.subscribe();
        // The sender lives as long as this.
        let _ = waiting.wait_for(|waiting| *waiting).await;
    }

    pub(crate) fn release(&self) {
        self.shared.state.change(|state| state.hold = None);
    }

    /// From now on another server answers.
    pub(crate) fn switch_to(&self, port: u16) {
        self.shared.port.store(port, Ordering::SeqCst);
        self.reconnect();
    }

    /// Ends all connections; new ones are served.
    pub(crate) fn reconnect(&self) {
        for stream in self.shared.state.lock().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// What the server says the time is, in milliseconds; nothing: what it says itself.
    pub(crate) fn set_time(&self, time: Option<i64>) {
        self.shared.state.lock().time = time;
    }

    /// Whether the server's time is made up.
    pub(crate) fn makes_time_up(&self) -> bool {
        self.shared.state.lock().time.is_some()
    }

    /// Questions for more documents so far.
    pub(crate) fn more(&self) -> usize {
        self.shared.state.lock().more
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.release();
        self.reconnect();
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
fn forward(mut ends: Ends, shared: &Shared) {
    while let Some(message) = read_message(&mut ends.from) {
        let mut state = shared.state.lock();
        if state.breaks(&message) {
            break;
        }
        if state.holds(&message) {
            shared.waiting.send_replace(true);
            while state.hold.is_some() {
                state = shared.state.wait(state);
            }
        }
        drop(state);
        if ends.to.write_all(&message).is_err() {
            break;
        }
    }
    ends.close();
}

/// From the server to the driver, message by message.
fn answer(mut ends: Ends, shared: &Shared) {
    while let Some(message) = read_message(&mut ends.from) {
        let time = shared.state.lock().time;
        let message = time.and_then(|time| at_another_time(&message, time)).unwrap_or(message);
        if ends.to.write_all(&message).is_err() {
            break;
        }
    }
    ends.close();
}

/// An answer as a server of another time would send it: a replica set's node tells its operation time with
/// every answer, and its last write when it introduces itself.
fn at_another_time(message: &[u8], time: i64) -> Option<Vec<u8>> {
    // Where the document of an answer begins, in the two forms that servers answer in.
    let start = match i32::from_le_bytes(*message.get(12..)?.first_chunk()?) {
        2013 if message.get(20) == Some(&0) => 21,
        1 => 36,
        _ => return None,
    };
    let length = usize::try_from(u32::from_le_bytes(*message.get(start..)?.first_chunk()?)).ok()?;
    let body = RawDocument::from_bytes(message.get(start..start + length)?).ok()?;
    let stamp = bson::Timestamp { time: u32::try_from(time.div_euclid(1_000)).ok()?, increment: 1 };
    let date = bson::DateTime::from_millis(time);
    let mut told = RawDocumentBuf::new();
    let mut introduces = false;
    for element in body {
        let (name, value) = element.ok()?;
        introduces |= ["isWritablePrimary", "ismaster"].contains(&name.as_str());
        if !["operationTime", "localTime", "lastWrite"].contains(&name.as_str()) {
            told.append(name, value);
        }
    }
    if introduces {
        let write = rawdoc! {"ts": stamp, "t": 1_i64};
        told.append(bson::cstr!("localTime"), date);
        told.append(
            bson::cstr!("lastWrite"),
            rawdoc! {
                "opTime": write.clone(), "lastWriteDate": date,
                "majorityOpTime": write, "majorityWriteDate": date,
            },
        );
    }
    told.append(bson::cstr!("operationTime"), stamp);
    let mut whole = message[..start].to_vec();
    whole.extend(told.as_bytes());
    whole.extend(message.get(start + length..)?);
    let length = u32::try_from(whole.len()).ok()?;
    whole[..4].copy_from_slice(&length.to_le_bytes());
    Some(whole)
}

#[test]
fn an_answer_tells_another_time() {
    let body = rawdoc! {"isWritablePrimary": true, "localTime": bson::DateTime::from_millis(5), "ok": 1.0};
    let mut message = vec![0; 21];
    message[12..16].copy_from_slice(&2013_u32.to_le_bytes());
    message.extend(body.as_bytes());
    let told = at_another_time(&message, 7_000_500).expect("an answer");
    assert_eq!(u32::from_le_bytes(*told.first_chunk().expect("a length")) as usize, told.len());
    let told =
        bson::Document::try_from(RawDocument::from_bytes(&told[21..]).expect("a document")).expect("valid");
    assert_eq!(told.get_timestamp("operationTime").expect("a time").time, 7_000);
    let last = told.get_document("lastWrite").expect("a last write");
    assert_eq!(last.get_datetime("lastWriteDate").expect("a date").timestamp_millis(), 7_000_500);
    assert_eq!(told.get_datetime("localTime").expect("a date").timestamp_millis(), 7_000_500);
    assert!(told.get_f64("ok").is_ok_and(|ok| ok == 1.0));
}
