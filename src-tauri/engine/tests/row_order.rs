//! The order of rows that nobody has sorted: by day, then by time, on every page and in a CSV.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{RawDocumentBuf, doc};
use tidemark_engine::cache::{Cache, CacheFile, DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, RowKey};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery, Sort};
use tidemark_engine::source::{Source, SourceSettings};

const FIRST: i32 = 20_000;
const MS_A_DAY: i64 = 86_400_000;

fn file(folder: &tempfile::TempDir) -> Arc<CacheFile> {
    let settings = SourceSettings {
        uri: "mongodb://127.0.0.1:27999".to_owned(),
        password: None,
        database: "order".to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).unwrap().identity().clone();
    let query = Query { source, mapping: Mapping::default(), filters: Filters::default() };
    Cache::new(folder.path(), 0).unwrap().open_or_create(&Identity::of(&query)).unwrap().file
}

fn day(number: i32) -> Day {
    Day::from_number(FIRST + number)
}

/// A document of a day, so many milliseconds into it; without a time where there is none.
#[derive(Debug, Clone, Copy)]
struct Row {
    day: i32,
    at: Option<i64>,
    /// A further day of a message.
    also: Option<i32>,
}

/// Stores a window of some days. The numbers of the documents begin with `first`.
fn store(file: &Arc<CacheFile>, days: &[i32], first: i64, input: &[Row], messages: &[Row]) {
    let mut writer = SegmentWriter::begin(Arc::clone(file)).unwrap();
    let mut rows: BTreeMap<Day, DayRows> =
        days.iter().map(|number| (day(*number), DayRows::default())).collect();
    let document = |number: i64, row: &Row| {
        let mut document = doc! {"_id": number, "trade_id": "t", "nulls": bson::Bson::Null};
        if let Some(at) = row.at {
            let at = i64::from(FIRST + row.day) * MS_A_DAY + at;
            document.insert("timestamp", bson::DateTime::from_millis(at));
        }
        RawDocumentBuf::try_from(&document).unwrap()
    };
    for (role, of_role) in [(Role::Input, input), (Role::Downstream, messages)] {
        let mut decoder = Decoder::new(Arc::clone(file.registry()), role == Role::Downstream);
        for (number, row) in (first..).zip(of_role) {
            let trade = format!("{number}");
            let trade = (role == Role::Downstream).then_some(trade.as_str());
            let number = if role == Role::Input { number } else { -number };
            decoder.push(RowKey { day: day(row.day), trade, read: 0 }, &document(number, row));
            if role == Role::Input {
                rows.get_mut(&day(row.day)).unwrap().input_rows += 1;
            }
        }
        if let Some(decoded) = decoder.finish_batch() {
            writer.append(role, decoded).unwrap();
        }
        for fields in decoder.take_presence().into_values() {
            // What one day has, all may have.
            for rows in rows.values_mut() {
                let known =
                    if role == Role::Input { &mut rows.input_fields } else { &mut rows.downstream_fields };
                known.extend(&fields);
            }
        }
    }
    let further: Vec<(Day, String)> = (first..)
        .zip(messages)
        .filter_map(|(number, row)| Some((day(row.also?), number.to_string())))
        .collect();
    writer.commit(rows, &further).unwrap();
}

/// The rows of a view in the order shown, as day and number. Pages of several sizes and the CSV show the same.
fn shown(file: &Arc<CacheFile>, role: Role, from: i32, to: i32) -> Vec<(i32, i64)> {
    shown_by(file, &RowQuery::of(role), from, to)
}

/// The same for a row query.
fn shown_by(file: &Arc<CacheFile>, query: &RowQuery, from: i32, to: i32) -> Vec<(i32, i64)> {
    let role = query.role;
    let view = View::open(Arc::clone(file), DayRange::new(day(from), day(to)).unwrap()).unwrap();
    let counts = view.counts();
    let count = if role == Role::Input { counts.input } else { counts.downstream };
    let read = |offset, limit| {
        let found = view.documents(query, offset, limit).unwrap();
        found
            .into_iter()
            .map(|(day, raw)| (day.number() - FIRST, raw.get_i64("_id").unwrap()))
            .collect::<Vec<_>>()
    };
    let all = read(0, count + 1);
    assert_eq!(all.len() as u64, count);
    let step = count / 7 + 1;
    let paged: Vec<_> = (0..7).flat_map(|page| read(page * step, step)).collect();
    assert_eq!(paged, all, "page by page");
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("rows.csv");
    view.export_csv(query, &csv).unwrap();
    let csv = std::fs::read_to_string(csv).unwrap();
    let exported = csv.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<i64>().unwrap());
    assert!(exported.eq(all.iter().map(|(_, number)| *number)), "exported");
    all
}

/// Numbers that are no order: each once, from 0 to below `count`.
fn shuffled(count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(move |number| number * 7_919 % count)
}

/// The numbers of the rows, by day, then by time; those without one last, and equals as they came.
fn expected(rows: &[(i64, Row)]) -> Vec<(i32, i64)> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|(_, row)| (row.day, row.at.is_none(), row.at));
    rows.into_iter().map(|(number, row)| (row.day, number)).collect()
}

fn rows(count: i64, days: i32, at: impl Fn(i64) -> Option<i64>) -> Vec<Row> {
    let a_day = count / i64::from(days) + 1;
    let of_day = |number: i64| i32::try_from(number / a_day).unwrap();
    (0..count).map(|number| Row { day: of_day(number), at: at(number), also: None }).collect()
}

#[test]
fn rows_that_came_in_any_order_are_shown_by_day_and_time() {
    // Few rows, more than are sorted for each page, and more than one run has.
    for count in [7, 3_000, 230_000] {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let at: Vec<i64> = shuffled(count).collect();
        // Every fifth has no time, and times repeat.
        let time = |number: i64| (number % 5 != 0).then(|| at[usize::try_from(number).unwrap()] / 3);
        let input = rows(count, 5, time);
        store(&file, &[0, 1, 2, 3, 4], 1, &input, &[]);
        let numbered: Vec<(i64, Row)> = (1..).zip(input).collect();
        assert_eq!(shown(&file, Role::Input, 0, 4), expected(&numbered), "{count} rows");
        let middle: Vec<_> = numbered.iter().copied().filter(|(_, row)| (1..=3).contains(&row.day)).collect();
        assert_eq!(shown(&file, Role::Input, 1, 3), expected(&middle), "{count} rows, of fewer days");
    }
}

/// Days that were fetched one by one, each in a window of its own: an export goes through all of them.
#[test]
fn many_windows_are_exported_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let (mut all, mut first) = (Vec::new(), 1);
    for day in 0..60 {
        // Few rows, more of them, and some that are in order as they come.
        let count = [5, 700, 2_500][usize::try_from(day % 3).unwrap()];
        let at = shuffled(count).collect::<Vec<_>>();
        let time = |number: i64| if day % 4 == 0 { number } else { at[usize::try_from(number).unwrap()] };
        let input: Vec<Row> =
            (0..count).map(|number| Row { day, at: Some(time(number)), also: None }).collect();
        store(&file, &[day], first, &input, &[]);
        all.extend((first..).zip(input));
        first += count;
    }
    assert_eq!(shown(&file, Role::Input, 0, 59), expected(&all));
}

#[test]
fn rows_that_came_by_time_are_shown_as_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let input = rows(5_000, 5, |number| Some(number / 2));
    store(&file, &[0, 1, 2, 3, 4], 1, &input, &[]);
    assert_eq!(shown(&file, Role::Input, 0, 4), expected(&(1..).zip(input).collect::<Vec<_>>()));
}

#[test]
fn without_times_rows_are_shown_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let input: Vec<Row> = shuffled(3_000)
        .map(|number| Row { day: i32::try_from(number % 3).unwrap(), at: None, also: None })
        .collect();
    store(&file, &[0, 1, 2], 1, &input, &[]);
    assert_eq!(shown(&file, Role::Input, 0, 2), expected(&(1..).zip(input).collect::<Vec<_>>()));
}

/// Days 1 and 3 are fetched again, so three windows take turns; messages of several days stand under the first one
/// that is shown.
#[test]
fn messages_are_shown_by_the_day_of_their_trade_and_time() {
    for count in [40, 12_000] {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let at: Vec<i64> = shuffled(count).collect();
        let messages: Vec<Row> = (0..count)
            .map(|number| {
                let day = i32::try_from(number % 5).unwrap();
                let also = (number % 4 == 0).then_some((day + 2) % 5).filter(|also| *also > day);
                Row { day, at: Some(at[usize::try_from(number).unwrap()]), also }
            })
            .collect();
        store(&file, &[0, 1, 2, 3, 4], 1, &[], &messages);
        let again: Vec<Row> = rows(count / 4, 1, |number| Some(count - number));
        for (first, day) in [(1_000_000, 1), (2_000_000, 3)] {
            let again: Vec<Row> = again.iter().map(|row| Row { day, ..*row }).collect();
            store(&file, &[day], first, &[], &again);
        }
        for (from, to) in [(0, 4), (1, 3), (2, 4), (3, 3), (2, 2)] {
            let found = shown(&file, Role::Downstream, from, to);
            let held = |day: i32| (from..=to).contains(&day);
            let mut wanted = Vec::new();
            for (number, row) in (1..).zip(&messages) {
                // The first window has lost the days 1 and 3.
                let days =
                    [Some(row.day), row.also].into_iter().flatten().filter(|day| ![1, 3].contains(day));
                let Some(day) = days.filter(|day| held(*day)).min() else { continue };
                wanted.push((-number, Row { day, ..*row }));
            }
            for (first, day) in [(1_000_000, 1), (2_000_000, 3)] {
                if held(day) {
                    wanted.extend((first..).zip(&again).map(|(number, row)| (-number, Row { day, ..*row })));
                }
            }
            // The time in a document counts, and it begins with the day that the message was stored under.
            let stored_on = |number: i64| match -number {
                2_000_000.. => 3,
                1_000_000.. => 1,
                number => messages[usize::try_from(number - 1).unwrap()].day,
            };
            wanted.sort_by_key(|(number, row)| {
                (row.day, i64::from(stored_on(*number)) * MS_A_DAY + row.at.unwrap(), -number)
            });
            let wanted: Vec<(i32, i64)> = wanted.into_iter().map(|(number, row)| (row.day, number)).collect();
            assert_eq!(found, wanted, "{count} messages, days {from} to {to}");
        }
    }
}

/// Several windows with rows that are equal in the first column, missing in it, or of several types.
#[test]
fn rows_are_sorted_by_several_columns() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let (a, b) =
        (rows(900, 3, |number| Some(number % 7)), rows(500, 2, |number| (number % 5 > 0).then_some(3)));
    store(&file, &[0, 1, 2], 0, &a, &[]);
    store(
        &file,
        &[3, 4],
        10_000,
        &b.iter().map(|row| Row { day: row.day + 3, ..*row }).collect::<Vec<_>>(),
        &[],
    );
    let by = |path: &str, descending| Sort { path: path.to_owned(), descending };
    let all = shown(&file, Role::Input, 0, 4);
    assert_eq!(all.len(), 1_400);
    let stored: BTreeMap<i64, Row> = (0..)
        .zip(&a)
        .map(|(number, row)| (number, *row))
        .chain((10_000..).zip(&b).map(|(number, row)| (number, Row { day: row.day + 3, ..*row })))
        .collect();
    for (time_descending, id_descending) in [(false, false), (false, true), (true, false), (true, true)] {
        let query = RowQuery::of(Role::Input)
            .then_by(by("timestamp", time_descending))
            .then_by(by("_id", id_descending));
        let mut wanted: Vec<(Option<i64>, i64)> = stored
            .iter()
            .map(|(number, row)| (row.at.map(|at| i64::from(row.day) * MS_A_DAY + at), *number))
            .collect();
        wanted.sort_by(|(at, id), (other_at, other_id)| {
            let times = match (at, other_at) {
                // What is missing comes last in both directions.
                (None, None) => std::cmp::Ordering::Equal,
                (None, _) => std::cmp::Ordering::Greater,
                (_, None) => std::cmp::Ordering::Less,
                (at, other) if time_descending => other.cmp(at),
                (at, other) => at.cmp(other),
            };
            times.then(if id_descending { other_id.cmp(id) } else { id.cmp(other_id) })
        });
        let found: Vec<i64> = shown_by(&file, &query, 0, 4).into_iter().map(|(_, number)| number).collect();
        assert!(found.iter().eq(wanted.iter().map(|(_, id)| id)), "{query:?}");
    }
    let view = View::open(Arc::clone(&file), DayRange::new(day(0), day(4)).unwrap()).unwrap();
    let nulls = RowQuery::of(Role::Input).then_by(by("nulls", true));
    assert_eq!(shown_by(&file, &nulls, 0, 4).len(), all.len(), "a column of nulls alone");
    let unknown = RowQuery::of(Role::Input).then_by(by("_id", false)).then_by(by("nothing", false));
    assert!(view.page(&unknown, 0, 1).is_err());
}
