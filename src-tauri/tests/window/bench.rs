//! How long a large cached answer takes in the window. `cargo xtask bench ui` builds the answer and runs this in the
//! release app.
//!
//! Times are those of the page's own clock, from the event to the frame in which the rows in sight are drawn.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::screen::{Screen, marked};
use super::stage::Stage;

/// The folder that `tidemark-bench answer` has made.
const FOLDER: &str = "TIDEMARK_BENCH_ANSWER";
/// How many pages are measured for a median.
const PAGES: u32 = 200;
/// How long one measurement may take.
const LIMIT: Duration = Duration::from_secs(120);
/// A column of Decimal128, by which few rows are equal.
const SORTED_BY: &str = "price";
/// How long the scroll from the first row to the last one takes, in milliseconds.
const SCROLL_MS: u64 = 10_000;

/// What the page measures with.
const HELPERS: &str = "
    // Beside pinned columns, the last one scrolls and the first follows.
    const viewport = () => [...document.querySelectorAll('[data-testid=grid] .slick-viewport')]
        .filter(part => part.clientWidth > 0 && part.clientHeight > 0).at(-1) ?? null;
    const at = (x, y) => {
        const {left, top} = viewport().getBoundingClientRect();
        return document.elementFromPoint(left + x, top + y);
    };
    const rowAt = y => at(20, y)?.closest('.slick-row') ?? null;
    const isRead = (x, y) => {
        const row = rowAt(y);
        if (row === null || row.matches('.loading')) return false;
        return !at(x, y)?.closest('.slick-cell')?.querySelector('.cell-pending');
    };
    const drawn = () => {
        if (!viewport()) return false;
        const {clientWidth, clientHeight} = viewport();
        return [4, clientHeight / 2, clientHeight - 24].every(y =>
            [20, clientWidth / 2, clientWidth - 20].every(x => isRead(x, y)));
    };
    const first = () => rowAt(4)?.textContent ?? '';
    const measure = (act, done) => {
        bench.result = null;
        const begun = performance.now();
        act();
        const look = () => {
            if (done()) bench.result = performance.now() - begun;
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    };
    const jump = place => measure(
        () => { viewport().scrollTop = place * (viewport().scrollHeight - viewport().clientHeight); },
        drawn);
    const text = mark => document.querySelector(`[data-testid=${mark}]`)?.textContent ?? '';
    const type = (field, value) => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, value);
        field.dispatchEvent(new Event('input', {bubbles: true}));
    };
    const enter = field => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    const scroll = ms => {
        bench.result = null;
        const frames = [];
        let blank = 0, begun = null, before = null;
        const step = now => {
            begun ??= now;
            if (before !== null) frames.push(now - before);
            before = now;
            if (!drawn()) blank += 1;
            const place = Math.min(1, (now - begun) / ms);
            viewport().scrollTop = place * (viewport().scrollHeight - viewport().clientHeight);
            if (place < 1) requestAnimationFrame(step);
            else {
                const dropped = frames.reduce((sum, frame) => sum + Math.max(0, Math.round(frame * 0.06) - 1), 0);
                bench.result = {frames: frames.length, dropped, blank, longest: Math.max(...frames)};
            }
        };
        requestAnimationFrame(step);
    };
    const bench = {result: null, drawn, first, measure, jump, text, type, enter, scroll};
    window.bench = bench;";

/// The table of the measurements.
struct Table(String);

impl Table {
    fn line(&mut self, what: &str, figure: &str, aim: &str) {
        writeln!(self.0, "| {what} | {figure} | {aim} |").expect("a text");
    }
}

#[test]
#[ignore = "a benchmark; `cargo xtask bench ui` runs it"]
fn bench_ui() {
    let folder =
        std::env::var_os(FOLDER).map(PathBuf::from).expect("a folder; `cargo xtask bench ui` makes one");
    let known = std::fs::read_to_string(folder.join("answer.json")).expect("the answer was built");
    let known: Value = serde_json::from_str(&known).expect("its figures");
    let stage = Stage::with_cache(folder.join("cache"));
    let screen = Screen::open(&stage);
    screen.resize(1280, 800);
    screen.script(HELPERS, &[]);
    screen.click("cached-tab");
    screen.wait("the answer is listed", || screen.text("cached-open"));

    let mut table = Table(String::new());
    let open =
        "bench.measure(() => document.querySelector('[data-testid=cached-open]').click(), bench.drawn)";
    table.line("Open to first rows", &milliseconds(time(&screen, open)), "100 ms");
    let open_memory = screen.memory();
    pages(&screen, &mut table, "Page at a random offset", "20 ms");
    table.line("Scrolled from the first row to the last in 10 s", &scrolled(&screen), "");

    screen.click("filter-row-button");
    let filter = |path: &str, text: &str| {
        let field = format!("[data-testid=grid] .filter-field[data-path='{path}']");
        screen.script(
            "document.querySelector(arguments[0]).scrollIntoView({inline: 'center'})",
            &[json!(field)],
        );
        let before = screen.text("narrowed").unwrap_or_default();
        let script = format!(
            "const field = document.querySelector(\"{field}\");
            bench.measure(() => {{ bench.type(field, '{text}'); bench.enter(field); }},
                () => bench.text('narrowed') !== '{before}' && bench.drawn())"
        );
        time(&screen, &script)
    };
    table.line("Filter by one column", &milliseconds(filter("product", "=Brent")), "2 s");
    pages(&screen, &mut table, "Page at a random offset, filtered", "50 ms");
    filter("product", "");
    group(&screen, &mut table);

    let find = "
        const field = document.querySelector('[data-testid=find-input]');
        bench.measure(() => { bench.type(field, 'no such text'); setTimeout(() => bench.enter(field), 0); },
            () => bench.text('find-state').startsWith('No row'))";
    screen.click_on("[data-testid=grid] .slick-row .slick-cell.l0");
    screen.chord(&[super::keys::CONTROL], 'f');
    screen.wait("the search is open", || screen.text("find-bar"));
    table.line("Search all columns", &milliseconds(time(&screen, find)), "5 s");
    screen.type_into(&marked("find-input"), super::keys::ESCAPE);

    table.line(&format!("Sort by {SORTED_BY} (Decimal128)"), &milliseconds(sort(&screen)), "2 s");
    pages(&screen, &mut table, "Page at a random offset, sorted", "50 ms");
    for _ in 0..4 {
        sort(&screen);
    }
    let sorted_memory = screen.memory();
    let memory = format!("{} MB, {} MB after five sorts", open_memory / 1_000_000, sorted_memory / 1_000_000);
    table.line("Memory of all processes", &memory, "1 GB");
    let number = |name: &str| known[name].as_f64().unwrap_or_default();
    let ratio = number("export_ms") / number("copy_ms");
    table.line("Export as CSV beside DuckDB's COPY", &format!("{ratio:.2}"), "1.2");
    println!("\n{} rows\n\n| what | figure | aim |\n|---|---|---|\n{}", known["rows"], table.0);
}

/// The milliseconds of something that the page measures.
fn time(screen: &Screen, script: &str) -> f64 {
    result(screen, script).as_f64().unwrap_or_default()
}

/// Starts something in the page and waits for its result.
fn result(screen: &Screen, script: &str) -> Value {
    screen.script(script, &[]);
    let begun = Instant::now();
    loop {
        let found = screen.script("return bench.result", &[]);
        if !found.is_null() {
            return found;
        }
        if begun.elapsed() > LIMIT {
            screen.fail(&format!("No result in {} s of: {script}", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The median and the 99th percentile of jumps to places all over the rows.
fn pages(screen: &Screen, table: &mut Table, what: &str, aim: &str) {
    // A sequence that fills the range evenly and repeats no place.
    let place = |at: u32| (0.5 + f64::from(at) * 0.618_033_988_75).fract();
    let mut times: Vec<f64> =
        (0..PAGES).map(|at| time(screen, &format!("bench.jump({})", place(at)))).collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| milliseconds(times[times.len() * percent / 100]);
    let figure = format!("{}, 99th percentile {}", at(50), at(99));
    table.line(what, &figure, aim);
}

fn scrolled(screen: &Screen) -> String {
    let found = result(screen, &format!("bench.scroll({SCROLL_MS})"));
    format!(
        "{} frames, {} dropped, {} with rows that were still to come, the longest {}",
        found["frames"],
        found["dropped"],
        found["blank"],
        milliseconds(found["longest"].as_f64().unwrap_or_default())
    )
}

/// One click on the heading.
fn sort(screen: &Screen) -> f64 {
    let heading = format!("[data-testid=grid] .slick-header-column[data-path='{SORTED_BY}']");
    screen
        .script("document.querySelector(arguments[0]).scrollIntoView({inline: 'center'})", &[json!(heading)]);
    time(screen, "bench.jump(0)");
    let script = format!(
        "const before = bench.first();
        bench.measure(() => document.querySelector(\"{heading}\").click(),
            () => bench.first() !== before && bench.drawn())"
    );
    time(screen, &script)
}

/// By the products, as the summary does it.
fn group(screen: &Screen, table: &mut Table) {
    let script = "
        const invoke = window.__TAURI_INTERNALS__.invoke;
        bench.result = null;
        invoke('cached_queries').then(([query]) => {
            const held = query.held;
            const key = {signature: query.signature, from: held[0].from, to: held[held.length - 1].to};
            const begun = performance.now();
            return invoke('group_rows', {
                key,
                rows: {role: 'input', sorts: []},
                request: {by: [{path: 'product'}], figures: [], limit: 100},
                requestId: 1,
            }).then(() => { bench.result = performance.now() - begun; });
        }).catch(error => { bench.result = String(error.message ?? error); });";
    let found = result(screen, script);
    let figure = found.as_f64().map_or_else(|| found.to_string(), milliseconds);
    table.line("Group by one column", &figure, "2 s");
}

fn milliseconds(time: f64) -> String {
    format!("{time:.0} ms")
}
