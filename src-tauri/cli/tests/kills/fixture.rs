//! A cache whose program is killed, and what it must hold by then.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bson::{Bson, Document};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tidemark_engine::day::{Day, DayRange};

use crate::support::{Run, cli, read_csv, server};

/// The rows of a day, of the input and of the messages: cells in the order of their columns' names, by `_id`.
pub(crate) type DayRows = [BTreeMap<String, Vec<Option<String>>>; 2];
/// The rows of the days that have any.
pub(crate) type Rows = BTreeMap<Day, DayRows>;

/// A collection and a cache of its trades.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    database: &'static str,
    range: DayRange,
    /// The day of the trade that an `_id` names, of a trade or of a message.
    day_of: fn(&str) -> Day,
}

/// A run that was killed.
pub(crate) struct Killed {
    /// The days that it told to be stored.
    pub(crate) stored: BTreeSet<Day>,
    /// Whether it still ran.
    pub(crate) ran: bool,
}

impl Fixture {
    /// Without a cache yet.
    pub(crate) fn new(
        database: &'static str,
        mapping: &str,
        range: DayRange,
        day_of: fn(&str) -> Day,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mapping.json"), mapping).unwrap();
        Self { folder, database, range, day_of }
    }

    /// The days that are asked for.
    pub(crate) fn days(&self) -> BTreeSet<Day> {
        self.range.days().collect()
    }

    pub(crate) fn cache(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    /// Removes the cache.
    pub(crate) fn clear(&self) {
        std::fs::remove_dir_all(self.cache()).unwrap();
    }

    /// Keeps the cache as it is now, for [`restore`](Self::restore).
    pub(crate) fn keep(&self) {
        copy_folder(&self.cache(), &self.folder.path().join("kept"));
    }

    /// Brings back the cache that was kept.
    pub(crate) fn restore(&self) {
        self.clear();
        copy_folder(&self.folder.path().join("kept"), &self.cache());
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mapping = self.folder.path().join("mapping.json").to_string_lossy().into_owned();
        let (cache, from, to) = (self.cache(), self.range.from().to_string(), self.range.to().to_string());
        let mut all = vec!["fetch", "--uri", server().uri(), "--db", self.database, "--collection", "trades"];
        let cache = cache.to_string_lossy();
        all.extend(["--mapping", &mapping, "--cache", &cache, "--from", &from, "--to", &to]);
        all.extend(more);
        all.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn run(&self, more: &[&str]) -> Run {
        cli(&self.arguments(more).iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts a run and kills it after a while.
    pub(crate) fn kill(&self, more: &[&str], after: Duration) -> Killed {
        let mut child = crate::support::program()
            .args(self.arguments(&[more, &["--events"]].concat()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            // The last line may be cut off in the middle.
            lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).collect::<Vec<_>>()
        });
        std::thread::sleep(after);
        let ran = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        let told = reader.join().unwrap();
        let stored = told.iter().filter(|event| event["event"] == "chunk_stored").flat_map(|event| {
            let end = |name: &str| event[name].as_str().unwrap();
            DayRange::parse(end("from"), end("to")).unwrap().days().collect::<Vec<_>>()
        });
        Killed { stored: stored.collect(), ran }
    }

    /// The days that the cache says it holds, and their rows; `None` if a block of the file's directory is torn.
    ///
    /// DuckDB writes the blocks of its directory (its `MetadataManager`) in place during a checkpoint, and a kill may
    /// cut such a write: nothing that this program does can keep a block whole then, but it must notice.
    pub(crate) fn held(&self, more: &[&str]) -> Option<(BTreeSet<Day>, Rows)> {
        let place = |name: &str| self.folder.path().join(name);
        let csv = [place("input.csv"), place("messages.csv")];
        let texts = csv.each_ref().map(|path| path.to_string_lossy());
        let run =
            self.run(&[more, &["--offline", "--csv", &texts[0], "--downstream-csv", &texts[1]]].concat());
        let files = match (run.code, run.last.pointer("/error/code").and_then(Value::as_str)) {
            (0, _) => csv,
            (3, _) => [place("input.partial.csv"), place("messages.partial.csv")],
            (1, Some("not_cached")) => return Some((BTreeSet::new(), Rows::new())),
            (1, Some("cache_damaged")) if run.text("/error/cause").contains("checksum") => return None,
            _ => panic!("the cache does not open: {run:?}"),
        };
        let missing = run.last["days"]["missing"].as_array().unwrap().iter();
        let missing: BTreeSet<Day> = missing.map(|day| Day::parse(day.as_str().unwrap()).unwrap()).collect();
        let held: BTreeSet<Day> = self.range.days().filter(|day| !missing.contains(day)).collect();
        let mut rows = Rows::new();
        for (role, file) in files.iter().enumerate() {
            for (id, cells) in rows_of(file) {
                let day = (self.day_of)(&id);
                assert!(held.contains(&day), "{id}: its day is not held");
                rows.entry(day).or_default()[role].insert(id, cells);
            }
            std::fs::remove_file(file).unwrap();
        }
        Some((held, rows))
    }

    /// The days that the cache says it holds, after their rows were compared with the truth; `None` as with
    /// [`held`](Self::held).
    pub(crate) fn held_is_true(&self, more: &[&str], truth: &Rows) -> Option<BTreeSet<Day>> {
        let (held, rows) = self.held(more)?;
        for day in &held {
            let (rows, truth) = (rows.get(day), truth.get(day));
            assert!(rows == truth, "{day} is not whole: {rows:?}, not {truth:?}");
        }
        Some(held)
    }

    /// Checks that the next run moves a torn file aside and answers in full from the server.
    pub(crate) fn replaces_the_torn_file(&self, more: &[&str], truth: &Rows) {
        let run = self.run(more);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.last["notes"].to_string().contains("moved aside"), "{run:?}");
        assert_eq!(self.held_is_true(more, truth), Some(self.days()));
    }
}

/// What the CSVs of some trades and messages hold.
pub(crate) fn truth<'a>(
    documents: impl IntoIterator<Item = (usize, &'a Document)>,
    day_of: fn(&str) -> Day,
) -> Rows {
    let mut rows = Rows::new();
    for (role, document) in documents {
        let id = text_of(document.get("_id").unwrap());
        let mut cells = Vec::new();
        collect(document, "", &mut cells);
        cells.sort();
        let cells = cells.into_iter().map(|(_, text)| Some(text)).collect();
        rows.entry(day_of(&id)).or_default()[role].insert(id, cells);
    }
    rows
}

/// The texts of a document by their dotted paths.
fn collect(document: &Document, before: &str, cells: &mut Vec<(String, String)>) {
    for (name, value) in document {
        match value {
            Bson::Document(inner) => collect(inner, &format!("{before}{name}."), cells),
            value => cells.push((format!("{before}{name}"), text_of(value))),
        }
    }
}

fn text_of(value: &Bson) -> String {
    match value {
        Bson::String(text) => text.clone(),
        Bson::Double(number) if number.fract() == 0.0 => format!("{number:.1}"),
        other => other.to_string(),
    }
}

/// The rows of a CSV by `_id`, cells in the order of the columns' names.
fn rows_of(path: &Path) -> BTreeMap<String, Vec<Option<String>>> {
    let rows = read_csv(&std::fs::read_to_string(path).unwrap());
    let mut order: Vec<usize> = (0..rows[0].len()).collect();
    order.sort_by_key(|place| rows[0][*place].clone());
    let mut found = BTreeMap::new();
    for row in &rows[1..] {
        let cells = order.iter().map(|place| row[*place].clone()).collect();
        assert!(found.insert(row[0].clone().unwrap(), cells).is_none(), "{:?} stands twice", row[0]);
    }
    found
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How many kills, and when.
pub(crate) struct Kills {
    pub(crate) dice: ChaCha8Rng,
    what: &'static str,
    wanted: u32,
    done: u32,
    torn: u32,
    begun: Instant,
}

impl Kills {
    /// `wanted` kills, unless the environment says how many.
    pub(crate) fn new(what: &'static str, wanted: u32) -> Self {
        let number =
            |variable: &str| std::env::var(variable).ok().map(|text| text.parse().expect("a number"));
        let seed = number("TIDEMARK_KILL_SEED").unwrap_or_else(rand::random);
        let wanted = number("TIDEMARK_KILLS").map_or(wanted, |kills| u32::try_from(kills).unwrap());
        println!("{wanted} kills of {what}, TIDEMARK_KILL_SEED={seed}");
        Self { dice: ChaCha8Rng::seed_from_u64(seed), what, wanted, done: 0, torn: 0, begun: Instant::now() }
    }

    /// Whether there are kills left.
    pub(crate) fn go_on(&self) -> bool {
        self.done < self.wanted
    }

    /// A moment within a time, or shortly after it.
    pub(crate) fn moment(&mut self, within: Duration) -> Duration {
        within.mul_f64(self.dice.random_range(0.0..1.1))
    }

    /// Counts a kill that came in time.
    pub(crate) fn count(&mut self, killed: &Killed) {
        self.done += u32::from(killed.ran);
    }

    /// Counts a kill that tore a block of the file's directory: about one in thousands does.
    pub(crate) fn count_torn(&mut self) {
        self.torn += 1;
        assert!(self.torn <= 1 + self.wanted / 200, "too many files are damaged by a kill: {}", self.torn);
    }

    /// Says how many there were and what came of them, also of a test that passes.
    pub(crate) fn sum_up(&self, more: &str) {
        use std::io::Write as _;
        let (done, torn, what) = (self.done, self.torn, self.what);
        let seconds = self.begun.elapsed().as_secs_f64();
        // Not by `println!`, which a test that passes keeps to itself.
        let _ = writeln!(std::io::stdout(), "kills of {what}: {done}, {torn} torn, {more}, {seconds:.1} s");
    }
}

/// How long something takes.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = act();
    (done, begun.elapsed())
}
