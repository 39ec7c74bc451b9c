//! How messages are stored: once per window however many days and trades they belong to, and as often as the
//! source holds them if an `_id` identifies no document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bson::{Document, RawDocumentBuf, doc};
use tidemark_engine::cache::{Cache, CacheFile, Carried, DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, RowKey};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery, Sort};
use tidemark_engine::source::SourceOrigin;
use tidemark_engine::source::{Source, SourceSettings};

fn identity() -> Identity {
    let settings = SourceSettings {
        uri: "mongodb://127.0.0.1:27999".to_owned(),
        password: None,
        database: "messages".to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).unwrap();
    let (source, mapping) = (source.identity().clone(), Mapping::default());
    Identity::of(&Query { source, mapping, filters: Filters::default() })
}

fn file(folder: &tempfile::TempDir) -> Arc<CacheFile> {
    let cache = Cache::new(folder.path(), 0).unwrap();
    cache.open_or_create(&identity()).unwrap().file
}

fn day(number: i32) -> Day {
    Day::from_number(20_000 + number)
}

/// A source in which an `_id` identifies a document, or not.
fn origin(unique: bool) -> Option<SourceOrigin> {
    Some(SourceOrigin {
        collections: r#"["a"]"#.to_owned(),
        replica_set: None,
        unique_input: unique,
        unique_downstream: unique,
    })
}

/// A message with the days that its trades have input on, the one that it is stored under first.
struct Message {
    document: Document,
    days: &'static [i32],
}

/// Stores a window: the input with its days, and the messages.
fn store(
    file: &Arc<CacheFile>,
    days: std::ops::RangeInclusive<i32>,
    origin: Option<SourceOrigin>,
    read: u64,
    input: &[(i32, Document)],
    messages: &[Message],
) {
    let mut writer = SegmentWriter::begin(Arc::clone(file)).unwrap().of_origin(origin);
    let mut rows: BTreeMap<Day, DayRows> = days.map(|number| (day(number), DayRows::default())).collect();
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    for (number, document) in input {
        let key = RowKey { day: day(*number), trade: None, read };
        decoder.push(key, &RawDocumentBuf::try_from(document).unwrap());
        rows.get_mut(&day(*number)).unwrap().input_rows += 1;
    }
    if let Some(decoded) = decoder.finish_batch() {
        writer.append(Role::Input, decoded).unwrap();
    }
    let mut decoder = Decoder::new(Arc::clone(file.registry()), true);
    let (mut further, mut carried) = (Vec::new(), Vec::new());
    for (place, message) in messages.iter().enumerate() {
        let stored = day(message.days[0]);
        let trade = format!("trade {place}");
        let key = RowKey { day: stored, trade: Some(&trade), read };
        let number = decoder.push(key, &RawDocumentBuf::try_from(&message.document).unwrap());
        for (place, other) in message.days[1..].iter().enumerate() {
            // Days come in two ways: as further days of the first trade, and with a trade of their own.
            match place % 2 {
                0 => further.push((day(*other), trade.clone())),
                _ => carried.push(Carried { number, stored, trade: format!("{trade} b"), day: day(*other) }),
            }
        }
    }
    if let Some(decoded) = decoder.finish_batch() {
        writer.append(Role::Downstream, decoded).unwrap();
    }
    writer.carry(&carried).unwrap();
    writer.commit(rows, &further).unwrap();
}

/// The rows of a role that a view of some days shows, as text in an order of their own; what it counts, pages
/// and exports is the same.
fn rows(file: &Arc<CacheFile>, role: Role, days: std::ops::RangeInclusive<i32>) -> Vec<String> {
    let range = DayRange::new(day(*days.start()), day(*days.end())).unwrap();
    let view = View::open(Arc::clone(file), range).unwrap();
    let text = |found: Vec<(Day, RawDocumentBuf)>| {
        let mut texts: Vec<String> = found
            .into_iter()
            .map(|(day, document)| {
                assert!(range.contains(day), "{day} is shown for {range}");
                Document::try_from(document.as_ref()).unwrap().to_string()
            })
            .collect();
        texts.sort();
        texts
    };
    let found = text(view.documents(&RowQuery::of(role), 0, 1_000).unwrap());
    let counts = view.counts();
    let count = if role == Role::Input { counts.input } else { counts.downstream };
    assert_eq!(count, found.len() as u64, "{range}");
    // One by one, and sorted, the same rows come.
    let singles =
        (0..count).flat_map(|offset| view.documents(&RowQuery::of(role), offset, 1).unwrap()).collect();
    assert_eq!(text(singles), found, "{range}, row by row");
    if !view.columns(role).is_empty() && !found.is_empty() {
        let sort = Sort { path: view.columns(role)[0].path.clone(), descending: false };
        assert_eq!(
            text(view.documents(&RowQuery::of(role).then_by(sort), 0, 1_000).unwrap()),
            found,
            "{range}, sorted"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("rows.csv");
    view.export_csv(&RowQuery::of(role), &csv).unwrap();
    let lines = std::fs::read_to_string(csv).unwrap().lines().count();
    assert_eq!(lines, found.len() + 1, "{range}, exported");
    found
}

fn ids(found: &[String]) -> Vec<&str> {
    found.iter().map(String::as_str).collect()
}

#[test]
fn a_message_of_several_days_is_stored_once_and_shown_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let message = |id: i32, days| Message { document: doc! {"_id": id, "text": "m"}, days };
    let messages =
        [message(10, &[1]), message(11, &[1, 3]), message(12, &[2, 3, 4, 1]), message(13, &[4, 1])];
    let input: Vec<(i32, Document)> = (1..=4).map(|number| (number, doc! {"_id": number})).collect();
    store(&file, 1..=4, origin(true), 1, &input, &messages);
    let shown = |days: std::ops::RangeInclusive<i32>| {
        let found = rows(&file, Role::Downstream, days);
        let id = |text: &String| text.split_once("\"_id\": ").unwrap().1[..2].parse::<i32>().unwrap();
        found.iter().map(id).collect::<BTreeSet<i32>>()
    };
    for from in 1..=4 {
        for to in from..=4 {
            let expected: BTreeSet<i32> = messages
                .iter()
                .filter(|message| message.days.iter().any(|day| (from..=to).contains(day)))
                .map(|message| message.document.get_i32("_id").unwrap())
                .collect();
            assert_eq!(shown(from..=to), expected, "{from} to {to}");
        }
    }
    let counts: Vec<u64> = (1..=4).map(|number| file.state().days[&day(number)].downstream_rows).collect();
    assert_eq!(counts, [4, 1, 2, 2]);
}

/// Days are fetched again one by one, in every order. Messages stay as long as a day that they belong to.
#[test]
fn a_message_stays_until_its_last_day_is_replaced() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [1, 3, 2], [3, 1, 2], [2, 3, 1]] {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let all: [&[i32]; 7] = [&[1], &[2], &[3], &[1, 2], &[1, 3], &[2, 3], &[1, 2, 3]];
        let messages: Vec<Message> = (0..)
            .zip(all)
            .map(|(id, days)| Message { document: doc! {"_id": id, "old": true}, days })
            .collect();
        store(&file, 1..=3, origin(true), 1, &[], &messages);
        let mut left: BTreeSet<i32> = [1, 2, 3].into();
        for replaced in order {
            store(&file, replaced..=replaced, origin(true), 2, &[], &[]);
            left.remove(&replaced);
            let expected = all.iter().filter(|days| days.iter().any(|day| left.contains(day))).count();
            assert_eq!(rows(&file, Role::Downstream, 1..=3).len(), expected, "{order:?} at {replaced}");
        }
    }
}

/// Two windows side by side replace different days of one older window: neither gets in the other's way.
#[test]
fn windows_side_by_side_replace_days_of_one_segment() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let message = |id: i32, days| Message { document: doc! {"_id": id}, days };
    let messages = [
        message(1, &[1, 2]),
        message(2, &[2, 1]),
        message(3, &[1, 2, 3]),
        message(4, &[3]),
        message(5, &[1]),
    ];
    store(&file, 1..=3, origin(true), 1, &[], &messages);
    let begin = || SegmentWriter::begin(Arc::clone(&file)).unwrap().of_origin(origin(true));
    let (one, other) = (begin(), begin());
    one.commit([(day(1), DayRows::default())].into(), &[]).unwrap();
    other.commit([(day(2), DayRows::default())].into(), &[]).unwrap();
    assert_eq!(rows(&file, Role::Downstream, 1..=2).len(), 0);
    assert_eq!(rows(&file, Role::Downstream, 1..=3).len(), 2);
}

#[test]
fn rows_that_share_an_id_all_stay_where_an_id_identifies_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    // As a view unwinds them: one `_id`, a row per fill.
    let fill = |at: i32| doc! {"_id": 1, "fill": at};
    let input = [(1, fill(1)), (2, fill(2)), (2, fill(2)), (3, fill(3)), (3, doc! {"trade": "x"})];
    let late = |copies: usize, days: &'static [i32]| {
        (0..copies).map(move |_| Message { document: doc! {"_id": 1, "text": "late"}, days })
    };
    let own = Message { document: fill(1), days: &[1] };
    let elsewhere = Message { document: fill(3), days: &[1] };
    let messages: Vec<Message> = late(2, &[1, 3]).chain([own, elsewhere]).collect();
    store(&file, 1..=2, origin(false), 1, &input[..3], &messages);
    // The next window holds the two equal messages as well, for its own day.
    let messages: Vec<Message> = late(2, &[3]).collect();
    store(&file, 3..=3, origin(false), 1, &input[3..], &messages);
    let input_texts = |days| rows(&file, Role::Input, days);
    assert_eq!(input_texts(1..=3).len(), 5);
    assert_eq!(input_texts(2..=2).len(), 2);
    let messages = |days| rows(&file, Role::Downstream, days);
    let text = doc! {"_id": 1, "text": "late"}.to_string();
    // `fill(1)` is input of day 1; `fill(3)` is input of day 3 alone.
    assert_eq!(ids(&messages(1..=1)), [fill(3).to_string(), text.clone(), text.clone()]);
    assert_eq!(ids(&messages(3..=3)), [text.clone(), text.clone()]);
    assert_eq!(ids(&messages(1..=3)), [text.clone(), text]);
}

/// Where an `_id` identifies a document, the state that was read later counts, whatever came to the disk first.
#[test]
fn of_two_states_of_a_document_the_later_read_counts() {
    for later_first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let mut windows = [(3, 1_u64, "old"), (10, 2, "new")];
        if later_first {
            windows.reverse();
        }
        for (number, read, state) in windows {
            let input = [(number, doc! {"_id": 7, "state": state})];
            store(&file, number..=number, origin(true), read, &input, &[]);
        }
        let found = rows(&file, Role::Input, 1..=12);
        assert_eq!(ids(&found), [doc! {"_id": 7, "state": "new"}.to_string()], "{later_first}");
    }
}

/// Ten refreshes of a day leave no more behind than one.
#[test]
fn what_segments_share_does_not_grow_with_refreshes() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let shared: Vec<(i32, Document)> = (0..300).map(|id| (1, doc! {"_id": id})).collect();
    let again: Vec<(i32, Document)> = (0..300).map(|id| (2, doc! {"_id": id})).collect();
    store(&file, 1..=1, origin(true), 1, &shared, &[]);
    let overlap = || {
        drop(View::open(Arc::clone(&file), DayRange::new(day(1), day(2)).unwrap()).unwrap());
        file.overlap_rows().unwrap()
    };
    store(&file, 2..=2, origin(true), 2, &again, &[]);
    let once = overlap();
    assert_eq!(once, 600);
    for read in 3..13 {
        store(&file, 2..=2, origin(true), read, &again, &[]);
        assert_eq!(overlap(), once);
    }
}

/// A source that was swapped: rows of two collections never stand in one answer.
#[test]
fn rows_of_two_sources_never_stand_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let other = Some(SourceOrigin { collections: r#"["b"]"#.to_owned(), ..origin(true).unwrap() });
    let row = |number: i32, source: &str| [(number, doc! {"_id": number, "of": source})];
    store(&file, 1..=1, origin(true), 1, &row(1, "a"), &[]);
    store(&file, 2..=2, origin(true), 1, &row(2, "a"), &[]);
    assert_eq!(rows(&file, Role::Input, 1..=3).len(), 2);
    store(&file, 3..=3, other.clone(), 2, &row(3, "b"), &[]);
    assert_eq!(ids(&rows(&file, Role::Input, 1..=3)), [doc! {"_id": 3, "of": "b"}.to_string()]);
    // Days of the old source alone are still there to be shown as such.
    assert_eq!(rows(&file, Role::Input, 1..=2).len(), 2);
    assert!(!file.state().is_of_current_origin(&file.state().days[&day(1)]));
    store(&file, 1..=2, other, 3, &[], &[]);
    assert_eq!(rows(&file, Role::Input, 1..=3).len(), 1);
}
