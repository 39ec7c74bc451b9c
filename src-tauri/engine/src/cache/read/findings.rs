//! Notes about the rows that a view shows.

use super::view::View;
use crate::answer::{LeftOut, Unmatched, UnmatchedPart, left_out};
use crate::query::mapping::Mapping;
use crate::query::near_miss::{did_you_mean, near_misses};
use crate::rows::Role;

/// The documents that a view's answer leaves out.
pub(crate) fn left_out_of(view: &View, mapping: &Mapping) -> Vec<LeftOut> {
    let (state, range) = (view.state(), view.range());
    let days = state.shown_in(range).map(|(day, held)| (day, &held.left_out));
    left_out::of_days(mapping, (range.from().year(), range.to().year()), &state.odd_dates, days)
}

/// The parts of a view's query that match nothing.
pub(crate) fn unmatched_of(view: &View) -> Vec<Unmatched> {
    let mut unmatched = view.state().unmatched.clone();
    unmatched.extend(no_trade_ids(view));
    unmatched
}

/// Reports that none of the view's trades has a trade id. It is derived from the view, so it appears whenever its
/// rows are shown.
fn no_trade_ids(view: &View) -> Option<Unmatched> {
    let path = view.path_without_trade_ids()?;
    let columns = view.columns(Role::Input);
    let known = columns.iter().map(|column| &*column.path);
    let near = near_misses(path, known);
    let why = format!(
        "None of these trades has a trade id ({path}); their messages cannot be found.{}",
        did_you_mean(&near)
    );
    Some(Unmatched {
        part: UnmatchedPart::TradeId,
        field: None,
        path: path.to_owned(),
        value: None,
        near,
        why,
    })
}
