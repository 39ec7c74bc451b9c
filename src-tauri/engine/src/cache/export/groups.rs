//! Exports of groups of rows, with their figures.

use std::collections::HashMap;
use std::sync::Arc;

use duckdb::arrow::array::{ArrayRef, StringArray};
use duckdb::arrow::datatypes::{DataType, Field, Schema};
use duckdb::arrow::record_batch::RecordBatch;

use super::forms::{form_of, plain_decimals};
use super::sql::{Content, ExportRows};
use super::table::{ColumnForm, TableColumn};
use super::writing::{Destination, Export, RowSource, Written};
use crate::cache::file::error::{Purpose, Result};
use crate::cache::read::column::{Column, find_column};
use crate::cache::read::view::View;
use crate::day::DayZone;
use crate::decode::Kind;
use crate::rows::summary::{DateUnit, Figure, FigureKind, Group, GroupColumn, GroupRequest};
use crate::rows::{ExportOptions, RowQuery};

/// Groups that are passed to the writer at a time.
const BATCH: usize = 2_048;

impl View {
    /// Writes all groups of the rows of a query in a format, in the order of the request, whose limit does not matter.
    ///
    /// # Errors
    /// As for rows, and `bad_filter` if a column does not exist.
    pub fn export_groups(
        &self,
        export: &Export,
        query: &RowQuery,
        (request, zone): (&GroupRequest, DayZone),
        options: &ExportOptions,
        destination: &Destination,
    ) -> Result<Written> {
        let columns = self.columns(query.role);
        let request = GroupRequest { limit: u32::MAX, ..request.clone() };
        let groups = self.groups(query, &request, zone, &export.stop)?.groups;
        let find = |path: &str| find_column(&columns, path, Purpose::Export);
        let keys = request.by.iter().map(|by| Ok(key_column(by, &find(&by.path)?)));
        let figures = request.figures.iter().enumerate().map(|(place, figure)| {
            let column = figure.path.as_deref().map(find).transpose()?;
            let texts = || groups.iter().filter_map(move |group| group.figures[place].as_deref());
            Ok(figure_column(figure, column.as_ref(), texts()))
        });
        let table: Vec<(TableColumn, Kind)> = keys.chain(figures).collect::<Result<_>>()?;
        let batches: Vec<RecordBatch> =
            groups.chunks(BATCH).map(|groups| batch_of(groups, table.len(), request.by.len())).collect();
        let (table, kinds) = table.into_iter().unzip();
        let rows = ExportRows { content: Content::Result(kinds), table, selects: Vec::new() };
        let total = groups.len() as u64;
        export.write(self.file(), RowSource::Batches(&batches), (&rows, total), options, destination)
    }
}

/// A column of what the rows of a group have in common.
fn key_column(by: &GroupColumn, column: &Column) -> (TableColumn, Kind) {
    let path = &by.path;
    let unit = match by.unit {
        None => {
            let form = form_of(&column.fields, &HashMap::new());
            return (TableColumn { name: path.clone(), form }, only_kind(column));
        }
        Some(DateUnit::Day) => "day",
        Some(DateUnit::Week) => "week",
        Some(DateUnit::Month) => "month",
        Some(DateUnit::Year) => "year",
    };
    (TableColumn { name: format!("{path} by {unit}"), form: ColumnForm::Text }, Kind::Text)
}

/// A column of figures, of which all texts are known.
fn figure_column<'a>(
    figure: &Figure,
    column: Option<&Column>,
    texts: impl Iterator<Item = &'a str>,
) -> (TableColumn, Kind) {
    let what = match figure.what {
        FigureKind::Count => "count",
        FigureKind::Distinct => "distinct",
        FigureKind::Sum => "sum",
        FigureKind::Average => "average",
        FigureKind::Min => "min",
        FigureKind::Max => "max",
    };
    let name = figure.path.as_ref().map_or_else(|| "rows".to_owned(), |path| format!("{what} of {path}"));
    let (form, kind) = match (figure.what, column) {
        (FigureKind::Count | FigureKind::Distinct, _) | (_, None) => (ColumnForm::Int64, Kind::Int64),
        (FigureKind::Sum | FigureKind::Average, _) => {
            (plain_decimals(texts).unwrap_or(ColumnForm::Text), Kind::Decimal)
        }
        (FigureKind::Min | FigureKind::Max, Some(column)) => match only_kind(column) {
            Kind::Decimal => (plain_decimals(texts).unwrap_or(ColumnForm::Text), Kind::Decimal),
            kind => (form_of(&column.fields, &HashMap::new()), kind),
        },
    };
    (TableColumn { name, form }, kind)
}

/// The kind of all values of a column; text if there are several.
fn only_kind(column: &Column) -> Kind {
    let mut kinds = column.fields.keys().filter(|kind| **kind != Kind::Null);
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => *kind,
        _ => Kind::Text,
    }
}

fn batch_of(groups: &[Group], width: usize, keys: usize) -> RecordBatch {
    let cell = |group: &Group, place: usize| match place.checked_sub(keys) {
        None => group.keys[place].text.clone(),
        Some(figure) => group.figures[figure].clone(),
    };
    let columns: Vec<ArrayRef> = (0..width)
        .map(|place| {
            let texts: StringArray = groups.iter().map(|group| cell(group, place)).collect();
            Arc::new(texts) as ArrayRef
        })
        .collect();
    let field = |place: usize| Field::new(format!("t{place}"), DataType::Utf8, true);
    let schema = Schema::new((0..width).map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns).expect("the columns come from one list")
}
