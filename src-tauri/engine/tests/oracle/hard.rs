//! Steps in which the world is hard while a query runs. What they leave is not predicted day by day as elsewhere:
//! each is judged by what the contract promises whatever happens, and then the cache is emptied.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use chrono::{NaiveDate, TimeDelta};
use mongodb::Client;
use tidemark_engine::answer::{Answer, AnswerDays};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::store::budget::DEFAULT_BUDGET;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure};
use tidemark_test_server::TestServer;

use super::checks::{Disturbed, Held, Rows, Verdict, compare, verdict};
use super::cruelty::{Foreign, Hardship, Swap, Trouble};
use super::model_source::Truth;
use super::runner::{Rig, Run, While, driver, text};
use super::script::{Ask, At, Change, FILTERS, Mode, Reach};
use tidemark_test_support::server;

const HOUR: i64 = 3_600_000;

/// A second server, with data of its own.
fn other_server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        // Even where the first one runs elsewhere.
        let folder = Box::leak(Box::new(tempfile::tempdir().expect("a folder")));
        TestServer::start_on(folder.path(), 0).expect("a test server")
    })
}

async fn other_driver() -> &'static Client {
    static CLIENT: tokio::sync::OnceCell<Client> = tokio::sync::OnceCell::const_new();
    CLIENT.get_or_init(|| async { Client::with_uri_str(other_server().uri()).await.expect("a client") }).await
}

/// Days that an answer does not vouch for.
fn marked(days: &AnswerDays) -> BTreeSet<NaiveDate> {
    days.missing.iter().chain(&days.open).chain(&days.unverified).map(|day| day.date()).collect()
}

fn days_between(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take_while(move |day| *day <= to)
}

fn range_of(from: NaiveDate, to: NaiveDate) -> Result<DayRange, String> {
    DayRange::new(Day::from(from), Day::from(to)).map_err(text)
}

impl Rig {
    pub(super) async fn hard(&mut self, ask: Ask, hardship: Hardship) -> Verdict {
        // Nothing is promised where the server is not asked, and checks have their own rules.
        let ask = Ask { reach: Reach::Server, ..ask };
        let done = match hardship {
            Hardship::Moving { at, passing, change } => self.moving(ask, at, passing, change).await?,
            Hardship::Swapped { how, salt, then } => self.swapped(ask, how, salt, then).await?,
            Hardship::Clocks { ahead, lag, later, salt } => self.clocks(ask, ahead, lag, later, salt).await?,
            Hardship::Foreign(Foreign::Newer) => self.newer(ask).await?,
            Hardship::Foreign(Foreign::View) => self.foreign_view().await?,
            Hardship::Foreign(Foreign::Junk) => self.junk(ask).await?,
            Hardship::Unwell(trouble) => self.unwell(ask, trouble).await?,
        };
        let kind = match hardship {
            Hardship::Moving { .. } => 0,
            Hardship::Swapped { .. } => 1,
            Hardship::Clocks { .. } => 2,
            Hardship::Foreign(_) => 3,
            Hardship::Unwell(_) => 4,
        };
        self.tally.hard[kind] += usize::from(done);
        self.tampered = false;
        Ok(())
    }

    async fn truth_now(&mut self) -> Result<Arc<Truth>, String> {
        self.truth = None;
        self.world.truth().await.map(Arc::new).map_err(text)
    }

    async fn forget_all(&mut self) -> Verdict {
        for filter in 0..FILTERS {
            self.model.held[filter].clear();
            self.forget(filter, None).await?;
        }
        self.last = None;
        Ok(())
    }

    /// What the cache says of some days of a query; nothing where it holds none of them.
    async fn cached(&self, filter: usize, from: NaiveDate, to: NaiveDate) -> Result<Option<Answer>, String> {
        let signature = self.signature(filter)?.to_string();
        let key = ViewKey { signature, from: Day::from(from), to: Day::from(to) };
        match self.engine.cached_answer(&key).await {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.code == Code::NotCached => Ok(None),
            Err(failure) => Err(format!("what is cached cannot be answered: {failure:?}")),
        }
    }

    async fn rows_of_day(&self, filter: usize, day: NaiveDate) -> Result<Rows, String> {
        self.rows_shown(filter, range_of(day, day)?).await
    }

    // Changes in the middle of a run ---------------------------------------------------------------

    /// The source changes while its documents come. What is shown was there, or the answer names the days that it
    /// does not vouch for.
    async fn moving(&mut self, ask: Ask, at: At, passing: usize, change: Change) -> Result<bool, String> {
        // Held days would not be asked for.
        let ask = Ask { mode: Mode::Refresh, ..ask };
        let now = self.begin().await?;
        let before = self.truth.clone().ok_or("the source was read")?;
        self.cutter.hold_after(at, passing);
        let run = self.start(ask, Disturbed::default(), While::default())?;
        tokio::pin!(run);
        let early = tokio::select! {
            run = &mut run => Some(run?),
            () = self.cutter.held() => None,
        };
        if let Some(run) = early {
            self.cutter.release();
            self.settle(vec![run], now).await?;
            return Ok(false);
        }
        let changed = self.world.change(change).await.map_err(text);
        self.cutter.release();
        let run = run.await?;
        changed?;
        if self.tampered {
            self.world.lie(7);
        }
        let after = self.truth_now().await?;
        let answer = run.outcome.clone().map_err(|failure| format!("it failed: {failure:?}"))?;
        self.damaged[ask.filter] = false;
        self.model.held[ask.filter] = self.read_held(ask.filter).await?;
        let moments = if self.tampered { vec![after] } else { vec![before, after] };
        self.one_moment(&run, now, &answer, moments).await?;
        self.forget_all().await?;
        Ok(true)
    }

    /// This server has no snapshots, so windows may be read at moments of their own: each is of one, or its days are
    /// marked; and of two states of a document the later one is shown.
    async fn one_moment(
        &mut self,
        run: &Run,
        now: i64,
        answer: &Answer,
        moments: Vec<Arc<Truth>>,
    ) -> Verdict {
        let ask = &run.ask;
        let (from, to) = self.days_of(ask);
        let filter = ask.filter;
        let Some(cached) = self.cached(filter, from, to).await? else {
            return verdict(!answer.complete, || format!("complete, and nothing is held: {answer:?}"));
        };
        // Each document once, marked or not.
        let whole = self.rows_shown(filter, self.range(ask)?).await?;
        let (told, kept) = (marked(&answer.days), marked(&cached.days));
        let held = self.model.held[filter].clone();
        let mut read_at = Held::new();
        for window in &run.stored {
            let mut days = Vec::new();
            for day in window.days().map(|day| day.date()).filter(|day| held.contains_key(day)) {
                if !(told.contains(&day) && kept.contains(&day)) {
                    days.push((day, self.rows_of_day(filter, day).await?));
                }
            }
            let wrong_at = |moment: &Arc<Truth>| -> Vec<String> {
                let wrong = |(day, rows): &(NaiveDate, Rows)| {
                    let expected = self.model.rows_at(moment, filter, [*day]);
                    compare("the day", rows, &expected).err().map(|what| format!("{day}: {what}"))
                };
                days.iter().filter_map(wrong).collect()
            };
            let wrongs: Vec<Vec<String>> = moments.iter().map(wrong_at).collect();
            let Some(at) = wrongs.iter().position(Vec::is_empty) else {
                let wrongs: Vec<String> = wrongs.iter().map(|wrong| wrong.join("; ")).collect();
                return Err(format!(
                    "{window:?} is of no one moment, and nothing is said (marked {told:?}, kept {kept:?}): {}",
                    wrongs.join(" // or: ")
                ));
            };
            let at = now + i64::try_from(at).map_err(text)?;
            read_at.extend(window.days().map(|day| (day.date(), at)));
        }
        if !answer.complete || !answer.days.open.is_empty() {
            return Ok(());
        }
        for (at, moment) in moments.iter().enumerate() {
            self.model.truths.insert(now + i64::try_from(at).map_err(text)?, Arc::clone(moment));
        }
        let held = held.range(from..=to);
        let days = held.map(|(day, fetched)| (*day, read_at.get(day).copied().unwrap_or(*fetched)));
        compare("all days", &whole, &self.model.rows_of(filter, days))
    }

    // Another source behind the address --------------------------------------------------------------

    /// No answer has rows of two sources, and none vouches for what was there before once it is known.
    async fn swapped(&mut self, ask: Ask, how: Swap, salt: u64, then: Ask) -> Result<bool, String> {
        let old: HashSet<Vec<u8>> = self.model.truths.values().flat_map(|truth| truth.contents()).collect();
        if how == Swap::Server {
            self.elsewhere = !self.elsewhere;
        }
        let client = if self.elsewhere { other_driver().await } else { driver(false).await };
        self.world.make(client, salt).await.map_err(text)?;
        if how == Swap::Server {
            let port = if self.elsewhere { other_server().port() } else { server().port() };
            self.cutter.switch_to(port);
        }
        if self.tampered {
            self.world.lie(7);
        }
        let new = self.truth_now().await?;
        let known: HashSet<Vec<u8>> = new.contents().collect();
        let mut asked = [false; FILTERS];
        let held = self.model.held.clone();
        let later = Ask { reach: Reach::Offline, mode: Mode::Normal, ..ask };
        for ask in [ask, Ask { reach: Reach::Server, ..then }, later] {
            self.tick();
            let run = self.run(ask, Disturbed::default(), While::default()).await?;
            self.of_one_source(&run, &old, (&new, &known), &mut asked, &held)
                .await
                .map_err(|wrong| format!("{ask:?}: {wrong}"))?;
        }
        self.damaged = [false; FILTERS];
        self.forget_all().await?;
        Ok(true)
    }

    async fn of_one_source(
        &self,
        run: &Run,
        old: &HashSet<Vec<u8>>,
        (new, known): (&Arc<Truth>, &HashSet<Vec<u8>>),
        asked: &mut [bool; FILTERS],
        held: &[Held],
    ) -> Verdict {
        let ask = &run.ask;
        let (from, to) = self.days_of(ask);
        let answer = match &run.outcome {
            Ok(answer) => answer,
            Err(failure) if failure.code == Code::NotCached && ask.reach != Reach::Server => return Ok(()),
            Err(failure) => return Err(format!("it failed: {failure:?}")),
        };
        asked[ask.filter] |= answer.mongo_commands > 0;
        let Some(cached) = self.cached(ask.filter, from, to).await? else { return Ok(()) };
        let rows = self.rows_shown(ask.filter, self.range(ask)?).await?;
        let bytes = || rows.iter().flat_map(|role| role.values()).map(|raw| raw.as_bytes());
        let of_old = bytes().filter(|bytes| !known.contains(*bytes) && old.contains(*bytes)).count();
        let of_new = bytes().filter(|bytes| known.contains(*bytes) && !old.contains(*bytes)).count();
        verdict(of_old == 0 || of_new == 0, || {
            format!("{of_old} rows of the source before and {of_new} of the source now in one answer")
        })?;
        let all_days = || days_between(from, to);
        if !asked[ask.filter] {
            // Nothing was asked: what was held answers, as it was.
            let was_held = all_days().filter(|day| held[ask.filter].contains_key(day)).count();
            return verdict(of_new == 0 || was_held == 0, || {
                "rows of a source that was not asked".to_owned()
            });
        }
        for days in [&answer.days, &cached.days] {
            let marked = marked(days);
            for day in all_days().filter(|day| !marked.contains(day)) {
                let expected = self.model.rows_at(new, ask.filter, [day]);
                compare(&format!("{day}"), &self.rows_of_day(ask.filter, day).await?, &expected)?;
            }
            if marked.is_empty() {
                compare("all days", &rows, &self.model.rows_at(new, ask.filter, all_days()))?;
            }
        }
        Ok(())
    }

    // Clocks -----------------------------------------------------------------------------------------

    /// The node that answers lags, or our clock is wrong. What the node cannot have seen is open or missing, and
    /// once all is right no day is wrong that the answer vouches for.
    async fn clocks(
        &mut self,
        ask: Ask,
        ahead: i64,
        lag: i64,
        later: i64,
        salt: u64,
    ) -> Result<bool, String> {
        self.forget_all().await?;
        self.damaged = [false; FILTERS];
        let base = self.tick();
        let node = base - lag * HOUR;
        self.clock.store(base + ahead * HOUR, Ordering::SeqCst);
        self.cutter.set_time(Some(node));
        self.connect_anew()?;
        let outcome = self.at_wrong_times(ask, (base, node), ahead, later, salt).await;
        self.cutter.set_time(None);
        self.tick();
        self.connect_anew()?;
        outcome?;
        self.forget_all().await?;
        Ok(true)
    }

    async fn at_wrong_times(
        &mut self,
        ask: Ask,
        (base, node): (i64, i64),
        ahead: i64,
        later: i64,
        salt: u64,
    ) -> Verdict {
        let first = self.world.start_of(self.world.day(0)).timestamp_millis();
        let today = i32::try_from((base - first).div_euclid(24 * HOUR)).map_err(text)?;
        let to = today + i32::try_from(ahead.max(0) / 24).map_err(text)? + 1;
        let ask = Ask { from: today - 8, to, mode: Mode::Normal, ..ask };
        let first = self.run(ask, Disturbed::default(), While::default()).await?;
        let first = first.outcome.map_err(|failure| format!("at a wrong time it failed: {failure:?}"))?;
        let settles = |rig: &Self, day| (rig.world.end_of(day) + TimeDelta::hours(24)).timestamp_millis();
        // A judge that is tampered with believes the node to lag for longer.
        let seen = if self.tampered { node - 30 * 24 * HOUR } else { node };
        let told = marked(&first.days);
        for offset in ask.from..=ask.to {
            let day = self.world.day(offset);
            verdict(settles(self, day) <= seen || told.contains(&day), || {
                format!(
                    "{day} is told as settled, and the node that answered was at {node} of {base}: {first:?}"
                )
            })?;
        }
        // What had not come to the node, or had not happened yet.
        for offset in ask.from..=ask.to {
            if settles(self, self.world.day(offset)) > node {
                let salt = salt + u64::from(offset.unsigned_abs());
                self.world.insert_on(offset, salt).await.map_err(text)?;
            }
        }
        self.seconds += later * 3_600 + 61;
        let now = self.tick();
        self.cutter.set_time(Some(now));
        let truth = self.truth_now().await?;
        let second = self.run(ask, Disturbed::default(), While::default()).await?;
        let second = second.outcome.map_err(|failure| format!("at the right time it failed: {failure:?}"))?;
        let (from, to) = self.days_of(&ask);
        let cached = self.cached(ask.filter, from, to).await?.ok_or("nothing is held")?;
        for days in [&second.days, &cached.days] {
            let told = marked(days);
            for day in days_between(from, to).filter(|day| !told.contains(day)) {
                let expected = self.model.rows_at(&truth, ask.filter, [day]);
                compare(
                    &format!("at the right time, {day}"),
                    &self.rows_of_day(ask.filter, day).await?,
                    &expected,
                )?;
            }
        }
        Ok(())
    }

    // Files ------------------------------------------------------------------------------------------

    /// All files and folders of the cache.
    fn paths(&self) -> BTreeSet<PathBuf> {
        fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) {
            let Ok(entries) = std::fs::read_dir(folder) else { return };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.is_dir() && !path.is_symlink() {
                    collect(&path, found);
                }
                found.insert(path);
            }
        }
        let mut found = BTreeSet::new();
        collect(self.folder.path(), &mut found);
        found
    }

    fn moved_aside(&self) -> BTreeSet<PathBuf> {
        let is_moved_aside = |path: &PathBuf| path.to_string_lossy().contains(".damaged-");
        self.paths().into_iter().filter(is_moved_aside).collect()
    }

    /// Everything that may go, goes.
    async fn evict_all(&self) -> Verdict {
        let outcome = self.engine.set_cache_budget(1).await;
        let cache = self.engine.cache().clone();
        off_thread(move || Ok(cache.set_budget(DEFAULT_BUDGET)?)).await.map_err(text)?;
        outcome.map(drop).map_err(|failure| format!("what is cached cannot be evicted: {failure:?}"))
    }

    async fn list(&self) -> Verdict {
        let listed = self.engine.cached_queries().await;
        listed.map(drop).map_err(|failure| format!("cached queries cannot be listed: {failure:?}"))
    }

    /// A file of the query, where there is none yet.
    async fn with_a_file(&mut self, ask: Ask) -> Result<Option<PathBuf>, String> {
        if self.damaged[ask.filter] || self.model.held[ask.filter].is_empty() {
            self.fetch(ask).await?;
        }
        if self.damaged[ask.filter] || self.model.held[ask.filter].is_empty() {
            return Ok(None);
        }
        self.file_of(ask.filter)
    }

    /// A file that a newer program has written is left alone, whatever is asked.
    async fn newer(&mut self, ask: Ask) -> Result<bool, String> {
        let Some(path) = self.with_a_file(ask).await? else { return Ok(false) };
        self.while_ended(|| {
            let connection = duckdb::Connection::open(&path).map_err(text)?;
            connection
                .execute_batch("UPDATE meta SET value = '999' WHERE key = 'format'; CHECKPOINT")
                .map_err(text)
        })?;
        let (bytes, aside) = (std::fs::read(&path).map_err(text)?, self.moved_aside());
        // It may fail, but does not call damaged what is new.
        self.tick();
        let run = self.run(ask, Disturbed::default(), While::default()).await?;
        self.list().await?;
        self.evict_all().await?;
        if self.tampered {
            std::fs::write(&path, b"altered").map_err(text)?;
        }
        // What was moved aside before may have been evicted.
        verdict(self.moved_aside().is_subset(&aside), || {
            format!("a newer file was moved aside: {:?}", self.moved_aside())
        })?;
        verdict(std::fs::read(&path).is_ok_and(|now| now == bytes), || {
            format!("a newer file is not as it was, or gone; the fetch came to {:?}", run.outcome)
        })?;
        not_damaged(run.outcome.as_ref().err())?;
        self.while_ended(|| std::fs::remove_file(&path).map_err(text))?;
        self.model.held[ask.filter].clear();
        self.notice_evicted(FILTERS).await?;
        self.damaged[ask.filter] = false;
        Ok(true)
    }

    /// A folder of the cache in which a query's file may lie.
    fn some_folder(&self) -> Result<PathBuf, String> {
        let files = self.engine.cache().files().map_err(text)?;
        let beside = files.first().and_then(|file| file.parent()).map(Path::to_owned);
        let folder = beside.unwrap_or_else(|| self.folder.path().join("0123456789abcdef0123456789abcdef"));
        std::fs::create_dir_all(&folder).map_err(text)?;
        Ok(folder)
    }

    /// A view that lies in a file is never carried out: it may read what it likes.
    async fn foreign_view(&mut self) -> Result<bool, String> {
        let elsewhere = tempfile::tempdir().map_err(text)?;
        let pipe = elsewhere.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().map_err(text)?;
        verdict(made.success(), || "no pipe can be made".to_owned())?;
        let path = self.some_folder()?.join("00000000000000000000000000000001.duckdb");
        let view = format!(
            "CREATE VIEW meta AS SELECT 'format' AS key, content AS value FROM read_text('{}')",
            pipe.display()
        );
        duckdb::Connection::open(&path)
            .and_then(|connection| connection.execute_batch(&view))
            .map_err(text)?;
        let watch = Watch::over(&pipe);
        if self.tampered {
            let pipe = pipe.clone();
            off_thread(move || {
                drop(std::fs::read(pipe));
                Ok(())
            })
            .await
            .map_err(text)?;
        }
        let done = async {
            self.list().await?;
            self.evict_all().await?;
            self.list().await
        };
        let done: Verdict = done.await;
        let was_read = watch.end();
        // Where it was evicted, it is gone already.
        let _ = std::fs::remove_file(&path);
        verdict(!was_read, || "a view in a foreign file was carried out".to_owned())?;
        done?;
        self.notice_evicted(FILTERS).await?;
        self.last = None;
        Ok(true)
    }

    /// What is no database disturbs nothing.
    async fn junk(&mut self, ask: Ask) -> Result<bool, String> {
        let folder = self.some_folder()?;
        let name = |number: u32| folder.join(format!("{number:032x}.duckdb"));
        std::fs::write(name(2), b"no database").map_err(text)?;
        std::fs::write(name(3), b"").map_err(text)?;
        std::fs::create_dir_all(name(4)).map_err(text)?;
        std::fs::write(folder.join("notes.txt"), b"mine").map_err(text)?;
        if self.tampered
            && let Some(path) = self.file_of(ask.filter)?
        {
            self.while_ended(|| std::fs::write(path, b"no database").map_err(text))?;
        }
        self.list().await?;
        self.fetch(ask).await?;
        self.list().await?;
        for path in self.paths().into_iter().filter(|path| path.parent() == Some(&folder)) {
            if (2..5).any(|number| path.starts_with(name(number)))
                || path.to_string_lossy().contains("/0000000000000000000000000000000")
            {
                let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
            }
        }
        Ok(true)
    }

    /// A file that the system cannot read for a while is not damaged.
    async fn unwell(&mut self, ask: Ask, trouble: Trouble) -> Result<bool, String> {
        let Some(path) = self.with_a_file(ask).await? else { return Ok(false) };
        let elsewhere = tempfile::tempdir().map_err(text)?;
        let kept = elsewhere.path().join("kept");
        let mut log = path.clone().into_os_string();
        log.push(".wal");
        let log = PathBuf::from(log);
        let kept_log = elsewhere.path().join("log");
        self.while_ended(|| {
            std::fs::rename(&path, &kept).map_err(text)?;
            let _ = std::fs::rename(&log, &kept_log);
            match trouble {
                // Memory that is not there reads as a broken disk does.
                Trouble::Io => std::os::unix::fs::symlink("/proc/self/mem", &path),
                Trouble::Loop => std::os::unix::fs::symlink(&path, &path),
                Trouble::Folder => std::fs::create_dir(&path),
            }
            .map_err(text)
        })?;
        let aside = self.moved_aside();
        self.tick();
        let run = self.run(ask, Disturbed::default(), While::default()).await?;
        let listed = self.list().await;
        if self.tampered {
            std::fs::write(&kept, b"no database").map_err(text)?;
        }
        let now_moved = self.moved_aside();
        self.while_ended(|| {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
            let _ = std::fs::remove_file(&log);
            let _ = std::fs::rename(&kept_log, &log);
            std::fs::rename(&kept, &path).map_err(text)
        })?;
        verdict(now_moved == aside, || format!("moved aside for {trouble:?}: {now_moved:?}"))?;
        not_damaged(run.outcome.as_ref().err())?;
        listed?;
        self.is_held(ask.filter).await?;
        self.last = Some(ask);
        self.look_again().await?;
        Ok(true)
    }
}

fn not_damaged(failure: Option<&Failure>) -> Verdict {
    verdict(failure.is_none_or(|failure| failure.code != Code::CacheDamaged), || {
        format!("an intact file is called damaged: {failure:?}")
    })
}

/// Watches whether anybody reads a pipe.
struct Watch {
    end: Arc<std::sync::atomic::AtomicBool>,
    watching: std::thread::JoinHandle<bool>,
}

impl Watch {
    fn over(pipe: &Path) -> Self {
        use std::os::unix::fs::OpenOptionsExt as _;
        // `O_NONBLOCK`: to be opened for writing, a pipe must have a reader.
        const NO_WAITING: i32 = 0o4000;
        let end = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (pipe, asked) = (pipe.to_owned(), Arc::clone(&end));
        let watching = std::thread::spawn(move || {
            let mut read = false;
            while !asked.load(Ordering::SeqCst) {
                read |= std::fs::OpenOptions::new().write(true).custom_flags(NO_WAITING).open(&pipe).is_ok();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            read
        });
        Self { end, watching }
    }

    /// Whether it was read.
    fn end(self) -> bool {
        self.end.store(true, Ordering::SeqCst);
        self.watching.join().expect("no panic")
    }
}
