//! What a trader asks of an answer: groups, formats, colours, copies, files of every format, and a trade by its id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use calamine::Reader as _;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::{Value, json};

use super::cells;
use super::screen::{Screen, marked};
use super::webdriver::keys;

/// The groups by day add up to the rows, are exported, and a click on one leaves its rows.
pub(crate) fn summary(screen: &Screen, csv: &Path) {
    let all = screen.count("row-count-input").unwrap_or_default();
    screen.click("tab-summary");
    let counts = screen.wait("the rows are grouped by day", || {
        let counts = group_counts(screen);
        (!counts.is_empty()).then_some(counts)
    });
    assert_eq!(counts.iter().sum::<u64>(), all, "the groups do not add up to the rows");
    screen.picture("summary");
    screen.click("groups-export");
    screen.click("export-start");
    screen.wait("the groups are exported", || screen.text("export-result"));
    let text = fs::read_to_string(csv).expect("the CSV file can be read");
    let exported: Vec<u64> =
        text.lines().skip(1).filter_map(|line| line.rsplit(',').next()?.parse().ok()).collect();
    assert_eq!(exported, counts, "the file has other groups than the window:\n{text}");
    screen.click_on(&format!("{} [aria-label=Dismiss]", marked("export-result")));
    screen.click_on(&format!("{} .group-open", marked("group")));
    let said = screen.wait("the rows of the group are shown", || screen.text("narrowed"));
    assert_eq!(said.replace(',', ""), format!("{} of {all} rows", counts[0]), "other rows than the group's");
    screen.click_on(&format!("{} [aria-label^='Remove the filter']", marked("filter-chips")));
    screen.wait("all rows are back", || screen.text("narrowed").is_none().then_some(()));
}

/// How many rows each group on the screen has.
fn group_counts(screen: &Screen) -> Vec<u64> {
    let script = "return [...document.querySelectorAll('[data-testid=group]')]
        .map(group => group.querySelector('td.num')?.textContent ?? '')";
    let texts = screen.script(script, &[]);
    let texts = texts.as_array().cloned().unwrap_or_default();
    texts.iter().filter_map(|text| text.as_str()?.replace(',', "").parse().ok()).collect()
}

/// Thousands are separated in the cells and in what is copied as shown, and not in what is copied otherwise.
pub(crate) fn formats(screen: &Screen) {
    screen.resize(1920, 1080);
    let column = "quantity";
    let of_column = || cells(screen, place_of(screen, column), 12);
    let stored = screen.wait("quantities are drawn", || Some(of_column()).filter(|cells| cells.len() == 12));
    choose(screen, column, "format");
    screen.click_on(&format!("{} .pick-button", marked("format-decimals")));
    // What the list shows is what a person reads.
    option(screen, "3");
    screen.wait("the example has three decimals", || {
        screen.text("format-example").filter(|example| example.contains("1234567.891"))
    });
    screen.picture("format");
    screen.press(keys::ESCAPE);
    let shown = screen.wait("the cells have three decimals", || {
        let shown = of_column();
        shown.iter().all(|cell| decimals(cell) == 3).then_some(shown)
    });
    assert_eq!(shown.len(), stored.len());
    // Copied as stored, whatever is shown.
    screen.click_on(&format!("[data-testid=grid] .slick-row .slick-cell.l{}", place_of(screen, column)));
    screen.chord(&[keys::CONTROL], 'c');
    screen.wait("the copy is confirmed", || {
        screen.text("grid-announcement").filter(|said| said.contains("Copied"))
    });
    let copied = pasted(screen);
    assert!(stored.contains(&copied), "something other than a stored value was copied: {copied}");
    choose(screen, column, "copy_shown");
    screen.wait("a shown value is on the clipboard", || {
        Some(pasted(screen)).filter(|copied| shown.contains(copied))
    });
    choose(screen, column, "format");
    screen.click_on(&format!("{} .pick-button", marked("format-decimals")));
    option(screen, "as stored");
    screen.press(keys::ESCAPE);
    screen.wait("the cells are as before", || (of_column() == stored).then_some(()));
}

/// The digits after the point.
fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// The text on the clipboard, by pasting it into a field that nothing else needs.
fn pasted(screen: &Screen) -> String {
    screen.chord(&[keys::CONTROL], 'f');
    let field = marked("find-input");
    screen.wait("there is a field", || screen.text("find-bar"));
    screen.type_into(&field, &keys::BACKSPACE.repeat(60));
    screen.chord(&[keys::CONTROL], 'v');
    let text = screen
        .wait("the copy is pasted", || Some(screen.value("find-input")).filter(|text| !text.is_empty()));
    screen.type_into(&field, keys::ESCAPE);
    screen.wait("the search is closed", || screen.text("find-bar").is_none().then_some(()));
    text
}

/// Rows coloured by a column, with a legend that says what the colours mean.
pub(crate) fn colours(screen: &Screen) {
    let to_the_left = "for (const part of document.querySelectorAll('[data-testid=grid] .slick-viewport'))
        part.scrollLeft = 0;";
    screen.script(to_the_left, &[]);
    choose(screen, "product", "colour");
    let product = cells(screen, place_of(screen, "product"), 1).pop().unwrap_or_default();
    screen.wait("the legend names the value", || {
        screen.text("legend").filter(|legend| !product.is_empty() && legend.contains(&product))
    });
    screen.picture("colours");
    screen.click("legend-remove");
    screen.wait("the legend is gone", || screen.text("legend").is_none().then_some(()));
    screen.resize(1280, 800);
}

/// A trade by its id, from anywhere: in the cache and at the source, with its messages.
pub(crate) fn find_a_trade(screen: &Screen) {
    let id = cells(screen, 0, 1).pop().unwrap_or_default();
    screen.chord(&[keys::CONTROL, keys::SHIFT], 't');
    screen.type_into(&marked("find-trade-ids"), &format!("{id}, NO-SUCH-TRADE{}", keys::ENTER));
    screen.wait("both places are searched", || {
        screen.text("find-trade-state").filter(|state| state.contains("2 places found"))
    });
    let missing = screen.text("find-trade-missing").unwrap_or_default();
    assert!(missing.contains("NO-SUCH-TRADE") && !missing.contains(&id), "{missing}");
    screen.click("found-trade");
    screen.wait("the trade is shown", || screen.text("trade-view"));
    let items = "return document.querySelectorAll('[data-testid=trade-item]').length";
    assert!(screen.script(items, &[]).as_u64() > Some(0), "the trade has no documents");
    screen.picture("find-trade");
    screen.press(keys::ESCAPE);
    screen.wait("the dialog is closed", || screen.text("find-trade-dialog").is_none().then_some(()));
}

/// SQL on the rows: a mistake is marked, and the result counts what the window counts.
pub(crate) fn sql(screen: &Screen) {
    let all = screen.count("row-count-input").unwrap_or_default();
    screen.click("tab-sql");
    screen
        .wait("the tables are listed", || screen.text("sql-tables").filter(|text| text.contains("trade_id")));
    let editor = marked("sql-text");
    let wrong = "select count(*) as n, min(trade_id) as first from trade";
    screen.click_on(&editor);
    screen.chord(&[keys::CONTROL], 'a');
    screen.type_into(&editor, wrong);
    screen.chord(&[keys::CONTROL], keys::ENTER_KEY);
    let failure = screen.wait("the failure is shown", || screen.text("sql-failure"));
    assert_eq!(screen.text("sql-mistake").as_deref(), Some("trade"), "the mistake is not marked: {failure}");
    screen.picture("sql-mistake");
    screen.click_on(&editor);
    screen.chord(&[keys::CONTROL], keys::END);
    screen.press("s");
    screen.chord(&[keys::CONTROL], keys::ENTER_KEY);
    screen
        .wait("there is a result", || screen.text("sql-state").filter(|state| state.starts_with("1 row in")));
    let cell = "return [...document.querySelectorAll('[data-testid=sql-pane] .slick-cell')].map(it => it.textContent)";
    let cells = screen.wait("the result is drawn", || {
        let cells = screen.script(cell, &[]);
        cells[1].as_str().is_some_and(|first| !first.is_empty()).then_some(cells)
    });
    assert_eq!(cells[0].as_str().map(|count| count.replace(',', "")), Some(all.to_string()));
    screen.picture("sql");
    screen.click("tab-input");
    screen.wait("the rows are back", || cells_of_rows(screen));
}

fn cells_of_rows(screen: &Screen) -> Option<String> {
    cells(screen, 0, 1).pop()
}

/// A file of each format, read back with other programs' readers. `csv` is what the save dialog answers; a file of another
/// format gets its own extension after that.
pub(crate) fn exports(screen: &Screen, csv: &Path) {
    let shown = screen.count("row-count-input").unwrap_or_default();
    for (format, rows_of) in FORMATS {
        screen.click("export-button");
        screen.click(&format!("export-format-{format}"));
        screen.click("export-manifest");
        screen.picture(&format!("export-{format}"));
        screen.click("export-start");
        let said = screen.wait("the export is done", || screen.text("export-result"));
        let file = with_extension(csv, format);
        assert_eq!(rows_of(&file), shown, "{said}");
        let manifest: Value = fs::read(with_extension(&file, "manifest.json"))
            .map(|text| serde_json::from_slice(&text).expect("the manifest is JSON"))
            .expect("a manifest lies beside the file");
        assert_eq!(manifest["rows"], json!(shown));
        assert_eq!(manifest["format"], json!(format));
        screen.click_on(&format!("{} [aria-label=Dismiss]", marked("export-result")));
        // What is chosen is remembered: without a manifest, as before.
        screen.click("export-button");
        screen.click("export-manifest");
        screen.click("export-format-csv");
        screen.press(keys::ESCAPE);
        screen.wait("the dialog is closed", || screen.text("export-dialog").is_none().then_some(()));
    }
}

/// Counts the rows of a file.
type RowsOf = fn(&Path) -> u64;

/// Every format but CSV, and who reads it.
const FORMATS: [(&str, RowsOf); 3] =
    [("parquet", rows_of_parquet), ("jsonl", rows_of_json_lines), ("xlsx", rows_of_workbook)];

fn rows_of_parquet(file: &Path) -> u64 {
    let file = File::open(file).expect("the Parquet file is there");
    let reader = SerializedFileReader::new(file).expect("it is a Parquet file");
    reader.metadata().file_metadata().num_rows().unsigned_abs()
}

fn rows_of_json_lines(file: &Path) -> u64 {
    let text = fs::read_to_string(file).expect("the file is there");
    let documents = text.lines().map(|line| {
        let document: Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(document["_id"].is_object() || document["_id"].is_string(), "{document}");
    });
    documents.count() as u64
}

fn rows_of_workbook(file: &Path) -> u64 {
    let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(file).expect("it is a workbook");
    let sheets = workbook.worksheets();
    let rows = sheets.iter().map(|(_, cells)| cells.height() as u64 - 1);
    rows.sum()
}

fn with_extension(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// The place of a column on the screen.
fn place_of(screen: &Screen, path: &str) -> usize {
    let script = "return [...document.querySelectorAll('[data-testid=grid] [role=columnheader]')]
        .findIndex(heading => heading.dataset.path === arguments[0])";
    let place = screen.script(script, &[json!(path)]).as_u64();
    usize::try_from(place.unwrap_or_else(|| screen.fail(&format!("There is no column {path}."))))
        .expect("there are few columns")
}

/// Chooses a command from the menu of a column's first cell.
fn choose(screen: &Screen, path: &str, command: &str) {
    screen.click_on(&format!("[data-testid=grid] .slick-row .slick-cell.l{}", place_of(screen, path)));
    screen.chord(&[keys::SHIFT], keys::F10);
    let item = format!("{} [data-key={command}]", marked("grid-menu"));
    // A click goes to where the item was found. The menu moves to its place while it opens, and scrolls if an item at its
    // edge is pointed at.
    let place = "const item = document.querySelector(arguments[0]);
        item?.scrollIntoView({block: 'center'});
        return item === null ? null : [item.getBoundingClientRect().top, item.getBoundingClientRect().left]";
    let mut before = Value::Null;
    screen.wait("the menu stands still", || {
        let now = screen.script(place, &[json!(item)]);
        let is_still = !now.is_null() && now == before;
        before = now;
        is_still.then_some(())
    });
    screen.click_on(&item);
}

/// Chooses an option of the open list by its text.
fn option(screen: &Screen, text: &str) {
    let script = "
        const all = [...document.querySelectorAll('[role=option]')];
        const wanted = all.find(one => one.textContent === arguments[0]);
        return wanted?.dataset.key ?? null";
    let key =
        screen.wait("the list is open", || screen.script(script, &[json!(text)]).as_str().map(str::to_owned));
    screen.click_on(&format!("[role=option][data-key=\"{key}\"]"));
}
