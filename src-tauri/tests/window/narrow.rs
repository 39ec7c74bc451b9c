//! The rows of an answer narrowed by a column, and searched.

use super::webdriver::keys;

use super::cells;
use super::screen::{Screen, marked};

/// One trade by its id, typed under the heading; the chip and the count say that rows are left out.
pub(crate) fn filter(screen: &Screen) {
    let all = screen.count("row-count-input").unwrap_or_default();
    let id = cells(screen, 0, 1).pop().unwrap_or_default();
    let field = "[data-testid=grid] .filter-field[data-path=trade_id]";
    screen.click("filter-row-button");
    screen.type_into(field, &format!("={id}{}", keys::ENTER));
    let said = screen.wait("the window says that the rows are narrowed", || screen.text("narrowed"));
    assert!(said.ends_with(&format!(" of {all} rows")), "rows are counted differently: {said}");
    let kept: u64 = said.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
    let shown = screen.wait("only this trade's rows are drawn", || {
        let shown = cells(screen, 0, 12);
        (!shown.is_empty() && shown.iter().all(|cell| *cell == id)).then_some(shown)
    });
    assert_eq!(shown.len() as u64, kept, "the count is not that of the rows");
    assert!(screen.text("filter-chip").is_some_and(|chip| chip.contains(&id)), "no chip names the filter");
    screen.picture("filtered");
    screen.type_into(field, keys::ESCAPE);
    screen.wait("all rows are back", || screen.text("narrowed").is_none().then_some(()));
    screen.click("filter-row-button");
}

/// A text in any column: each Enter goes to the next row that has it, and no row is left out.
pub(crate) fn find(screen: &Screen) {
    let id = cells(screen, 0, 1).pop().unwrap_or_default();
    screen.click_on("[data-testid=grid] .slick-row .slick-cell.l0");
    screen.chord(&[keys::CONTROL], 'f');
    let field = marked("find-input");
    screen.type_into(&field, &format!("{}{}", id.to_lowercase(), keys::ENTER));
    screen.wait("the first is found", || screen.text("find-state").filter(|said| said.starts_with("1 of ")));
    screen.type_into(&field, &format!("{}no such text{}", keys::BACKSPACE.repeat(id.len()), keys::ENTER));
    screen.wait("the window says that there is none", || {
        screen.text("find-state").filter(|said| said.contains("No row has this text"))
    });
    screen.picture("found");
    screen.type_into(&field, keys::ESCAPE);
    screen.wait("the search is closed", || screen.text("find-bar").is_none().then_some(()));
}
