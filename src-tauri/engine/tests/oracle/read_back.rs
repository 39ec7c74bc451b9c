//! Reads what the cache shows, and compares it with the model and with the source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use bson::RawDocumentBuf;
use chrono::NaiveDate;
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::View;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::rows::{Role, RowQuery};

use super::checks::{Rows, Verdict, compare};
use super::model_source::Names;
use super::runner::{Rig, text};
use super::script::Ask;

/// Rows of a page: in some comparisons few, so that pages end within a stretch of days.
const PAGES: [u64; 4] = [25, 2_000, 2_000, 2_000];

impl Rig {
    /// The rows that the last query's days show, whatever happened since.
    pub(super) async fn look_again(&mut self) -> Verdict {
        let Some(ask) = self.last else { return Ok(()) };
        self.compare(&ask, None).await
    }

    pub(super) async fn compare(&mut self, ask: &Ask, answer: Option<&Answer>) -> Verdict {
        let (from, to) = self.days_of(ask);
        if self.model.held[ask.filter].is_empty() {
            return Ok(());
        }
        // No answer and no page shows a day that has not begun.
        let now = self.clock.load(Ordering::SeqCst);
        let begun = |day: NaiveDate| self.world.start_of(day).timestamp_millis() <= now;
        let days = || {
            let held = self.model.held[ask.filter].range(from..=to).map(|(day, fetched)| (*day, *fetched));
            held.filter(|(day, _)| begun(*day))
        };
        let held = days().count();
        let expected = self.model.rows_of(ask.filter, days());
        let counts = expected.each_ref().map(|rows| u64::try_from(rows.len()).expect("a few"));
        let key = ViewKey {
            signature: self.signature(ask.filter)?.to_string(),
            from: Day::from(from),
            to: Day::from(to),
        };
        let cached = self.engine.cached_answer(&key).await.map_err(text)?;
        let range = self.range(ask)?;
        for answer in answer.into_iter().chain([&cached]) {
            if [answer.rows.input, answer.rows.downstream] != counts {
                // It names the document.
                self.compare_pages(ask.filter, range, &expected).await?;
                return Err(format!("{:?} rows, not {counts:?}", answer.rows));
            }
        }
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

    /// Compares the documents of a view with those expected, and what the pages show with the documents.
    async fn compare_pages(&self, filter: usize, range: DayRange, expected: &Rows) -> Verdict {
        let pages = self.pages(filter, range).await?;
        compare("what was fetched", &documents_of(&pages), expected)?;
        for (id, (document, cells)) in pages.iter().flatten() {
            shows(cells, document).map_err(|wrong| format!("{id}: {wrong}"))?;
        }
        Ok(())
    }

    /// The rows that the cache shows of some days.
    pub(super) async fn rows_shown(&self, filter: usize, range: DayRange) -> Result<Rows, String> {
        Ok(documents_of(&self.pages(filter, range).await?))
    }

    async fn pages(&self, filter: usize, range: DayRange) -> Result<[Pages; 2], String> {
        let view = self.engine.view(&self.signature(filter)?, range).await.map_err(text)?;
        let rows = PAGES[self.tally.compared % PAGES.len()];
        let names = || self.world.names();
        let (input, downstream) = (names(), names());
        let pages = off_thread(move || {
            Ok([
                read_pages(&view, Role::Input, rows, input)?,
                read_pages(&view, Role::Downstream, rows, downstream)?,
            ])
        });
        pages.await.map_err(text)
    }
}

fn documents_of(pages: &[Pages; 2]) -> Rows {
    pages
        .each_ref()
        .map(|role| role.iter().map(|(id, (document, _))| (id.clone(), document.clone())).collect())
}

/// Documents as MongoDB held them, and as the pages show them.
type Pages = BTreeMap<String, (RawDocumentBuf, Cells)>;

/// The top-level cells of a row by their column, empty ones left out.
type Cells = BTreeMap<String, String>;

/// Checks a row's cells against its document: values of a plain type, and that what it lacks is empty.
fn shows(cells: &Cells, raw: &RawDocumentBuf) -> Verdict {
    let mut lacking: BTreeSet<&str> = cells.keys().map(String::as_str).collect();
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

/// Where a row belongs in the order of rows that are not sorted.
#[derive(Debug, Clone, Copy)]
struct Place {
    day: Day,
    /// Of documents without a date, nothing is said.
    at: Option<i64>,
}

impl Place {
    fn is_no_later(self, other: Self) -> bool {
        let in_time = || self.at.zip(other.at).is_none_or(|(this, that)| this <= that);
        self.day < other.day || (self.day == other.day && in_time())
    }
}

/// All rows by the name of their document.
fn read_pages(view: &View, role: Role, rows: u64, mut names: Names) -> Result<Pages, Failure> {
    let columns = view.columns(role);
    let mut found = BTreeMap::new();
    let mut offset = 0;
    let mut before: Option<Place> = None;
    // The other forms of a time stamp are not in the order of their instants; a business date has no time.
    let is_in_time = view.time_column(role).is_some_and(|column| column.path == "timestamp");
    loop {
        let page = view.page(&RowQuery::of(role), offset, rows)?;
        // The same rows in the same order.
        let documents = view.documents(&RowQuery::of(role), offset, rows)?;
        assert_eq!(page.len(), documents.len(), "a page and its documents");
        let read = u64::try_from(page.len()).expect("a few");
        for (row, (day, raw)) in page.into_iter().zip(documents) {
            let at = raw.get_datetime("timestamp").ok().map(bson::DateTime::timestamp_millis);
            let place = Place { day, at: at.filter(|_| is_in_time) };
            assert!(
                before.is_none_or(|before| before.is_no_later(place)),
                "{before:?} stands before {place:?}"
            );
            before = Some(place);
            let cells = columns.iter().zip(row).filter(|(column, _)| !column.path.contains('.'));
            let cells = cells.filter_map(|(column, cell)| cell.map(|cell| (column.path.clone(), cell)));
            let key = names.name(&raw, &bson::Document::try_from(raw.as_ref()).expect("valid BSON"));
            if found.insert(key.clone(), (raw, cells.collect())).is_some() {
                return Err(Failure::new(Code::CacheDamaged, format!("{key} is shown twice")));
            }
        }
        offset += read;
        if read < rows {
            break;
        }
    }
    Ok(found)
}
