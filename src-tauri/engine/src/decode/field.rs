//! Fields: a dotted path and the type found there.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bson::path::is_within;

/// Number of a [`Field`] within one cache file. The physical column is named `c<number>`.
pub type FieldId = u32;

/// The stored type of a physical column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Only nulls so far: known as a field, without a physical column.
    Null,
    /// `BOOLEAN`.
    Bool,
    /// `INTEGER`.
    Int32,
    /// `BIGINT`.
    Int64,
    /// `DOUBLE`.
    Double,
    /// The double -0.0, as text: DuckDB's compression takes it for 0.0.
    MinusZero,
    /// Decimal128, as its exact text: 34 digits fit no native column.
    Decimal,
    /// Milliseconds since 1970 in UTC, as `BIGINT`; years 1 to 9999.
    Date,
    /// Text.
    Text,
    /// 24 hex digits.
    ObjectId,
    /// Arrays, empty sub-documents and the rare types, as relaxed Extended JSON.
    Json,
}

impl Kind {
    /// Every kind, in BSON's comparison order as far as that applies.
    pub const ALL: [Self; 11] = [
        Self::Null,
        Self::Int32,
        Self::Int64,
        Self::Double,
        Self::MinusZero,
        Self::Decimal,
        Self::Text,
        Self::Json,
        Self::ObjectId,
        Self::Bool,
        Self::Date,
    ];

    /// Name in the cache file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Double => "double",
            Self::MinusZero => "minus_zero",
            Self::Decimal => "decimal128",
            Self::Date => "date",
            Self::Text => "string",
            Self::ObjectId => "objectId",
            Self::Json => "json",
        }
    }

    /// Name of the type in the window: as in the file, but -0.0 is a double.
    #[must_use]
    pub const fn shown_name(self) -> &'static str {
        match self {
            Self::MinusZero => Self::Double.name(),
            other => other.name(),
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Type of the physical column, if there is one.
    #[must_use]
    pub const fn sql_type(self) -> Option<&'static str> {
        Some(match self {
            Self::Null => return None,
            Self::Bool => "BOOLEAN",
            Self::Int32 => "INTEGER",
            Self::Int64 | Self::Date => "BIGINT",
            Self::Double => "DOUBLE",
            Self::MinusZero | Self::Decimal | Self::Text | Self::ObjectId | Self::Json => "VARCHAR",
        })
    }

    /// Whether its values are numbers.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64 | Self::Double | Self::MinusZero | Self::Decimal)
    }
}

/// A path and a type found there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Dotted path.
    pub path: Arc<str>,
    /// Type found there.
    pub kind: Kind,
}

/// The fields of one cache file. Numbers are assigned once and never change, so that windows decoded concurrently
/// agree on them.
#[derive(Debug, Default)]
pub struct FieldRegistry {
    inner: Mutex<Fields>,
    /// The number of fields, outside the lock because it is read for every document.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Fields {
    list: Vec<Field>,
    numbers: HashMap<Field, FieldId>,
    /// The paths of the fields, those expected, and all their prefixes.
    paths: HashSet<Box<str>>,
}

impl Fields {
    fn know(&mut self, path: &str) {
        let prefixes = path.match_indices('.').map(|(at, _)| &path[..at]);
        for known in prefixes.chain([path]) {
            if !self.paths.contains(known) {
                self.paths.insert(known.into());
            }
        }
    }
}

impl FieldRegistry {
    /// A registry that already knows these fields, numbered in order.
    #[must_use]
    pub fn with(fields: Vec<Field>) -> Self {
        let registry = Self::default();
        for field in fields {
            registry.number_of(&field.path, field.kind);
        }
        registry
    }

    /// The number of a field, assigned now if it is new.
    pub fn number_of(&self, path: &str, kind: Kind) -> FieldId {
        let mut fields = self.lock();
        let field = Field { path: path.into(), kind };
        if let Some(number) = fields.numbers.get(&field) {
            return *number;
        }
        let number = FieldId::try_from(fields.list.len()).expect("fewer than 2^32 fields");
        fields.numbers.insert(field.clone(), number);
        fields.know(path);
        fields.list.push(field);
        self.count.store(fields.list.len(), Ordering::Relaxed);
        number
    }

    /// Marks paths as known, so that there is room for their columns however many other fields come first.
    pub fn expect_paths<'a>(&self, paths: impl IntoIterator<Item = &'a str>) {
        let mut fields = self.lock();
        paths.into_iter().for_each(|path| fields.know(path));
    }

    /// Whether a field or an expected path is this path or lies below it.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        self.lock().paths.contains(path)
    }

    /// Whether a document with fields of this registry may have a value at this path. The value may lie in an array,
    /// or among the fields that have no column of their own.
    #[must_use]
    pub fn may_hold(&self, path: &str) -> bool {
        self.lock().list.iter().any(|field| {
            is_within(&field.path, path)
                || (field.kind == Kind::Json && is_within(path, &field.path))
                || &*field.path == super::MORE_FIELDS
        })
    }

    /// The paths of all fields.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.lock().list.iter().map(|field| field.path.to_string()).collect()
    }

    /// The field with this number.
    #[must_use]
    pub fn field(&self, number: FieldId) -> Option<Field> {
        self.lock().list.get(number as usize).cloned()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Fields> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
