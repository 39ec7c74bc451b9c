//! A server that a test scripts: it holds trades by day and answers what the engine asks of a node, so that a test
//! says what no real server can be made to say: that it lags, what time it is there, which snapshots it has.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::{Bson, Document, Timestamp, doc};

/// What the server is and says; a test changes it at any time.
#[derive(Debug, Clone)]
pub struct Script {
    /// Trades with `year` and `day_of_year`, and messages without.
    pub documents: Vec<Document>,
    /// By cluster time, in order: what the documents were until the next. The last is what they are now.
    pub history: Vec<(Timestamp, Vec<Document>)>,
    /// Added to each reply to `hello`.
    pub hello: Document,
    /// The cluster time that replies tell.
    pub operation_time: Option<Timestamp>,
    /// The UUID of the collection of trades; none for a user who may not list collections.
    pub uuid: Option<u8>,
    /// Snapshots before this time are gone.
    pub oldest: Option<Timestamp>,
    /// Whether there is `$toHashedIndexKey`.
    pub hashes: bool,
    /// Whether `hello` is known by its old name alone.
    pub is_old: bool,
    /// Whether each cursor is a snapshot of what is there now, whatever time it is asked for.
    pub ignores_moments: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            documents: Vec::new(),
            history: Vec::new(),
            hello: Document::new(),
            operation_time: None,
            uuid: Some(1),
            oldest: None,
            hashes: false,
            is_old: false,
            ignores_moments: false,
        }
    }
}

/// What happens to the script after the command that a test waits for.
type Then = Box<dyn FnMut(&Document, &mut Script) + Send>;

#[derive(Default)]
struct Shared {
    script: Script,
    commands: Vec<Document>,
    then: Option<Then>,
    /// Open cursors: what is left of them.
    cursors: Vec<(i64, Vec<Document>)>,
    next_cursor: i64,
}

/// The server, until the process ends.
pub struct Scripted {
    /// Its port.
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scripted {
    /// Starts a server that answers by a script.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(Shared { script, next_cursor: 1, ..Shared::default() }));
        let each = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&each);
                std::thread::spawn(move || serve(client, port, &shared));
            }
        });
        Self { port, shared }
    }

    /// A way to this node alone.
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port)
    }

    /// Changes the script of the running server.
    pub fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.shared).script);
    }

    /// Calls this after each answer.
    pub fn after_each(&self, then: impl FnMut(&Document, &mut Script) + Send + 'static) {
        lock(&self.shared).then = Some(Box::new(then));
    }

    /// The commands of a name that came so far.
    pub fn commands(&self, name: &str) -> Vec<Document> {
        let is_named = |command: &&Document| command.keys().next().is_some_and(|key| key == name);
        lock(&self.shared).commands.iter().filter(is_named).cloned().collect()
    }
}

/// Kinds of messages: what all commands are sent as, and what some drivers begin a connection with.
const OP_MSG: i32 = 2013;
const OP_QUERY: i32 = 2004;
const OP_REPLY: i32 = 1;

fn serve(mut client: TcpStream, port: u16, shared: &Mutex<Shared>) {
    let mut header = [0; 16];
    while client.read_exact(&mut header).is_ok() {
        let number = |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let (length, request, kind) = (number(0), number(4), number(12));
        let mut body = vec![0; usize::try_from(length).expect("a length") - 16];
        if client.read_exact(&mut body).is_err() {
            return;
        }
        let start = match kind {
            OP_MSG => 5,
            OP_QUERY => 4 + body[4..].iter().position(|byte| *byte == 0).expect("a name") + 1 + 8,
            _ => return,
        };
        let length = u32::from_le_bytes(body[start..start + 4].try_into().expect("four bytes"));
        let end = start + usize::try_from(length).expect("a length");
        let command: Document = bson::deserialize_from_slice(&body[start..end]).expect("a command");
        let reply = {
            let mut shared = lock(shared);
            let reply = answer(&mut shared, port, &command);
            shared.commands.push(command.clone());
            let mut then = shared.then.take();
            if let Some(then) = &mut then {
                then(&command, &mut shared.script);
            }
            shared.then = shared.then.take().or(then);
            with_broken_bytes(bson::serialize_to_vec(&reply).expect("a reply"))
        };
        let before: &[u8] = match kind {
            OP_MSG => &[0; 5],
            _ => &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        };
        let kind = if kind == OP_MSG { OP_MSG } else { OP_REPLY };
        let length = i32::try_from(16 + before.len() + reply.len()).expect("short");
        let header: Vec<u8> = [length, 1, request, kind].iter().flat_map(|part| part.to_le_bytes()).collect();
        if client.write_all(&[&header, before, &reply[..]].concat()).is_err() {
            return;
        }
    }
}

/// A text that reaches the client as bytes that are not UTF-8. No server takes such a text from a driver.
pub const BROKEN: &str = "broken on the way";

fn with_broken_bytes(mut reply: Vec<u8>) -> Vec<u8> {
    let places = reply.windows(BROKEN.len()).enumerate();
    let broken: Vec<usize> =
        places.filter(|(_, part)| *part == BROKEN.as_bytes()).map(|(place, _)| place).collect();
    broken.into_iter().for_each(|place| reply[place] = 0xff);
    reply
}

fn error(code: i32, name: &str) -> Document {
    doc! {"ok": 0.0, "code": code, "codeName": name, "errmsg": name}
}

fn answer(shared: &mut Shared, port: u16, command: &Document) -> Document {
    let name = command.keys().next().map(String::as_str).unwrap_or_default();
    let mut reply = match name {
        "hello" if shared.script.is_old => error(59, "CommandNotFound"),
        "hello" | "isMaster" | "ismaster" => hello(&shared.script, port),
        "listCollections" => match shared.script.uuid {
            None if !command.get_bool("nameOnly").unwrap_or(false) => error(13, "Unauthorized"),
            uuid => {
                let bytes = vec![uuid.unwrap_or(0); 16];
                let binary = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes };
                let mut line = doc! {"name": "trades", "type": "collection"};
                if uuid.is_some() {
                    line.extend(doc! {"options": {}, "info": {"readOnly": false, "uuid": binary}});
                }
                cursor(0, "firstBatch", vec![line])
            }
        },
        "aggregate" => aggregate(shared, command),
        "getMore" => {
            let id = command.get_i64("getMore").expect("a cursor");
            let at = shared.cursors.iter().position(|(other, _)| *other == id);
            match at.map(|at| shared.cursors.remove(at)) {
                None => error(43, "CursorNotFound"),
                Some((_, rest)) => part(shared, rest, size(command.get("batchSize")), "nextBatch"),
            }
        }
        "ping" | "endSessions" | "killCursors" => doc! {"ok": 1.0},
        "buildInfo" => doc! {"ok": 1.0, "version": "7.0.0"},
        _ => error(59, "CommandNotFound"),
    };
    if let Some(at) = shared.script.operation_time {
        reply.insert("operationTime", at);
    }
    reply
}

fn hello(script: &Script, port: u16) -> Document {
    let mut reply = doc! {
        "ok": 1.0, "helloOk": true, "isWritablePrimary": true, "ismaster": true,
        "maxBsonObjectSize": 16_777_216, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
        "localTime": bson::DateTime::now(), "logicalSessionTimeoutMinutes": 30, "connectionId": 1,
        "minWireVersion": 0, "maxWireVersion": 21, "readOnly": false,
    };
    if script.is_old {
        reply.extend(doc! {"helloOk": false, "maxWireVersion": 9});
    }
    reply.extend(script.hello.clone());
    if reply.contains_key("setName") {
        let me = format!("127.0.0.1:{port}");
        reply.extend(doc! {"hosts": [&me], "me": &me, "setVersion": 1});
    }
    reply
}

fn cursor(id: i64, batch: &str, documents: Vec<Document>) -> Document {
    let documents: Vec<Bson> = documents.into_iter().map(Bson::Document).collect();
    doc! {"ok": 1.0, "cursor": {"id": id, "ns": "desk.trades", batch: documents}}
}

fn size(value: Option<&Bson>) -> usize {
    match value {
        Some(Bson::Int32(size)) => usize::try_from(*size).expect("a size"),
        Some(Bson::Int64(size)) => usize::try_from(*size).expect("a size"),
        _ => 101,
    }
}

fn part(shared: &mut Shared, mut documents: Vec<Document>, size: usize, batch: &str) -> Document {
    let rest = documents.split_off(documents.len().min(size));
    let id = if rest.is_empty() { 0 } else { shared.next_cursor };
    if id != 0 {
        shared.next_cursor += 1;
        shared.cursors.push((id, rest));
    }
    cursor(id, batch, documents)
}

fn aggregate(shared: &mut Shared, command: &Document) -> Document {
    let script = shared.script.clone();
    let concern = command.get_document("readConcern").cloned().unwrap_or_default();
    let is_snapshot = concern.get_str("level").is_ok_and(|level| level == "snapshot");
    let newest = script.history.last().map(|(at, _)| *at);
    if is_snapshot && newest.is_none() {
        return error(246, "SnapshotUnavailable");
    }
    let asked = concern.get_timestamp("atClusterTime").ok().filter(|_| !script.ignores_moments);
    let at = asked.or(newest.filter(|_| is_snapshot));
    if at.zip(script.oldest).is_some_and(|(at, oldest)| at < oldest) {
        return error(239, "SnapshotTooOld");
    }
    let then = at.and_then(|at| script.history.iter().rev().find(|(since, _)| *since <= at));
    let now = script.history.last().map_or(&script.documents, |(_, documents)| documents);
    let documents = then.map_or(now, |(_, documents)| documents);
    let stages = command.get_array("pipeline").expect("a pipeline");
    let stage = |at: usize, name: &str| stages.get(at)?.as_document()?.get(name);
    let matching = stage(0, "$match").and_then(Bson::as_document).cloned().unwrap_or_default();
    let found: Vec<Document> =
        documents.iter().filter(|document| is_met(&matching, document)).cloned().collect();
    let groups =
        stages.iter().any(|stage| stage.as_document().is_some_and(|stage| stage.contains_key("$group")));
    if groups && !script.hashes && format!("{stages:?}").contains("$toHashedIndexKey") {
        return error(31325, "Unknown expression $toHashedIndexKey");
    }
    // Every date here is of the type that the mapping expects.
    let is_about_types = format!("{stages:?}").contains("\"first\"");
    let found = match (groups, stage(1, "$count")) {
        _ if is_about_types => Vec::new(),
        (_, Some(Bson::String(name))) => vec![doc! {name: i32::try_from(found.len()).expect("few")}],
        (true, _) => {
            let group = stages.iter().find_map(|stage| stage.as_document()?.get_document("$group").ok());
            count(&found, group.expect("a group"))
        }
        _ => found,
    };
    let size = size(command.get_document("cursor").ok().and_then(|cursor| cursor.get("batchSize")));
    let mut reply = part(shared, found, size, "firstBatch");
    if let (Some(at), Ok(cursor)) = (at, reply.get_document_mut("cursor")) {
        cursor.insert("atClusterTime", at);
    }
    reply
}

/// Whether a document meets a match of whole numbers, of their ranges, and of `$in`.
fn is_met(matching: &Document, document: &Document) -> bool {
    matching.iter().all(|(path, wanted)| match (path.as_str(), wanted) {
        ("$or", Bson::Array(any)) => {
            any.iter().any(|one| one.as_document().is_some_and(|one| is_met(one, document)))
        }
        (_, Bson::Document(wanted)) => wanted.iter().all(|(operator, bound)| {
            let value = document.get(path);
            match (operator.as_str(), value, bound) {
                ("$gte", Some(Bson::Int32(value)), Bson::Int32(bound)) => value >= bound,
                ("$lt", Some(Bson::Int32(value)), Bson::Int32(bound)) => value < bound,
                ("$lte", Some(Bson::Int32(value)), Bson::Int32(bound)) => value <= bound,
                ("$in", Some(value), Bson::Array(ids)) => ids.contains(value),
                ("$exists", value, wanted) => Bson::Boolean(value.is_some()) == *wanted,
                _ => false,
            }
        }),
        (_, wanted) => document.get(path) == Some(wanted),
    })
}

/// The groups of the engine's counts: per day, or all as one.
fn count(found: &[Document], wanted: &Document) -> Vec<Document> {
    let mut groups: Vec<Document> = Vec::new();
    for document in found {
        let id = evaluate(wanted.get("_id").expect("an id"), document);
        let at = groups.iter().position(|group| group.get("_id") == Some(&id)).unwrap_or_else(|| {
            groups.push(doc! {"_id": id, "count": 0_i32});
            groups.len() - 1
        });
        let group = &mut groups[at];
        let count = group.get_i32("count").expect("a count");
        group.insert("count", count + 1);
        for (name, accumulator) in wanted.iter().filter(|(name, _)| *name != "_id" && *name != "count") {
            let accumulator = accumulator.as_document().expect("an accumulator");
            let known = group.get(name).and_then(number).unwrap_or(0);
            let value = match (accumulator.get("$max"), accumulator.get("$sum")) {
                (Some(value), _) => match number(&evaluate(value, document)) {
                    Some(value) => {
                        Bson::Int64(if group.contains_key(name) { known.max(value) } else { value })
                    }
                    None => continue,
                },
                (_, Some(value)) => {
                    Bson::Int64(known + number(&evaluate(value, document)).expect("a number"))
                }
                _ => continue,
            };
            group.insert(name, value);
        }
    }
    groups
}

fn number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        _ => None,
    }
}

/// The expressions of the engine's counts.
fn evaluate(expression: &Bson, document: &Document) -> Bson {
    match expression {
        Bson::String(path) if path.starts_with('$') => {
            document.get(&path[1..]).cloned().unwrap_or(Bson::Undefined)
        }
        Bson::Document(one) => match one.iter().next() {
            Some((name, value)) if name == "$literal" => value.clone(),
            Some((name, Bson::Array(both))) if name == "$mod" => {
                let value = |at: usize| number(&evaluate(&both[at], document)).expect("a number");
                Bson::Int64(value(0) % value(1))
            }
            Some((name, value)) if name == "$toHashedIndexKey" => hash(&evaluate(value, document)).into(),
            _ => {
                let fields = one.iter().map(|(name, value)| (name.clone(), evaluate(value, document)));
                Bson::Document(fields.filter(|(_, value)| *value != Bson::Undefined).collect())
            }
        },
        value => value.clone(),
    }
}

/// MongoDB's hash of a value, as its own source has it: the canonical type, the name, and the bytes, of each
/// element and at the end of each document a type of zero.
fn hash(value: &Bson) -> i64 {
    use md5::{Digest as _, Md5};
    fn add(hasher: &mut Md5, name: &str, value: &Bson) {
        let kind: i32 = match value {
            Bson::Null => 5,
            Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => 10,
            Bson::String(_) => 15,
            Bson::Document(_) => 20,
            Bson::Binary(_) => 30,
            Bson::ObjectId(_) => 35,
            Bson::Boolean(_) => 40,
            Bson::DateTime(_) => 45,
            Bson::Timestamp(_) => 47,
            other => panic!("{other}"),
        };
        hasher.update(kind.to_le_bytes());
        hasher.update(name);
        match value {
            Bson::Int32(number) => hasher.update(i64::from(*number).to_le_bytes()),
            #[allow(clippy::cast_possible_truncation, reason = "as the server does")]
            Bson::Double(number) => hasher.update((*number as i64).to_le_bytes()),
            Bson::Int64(number) => hasher.update(number.to_le_bytes()),
            Bson::Document(inner) => {
                inner.iter().for_each(|(name, value)| add(hasher, &format!("{name}\0"), value));
                hasher.update(0_i32.to_le_bytes());
            }
            value => {
                // What follows the length of the document, the type, and a name of nothing but its end.
                let bytes = bson::serialize_to_vec(&doc! {"": value.clone()}).expect("BSON");
                hasher.update(&bytes[6..bytes.len() - 1]);
            }
        }
    }
    let mut hasher = Md5::new();
    hasher.update(0_i32.to_le_bytes());
    add(&mut hasher, "", value);
    i64::from_le_bytes(*hasher.finalize().first_chunk().expect("16 bytes"))
}
