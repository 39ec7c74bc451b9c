//! Finds the documents of trades by their ids, whatever their day.

use std::collections::HashSet;

use bson::{Bson, RawBson, RawDocumentBuf};

use super::stop::Stop;
use super::view::{View, read_document, texts};
use crate::bson::extjson::write_relaxed;
use crate::bson::path::is_within;
use crate::cache::file::error::Result;
use crate::cache::file::schema;
use crate::cache::file::sql::{Sql, Text, sql};
use crate::day::Day;
use crate::decode::{Field, FieldId, Kind, MORE_FIELDS};
use crate::query::trade::trades_of;
use crate::rows::Role;

/// The most rows of one span that are looked at: an id within an array is first looked for as a text.
const MOST_ROWS: u32 = 10_000;

/// A document of one of the trades.
#[derive(Debug, Clone)]
pub struct TradeMatch {
    /// Its role.
    pub role: Role,
    /// The day under which the view shows it.
    pub day: Day,
    /// The document.
    pub document: RawDocumentBuf,
    /// The keys of those of the trades that it carries.
    pub keys: Vec<String>,
}

impl View {
    /// The documents that carry one of these trade ids, input first, at most `limit` of them. `keys` are those of the
    /// ids.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `cancelled` if it was stopped.
    pub fn documents_of_trades(
        &self,
        ids: &[Bson],
        keys: &HashSet<String>,
        limit: usize,
        stop: &Stop,
    ) -> Result<Vec<TradeMatch>> {
        let mut found = Vec::new();
        let worker = self.worker(stop)?;
        for role in [Role::Input, Role::Downstream] {
            let Some(path) = self.file().identity().mapping.trade_path(role) else { continue };
            for span in self.spans(role).iter().filter(|span| span.rows > 0) {
                stop.check()?;
                let tests = self.may_carry(role, span.segment, path, ids);
                if tests.is_empty() {
                    continue;
                }
                let select = sql!(
                    "SELECT ({})::VARCHAR, hex(doc) FROM {} AND ({}) LIMIT {MOST_ROWS}",
                    span.day,
                    self.source(role, span),
                    Sql::join(tests, " OR "),
                    MOST_ROWS = MOST_ROWS
                );
                for row in texts(&worker, &select, 2)? {
                    let (day, document) = read_document(&row)?;
                    let mut carried = trades_of(path, &document);
                    carried.retain(|key| keys.contains(key));
                    if carried.is_empty() {
                        continue;
                    }
                    found.push(TradeMatch { role, day, document, keys: carried });
                    if found.len() >= limit {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The conditions of which a row meets one if it carries one of the ids. Rows that do not may meet one as well:
    /// what is in an array is only looked for as a text.
    fn may_carry(&self, role: Role, segment: u32, path: &str, ids: &[Bson]) -> Vec<Sql> {
        let registry = self.file().registry();
        let has = self.has(role, segment);
        let known = FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX);
        let fields = (0..known).filter(|number| has(*number));
        let fields = fields.filter_map(|number| Some((number, registry.field(number)?)));
        fields.filter_map(|(number, field)| test_of(number, &field, path, ids)).collect()
    }
}

/// The condition that a column holds one of the ids; `None` if it cannot.
fn test_of(number: FieldId, field: &Field, path: &str, ids: &[Bson]) -> Option<Sql> {
    let column = schema::column(number);
    let is_beyond = &*field.path == MORE_FIELDS;
    if field.kind == Kind::Json && (is_beyond || is_within(path, &field.path)) {
        let contains = |needle: &String| sql!("contains({column}, {})", Text(needle), column);
        let needles: Vec<Sql> = ids.iter().flat_map(needles).map(|needle| contains(&needle)).collect();
        return (!needles.is_empty()).then(|| Sql::join(needles, " OR "));
    }
    if *field.path != *path {
        return None;
    }
    let values: Vec<Sql> = ids.iter().filter_map(|id| literal(field.kind, id)).collect();
    if values.is_empty() {
        return None;
    }
    // Decimals are stored as their exact text, of which one number has many.
    let column =
        if field.kind == Kind::Decimal { sql!("TRY_CAST({column} AS DOUBLE)", column) } else { column };
    Some(sql!("{column} IN ({})", Sql::join(values, ", "), column))
}

/// An id as a value of a column.
fn literal(kind: Kind, id: &Bson) -> Option<Sql> {
    match (kind, id) {
        (Kind::Text, Bson::String(text)) => Some(sql!("{}", Text(text))),
        (Kind::ObjectId, Bson::ObjectId(id)) => Some(sql!("{}", Text(&id.to_hex()))),
        (Kind::Date, Bson::DateTime(at)) => Some(sql!("{}", at.timestamp_millis())),
        (Kind::Bool, Bson::Boolean(truth)) => Some(sql!("{truth}", truth)),
        (Kind::Int32 | Kind::Int64, id) => {
            sql_number(id).map(|number| sql!("TRY_CAST({number} AS BIGINT)", number))
        }
        (Kind::Double | Kind::Decimal | Kind::MinusZero, id) => {
            sql_number(id).map(|number| sql!("TRY_CAST({number} AS DOUBLE)", number))
        }
        _ => None,
    }
}

/// A number as quoted text.
fn sql_number(id: &Bson) -> Option<Sql> {
    let text = match id {
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => number.to_string(),
        Bson::Decimal128(number) => number.to_string(),
        _ => return None,
    };
    Some(sql!("{}", Text(&text)))
}

/// Texts of which one is in the relaxed Extended JSON of every value that has the id in it.
fn needles(id: &Bson) -> Vec<String> {
    match id {
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => {
            let text = id.to_string();
            let digits = text.trim_matches(|character: char| !character.is_ascii_digit()).to_owned();
            // One of many digits may be written with an exponent.
            vec![digits, "E".to_owned(), "e".to_owned()]
        }
        id => {
            let Ok(raw) = RawBson::try_from(id.clone()) else { return Vec::new() };
            let mut text = String::new();
            if write_relaxed(&mut text, raw.as_raw_bson_ref()) { vec![text] } else { Vec::new() }
        }
    }
}
