//! Documents as a person reads them: indented Extended JSON.

use std::fmt;

use bson::{Bson, Document, RawBsonRef, RawDocument};

use super::extjson::{is_deeper_than, write_relaxed};
use super::uuids;

/// Deepest nesting that is shown: `serde_json` parses 128 levels, and MongoDB itself allows 100.
const SHOWN_LEVELS: usize = 120;

/// Why a document cannot be shown.
#[derive(Debug)]
pub(crate) enum NotShown {
    /// It is nested too deeply.
    TooDeep,
    /// Its bytes are not valid BSON: what is wrong with them.
    Broken(String),
}

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "This document is nested more than {SHOWN_LEVELS} levels deep."),
            Self::Broken(_) => f.write_str("This document's bytes are not valid BSON."),
        }
    }
}

impl std::error::Error for NotShown {}

/// A document as relaxed and as canonical Extended JSON, indented.
///
/// # Errors
/// See [`NotShown`].
pub(crate) fn as_json(document: &RawDocument) -> Result<(String, String), NotShown> {
    if is_deeper_than(document, SHOWN_LEVELS) {
        return Err(NotShown::TooDeep);
    }
    let broken = |error: &dyn fmt::Display| NotShown::Broken(error.to_string());
    let mut relaxed = String::new();
    if !write_relaxed(&mut relaxed, RawBsonRef::Document(document)) {
        return Err(NotShown::Broken("it cannot be read to its end".to_owned()));
    }
    let mut relaxed: serde_json::Value = serde_json::from_str(&relaxed).map_err(|error| broken(&error))?;
    uuids::show_standard(&mut relaxed);
    let document = Document::try_from(document).map_err(|error| broken(&error))?;
    let canonical = Bson::Document(document).into_canonical_extjson();
    Ok((format!("{relaxed:#}"), format!("{canonical:#}")))
}
