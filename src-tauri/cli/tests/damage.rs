//! Damaged cache files, before the program as a process of its own. Whatever the damage: the rows are right,
//! or the file is moved aside, reported and fetched anew; nothing is wiped; and the program never crashes.
//!
//! `TIDEMARK_DAMAGES` sets how many random damages, `TIDEMARK_DAMAGE_SEED` repeats a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Run;
use crate::support::fixture::{Fixture, cache_files};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const DAMAGES: u32 = 30;
const DAYS: i32 = 40;

/// A cache with one query, to be damaged again and again.
struct Sound {
    fixture: Fixture,
    /// The cache folder as it was when all was well.
    sound: PathBuf,
    /// Where the file lies below a cache folder.
    file: PathBuf,
}

impl Sound {
    async fn new(name: &str) -> Self {
        let fixture = Fixture::new(name, DAYS, 20, 400).await;
        let sound = fixture.path("sound");
        let run = fixture.fetch_and_compare(&sound, &[]);
        assert_eq!((run.code, run.count("/days/fetched")), (0, 40), "{run:?}");
        let file = cache_files(&sound)[0].strip_prefix(&sound).unwrap().to_owned();
        Self { fixture, sound, file }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.sound.join(&self.file)).unwrap()
    }

    /// A copy of the cache in which somebody did something to the file.
    fn damaged(&self, damage: impl FnOnce(&Path)) -> PathBuf {
        let cache = self.fixture.path("damaged");
        if cache.exists() {
            fs::remove_dir_all(&cache).unwrap();
        }
        let file = cache.join(&self.file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::copy(self.sound.join(&self.file), &file).unwrap();
        damage(&file);
        cache
    }

    /// Looks offline, then fetches, then looks again. Whether the damage was noticed.
    fn survives(&self, what: &str, damage: impl FnOnce(&Path)) -> bool {
        let cache = self.damaged(damage);
        let file = cache.join(&self.file);
        let before = content(&file);
        let offline = self.fixture.fetch_and_compare(&cache, &["--offline"]);
        let noticed = match offline.code {
            0 => {
                assert_eq!(offline.count("/days/from_cache"), 40, "{what}: {offline:?}");
                false
            }
            1 => {
                assert_eq!(offline.text("/error/code"), "cache_damaged", "{what}: {offline:?}");
                assert_eq!(cache_files(&cache), [file.as_path()], "{what}: offline nothing is moved");
                assert!(content(&file) == before, "{what}: offline nothing is changed");
                true
            }
            _ => panic!("{what}: {offline:?}"),
        };
        let listed = crate::support::cli(&["cached", "--cache", &cache.to_string_lossy()]);
        assert_eq!(listed.code, 0, "{what}: {listed:?}");
        let run = self.fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((run.code, run.last["complete"].as_bool()), (0, Some(true)), "{what}: {run:?}");
        let fetched = run.count("/days/fetched");
        assert_eq!(noticed, fetched > 0, "{what}: {offline:?} {run:?}");
        if noticed {
            assert_eq!(fetched, 40, "{what}: {run:?}");
            let aside: Vec<PathBuf> =
                cache_files(&cache).into_iter().filter(|other| *other != file).collect();
            assert_eq!(aside.len(), 1, "{what}: {aside:?}");
            assert!(content(&aside[0]) == before, "{what}: what was moved aside is what there was");
            let name = aside[0].file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.contains(".damaged-") && says(&run, &name), "{what}: {run:?}");
        }
        let again = self.fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{what}: {again:?}");
        noticed
    }

    /// As [`survives`](Self::survives), for what cannot go unnoticed.
    fn notices(&self, what: &str, damage: impl FnOnce(&Path)) {
        assert!(self.survives(what, damage), "{what}: nobody noticed");
    }
}

fn content(path: &Path) -> Option<Vec<u8>> {
    path.is_file().then(|| fs::read(path).unwrap())
}

fn says(run: &Run, part: &str) -> bool {
    run.last["notes"].as_array().into_iter().flatten().any(|note| note.as_str().unwrap().contains(part))
        && run.stderr.contains(part)
}

fn log_of(file: &Path) -> PathBuf {
    file.with_extension("duckdb.wal")
}

fn sql(file: &Path, statement: &str) {
    duckdb::Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

#[tokio::test]
async fn damage_that_cannot_go_unnoticed() {
    let sound = Sound::new("damage").await;
    let bytes = sound.bytes();
    for length in [0, 1, 100, 4_096, 8_192, 12_288, 12_289, bytes.len() / 2] {
        sound.notices(&format!("cut to {length}"), |file| fs::write(file, &bytes[..length]).unwrap());
    }
    sound.notices("a text", |file| fs::write(file, "this is no database").unwrap());
    sound.notices("zeros", |file| fs::write(file, vec![0; bytes.len()]).unwrap());
    sound.notices("no tables", |file| {
        fs::remove_file(file).unwrap();
        sql(file, "CREATE TABLE other (a INTEGER)");
    });
    sound.notices("a table is missing", |file| sql(file, "DROP TABLE coverage"));
    sound.notices("a segment is missing", |file| sql(file, "DROP TABLE input_1"));
    // A colleague's file of another query under this one's name.
    let run = sound.fixture.fetch(&sound.fixture.path("other"), &["--filter", "product=Gas"]);
    assert_eq!(run.code, 0, "{run:?}");
    let other = cache_files(&sound.fixture.path("other"))[0].clone();
    sound.notices("another query's file", |file| {
        fs::copy(other, file).unwrap();
    });
}

/// What is no file is no damaged one: it is not ours, and stays.
#[tokio::test]
async fn a_folder_in_the_place_of_the_file() {
    let sound = Sound::new("folder").await;
    let cache = sound.damaged(|file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    });
    for more in [&["--offline"][..], &[]] {
        let run = sound.fixture.fetch_and_compare(&cache, more);
        assert_eq!((run.code, run.text("/error/code")), (1, "cache_unusable"), "{run:?}");
    }
    assert_eq!(cache_files(&cache), [cache.join(&sound.file)]);
}

/// A system that runs out of something in the middle: whatever the moment, no file is taken for damaged.
#[cfg(unix)]
#[tokio::test]
async fn what_the_system_refuses_is_no_damage() {
    let sound = Sound::new("refused").await;
    let cache = sound.damaged(|_| ());
    let file = cache.join(&sound.file);
    let before = content(&file);
    let mut codes = std::collections::BTreeMap::<String, u32>::new();
    // From too few to start to enough for all: each number of open files fails at another step.
    for (most, more) in (4..40).flat_map(|most| [(most, "--offline"), (most, "--refresh")]) {
        let limited = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
        let output = crate::support::shell(&limited)
            .args(sound.fixture.arguments(&cache, &[more]))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let last: serde_json::Value =
            said.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let code = last["error"]["code"].as_str().unwrap_or(if output.status.success() {
            "complete"
        } else {
            "none"
        });
        *codes.entry(code.to_owned()).or_default() += 1;
        assert_ne!(code, "cache_damaged", "{most} {more}: {last}");
        assert_eq!(cache_files(&cache), [file.as_path()], "{most} {more}: nothing is moved aside: {last}");
        if more == "--offline" && code != "complete" {
            assert!(last["notes"].is_null(), "{most}: {last}");
        }
    }
    println!("{codes:?}");
    assert!(codes.contains_key("complete") && codes.contains_key("cache_unusable"), "{codes:?}");
    assert!(before.is_some() && content(&file).is_some());
    let run = sound.fixture.fetch_and_compare(&cache, &[]);
    assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "{run:?}");
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test]
async fn bytes_that_are_flipped_anywhere() {
    let sound = Sound::new("flips").await;
    let bytes = sound.bytes();
    let damages = number_from("TIDEMARK_DAMAGES").map_or(DAMAGES, |many| u32::try_from(many).unwrap());
    let seed = number_from("TIDEMARK_DAMAGE_SEED").unwrap_or_else(rand::random);
    println!("{damages} damages, TIDEMARK_DAMAGE_SEED={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut noticed = 0;
    for at in 0..damages {
        let mut damaged = bytes.clone();
        // One in three in the headers, which are small.
        let within = if dice.random_ratio(1, 3) { 3 * 4_096 } else { bytes.len() };
        let (place, length) = (dice.random_range(0..within), dice.random_range(1..=64));
        let end = (place + length).min(bytes.len());
        match dice.random_range(0..3) {
            0 => damaged[place] ^= 1 << dice.random_range(0..8),
            1 => damaged[place..end].iter_mut().for_each(|byte| *byte = !*byte),
            _ => damaged.truncate(place),
        }
        let what = format!("seed {seed}, damage {at} at {place}");
        noticed += u32::from(sound.survives(&what, |file| fs::write(file, damaged).unwrap()));
    }
    println!("{noticed} of them hurt");
}

/// A program that was killed leaves a log beside the file; here it is damaged, too.
#[tokio::test]
async fn a_damaged_log() {
    let fixture = Fixture::new("log", 365, 4, 200).await;
    let killed = fixture.path("killed");
    let begun = Instant::now();
    let (file, held) = loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "no kill left a log");
        let _ = fs::remove_dir_all(&killed);
        kill_after_a_chunk(&fixture, &killed);
        let files = cache_files(&killed);
        if let [file] = &files[..]
            && fs::metadata(log_of(file)).is_ok_and(|log| log.len() > 1_000)
        {
            let copy = fixture.path("look");
            copy_folder(&killed, &copy);
            let look = fixture.fetch_and_compare(&copy, &["--offline"]);
            fs::remove_dir_all(copy).unwrap();
            if look.code == 3 {
                break (file.strip_prefix(&killed).unwrap().to_owned(), look.count("/days/from_cache"));
            }
        }
    };
    let log = fs::read(log_of(&killed.join(&file))).unwrap();
    let flipped = |at: usize| {
        let mut bytes = log.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    let mut cases = vec![
        ("no log".to_owned(), None),
        ("an empty log".to_owned(), Some(Vec::new())),
        ("no log at all".to_owned(), Some(b"this is no log".to_vec())),
        ("zeros".to_owned(), Some(vec![0; log.len()])),
    ];
    for part in 1..6 {
        let at = log.len() * part / 6;
        cases.push((format!("a log cut to {at}"), Some(log[..at].to_vec())));
        cases.push((format!("a log flipped at {at}"), Some(flipped(at))));
    }
    for (what, bytes) in cases {
        let cache = fixture.path("case");
        copy_folder(&killed, &cache);
        match bytes {
            Some(bytes) => fs::write(log_of(&cache.join(&file)), bytes).unwrap(),
            None => fs::remove_file(log_of(&cache.join(&file))).unwrap(),
        }
        let offline = fixture.fetch_and_compare(&cache, &["--offline"]);
        let kept = match offline.code {
            3 => offline.count("/days/from_cache"),
            _ => 0,
        };
        assert!(kept <= held && matches!(offline.code, 1 | 3), "{what}: {offline:?}");
        if offline.code == 1 {
            let code = offline.text("/error/code");
            assert!(matches!(code, "cache_damaged" | "not_cached"), "{what}: {offline:?}");
        }
        let run = fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((run.code, run.count("/days/from_cache")), (0, kept), "{what}: {run:?}");
        if offline.code == 1 && offline.text("/error/code") == "cache_damaged" {
            assert!(says(&run, "moved aside as"), "{what}: {run:?}");
        }
        let again = fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{what}: {again:?}");
        fs::remove_dir_all(cache).unwrap();
    }
}

/// A kill right after the file was made leaves one with nothing in it: no damage, nothing to report.
#[tokio::test]
async fn a_file_that_was_only_just_made() {
    let sound = Sound::new("blank").await;
    let cache = sound.damaged(|file| {
        fs::remove_file(file).unwrap();
        sql(file, "CHECKPOINT");
    });
    let offline = sound.fixture.fetch_and_compare(&cache, &["--offline"]);
    assert_eq!((offline.code, offline.text("/error/code")), (1, "not_cached"), "{offline:?}");
    let run = sound.fixture.fetch_and_compare(&cache, &[]);
    assert_eq!((run.code, run.count("/days/fetched"), run.last.get("notes")), (0, 40, None), "{run:?}");
    assert_eq!(cache_files(&cache).len(), 1);
}

/// Makes what a program that was killed in the middle of something large leaves behind.
fn spill(file: &Path) -> PathBuf {
    let spill = file.with_extension("spill");
    fs::create_dir(&spill).unwrap();
    fs::write(spill.join("duckdb_temp_storage_DEFAULT-0.tmp"), vec![0; 100_000]).unwrap();
    spill
}

#[tokio::test]
async fn what_a_killed_program_had_spilled_goes() {
    let sound = Sound::new("spilled").await;
    let cache = sound.damaged(|file| drop(spill(file)));
    let run = sound.fixture.fetch_and_compare(&cache, &[]);
    assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "{run:?}");
    // Gone with the next look: else it could not be made again.
    let spill = spill(&cache.join(&sound.file));
    let signature = run.text("/signature");
    let forgotten = crate::support::cli(&["forget", signature, "--cache", &cache.to_string_lossy()]);
    assert_eq!((forgotten.code, spill.exists(), cache_files(&cache).len()), (0, false, 0), "{forgotten:?}");
}

fn kill_after_a_chunk(fixture: &Fixture, cache: &Path) {
    use std::io::{BufRead as _, BufReader};
    let mut child = crate::support::program()
        .args(fixture.arguments(cache, &["--events"]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // Two windows: the log holds one whose rows a checkpoint has not moved yet.
    drop(lines.filter(|line| line.contains("chunk_stored")).nth(1));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
