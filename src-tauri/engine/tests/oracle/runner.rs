//! Carries a script out: the engine on one side, the source on the other, the judge after every step.

use std::future::Future;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use mongodb::Client;
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::api::plan::PlanView;
use tidemark_engine::cache::store::budget::DEFAULT_BUDGET;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::{Clock, Engine, off_thread};
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::run::event::EventSink;
use tidemark_engine::run::event::RunEvent;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_server::TestServer;
use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;

use super::change_checks;
use super::checks::{Case, Disturbed, Held, Ledgers, Model, Ran, SNAPSHOT_STEP, Verdict};
use super::fault_proxy::FaultProxy;
use super::model_source::{Truth, World};
use super::script::{Ask, At, FILTERS, Meanwhile, Mode, Pieces, Reach, Script, Step};
use super::tally::Tally;
use tidemark_test_support::{replica_set, server};

/// How long a step may take. Whatever takes longer waits for ever.
const STEP_LIMIT: Duration = Duration::from_secs(300);
/// Of so many runs over settled days one is repeated at once.
const REPEATED: i64 = 3;

/// A step that came out wrong.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
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
        let step = tokio::time::timeout(STEP_LIMIT, rig.step(step)).await;
        outcome = step.unwrap_or_else(|_| Err("it does not end".to_owned())).map_err(failed(at));
        if outcome.is_err() {
            break;
        }
        rig.tally.steps += 1;
    }
    rig.tally.more = rig.cutter.more();
    rig.world.end().await;
    outcome.map(|()| rig.tally)
}

type Outcome = Result<Answer, Failure>;

/// What a run told and came to.
pub(super) struct Run {
    pub(super) ask: Ask,
    disturbed: Disturbed,
    pub(super) outcome: Outcome,
    /// The windows that it told as stored, and the days that it meant to bring.
    pub(super) stored: Vec<DayRange>,
    to_bring: usize,
}

impl Run {
    fn ran(&self) -> Ran<'_> {
        Ran { answer: self.outcome.as_ref().ok(), stored: &self.stored }
    }

    fn brought(&self) -> usize {
        self.outcome.as_ref().map_or(0, |answer| answer.days.fetched + answer.days.adopted)
    }

    /// Whether a cancel came in time.
    fn is_cancelled(&self) -> bool {
        let is = |failure: &Failure| failure.code == Code::Cancelled;
        match &self.outcome {
            Err(failure) => is(failure),
            Ok(answer) => answer.failure.as_ref().is_some_and(is) && self.brought() < self.to_bring,
        }
    }

    fn is_cut_off(&self) -> bool {
        self.outcome.as_ref().map_or(true, |answer| answer.failure.is_some())
    }
}

/// What goes on while a run tells events.
#[derive(Default)]
pub(super) struct While {
    /// The run is cancelled when so many windows are stored.
    cancel: Option<usize>,
    /// Counts the events; it ends with the run.
    told: Option<watch::Sender<usize>>,
}

pub(super) struct Rig {
    pub(super) world: World,
    pub(super) folder: tempfile::TempDir,
    pub(super) seconds: i64,
    runs: i64,
    pub(super) clock: Arc<AtomicI64>,
    /// Files that stay open: few in some sequences, so that files are opened again and again.
    keep: usize,
    pieces: Pieces,
    pub(super) engine: Engine,
    settings: SourceSettings,
    pub(super) source: Source,
    mapping: Mapping,
    pub(super) cutter: FaultProxy,
    pub(super) model: Model,
    /// The source as it is, where nothing changed since it was read.
    pub(super) truth: Option<Arc<Truth>>,
    /// Filters whose file cannot be read.
    pub(super) damaged: [bool; FILTERS],
    /// Whether the second server answers.
    pub(super) elsewhere: bool,
    /// Whether the next hardship is tampered with.
    pub(super) tampered: bool,
    pub(super) last: Option<Ask>,
    pub(super) tally: Tally,
}

pub(super) fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// The clock of a rig.
fn clock_of(clock: &Arc<AtomicI64>) -> Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || DateTime::<Utc>::from_timestamp_millis(clock.load(Ordering::SeqCst)).expect("a time"))
}

fn new_engine(
    folder: &std::path::Path,
    clock: &Arc<AtomicI64>,
    keep: usize,
    pieces: Pieces,
) -> Result<Engine, String> {
    let engine = Engine::new(folder, keep).map_err(text)?;
    Ok(engine.with_clock(clock_of(clock)).with_limits(pieces.limits()))
}

/// A driver for the truth, shared by the sequences of a runtime.
pub(super) async fn driver(snapshots: bool) -> &'static Client {
    static PLAIN: OnceCell<Client> = OnceCell::const_new();
    static SNAPSHOTS: OnceCell<Client> = OnceCell::const_new();
    let client = if snapshots { &SNAPSHOTS } else { &PLAIN };
    let uri = server_of(snapshots).uri();
    client.get_or_init(|| async { Client::with_uri_str(uri).await.expect("a client") }).await
}

fn server_of(snapshots: bool) -> &'static TestServer {
    if snapshots { replica_set() } else { server() }
}

/// Databases so far, for names that no other process or sequence has.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Rig {
    async fn new(script: &Script) -> Result<Self, String> {
        let name = format!("oracle_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let setup = &script.setup;
        let world =
            World::new(driver(setup.snapshots).await, &name, setup, script.filters()).await.map_err(text)?;
        let cutter = FaultProxy::to(server_of(setup.snapshots).port());
        let settings = SourceSettings {
            uri: cutter.uri.clone(),
            password: None,
            database: name,
            collection: "trades".to_owned(),
        };
        let folder = tempfile::tempdir().map_err(text)?;
        let clock = Arc::new(AtomicI64::new(0));
        // Half a step past the hour at which days settle: none is to settle between a run and its snapshot.
        let past = if setup.snapshots { SNAPSHOT_STEP / 2 } else { 0 };
        let start = world.start_of(world.day(0)).timestamp() + setup.hours * 3_600 + past;
        let keep = if setup.salt.is_multiple_of(4) { 1 } else { FILTERS };
        let mut rig = Self {
            keep,
            pieces: setup.pieces,
            engine: new_engine(folder.path(), &clock, keep, setup.pieces)?,
            mapping: Mapping::parse(&world.mapping()).map_err(text)?,
            source: Source::new(&settings).map_err(text)?,
            model: Model::of(setup),
            settings,
            elsewhere: false,
            tampered: false,
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
    pub(super) fn tick(&mut self) -> i64 {
        self.runs += 1;
        assert!(self.runs < 1_000, "a millisecond for each run");
        if self.model.snapshots {
            self.seconds += SNAPSHOT_STEP;
        }
        let now = self.seconds * 1_000 + self.runs;
        self.clock.store(now, Ordering::SeqCst);
        now
    }

    async fn step(&mut self, step: &Step) -> Verdict {
        match step {
            Step::Fetch(ask) => return self.fetch(*ask).await,
            Step::Cancelled(ask, after) => return self.cancelled(*ask, *after).await,
            Step::Cut(ask, at, passing) => return self.cut(*ask, *at, *passing).await,
            Step::Together(one, other, cancel) => return self.together(*one, *other, *cancel).await,
            Step::Beside(ask, meanwhile, when) => return self.beside(*ask, *meanwhile, *when).await,
            Step::Hard(ask, hardship) => return self.hard(*ask, *hardship).await,
            Step::Tamper => self.tampered = true,
            Step::Forget(filter, days) => self.forget(*filter, *days).await?,
            Step::Clock { seconds } => {
                self.seconds += seconds;
                if self.model.snapshots {
                    self.seconds -= seconds % SNAPSHOT_STEP;
                }
                self.tick();
            }
            Step::Restart => self.restart()?,
            Step::Damage(filter) => self.damage(*filter, true)?,
            Step::Remove(filter) => self.damage(*filter, false)?,
            Step::Source(change) => {
                self.truth = None;
                self.world.change(*change).await.map_err(text)?;
            }
            Step::Lie { pick } => {
                self.truth = None;
                self.world.lie(*pick);
            }
            Step::Alter(filter) => self.alter(*filter)?,
        }
        self.look_again().await
    }

    // Runs ---------------------------------------------------------------------------------------

    fn query(&self, filter: usize) -> Result<Query, String> {
        let wanted = self.world.wanted(filter);
        let filters = Filters::parse(&self.mapping, &wanted.inputs, wanted.advanced).map_err(text)?;
        Ok(Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters })
    }

    pub(super) fn signature(&self, filter: usize) -> Result<Signature, String> {
        Ok(Signature::of(&self.query(filter)?))
    }

    pub(super) fn days_of(&self, ask: &Ask) -> (NaiveDate, NaiveDate) {
        (self.world.day(ask.from), self.world.day(ask.to))
    }

    pub(super) fn range(&self, ask: &Ask) -> Result<DayRange, String> {
        let (from, to) = self.days_of(ask);
        DayRange::new(Day::from(from), Day::from(to)).map_err(text)
    }

    fn request(&self, ask: &Ask) -> Result<(FetchRequest, Option<Source>), String> {
        let mode = match ask.mode {
            Mode::Normal => FetchMode::Normal,
            Mode::Refresh => FetchMode::Refresh,
            Mode::Verify => FetchMode::Verify,
        };
        let (query, range) = (self.query(ask.filter)?, self.range(ask)?);
        let source = (ask.reach != Reach::Nowhere).then(|| self.source.clone());
        Ok((FetchRequest { query, range, mode, offline: ask.reach == Reach::Offline }, source))
    }

    pub(super) async fn run(&self, ask: Ask, disturbed: Disturbed, meanwhile: While) -> Result<Run, String> {
        self.start(ask, disturbed, meanwhile)?.await
    }

    /// Starts a run; it goes on while others use the rig.
    pub(super) fn start(
        &self,
        ask: Ask,
        disturbed: Disturbed,
        meanwhile: While,
    ) -> Result<impl Future<Output = Result<Run, String>> + use<>, String> {
        let (request, source) = self.request(&ask)?;
        let (engine, cancel) = (self.engine.clone(), CancellationToken::new());
        let (seen, token) = (Arc::new(Mutex::new((Vec::new(), 0))), cancel.clone());
        let noting = Arc::clone(&seen);
        let sink: EventSink = Arc::new(move |event| {
            let mut seen = noting.lock().expect("no panic while it is held");
            match event {
                RunEvent::Planned { days_to_pull, days_to_adopt, .. } => {
                    seen.1 = days_to_pull + days_to_adopt
                }
                RunEvent::ChunkStored { from, to, .. } => {
                    seen.0.push(DayRange::new(from, to).expect("a window is a range"));
                }
                _ => {}
            }
            if meanwhile.cancel == Some(seen.0.len()) {
                token.cancel();
            }
            if let Some(told) = &meanwhile.told {
                told.send_modify(|events| *events += 1);
            }
        });
        // A panic of the engine is a finding too.
        let run = tokio::spawn(async move { engine.fetch(source.as_ref(), &request, sink, cancel).await });
        Ok(async move {
            let outcome = run.await.map_err(|error| format!("the engine panicked: {error}"))?;
            let (stored, to_bring) = std::mem::take(&mut *seen.lock().map_err(text)?);
            Ok(Run { ask, disturbed, outcome, stored, to_bring })
        })
    }

    /// The program comes to the source anew.
    pub(super) fn connect_anew(&mut self) -> Verdict {
        self.cutter.reconnect();
        self.source = Source::new(&self.settings).map_err(text)?;
        if self.cutter.makes_time_up() {
            // The server's time is to be compared with the made-up one of this machine.
            let clock = clock_of(&self.clock);
            self.source = self.source.clone().with_clock(clock);
        }
        Ok(())
    }

    /// Notes the source as it is for the run that begins now.
    pub(super) async fn begin(&mut self) -> Result<i64, String> {
        let now = self.tick();
        if self.truth.is_none() {
            self.truth = Some(Arc::new(self.world.truth().await.map_err(text)?));
        }
        self.model.truths.extend(self.truth.clone().map(|truth| (now, truth)));
        Ok(now)
    }

    fn case(&self, run: &Run, now: i64) -> Case<'_> {
        let (from, to) = self.days_of(&run.ask);
        let Ask { filter, mode, reach, .. } = run.ask;
        Case { filter, from, to, mode, reach, disturbed: run.disturbed, now, world: &self.world }
    }

    pub(super) async fn fetch(&mut self, ask: Ask) -> Verdict {
        let now = self.begin().await?;
        let (request, source) = self.request(&ask)?;
        let plan = self.engine.plan(source.as_ref(), &request).await;
        let run = self.run(ask, Disturbed::default(), While::default()).await?;
        let before = self.model.held.clone();
        let runs = self.settle(vec![run], now).await?;
        let run = &runs[0];
        let ledgers = Ledgers { before: &before, after: &self.model.held };
        let Ok(answer) = &run.outcome else { return Ok(()) };
        self.plan_held(run, now, &ledgers, plan)?;
        self.tally.plans += 1;
        if answer.complete && answer.days.open.is_empty() && self.runs % REPEATED == 0 {
            self.repeat(ask, answer).await?;
        }
        Ok(())
    }

    fn plan_held(
        &self,
        run: &Run,
        now: i64,
        ledgers: &Ledgers<'_>,
        plan: Result<PlanView, Failure>,
    ) -> Verdict {
        let plan = plan.map_err(|failure| format!("there is an answer, but no plan: {failure:?}"))?;
        self.model.plan(&self.case(run, now), ledgers, &plan, &run.ran())
    }

    async fn cancelled(&mut self, ask: Ask, after: usize) -> Verdict {
        let now = self.begin().await?;
        let disturbed = Disturbed { cancelled: true, ..Disturbed::default() };
        let run = self.run(ask, disturbed, While { cancel: Some(after), told: None }).await?;
        self.settle(vec![run], now).await.map(drop)
    }

    async fn cut(&mut self, ask: Ask, at: At, passing: usize) -> Verdict {
        let now = self.begin().await?;
        self.cutter.cut_after(at, passing);
        let disturbed = Disturbed { cut: true, ..Disturbed::default() };
        let run = self.run(ask, disturbed, While::default()).await;
        let broken = self.cutter.heal();
        let run = run?;
        if broken > 0 && run.is_cut_off() {
            self.tally.cuts[at as usize] += 1;
        }
        self.settle(vec![run], now).await.map(drop)
    }

    async fn together(&mut self, one: Ask, other: Ask, cancel: Option<usize>) -> Verdict {
        let now = self.begin().await?;
        let same = one.filter == other.filter;
        let calm = Disturbed { beside: same, other: !same, ..Disturbed::default() };
        let cancelled = Disturbed { cancelled: cancel.is_some(), ..calm };
        let (first, second) = tokio::join!(
            self.run(one, cancelled, While { cancel, told: None }),
            self.run(other, calm, While::default())
        );
        self.tally.together[usize::from(!same)] += 1;
        self.settle(vec![first?, second?], now).await.map(drop)
    }

    /// A run, and something else once it has told so many events.
    async fn beside(&mut self, ask: Ask, meanwhile: Meanwhile, when: usize) -> Verdict {
        let now = self.begin().await?;
        let (told, mut heard) = watch::channel(0);
        let something = async {
            // Where the run is over before it has told as many, right after.
            let _ = heard.wait_for(|events| *events >= when).await;
            self.meanwhile(meanwhile).await
        };
        let (run, done) = tokio::join!(
            self.run(ask, Disturbed::default(), While { cancel: None, told: Some(told) }),
            something
        );
        let (mut run, gone) = (run?, done?);
        match meanwhile {
            Meanwhile::Forget(..) => self.tally.forgets[usize::from(!gone.is_empty())] += 1,
            Meanwhile::Evict(_) => self.tally.evicted += gone.len(),
        }
        run.disturbed.forgotten =
            gone.iter().find(|(filter, ..)| *filter == ask.filter).map(|gone| (gone.1, gone.2));
        run.disturbed.broader_gone = gone.iter().any(|(filter, ..)| *filter != ask.filter);
        if let Meanwhile::Evict(_) = meanwhile {
            // The run makes room as well.
            run.disturbed.broader_gone = true;
            let cache = self.engine.cache().clone();
            off_thread(move || Ok(cache.set_budget(DEFAULT_BUDGET)?)).await.map_err(text)?;
        }
        // What went of other filters was there to be adopted from before it went.
        self.settle(vec![run], now).await?;
        for (filter, from, to) in gone.iter().filter(|(filter, ..)| *filter != ask.filter) {
            self.damaged[*filter] &= *from != NaiveDate::MIN;
            self.model.held[*filter].retain(|day, _| !(*from..=*to).contains(day));
            self.is_held(*filter).await?;
        }
        if let Meanwhile::Evict(_) = meanwhile {
            self.notice_evicted(ask.filter).await?;
        }
        Ok(())
    }

    /// Forgets or evicts; the days of filters that went.
    async fn meanwhile(&self, meanwhile: Meanwhile) -> Result<Vec<(usize, NaiveDate, NaiveDate)>, String> {
        let all = (NaiveDate::MIN, NaiveDate::MAX);
        match meanwhile {
            Meanwhile::Forget(filter, days) => {
                let (from, to) = days.map_or(all, |(from, to)| (self.world.day(from), self.world.day(to)));
                let range =
                    days.map(|_| DayRange::new(Day::from(from), Day::from(to)).map_err(text)).transpose()?;
                match self.engine.forget(&self.signature(filter)?, range).await {
                    Ok(()) => Ok(vec![(filter, from, to)]),
                    Err(failure) if [Code::CacheBusy, Code::NotCached].contains(&failure.code) => {
                        Ok(Vec::new())
                    }
                    Err(_) if self.damaged[filter] => Ok(Vec::new()),
                    Err(failure) => Err(format!("it cannot be forgotten: {failure:?}")),
                }
            }
            Meanwhile::Evict(bytes) => {
                let freed = self.engine.set_cache_budget(bytes).await.map_err(text)?;
                let signatures = (0..FILTERS).map(|filter| self.signature(filter));
                let signatures = signatures.collect::<Result<Vec<_>, _>>()?;
                let filter = |gone| signatures.iter().position(|signature| signature == gone);
                Ok(freed.queries.iter().filter_map(filter).map(|filter| (filter, all.0, all.1)).collect())
            }
        }
    }

    /// What made room goes as a whole, or stays.
    pub(super) async fn notice_evicted(&mut self, own: usize) -> Verdict {
        for filter in (0..FILTERS).filter(|filter| *filter != own) {
            if self.model.held[filter].is_empty() {
                continue;
            }
            let held = self.read_held(filter).await?;
            if held.is_empty() {
                self.model.held[filter].clear();
                self.tally.evicted += 1;
            }
            self.is_held(filter).await?;
        }
        Ok(())
    }

    pub(super) async fn is_held(&mut self, filter: usize) -> Verdict {
        let held = self.read_held(filter).await?;
        if held != self.model.held[filter] {
            return Err(format!("held of filter {filter}: {held:?}, not {:?}", self.model.held[filter]));
        }
        self.model.collated[filter] &= !held.is_empty();
        self.model.doubts[filter].retain(|day, _| held.contains_key(day));
        Ok(())
    }

    /// Judges what runs did and said, takes it over, and compares what is shown.
    pub(super) async fn settle(&mut self, runs: Vec<Run>, now: i64) -> Result<Vec<Run>, String> {
        self.last = runs.last().map(|run| run.ask);
        let damaged = self.damaged;
        for run in &runs {
            self.damaged[run.ask.filter] &= run.outcome.is_err();
        }
        let mut after = self.model.held.clone();
        for run in &runs {
            after[run.ask.filter] = self.read_held(run.ask.filter).await?;
        }
        let before = std::mem::replace(&mut self.model.held, after.clone());
        let ledgers = Ledgers { before: &before, after: &after };
        unasked_days(&runs, &ledgers, |ask| self.days_of(ask))?;
        for run in &runs {
            self.judge(run, now, &ledgers, damaged[run.ask.filter])?;
        }
        for run in &runs {
            let answer = run.outcome.as_ref().ok();
            let doubts = self.model.doubts_after(&self.case(run, now), &ledgers, answer);
            self.model.doubts[run.ask.filter] = doubts;
            self.count(run, &ledgers);
            let only = runs.len() == 1 && run.disturbed.forgotten.is_none();
            self.compare(&run.ask, run.outcome.as_ref().ok().filter(|_| only)).await?;
        }
        Ok(runs)
    }

    fn judge(&mut self, run: &Run, now: i64, ledgers: &Ledgers<'_>, damaged: bool) -> Verdict {
        let case = self.case(run, now);
        if let Err(failure) = &run.outcome {
            self.model.may_fail(&case, ledgers, damaged, failure)?;
        }
        let failure = run.outcome.as_ref().map_or_else(Some, |answer| answer.failure.as_ref());
        let of_run = |what: String| match failure {
            Some(failure) => format!("{what}; the run failed: {failure:?}"),
            None => what,
        };
        self.model.transition(&case, ledgers).map_err(of_run)?;
        if run.outcome.is_ok() {
            self.model.adoption(&case, ledgers)?;
        }
        if let Ok(answer) = &run.outcome {
            self.model.answer(&case, ledgers, answer)?;
        }
        // Where an `_id` names no document, nothing tells which one has changed.
        if !self.world.is_multiset() {
            self.tally.changes += change_checks::judge(&self.model, &case, ledgers, &run.ran())?;
        }
        Ok(())
    }

    /// Counts what took effect, and notes which files know how the source compares text.
    fn count(&mut self, run: &Run, ledgers: &Ledgers<'_>) {
        let (filter, disturbed) = (run.ask.filter, run.disturbed);
        if disturbed.cancelled && run.is_cancelled() {
            self.tally.cancels += 1;
            self.tally.partial_cancels += usize::from(!run.stored.is_empty() || run.brought() > 0);
        }
        if run.stored.len() > 1 {
            self.tally.windows += run.stored.len();
        }
        // What was forgotten may be another file now.
        self.model.collated[filter] &= disturbed.forgotten.is_none();
        if let Ok(answer) = &run.outcome {
            self.tally.adopted += answer.days.adopted;
            self.tally.unverified += answer.days.unverified.len();
            self.model.collated[filter] |=
                run.ask.reach == Reach::Server && disturbed.is_whole() && answer.days.fetched > 0;
        }
        self.model.collated[filter] &= !ledgers.after[filter].is_empty();
    }

    /// The same settled days at once again: no command, the same rows.
    async fn repeat(&mut self, ask: Ask, first: &Answer) -> Verdict {
        self.tick();
        let again = Ask { mode: Mode::Normal, reach: Reach::Server, ..ask };
        let second = self.run(again, Disturbed::default(), While::default()).await?.outcome.map_err(text)?;
        if second.mongo_commands > 0 || second.answer != Origin::Cache || second.rows != first.rows {
            return Err(format!("repeated, it is not the same from the cache: {second:?}"));
        }
        self.compare(&again, Some(&second)).await
    }

    // The cache ----------------------------------------------------------------------------------

    /// What the engine holds of a filter.
    pub(super) async fn read_held(&self, filter: usize) -> Result<Held, String> {
        if self.damaged[filter] {
            return Ok(Held::new());
        }
        let (cache, signature) = (self.engine.cache().clone(), self.signature(filter)?);
        let opened = off_thread(move || Ok(cache.open_signature(&signature)?.state().ledger())).await;
        match opened {
            Ok(ledger) => {
                let run_of = |fetched: DateTime<Utc>| self.model.run_of(fetched.timestamp_millis());
                Ok(ledger.iter().map(|(day, held)| (day.date(), run_of(held.fetched))).collect())
            }
            Err(failure) if failure.code == Code::NotCached => Ok(Held::new()),
            Err(failure) => Err(format!("the ledger cannot be read: {failure:?}")),
        }
    }

    pub(super) async fn forget(&mut self, filter: usize, days: Option<(i32, i32)>) -> Verdict {
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
        self.is_held(filter).await
    }

    /// The program ends and begins again.
    fn restart(&mut self) -> Verdict {
        self.while_ended(|| Ok(()))
    }

    /// Does something while the program does not run.
    pub(super) fn while_ended(&mut self, work: impl FnOnce() -> Verdict) -> Verdict {
        let elsewhere = tempfile::tempdir().map_err(text)?;
        // The old one has to be gone before a new one takes its folder.
        self.engine = new_engine(elsewhere.path(), &self.clock, self.keep, self.pieces)?;
        work()?;
        self.engine = new_engine(self.folder.path(), &self.clock, self.keep, self.pieces)?;
        Ok(())
    }

    pub(super) fn file_of(&self, filter: usize) -> Result<Option<std::path::PathBuf>, String> {
        let name = self.signature(filter)?.to_string();
        let files = self.engine.cache().files().map_err(text)?;
        Ok(files.into_iter().find(|path| path.to_string_lossy().contains(&name)))
    }

    /// The file of a filter is overwritten, or removed, while the program does not run.
    fn damage(&mut self, filter: usize, overwrite: bool) -> Verdict {
        let Some(path) = self.file_of(filter)? else { return Ok(()) };
        self.while_ended(|| {
            let mut log = path.clone().into_os_string();
            log.push(".wal");
            let _ = std::fs::remove_file(log);
            if overwrite {
                std::fs::write(&path, b"this is no database").map_err(text)
            } else {
                std::fs::remove_file(&path).map_err(text)
            }
        })?;
        self.damaged[filter] = overwrite;
        self.model.held[filter].clear();
        self.model.doubts[filter].clear();
        self.model.collated[filter] = false;
        self.tally.damages += 1;
        Ok(())
    }

    /// Every trade in the file of a filter becomes the same one, as no program of ours would do it.
    fn alter(&mut self, filter: usize) -> Verdict {
        let Some(path) = self.file_of(filter)? else { return Ok(()) };
        self.while_ended(|| {
            let connection = duckdb::Connection::open(&path).map_err(text)?;
            let mut select = connection
                .prepare("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'input_')")
                .map_err(text)?;
            let names = select.query_map([], |row| row.get::<_, String>(0)).map_err(text)?;
            for name in names.collect::<Result<Vec<_>, _>>().map_err(text)? {
                let alike = format!("UPDATE {name} SET doc = (SELECT min(doc) FROM {name})");
                connection.execute_batch(&alike).map_err(text)?;
            }
            Ok(())
        })
    }
}

/// Days that no run asked for are as they were; those that were forgotten may be gone.
fn unasked_days(
    runs: &[Run],
    ledgers: &Ledgers<'_>,
    days_of: impl Fn(&Ask) -> (NaiveDate, NaiveDate),
) -> Verdict {
    for run in runs {
        let filter = run.ask.filter;
        let (before, after) = (&ledgers.before[filter], &ledgers.after[filter]);
        let within = |(from, to): (NaiveDate, NaiveDate), day: &NaiveDate| (from..=to).contains(day);
        let asked = |day: &NaiveDate| {
            runs.iter().any(|run| run.ask.filter == filter && within(days_of(&run.ask), day))
        };
        let forgotten = |day: &NaiveDate| run.disturbed.forgotten.is_some_and(|span| within(span, day));
        for day in before.keys().chain(after.keys()).filter(|day| !asked(day)) {
            let lost = forgotten(day) && !after.contains_key(day);
            if before.get(day) != after.get(day) && !lost {
                return Err(format!("{day} was not asked for, and changed"));
            }
        }
    }
    Ok(())
}
