//! Carries a script out: the engine on one side, the source on the other, the judge after every step.

use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use mongodb::Client;
use tidemark_engine::answer::{Answer, Origin, RunEvent};
use tidemark_engine::cache::View;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::desk::{FetchMode, Role, ViewKey};
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::filter::Filters;
use tidemark_engine::mapping::Mapping;
use tidemark_engine::run::{Engine, EventSink, FetchRequest, off_thread};
use tidemark_engine::signature::{Query, Signature};
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

use super::cutter::Cutter;
use super::judge::{Case, Held, Model, Rows, Verdict, compare};
use super::script::{Ask, FILTERS, Mode, Script, Step};
use super::world::{Truth, World, key_of};
use crate::support::server;

/// Of so many runs over settled days one is repeated at once.
const REPEATED: i64 = 3;
/// Rows of a page: in some comparisons few, so that pages end within a stretch of days.
const PAGES: [u64; 4] = [25, 2_000, 2_000, 2_000];

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) steps: usize,
    /// Answers compared with what they have to be, every byte of every document.
    pub(crate) compared: usize,
    /// Of these, with a query to MongoDB at the same time.
    pub(crate) direct: usize,
    pub(crate) rows: usize,
    pub(crate) cancels: usize,
    /// Connections cut, cache files damaged or removed.
    pub(crate) faults: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.compared += other.compared;
        self.direct += other.direct;
        self.rows += other.rows;
        self.cancels += other.cancels;
        self.faults += other.faults;
    }
}

/// A step that came out wrong.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    pub(crate) step: usize,
    pub(crate) what: String,
}

/// Carries a script out on a source and a cache folder of its own.
pub(crate) async fn carry_out(script: &Script) -> Result<Tally, Wrong> {
    let failed = |step: usize| move |what: String| Wrong { step, what };
    let mut rig = Rig::new(script).await.map_err(failed(0))?;
    let mut outcome = Ok(());
    for (at, step) in script.steps.iter().enumerate() {
        outcome = rig.step(step).await.map_err(failed(at));
        if outcome.is_err() {
            break;
        }
        rig.tally.steps += 1;
    }
    rig.world.end().await;
    outcome.map(|()| rig.tally)
}

/// How a run is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    None,
    CancelAfter(usize),
    Cut,
}

type Outcome = Result<Answer, Failure>;

struct Rig {
    world: World,
    folder: tempfile::TempDir,
    seconds: i64,
    runs: i64,
    clock: Arc<AtomicI64>,
    /// Files that stay open: few in some sequences, so that files are opened again and again.
    keep: usize,
    engine: Engine,
    source: Source,
    mapping: Mapping,
    cutter: Option<Cutter>,
    model: Model,
    /// The source as it is, where nothing changed since it was read.
    truth: Option<Arc<Truth>>,
    /// Filters whose file cannot be read.
    damaged: [bool; FILTERS],
    last: Option<Ask>,
    tally: Tally,
}

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn new_engine(folder: &std::path::Path, clock: &Arc<AtomicI64>, keep: usize) -> Result<Engine, String> {
    let clock = Arc::clone(clock);
    let now = move || DateTime::<Utc>::from_timestamp_millis(clock.load(Ordering::SeqCst)).expect("a time");
    Ok(Engine::new(folder, keep).map_err(text)?.with_clock(Arc::new(now)))
}

/// A driver for the truth, shared by the sequences of a runtime.
async fn driver() -> &'static Client {
    static CLIENT: tokio::sync::OnceCell<Client> = tokio::sync::OnceCell::const_new();
    CLIENT.get_or_init(|| async { Client::with_uri_str(server().uri()).await.expect("a client") }).await
}

impl Rig {
    async fn new(script: &Script) -> Result<Self, String> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("oracle_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let setup = &script.setup;
        let world = World::new(driver().await, &name, setup).await.map_err(text)?;
        let cuts = script.steps.iter().any(|step| matches!(step, Step::Cut(..)));
        let cutter = cuts.then(|| Cutter::to(server().port()));
        let settings = SourceSettings {
            uri: cutter.as_ref().map_or_else(|| server().uri().to_owned(), |cutter| cutter.uri.clone()),
            password: None,
            database: name,
            collection: "trades".to_owned(),
        };
        let folder = tempfile::tempdir().map_err(text)?;
        let clock = Arc::new(AtomicI64::new(0));
        let start = world.start_of(world.day(0)).timestamp() + setup.hours * 3_600;
        let keep = if setup.salt.is_multiple_of(4) { 1 } else { FILTERS };
        let mut rig = Self {
            keep,
            engine: new_engine(folder.path(), &clock, keep)?,
            mapping: Mapping::parse(&world.mapping()).map_err(text)?,
            source: Source::new(&settings).map_err(text)?,
            model: Model::new(setup.apart, setup.changed_at),
            world,
            folder,
            seconds: start,
            runs: 0,
            clock,
            cutter,
            truth: None,
            damaged: [false; FILTERS],
            last: None,
            tally: Tally::default(),
        };
        rig.tick();
        Ok(rig)
    }

    /// A time that no run had before.
    fn tick(&mut self) -> i64 {
        self.runs += 1;
        assert!(self.runs < 1_000, "a millisecond for each run");
        let now = self.seconds * 1_000 + self.runs;
        self.clock.store(now, Ordering::SeqCst);
        now
    }

    async fn step(&mut self, step: &Step) -> Verdict {
        match step {
            Step::Fetch(ask) => return self.fetch(*ask, Disturbance::None).await,
            Step::Cancelled(ask, after) => {
                self.tally.cancels += 1;
                return self.fetch(*ask, Disturbance::CancelAfter(*after)).await;
            }
            Step::Cut(ask, after) => {
                self.tally.faults += 1;
                self.cutter.as_ref().expect("made with the rig").cut_after(*after);
                let verdict = self.fetch(*ask, Disturbance::Cut).await;
                self.cutter.as_ref().expect("made with the rig").heal();
                return verdict;
            }
            Step::Together(one, other, cancel) => return self.together(*one, *other, *cancel).await,
            Step::Forget(filter, days) => self.forget(*filter, *days).await?,
            Step::Clock { seconds } => {
                self.seconds += seconds;
                self.tick();
            }
            Step::Restart => self.restart()?,
            Step::Damage(filter) => self.damage(*filter, true)?,
            Step::Remove(filter) => self.damage(*filter, false)?,
            Step::Source(change) => {
                self.truth = None;
                self.world.change(*change).await.map_err(text)?;
            }
        }
        self.look_again().await
    }

    // Runs ---------------------------------------------------------------------------------------

    fn query(&self, filter: usize) -> Result<Query, String> {
        let wanted = self.world.wanted(filter);
        let filters = Filters::parse(&self.mapping, &wanted.inputs, wanted.advanced).map_err(text)?;
        Ok(Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters })
    }

    fn signature(&self, filter: usize) -> Result<Signature, String> {
        Ok(Signature::of(&self.query(filter)?))
    }

    fn days_of(&self, ask: &Ask) -> (NaiveDate, NaiveDate) {
        (self.world.day(ask.from), self.world.day(ask.to))
    }

    fn range(&self, ask: &Ask) -> Result<DayRange, String> {
        let (from, to) = self.days_of(ask);
        DayRange::new(Day::from(from), Day::from(to)).map_err(text)
    }

    async fn run(&self, ask: Ask, disturbance: Disturbance) -> Result<Outcome, String> {
        let mode = match ask.mode {
            Mode::Normal => FetchMode::Normal,
            Mode::Refresh => FetchMode::Refresh,
            Mode::Verify => FetchMode::Verify,
        };
        let (query, range) = (self.query(ask.filter)?, self.range(&ask)?);
        let request = FetchRequest { query, range, mode, offline: ask.offline };
        let (engine, source, cancel) = (self.engine.clone(), self.source.clone(), CancellationToken::new());
        let (stored, token) = (AtomicUsize::new(0), cancel.clone());
        let sink: EventSink = Arc::new(move |event| {
            if matches!(event, RunEvent::ChunkStored { .. }) {
                stored.fetch_add(1, Ordering::SeqCst);
            }
            if disturbance == Disturbance::CancelAfter(stored.load(Ordering::SeqCst)) {
                token.cancel();
            }
        });
        // A panic of the engine is a finding too.
        let run = tokio::spawn(async move { engine.fetch(Some(&source), &request, sink, cancel).await });
        run.await.map_err(|error| format!("the engine panicked: {error}"))
    }

    /// Notes the source as it is for the run that begins now.
    async fn begin(&mut self) -> Result<i64, String> {
        let now = self.tick();
        if self.truth.is_none() {
            self.truth = Some(Arc::new(self.world.truth().await.map_err(text)?));
        }
        self.model.truths.extend(self.truth.clone().map(|truth| (now, truth)));
        Ok(now)
    }

    fn case(&self, ask: &Ask, disturbed: bool, now: i64) -> Case<'_> {
        let (from, to) = self.days_of(ask);
        let Ask { filter, mode, offline, .. } = *ask;
        Case { filter, from, to, mode, offline, disturbed, now, world: &self.world }
    }

    async fn fetch(&mut self, ask: Ask, disturbance: Disturbance) -> Verdict {
        self.last = Some(ask);
        let now = self.begin().await?;
        let outcome = self.run(ask, disturbance).await?;
        let disturbed = disturbance != Disturbance::None;
        if let Err(failure) = &outcome {
            self.may_fail(&self.case(&ask, disturbed, now), failure, false)?;
        }
        self.damaged[ask.filter] &= outcome.is_err();
        let after = self.read_held(ask.filter).await?;
        let before = self.settle_run(&[(ask, disturbed)], now, after)?;
        let case = self.case(&ask, disturbed, now);
        let Ok(answer) = outcome else { return Ok(()) };
        self.model.answer(&case, &before, &answer)?;
        self.compare(&ask, Some(&answer)).await?;
        if !disturbed && answer.complete && answer.days.open.is_empty() && self.runs % REPEATED == 0 {
            self.repeat(ask, &answer).await?;
        }
        Ok(())
    }

    /// Judges what changed in the ledger of a filter, and takes it over. What was held before.
    fn settle_run(&mut self, asks: &[(Ask, bool)], now: i64, after: Held) -> Result<Held, String> {
        let filter = asks[0].0.filter;
        let before = self.model.held[filter].clone();
        for (ask, disturbed) in asks {
            let whole = !disturbed;
            let beside = *disturbed || asks.len() > 1;
            self.model.transition(&self.case(ask, beside, now), &after, whole)?;
        }
        let asked = |day: &NaiveDate| {
            asks.iter().any(|(ask, _)| {
                let (from, to) = self.days_of(ask);
                (from..=to).contains(day)
            })
        };
        for day in before.keys().chain(after.keys()).filter(|day| !asked(day)) {
            if before.get(day) != after.get(day) {
                return Err(format!("{day} was not asked for, and changed"));
            }
        }
        self.model.held[filter] = after;
        Ok(before)
    }

    /// `beside`: another run may have brought days only after this one had looked.
    fn may_fail(&self, case: &Case<'_>, failure: &Failure, beside: bool) -> Verdict {
        let held = self.model.held[case.filter].range(case.from..=case.to).next().is_some();
        let nothing_held = beside || !held;
        let expected = match failure.code {
            Code::Cancelled => case.disturbed,
            Code::NotCached => nothing_held && case.offline,
            // What cannot be read can be fetched again only where the source answers.
            Code::CacheDamaged => self.damaged[case.filter] && (case.offline || case.disturbed),
            Code::SourceUnreachable | Code::SourceTimeout => case.disturbed,
            _ => false,
        };
        if expected { Ok(()) } else { Err(format!("the fetch failed: {failure:?}")) }
    }

    /// The same settled days at once again: no command, the same rows.
    async fn repeat(&mut self, ask: Ask, first: &Answer) -> Verdict {
        self.tick();
        let again = Ask { mode: Mode::Normal, offline: false, ..ask };
        let second = self.run(again, Disturbance::None).await?.map_err(text)?;
        if second.mongo_commands > 0 || second.answer != Origin::Cache || second.rows != first.rows {
            return Err(format!("repeated, it is not the same from the cache: {second:?}"));
        }
        self.compare(&again, Some(&second)).await
    }

    async fn together(&mut self, one: Ask, other: Ask, cancel: Option<usize>) -> Verdict {
        self.last = Some(other);
        let now = self.begin().await?;
        let disturbance = cancel.map_or(Disturbance::None, Disturbance::CancelAfter);
        self.tally.cancels += usize::from(cancel.is_some());
        let (first, second) = tokio::join!(self.run(one, disturbance), self.run(other, Disturbance::None));
        let outcomes = [(one, cancel.is_some(), first?), (other, false, second?)];
        for (ask, cancelled, outcome) in &outcomes {
            if let Err(failure) = outcome {
                self.may_fail(&self.case(ask, *cancelled, now), failure, true)?;
            }
        }
        self.damaged[one.filter] &= outcomes.iter().all(|(_, _, outcome)| outcome.is_err());
        let after = self.read_held(one.filter).await?;
        self.settle_run(&[(one, cancel.is_some()), (other, false)], now, after)?;
        for (ask, _, outcome) in outcomes {
            if let Ok(answer) = outcome {
                self.model.answer(&self.case(&ask, true, now), &Held::new(), &answer)?;
            }
            if !self.model.held[ask.filter].is_empty() {
                self.compare(&ask, None).await?;
            }
        }
        Ok(())
    }

    // The cache ----------------------------------------------------------------------------------

    /// What the engine holds of a filter.
    async fn read_held(&self, filter: usize) -> Result<Held, String> {
        if self.damaged[filter] {
            return Ok(Held::new());
        }
        let (cache, signature) = (self.engine.cache().clone(), self.signature(filter)?);
        let opened = off_thread(move || Ok(cache.open_signature(&signature)?.state().ledger())).await;
        match opened {
            Ok(ledger) => {
                Ok(ledger.iter().map(|(day, held)| (day.date(), held.fetched.timestamp_millis())).collect())
            }
            Err(failure) if failure.code == Code::NotCached => Ok(Held::new()),
            Err(failure) => Err(format!("the ledger cannot be read: {failure:?}")),
        }
    }

    async fn forget(&mut self, filter: usize, days: Option<(i32, i32)>) -> Verdict {
        let signature = self.signature(filter)?;
        let span = days.map(|(from, to)| (self.world.day(from), self.world.day(to)));
        if self.damaged[filter] && span.is_some() {
            return Ok(());
        }
        let range =
            span.map(|(from, to)| DayRange::new(Day::from(from), Day::from(to)).map_err(text)).transpose()?;
        match self.engine.forget(&signature, range).await {
            Err(failure) if failure.code == Code::NotCached && self.model.held[filter].is_empty() => {}
            outcome => outcome.map_err(|failure| format!("it cannot be forgotten: {failure:?}"))?,
        }
        self.damaged[filter] = false;
        self.model.held[filter].retain(|day, _| span.is_some_and(|(from, to)| !(from..=to).contains(day)));
        let held = self.read_held(filter).await?;
        if held == self.model.held[filter] { Ok(()) } else { Err(format!("held after forgetting: {held:?}")) }
    }

    /// The program ends and begins again.
    fn restart(&mut self) -> Verdict {
        let elsewhere = tempfile::tempdir().map_err(text)?;
        // The old one has to be gone before a new one takes its folder.
        self.engine = new_engine(elsewhere.path(), &self.clock, self.keep)?;
        self.engine = new_engine(self.folder.path(), &self.clock, self.keep)?;
        Ok(())
    }

    /// The file of a filter is overwritten, or removed, while the program does not run.
    fn damage(&mut self, filter: usize, overwrite: bool) -> Verdict {
        let name = self.signature(filter)?.to_string();
        let files = self.engine.cache().files().map_err(text)?;
        let Some(path) = files.into_iter().find(|path| path.to_string_lossy().contains(&name)) else {
            return Ok(());
        };
        let elsewhere = tempfile::tempdir().map_err(text)?;
        self.engine = new_engine(elsewhere.path(), &self.clock, self.keep)?;
        let mut log = path.clone().into_os_string();
        log.push(".wal");
        let _ = std::fs::remove_file(log);
        if overwrite {
            std::fs::write(&path, b"this is no database").map_err(text)?;
        } else {
            std::fs::remove_file(&path).map_err(text)?;
        }
        self.damaged[filter] = overwrite;
        self.model.held[filter].clear();
        self.tally.faults += 1;
        self.restart()
    }

    // Comparisons --------------------------------------------------------------------------------

    /// The rows that the last query's days show, whatever happened since.
    async fn look_again(&mut self) -> Verdict {
        let Some(ask) = self.last.filter(|ask| !self.model.held[ask.filter].is_empty()) else {
            return Ok(());
        };
        self.compare(&ask, None).await
    }

    async fn compare(&mut self, ask: &Ask, answer: Option<&Answer>) -> Verdict {
        let (from, to) = self.days_of(ask);
        let held = self.model.held[ask.filter].range(from..=to).count();
        if self.model.held[ask.filter].is_empty() {
            return Ok(());
        }
        let expected = self.model.rows(ask.filter, from, to);
        let counts = expected.each_ref().map(|rows| u64::try_from(rows.len()).expect("a few"));
        let key = ViewKey {
            signature: self.signature(ask.filter)?.to_string(),
            from: Day::from(from),
            to: Day::from(to),
        };
        let cached = self.engine.cached_answer(&key).await.map_err(text)?;
        for answer in answer.into_iter().chain([&cached]) {
            if [answer.rows.input, answer.rows.downstream] != counts {
                return Err(format!("{:?} rows, not {counts:?}", answer.rows));
            }
        }
        let range = self.range(ask)?;
        let rows = self.rows(ask.filter, range).await?;
        compare("what was fetched", &rows, &expected)?;
        self.compare_pages(ask.filter, range, &expected).await?;
        self.tally.compared += 1;
        self.tally.rows += expected[0].len() + expected[1].len();
        if let Some(truth) = &self.truth
            && usize::try_from((to - from).num_days()).is_ok_and(|days| days + 1 == held)
            && self.model.stale(ask.filter, from, to, truth) == 0
        {
            let direct = self.world.direct(ask.filter, from, to).await.map_err(text)?;
            compare("a direct query", &expected, &direct)?;
            self.tally.direct += 1;
        }
        Ok(())
    }

    /// Compares what the pages show with the documents.
    async fn compare_pages(&self, filter: usize, range: DayRange, expected: &Rows) -> Verdict {
        let view = self.engine.view(&self.signature(filter)?, range).await.map_err(text)?;
        let rows = PAGES[self.tally.compared % PAGES.len()];
        let pages = off_thread(move || {
            Ok([read_pages(&view, Role::Input, rows)?, read_pages(&view, Role::Downstream, rows)?])
        });
        for (found, expected) in pages.await.map_err(text)?.into_iter().zip(expected) {
            if found.len() != expected.len() {
                return Err(format!("the pages show {} rows, not {}", found.len(), expected.len()));
            }
            for (id, raw) in expected {
                let shown = found.get(id).ok_or_else(|| format!("no page shows {id}"))?;
                shows(shown, raw).map_err(|wrong| format!("{id}: {wrong}"))?;
            }
        }
        Ok(())
    }

    /// All rows of a view, as MongoDB held them.
    async fn rows(&self, filter: usize, range: DayRange) -> Result<Rows, String> {
        let view = self.engine.view(&self.signature(filter)?, range).await.map_err(text)?;
        let read = move || {
            let counts = view.counts();
            Ok([
                read_role(&view, Role::Input, counts.input)?,
                read_role(&view, Role::Downstream, counts.downstream)?,
            ])
        };
        off_thread(read).await.map_err(text)
    }
}

/// The top-level cells of a row by their column, empty ones left out.
type Cells = std::collections::BTreeMap<String, String>;

/// Checks a row's cells against its document: values of a plain type, and that what it lacks is empty.
fn shows(cells: &Cells, raw: &bson::RawDocumentBuf) -> Verdict {
    let mut lacking: std::collections::BTreeSet<&str> = cells.keys().map(String::as_str).collect();
    for element in raw {
        let (name, value) = element.map_err(text)?;
        let name = name.as_str();
        lacking.remove(name);
        if let Some(wanted) = plain(value)
            && cells.get(name) != Some(&wanted)
        {
            return Err(format!("{name} is shown as {:?}, not {wanted:?}", cells.get(name)));
        }
    }
    if lacking.is_empty() { Ok(()) } else { Err(format!("it shows {lacking:?}, which it has not")) }
}

/// A value of a plain type as a page shows it.
fn plain(value: bson::RawBsonRef<'_>) -> Option<String> {
    match value {
        bson::RawBsonRef::String(text) => Some(text.to_owned()),
        bson::RawBsonRef::ObjectId(id) => Some(id.to_hex()),
        bson::RawBsonRef::Int32(number) => Some(number.to_string()),
        bson::RawBsonRef::Int64(number) => Some(number.to_string()),
        bson::RawBsonRef::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// All rows by the key of their document.
fn read_pages(
    view: &View,
    role: Role,
    rows: u64,
) -> Result<std::collections::BTreeMap<String, Cells>, Failure> {
    let columns = view.columns(role);
    let mut found = std::collections::BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = view.page(role, None, offset, rows)?;
        // The same rows in the same order.
        let documents = view.documents(role, None, offset, rows)?;
        assert_eq!(page.len(), documents.len(), "a page and its documents");
        let read = u64::try_from(page.len()).expect("a few");
        for (row, (_, raw)) in page.into_iter().zip(documents) {
            let cells = columns.iter().zip(row).filter(|(column, _)| !column.path.contains('.'));
            let cells = cells.filter_map(|(column, cell)| cell.map(|cell| (column.path.clone(), cell)));
            found.insert(
                key_of(&bson::Document::try_from(raw.as_ref()).expect("valid BSON")),
                cells.collect(),
            );
        }
        offset += read;
        if read < rows {
            break;
        }
    }
    Ok(found)
}

fn read_role(
    view: &View,
    role: Role,
    count: u64,
) -> Result<std::collections::BTreeMap<String, bson::RawDocumentBuf>, Failure> {
    let mut rows = std::collections::BTreeMap::new();
    for (_, document) in view.documents(role, None, 0, count)? {
        let parsed = bson::Document::try_from(document.as_ref()).expect("valid BSON");
        if rows.insert(key_of(&parsed), document).is_some() {
            return Err(Failure::new(Code::CacheDamaged, format!("{} is shown twice", key_of(&parsed))));
        }
    }
    Ok(rows)
}
