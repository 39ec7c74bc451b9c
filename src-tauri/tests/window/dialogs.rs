//! Every dialog of the window, light and dark, in three sizes. With `TIDEMARK_SCREENSHOTS` naming a folder it
//! leaves a picture of each there; without, it still looks for what is cut off.

use std::time::Duration;

use serde_json::{Value, json};

use super::screen::{Screen, marked};
use super::stage::Stage;
use super::webdriver::keys;
use super::{FETCH, choose_the_only_collection, fetch, plan, show_panel};

/// The sizes of the page: the smallest window, a usual one and a large one.
const SIZES: [(u32, u32); 3] = [(900, 600), (1280, 800), (1920, 1080)];

/// Finds labels and buttons that are cut off or stick out of the dialog that they belong to, and scrolled boxes
/// within scrolled boxes.
const CUT: &str = r#"
    const found = [];
    const name = node => `${node.className || node.tagName} "${node.textContent.trim().slice(0, 40)}"`;
    const isSeen = node => node.checkVisibility() && node.getClientRects().length > 0
        && !node.closest('[inert], [aria-hidden=true], .visually-hidden');
    const labels = '.button, .tab, .segment-button, .field-label, .checkbox-text, .sort-mark';
    for (const node of document.querySelectorAll(labels)) {
        if (!isSeen(node)) continue;
        const isBox = node.clientWidth > 0 && getComputedStyle(node).display !== 'inline';
        if (isBox && node.scrollWidth > node.clientWidth + 1)
            found.push(`cut off: ${name(node)}`);
        if (node.matches('.button, .tab, .segment-button, .sort-mark') && node.getClientRects()[0].height > 40)
            found.push(`wraps: ${name(node)}`);
    }
    const dialog = [...document.querySelectorAll('.modal')].pop();
    if (dialog) {
        if (dialog.scrollWidth > dialog.clientWidth + 1 || dialog.scrollHeight > dialog.clientHeight + 1)
            found.push('the dialog itself scrolls');
        const right = dialog.getBoundingClientRect().right;
        for (const node of dialog.querySelectorAll('.buttons .button'))
            if (node.getBoundingClientRect().right > right) found.push(`sticks out: ${name(node)}`);
        const bars = [...dialog.querySelectorAll('*')].filter(node => node.scrollHeight > node.clientHeight + 1
            && ['auto', 'scroll'].includes(getComputedStyle(node).overflowY) && node.tagName !== 'TEXTAREA');
        for (const node of bars)
            if (bars.some(other => other !== node && other.contains(node)))
                found.push(`scrolls within what scrolls: ${name(node)}`);
    }
    return [...new Set(found)];
"#;

/// Looks at what is open, in each theme and size.
struct Tour<'a> {
    screen: &'a Screen,
    found: Vec<String>,
}

impl Tour<'_> {
    fn look(&mut self, name: &str) {
        for theme in ["light", "dark"] {
            self.screen.script("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
            for (width, height) in SIZES {
                self.screen.resize(width, height);
                self.screen.picture(&format!("{name}-{theme}-{width}x{height}"));
                let cut = self.screen.script(CUT, &[]);
                for what in cut.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    self.found.push(format!("{name} at {width}x{height}: {what}"));
                }
            }
        }
    }

    /// Closes what Escape closes.
    fn escape(&self, dialog: &str) {
        self.screen.press(keys::ESCAPE);
        self.screen.wait(&format!("{dialog} is closed"), || self.screen.text(dialog).is_none().then_some(()));
    }
}

#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn every_dialog_fits() {
    let stage = Stage::at_first_start();
    let screen = &Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "not_configured");
    // The first size is only drawn once the window is where it stays.
    std::thread::sleep(Duration::from_secs(1));
    screen.resize(1280, 800);
    let mut tour = Tour { screen, found: Vec::new() };
    tour.look("01-first-start");
    screen.click("welcome-database-team");
    screen.wait("the page is open", || screen.text("database-team-dialog"));
    tour.look("02-database-team");
    tour.escape("database-team-dialog");

    screen.click("welcome-setup");
    screen.wait("the form is open", || screen.text("source-dialog"));
    tour.look("03-source-new");
    screen.type_into(&marked("source-uri"), &format!("{}{}", stage.server.uri(), keys::TAB));
    screen.click("source-test");
    screen.wait("the test has ended", || {
        screen.text("source-test-summary").filter(|text| text.contains("answers"))
    });
    tour.look("04-source-test-without-collection");
    screen.press(keys::ESCAPE);
    screen.wait("the window asks", || screen.attribute("source-discard", "data-testid"));
    tour.look("05-source-discard");
    screen.click("source-keep");
    choose_the_only_collection(screen);
    tour.look("06-source-chosen");
    screen.wait_for("a mapping is proposed", FETCH, || screen.text("proposal"));
    screen.click_on("[data-testid=mapping-trade_id] + button");
    tour.look("07-source-mapping-list");
    screen.press(keys::ESCAPE);
    screen.click("mapping-as-text");
    scroll_to(screen, "source-mapping");
    tour.look("08-source-mapping-text");
    screen.click("mapping-as-text");
    screen.click("source-form-section");
    scroll_to(screen, "source-form-hosts");
    tour.look("09-source-by-form");
    screen.click("source-form-section");
    screen.click("source-test");
    screen.wait("the test has ended", || {
        screen.text("source-test-summary").filter(|text| text.contains("can be used"))
    });
    tour.look("10-source-test");
    screen.click("source-connect");
    screen.wait_attribute("connection-status", "data-state", "online");
    plan(screen);
    tour.look("11-before-the-first-fetch");

    assert_eq!(fetch(screen), "server");
    screen.wait("rows are counted", || screen.count("row-count-input"));
    tour.look("12-answer");
    // As wide as the counts of a busy year.
    screen.script(
        "document.querySelectorAll('[data-testid^=row-count]').forEach(it => it.textContent = '12,345,678')",
        &[],
    );
    tour.look("12-answer-of-many");
    let rest = [
        ("settings-button", "settings-dialog", "13-settings"),
        ("help-button", "shortcuts-dialog", "14-keys"),
    ];
    for (button, dialog, name) in rest {
        screen.click(button);
        screen.wait("the dialog is open", || screen.text(dialog));
        tour.look(name);
        tour.escape(dialog);
    }
    screen.click("pipeline-button");
    screen.wait("the pipeline is shown", || screen.text("pipeline-text"));
    tour.look("15-pipeline");
    tour.escape("pipeline-dialog");
    screen.click("export-button");
    screen.wait("the dialog is open", || screen.text("export-dialog"));
    screen.click("export-format-xlsx");
    tour.look("16-export");
    screen.click("export-format-csv");
    screen.click("export-start");
    screen.wait("the export is done", || screen.text("export-result"));
    tour.look("16-exported");
    screen.click_on(&format!("{} [aria-label=Dismiss]", marked("export-result")));
    show_panel(screen);
    screen.click("cached-tab");
    screen.wait("a cached query is listed", || screen.text("cached-open"));
    tour.look("17-cached");
    screen.click("query-tab");

    screen.click("source-button");
    screen.wait("the list is open", || screen.text("sources-dialog"));
    tour.look("18-sources");
    screen.click("source-delete");
    tour.look("19-source-delete");
    screen.press(keys::ESCAPE);
    screen.click("source-edit");
    screen.wait("the mapping is read", || screen.attribute("proposed-trade_id", "data-testid"));
    tour.look("20-source-edit");
    let before = screen.value("source-uri");
    screen.type_into(&marked("source-uri"), &keys::BACKSPACE.repeat(before.len()));
    screen.type_into(&marked("source-uri"), &format!("mongodb://127.0.0.1:1/{}", keys::TAB));
    screen.click("source-connect");
    screen.wait_for("it does not connect", FETCH, || screen.text("source-failure"));
    tour.look("21-source-refused");
    assert!(tour.found.is_empty(), "{}", tour.found.join("\n"));
}

/// Brings a part of a dialog into sight.
fn scroll_to(screen: &Screen, mark: &str) {
    screen.wait("it is there", || screen.attribute(mark, "data-testid"));
    let script =
        "document.querySelector(`[data-testid=\"${arguments[0]}\"]`).scrollIntoView({block: 'start'})";
    screen.script(script, &[json!(mark)]);
    std::thread::sleep(Duration::from_millis(100));
}
