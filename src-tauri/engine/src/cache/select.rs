//! The statements of an export: all rows of a view, as text or as they are stored.

use std::collections::HashSet;
use std::sync::Arc;

use bson::RawDocument;

use super::relation::{Column, literal};
use super::schema;
use super::slices::in_slices;
use super::view::{View, direction};
use crate::decode::{Decoder, FieldId, FieldRegistry, FieldSet, Kind, RowKey};
use crate::desk::{Role, Sort};
use crate::failure::Result;

/// Documents looked through at once.
const PASS_BYTES: usize = 4 << 20;

impl View {
    /// `SELECT` of a CSV: the paths as its first row, then all rows of a role as text, in the view's
    /// order. The paths are values, not names: DuckDB would rename two that differ only in case.
    pub(super) fn select_csv(&self, role: Role, sort: Option<&Sort>) -> Result<String> {
        let columns = self.exact_columns(role)?;
        let sorted = sort.map(|sort| self.sort_column(role, sort)).transpose()?;
        let parts: Vec<String> = self
            .runs(role)
            .iter()
            .filter(|run| run.rows > 0)
            .map(|run| {
                let has = self.has(role, run.segment);
                let texts = columns.iter().map(|column| column.text(&has));
                let mut list: Vec<String> =
                    texts.enumerate().map(|(place, text)| format!("{text} AS t{place}")).collect();
                if list.is_empty() {
                    list.push("NULL::VARCHAR AS t0".to_owned());
                }
                if let Some(column) = &sorted {
                    let keys = column.order(&has).into_iter().enumerate();
                    list.extend(keys.map(|(index, key)| format!("{key} AS k{index}")));
                }
                format!("SELECT {} FROM {}", list.join(", "), self.source(role, run))
            })
            .collect();
        let mut names: Vec<&str> = columns.iter().map(|column| column.path.as_str()).collect();
        if names.is_empty() {
            names.push("_id");
        }
        let names: Vec<String> =
            names.iter().enumerate().map(|(place, name)| format!("{} AS t{place}", literal(name))).collect();
        let header = format!("SELECT {}", names.join(", "));
        if parts.is_empty() {
            return Ok(header);
        }
        let all = parts.join(" UNION ALL ");
        Ok(match sort {
            None => format!("{header} UNION ALL {all}"),
            Some(sort) => {
                let texts =
                    (0..columns.len()).map(|place| format!("t{place}")).collect::<Vec<_>>().join(", ");
                let keys = (0..5)
                    .map(|index| format!("k{index} {}", direction(sort)))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("{header} UNION ALL (SELECT {texts} FROM ({all}) ORDER BY {keys})")
            }
        })
    }

    /// `SELECT` of the stored columns of a role, as they are.
    pub(super) fn select_stored(&self, role: Role) -> String {
        let parts: Vec<String> = self
            .runs(role)
            .iter()
            .map(|run| format!("SELECT * EXCLUDE (number, read, doc, id) FROM {}", self.source(role, run)))
            .collect();
        if parts.is_empty() {
            "SELECT NULL WHERE false".to_owned()
        } else {
            parts.join(" UNION ALL BY NAME ")
        }
    }

    /// The columns that the rows of a role really have: [`columns`](Self::columns) may name some of rows
    /// that stand for a document shown elsewhere, and the ledger does not tell the downstream rows of
    /// trades with input on several days apart. It costs a pass over the rows.
    pub(super) fn exact_columns(&self, role: Role) -> Result<Vec<Column>> {
        let mut columns = self.columns(role);
        let any_hidden = self.hidden.iter().any(|((hidden, _), rows)| *hidden == role && *rows > 0);
        if role == Role::Input && !any_hidden {
            return Ok(columns);
        }
        let runs = || self.runs(role).iter().filter(|run| run.rows > 0);
        let connection = self.connection();
        let mut found = FieldSet::default();
        for run in runs() {
            let has = self.has(role, run.segment);
            let fields: Vec<FieldId> = columns
                .iter()
                .flat_map(|column| &column.fields)
                .filter(|(kind, field)| **kind != Kind::Null && has(**field) && !found.contains(**field))
                .map(|(_, field)| *field)
                .collect();
            if fields.is_empty() {
                continue;
            }
            let list =
                fields.iter().map(|field| format!("count(c{field}) > 0")).collect::<Vec<_>>().join(", ");
            connection.query_row(&format!("SELECT {list} FROM {}", self.source(role, run)), [], |row| {
                for (at, field) in fields.iter().enumerate() {
                    if row.get(at)? {
                        found.insert(*field);
                    }
                }
                Ok(())
            })?;
        }
        for column in &mut columns {
            column.fields.retain(|kind, field| *kind == Kind::Null || found.contains(*field));
        }
        columns.retain(|column| !column.fields.is_empty());
        // Nulls have no physical column; where a path has nothing else, the documents say.
        let only_null = |column: &Column| column.fields.keys().all(|kind| *kind == Kind::Null);
        if !columns.iter().any(only_null) {
            return Ok(columns);
        }
        let registry = Arc::new(FieldRegistry::default());
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        for run in runs() {
            let table = schema::table(role, run.segment);
            let source = self.source(role, run);
            let select = |slice: &str| format!("SELECT doc FROM {source} AND {slice}");
            in_slices(&connection, &table, &run.wanted, &select, &mut |row| {
                let bytes: Vec<u8> = row.get(0)?;
                if let Ok(document) = RawDocument::from_bytes(&bytes) {
                    decoder.push(RowKey { day: run.from, trade: None, read: 0 }, document);
                }
                if decoder.bytes() > PASS_BYTES {
                    drop(decoder.finish_batch());
                }
                Ok(())
            })?;
        }
        let paths: HashSet<Arc<str>> = (0..FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX))
            .filter_map(|number| registry.field(number).map(|field| field.path))
            .collect();
        columns.retain(|column| !only_null(column) || paths.contains(&*column.path));
        Ok(columns)
    }
}
