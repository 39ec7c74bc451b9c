//! The real app on a virtual display, driven as a trader drives it: fill in, fetch, repeat, widen, sort, look
//! at a row, export, lose the server, open from the cache, and go on by itself when the server is back.
//!
//! `cargo xtask test` runs it where a display and a driver are at hand. With `TIDEMARK_SCREENSHOTS` naming a
//! folder it leaves pictures there.
#![cfg(target_os = "linux")]

mod bench;
mod confined;
mod dialogs;
mod narrow;
mod screen;
mod stage;
mod webdriver;
mod workbench;

use std::path::Path;
use std::time::Duration;

use screen::{Screen, marked};
use serde_json::json;
use stage::Stage;
use webdriver::keys;

/// The sample desk's most traded product, and its busiest cell.
const PRODUCT: &str = "Power DE Base";
const CELL: &str = "Short Term Power";
/// A fetch may take this long, on a machine that does other things too.
const FETCH: Duration = Duration::from_secs(60);
/// A server that is gone is noticed in this time: a check at least every five seconds, and three to look for it.
const NOTICE: Duration = Duration::from_secs(25);

#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn a_traders_day() {
    let stage = Stage::with_desk();
    let screen = Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "online");
    // Everything that the page draws is to keep to its own policy.
    screen.script(
        "window.refused = [];
        document.addEventListener('securitypolicyviolation', event =>
            window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));",
        &[],
    );

    fill_in(&screen);
    fetch_from_the_server(&screen);
    repeat_from_the_cache(&screen);
    suggestions(&screen);
    widen(&screen);
    sort(&screen);
    narrow::filter(&screen);
    narrow::find(&screen);
    arrange_by_keyboard(&screen);
    look_at_a_row(&screen);
    export(&screen, &stage.csv);
    workbench::exports(&screen, &stage.csv);
    workbench::summary(&screen, &stage.csv);
    workbench::formats(&screen);
    workbench::colours(&screen);
    workbench::find_a_trade(&screen);
    workbench::sql(&screen);
    pictures(&screen);

    stage.server.shut_down().expect("the server can be stopped");
    screen.wait_for("the connection shows that the server is gone", NOTICE, || {
        (screen.attribute("connection-status", "data-state").as_deref() == Some("offline")).then_some(())
    });
    open_from_the_cache(&screen);
    read_its_pipeline(&screen);
    keep_and_limit(&screen);
    ask_for_more_than_is_held(&screen);

    stage.server.restart().expect("the server can be started again");
    goes_on_by_itself(&screen);
    assert_eq!(screen.script("return window.refused", &[]), json!([]), "the page broke its own policy");
}

/// A source is set up in the window and remembered, its password never.
#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn a_source_of_ones_own() {
    let (user, password) = ("ann", "s3cret/and@more \"now\"");
    let stage = Stage::with_password(user, password);
    let address = format!("{user}@127.0.0.1:{}/?authSource=admin", stage.server.port());
    {
        let screen = Screen::open(&stage);
        screen.wait_attribute("connection-status", "data-state", "not_configured");
        screen.click("source-button");
        // As people paste it: with the password in it, and not escaped.
        let pasted = format!("mongodb://{}", address.replace('@', &format!(":{password}@")));
        // What is typed is read when the field is left.
        screen.type_into(&marked("source-uri"), &format!("{pasted}{}", keys::TAB));
        screen.wait("the password is taken out, with a word", || screen.text("source-took-secrets"));
        assert!(!screen.value("source-uri").contains("s3cret"), "the password is still in the string");
        assert_eq!(screen.value("source-password"), password);
        choose_the_only_collection(&screen);
        screen.click("source-connect");
        screen.wait_attribute("connection-status", "data-state", "online");
        stage.holds_nothing_of("s3cret");
        assert!(stage.settings().contains(&address), "the source was not stored: {}", stage.settings());
    }
    let screen = Screen::open(&stage);
    // The source is known, and the password has to be given again, right where the window says so.
    screen.wait("a password is asked for", || {
        screen.text("connection-status").filter(|text| text.contains("Password needed"))
    });
    screen.click("connection-status");
    screen.type_into(&marked("password-input"), "wr0ng");
    screen.click("password-connect");
    screen.wait_attribute("password-failure", "data-code", "auth_failed");
    screen.type_into(&marked("password-input"), &keys::BACKSPACE.repeat("wr0ng".len()));
    screen.type_into(&marked("password-input"), password);
    screen.click("password-connect");
    screen.wait_attribute("connection-status", "data-state", "online");
    drop(screen);
    // Settings, cache, the page's own storage, and what the app printed.
    for secret in ["s3cret", "wr0ng"] {
        stage.holds_nothing_of(secret);
    }
}

/// A password in the keychain is not asked for again, and is nowhere else.
#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn a_password_in_the_keychain() {
    let (user, password) = ("ann", "s3cret/and@more");
    let Some(stage) = Stage::with_password(user, password).with_keychain() else {
        println!("skipped: there is no gnome-keyring-daemon");
        return;
    };
    {
        let screen = Screen::open(&stage);
        screen.wait_attribute("connection-status", "data-state", "not_configured");
        screen.click("source-button");
        let port = stage.server.port();
        screen.type_into(
            &marked("source-uri"),
            &format!("mongodb://{user}@127.0.0.1:{port}/?authSource=admin"),
        );
        screen.type_into(&marked("source-password"), password);
        // Ticked unless somebody objects.
        screen.wait("there is a keychain", || screen.attribute("source-keychain", "data-testid"));
        choose_the_only_collection(&screen);
        screen.click("source-connect");
        screen.wait_attribute("connection-status", "data-state", "online");
        stage.holds_nothing_of("s3cret");
    }
    let screen = Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "online");
    screen.click("source-button");
    screen.click("source-delete");
    screen.click("source-delete-confirm");
    screen.wait_attribute("connection-status", "data-state", "not_configured");
    drop(screen);
    stage.holds_nothing_of("s3cret");
}

/// From nothing to an answer by looking, in at most eight clicks or groups of keystrokes.
#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn from_an_empty_profile_to_an_answer() {
    let stage = Stage::at_first_start();
    let screen = Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "not_configured");
    screen.picture("first-start");
    let mut actions = 0;
    let mut act = |how: &dyn Fn()| {
        how();
        actions += 1;
    };
    act(&|| screen.click("welcome-setup"));
    screen.wait("the form is open", || screen.text("source-dialog"));
    act(&|| screen.type_into(&marked("source-uri"), stage.server.uri()));
    act(&|| choose_the_only_collection(&screen));
    screen.wait_for("a mapping is proposed", FETCH, || screen.text("proposal"));
    screen.picture("source-proposal");
    act(&|| screen.click("source-connect"));
    screen.wait_attribute("connection-status", "data-state", "online");
    plan(&screen);
    screen.picture("before-the-first-fetch");
    act(&|| {
        assert_eq!(fetch(&screen), "server");
    });
    assert!(actions <= 8, "it took {actions} actions");
    assert_eq!(screen.attribute("answer-completeness", "data-complete").as_deref(), Some("true"));
    assert!(screen.wait("rows are counted", || screen.count("row-count-input")) > 0, "an empty answer");

    test_step_by_step(&screen);
    // A further start may ask for a source that is not there, and says so in the window that is open.
    let second = stage.start_beside(&screen::app(), &["--source", "Production"]);
    assert!(second.success(), "a second start did not hand over: {second}");
    screen.wait("the window says that there is no such source", || {
        screen.text("open-note").filter(|text| text.contains("Production"))
    });
}

/// The form of the source in use, and its test.
fn test_step_by_step(screen: &Screen) {
    screen.click("source-button");
    screen.picture("sources");
    screen.click("source-edit");
    screen.wait("the mapping is read", || screen.attribute("proposed-trade_id", "data-testid"));
    screen.click("source-test");
    screen.wait("the test has ended", || {
        screen.text("source-test-summary").filter(|text| text.contains("can be used"))
    });
    screen.picture("source-test");
    let failed = "return document.querySelectorAll('.test-step[data-outcome=failed]').length";
    assert_eq!(screen.script(failed, &[]), json!(0));
    screen.click("source-close");
    screen.click("sources-close");
}

/// Presses the field of the database. The server has one database with one collection, so both are filled in.
fn choose_the_only_collection(screen: &Screen) {
    screen.click("source-database");
    screen.wait_for("the only collection is found", FETCH, || {
        (screen.value("source-collection") == "messages").then_some(())
    });
    assert_eq!(screen.value("source-database"), "desk");
}

/// A second start hands over to the window that is open, and a later one begins with the last answer.
#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn a_second_start_and_a_restart() {
    let stage = Stage::with_desk();
    let rows = {
        let screen = Screen::open(&stage);
        screen.wait_attribute("connection-status", "data-state", "online");
        plan(&screen);
        screen.click("fetch-button");
        screen.wait_for("an answer", FETCH, || screen.attribute("answer-origin", "data-origin"));
        let rows = screen.wait("rows are counted", || screen.count("row-count-input"));
        let second = stage.start_beside(&screen::app(), &[]);
        assert!(second.success(), "a second start did not hand over to the first window: {second}");
        assert_eq!(screen.count("row-count-input"), Some(rows));
        rows
    };
    let screen = Screen::open(&stage);
    screen.wait("the last answer is there", || (screen.count("row-count-input") == Some(rows)).then_some(()));
}

/// Shows the side panel, which folds when an answer arrives.
fn show_panel(screen: &Screen) {
    if screen.attribute("panel-toggle", "aria-expanded").as_deref() == Some("false") {
        screen.click("panel-toggle");
    }
}

/// The demo's form is cleared, one value is typed, and a preset gives the days.
fn fill_in(screen: &Screen) {
    screen.click("clear-filters");
    screen.type_into(&marked("filter-product-input"), &format!("{PRODUCT}{}", keys::ENTER));
    screen.click("preset-last-7-days");
    let sentence = plan(screen);
    assert!(sentence.contains("7"), "the plan should speak of seven days: {sentence}");
}

/// Values that the cache holds are suggested while one types.
fn suggestions(screen: &Screen) {
    show_panel(screen);
    let typed = "Short";
    screen.type_into(&marked("filter-cell-input"), typed);
    screen.wait("values are suggested", || {
        let options =
            "return [...document.querySelectorAll('[role=option]')].map(it => it.textContent.trim())";
        screen.script(options, &[]).as_array()?.contains(&json!(CELL)).then_some(())
    });
    screen.picture("suggestions");
    screen.press(&keys::BACKSPACE.repeat(typed.len()));
    screen.press(keys::ESCAPE);
}

/// The plan, once it is that of the form.
fn plan(screen: &Screen) -> String {
    // What was typed before takes a moment to become a question.
    std::thread::sleep(Duration::from_millis(500));
    screen.wait("there is a plan", || {
        let fresh = screen.attribute("plan-sentence", "data-stale").is_none();
        let strip = screen.attribute("day-strip", "data-days").is_some();
        (fresh && strip).then(|| screen.text("plan-sentence")).flatten()
    })
}

/// Presses Fetch and waits for its answer; returns where that came from.
fn fetch(screen: &Screen) -> String {
    screen.click("fetch-button");
    // The answer before is on the screen until the new one comes.
    screen.wait_for("the fetch is over", FETCH, || {
        let idle = screen.attribute("activity", "data-activity").as_deref() == Some("idle");
        (idle && screen.attribute("fetch-button", "aria-disabled").is_none()).then_some(())
    });
    screen.wait("the answer says where it came from", || screen.attribute("answer-origin", "data-origin"))
}

fn fetch_from_the_server(screen: &Screen) {
    // The bar may come and go between two looks, so the page itself keeps watch.
    let watch = "
        window.seen = [];
        new MutationObserver(() => {
            const bar = document.querySelector('[data-testid=progress]');
            if (bar) window.seen.push(Number(bar.dataset.rows));
        }).observe(document.body, {subtree: true, childList: true, attributes: true});";
    screen.script(watch, &[]);
    let origin = fetch(screen);
    assert_eq!(origin, "server");
    assert_eq!(screen.attribute("answer-completeness", "data-complete").as_deref(), Some("true"));
    let seen = screen.script("return window.seen.length", &[]);
    assert!(seen.as_u64() > Some(0), "no progress was shown");
    let rows = screen.wait("rows are counted", || screen.count("row-count-input"));
    assert!(rows > 0, "seven days of the most traded product hold no trade");
    assert!(screen.wait("messages are counted", || screen.count("row-count-downstream")) > 0);
    screen.wait("rows are drawn", || cells(screen, 0, 1).pop());
}

fn repeat_from_the_cache(screen: &Screen) {
    let before = screen.count("row-count-input");
    assert_eq!(fetch(screen), "cache");
    let commands = screen.text("answer-commands").unwrap_or_default();
    assert!(commands.starts_with("0 "), "a repeat sent commands: {commands}");
    assert_eq!(screen.count("row-count-input"), before);
}

fn widen(screen: &Screen) {
    let before = screen.count("row-count-input").unwrap_or_default();
    set_first_day(screen, 45);
    let sentence = plan(screen);
    assert!(sentence.contains("7 of 45 days cached"), "the plan should build on what is held: {sentence}");
    assert_eq!(fetch(screen), "part_cache");
    let rows = screen
        .wait("more rows are counted", || screen.count("row-count-input").filter(|rows| *rows > before));
    assert!(rows > before);
}

/// Types another first day, so that the range holds this many days up to today.
fn set_first_day(screen: &Screen, days: u64) {
    show_panel(screen);
    let first = chrono::Utc::now().date_naive() - chrono::Days::new(days - 1);
    let digits = [("year", first.format("%Y")), ("month", first.format("%-m")), ("day", first.format("%-d"))];
    for (part, digits) in digits {
        let segment = format!("{} [data-type={part}]", marked("date-from"));
        screen.click_on(&segment);
        screen.press(&digits.to_string());
    }
}

/// The texts of a column in the first rows drawn, from above.
fn cells(screen: &Screen, column: usize, rows: usize) -> Vec<String> {
    let script = "
        const rows = [...document.querySelectorAll('[data-testid=grid] .slick-row')];
        const top = row => row.getBoundingClientRect().top;
        const cell = row => row.querySelector(`.slick-cell.l${arguments[0]}`);
        // Beside pinned columns a row is drawn in two halves.
        return rows.filter(cell).sort((a, b) => top(a) - top(b)).slice(0, arguments[1])
            .map(row => cell(row).textContent ?? '');";
    let texts = screen.script(script, &[json!(column), json!(rows)]);
    let texts = texts.as_array().cloned().unwrap_or_default();
    texts.iter().filter_map(|text| text.as_str()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Twice on the heading of the first column: the greatest first.
fn sort(screen: &Screen) {
    let ids = || {
        let shown = cells(screen, 0, 12);
        (shown.len() == 12 && shown.iter().all(|id| id.starts_with("TM"))).then_some(shown)
    };
    let in_order = |order: &str| {
        let shown = ids().filter(|_| heading(screen, 0)["order"] == order)?;
        let sorted = |two: &[String]| if order == "descending" { two[0] >= two[1] } else { two[0] <= two[1] };
        shown.windows(2).all(sorted).then_some(shown)
    };
    // Columns are fitted to the first rows, and then stay where they are.
    screen.wait("rows are drawn", ids);
    assert_eq!(heading(screen, 0)["order"], "none");
    screen.click_on("[data-testid=grid] .slick-header-column");
    let up = screen.wait("the rows are sorted upwards", || in_order("ascending"));
    screen.click_on("[data-testid=grid] .slick-header-column");
    let down = screen.wait("the rows are sorted downwards", || in_order("descending"));
    assert!(down[0] > up[0], "the greatest is not first: {} after {}", down[0], up[0]);
}

/// What a heading says of its column.
fn heading(screen: &Screen, place: usize) -> serde_json::Value {
    let script =
        "const node = document.querySelectorAll('[data-testid=grid] [role=columnheader]')[arguments[0]];
        return {path: node.dataset.path, order: node.getAttribute('aria-sort'), width: node.offsetWidth};";
    screen.script(script, &[json!(place)])
}

/// Wider, one place on, and back, with no mouse.
fn arrange_by_keyboard(screen: &Screen) {
    screen.click_on("[data-testid=grid] .slick-row .slick-cell.l0");
    let (first, second) = (heading(screen, 0), heading(screen, 1));
    screen.chord(&[keys::ALT], keys::RIGHT);
    screen.wait("the column is wider", || {
        (heading(screen, 0)["width"].as_u64() > first["width"].as_u64()).then_some(())
    });
    screen.chord(&[keys::ALT, keys::SHIFT], keys::RIGHT);
    screen.wait("the column is one place on", || {
        (heading(screen, 0)["path"] == second["path"] && heading(screen, 1)["path"] == first["path"])
            .then_some(())
    });
    assert_eq!(heading(screen, 1)["order"], "descending", "the order is told of the wrong column");
    screen.chord(&[keys::ALT, keys::SHIFT], keys::LEFT);
    screen.wait("the column is back", || (heading(screen, 0)["path"] == first["path"]).then_some(()));
    let selected = "return document.querySelectorAll('[data-testid=grid] .slick-cell.selected').length";
    assert_eq!(screen.script(selected, &[]), json!(1), "cells are selected that nobody selected");
}

fn look_at_a_row(screen: &Screen) {
    let id = cells(screen, 0, 1).pop().unwrap_or_default();
    screen.click_on("[data-testid=grid] .slick-row .slick-cell.l0");
    screen.press(keys::ENTER);
    let text = screen.wait("the row's detail is shown", || {
        screen.text("row-detail-text").filter(|text| text.contains("trade_id"))
    });
    assert!(text.contains(PRODUCT), "the detail is of another row than was asked for:\n{text}");
    assert!(!id.is_empty());
    screen.picture("row-detail");
    screen.click_on(&format!("{} [aria-label='Close the row details']", marked("row-detail")));
}

fn export(screen: &Screen, file: &Path) {
    let shown = screen.count("row-count-input").unwrap_or_default();
    screen.click("export-button");
    screen.click("export-start");
    let told = screen.wait("the export is done", || screen.text("export-result"));
    assert!(told.contains("export.csv"), "the window does not say where the file lies: {told}");
    let text = std::fs::read_to_string(file).expect("the CSV file can be read");
    assert!(text.starts_with("_id,"), "the columns do not begin with _id");
    assert_eq!(records(&text) - 1, shown, "the file and the window count differently");
    screen.click_on(&format!("{} [aria-label=Dismiss]", marked("export-result")));
}

/// Records of a CSV text; a line break within quotes ends none.
fn records(text: &str) -> u64 {
    let mut quoted = false;
    let ends = text.bytes().filter(|byte| {
        quoted ^= *byte == b'"';
        *byte == b'\n' && !quoted
    });
    ends.count() as u64
}

fn open_from_the_cache(screen: &Screen) {
    show_panel(screen);
    screen.click("cached-tab");
    screen.click("cached-open");
    screen.wait_attribute("answer-origin", "data-origin", "cache");
    screen.wait("rows are counted", || screen.count("row-count-input").filter(|rows| *rows > 0));
    screen.wait("rows are drawn", || cells(screen, 0, 1).pop());
    plan(screen);
    screen.picture("offline");
}

/// The pipeline of a query that is cached, with no server.
fn read_its_pipeline(screen: &Screen) {
    screen.click("cached-pipeline");
    let text = screen.wait("the pipeline is shown", || {
        screen.text("pipeline-text").filter(|text| text.contains("$match"))
    });
    assert!(text.contains(PRODUCT), "the pipeline is of another query:\n{text}");
    screen.picture("pipeline");
    screen.press(keys::ESCAPE);
    screen.wait("the dialog is closed", || screen.text("pipeline-dialog").is_none().then_some(()));
}

/// The pin and the budget, from the window to the cache and back.
fn keep_and_limit(screen: &Screen) {
    screen.click("cached-pin");
    screen.wait_attribute("cached-pin", "aria-pressed", "true");
    screen.click("budget-button");
    screen.click("budget-MB");
    // "20", in MB 20000.
    screen.type_into(&marked("budget-input"), &format!("{}1", keys::BACKSPACE.repeat(6)));
    screen.picture("budget");
    screen.click("budget-set");
    screen.wait("the new budget is shown", || {
        screen.text("cache-usage").filter(|text| text.ends_with("of 1 MB used"))
    });
    screen.click("cached-pin");
    screen.wait_attribute("cached-pin", "aria-pressed", "false");
}

/// More days than are held, with no server: what is held, and said to be partial.
fn ask_for_more_than_is_held(screen: &Screen) {
    screen.click("query-tab");
    set_first_day(screen, 60);
    plan(screen);
    screen.click("fetch-button");
    screen.wait_attribute("answer-completeness", "data-complete", "false");
    screen.wait("the window says which days are missing", || {
        screen.text("partial-banner").filter(|text| text.contains("15"))
    });
    screen.wait("rows are drawn", || cells(screen, 0, 1).pop());
    plan(screen);
    screen.picture("partial");
}

fn goes_on_by_itself(screen: &Screen) {
    screen.wait_for("the connection is back", NOTICE, || {
        (screen.attribute("connection-status", "data-state").as_deref() == Some("online")).then_some(())
    });
    screen.wait_for("the missing days came by themselves", FETCH, || {
        (screen.attribute("answer-completeness", "data-complete").as_deref() == Some("true")).then_some(())
    });
    assert_eq!(screen.attribute("answer-origin", "data-origin").as_deref(), Some("part_cache"));
}

/// Light and dark, small and large.
fn pictures(screen: &Screen) {
    if std::env::var_os("TIDEMARK_SCREENSHOTS").is_none() {
        return;
    }
    for theme in ["light", "dark"] {
        screen.wait("the theme is chosen", || {
            if screen.attribute("theme-toggle", "data-theme-choice").as_deref() == Some(theme) {
                return Some(());
            }
            screen.click("theme-toggle");
            None
        });
        for (width, height) in [(1280, 800), (1920, 1080)] {
            screen.resize(width, height);
            // The grid draws the rows that have come into sight.
            std::thread::sleep(Duration::from_millis(700));
            screen.picture(&format!("{theme}-{width}x{height}"));
        }
    }
}
