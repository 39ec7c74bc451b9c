//! Overrides from environment variables, for the demo and for tests.

use std::env::var_os;
use std::path::PathBuf;

use tidemark_engine::api::source::SourceProfile;
use tidemark_engine::day::Day;
use tidemark_engine::failure::{Code, Failure, Result, shown};
use tidemark_engine::query::form::{FilterInput, FilterOperator, QueryInput};
use tidemark_engine::query::mapping::Mapping;

/// Number of days in the demo's query.
const DEMO_DAYS: i32 = 31;
/// The sample desk's most traded products.
const DEMO_PRODUCTS: [&str; 2] = ["Power DE Base", "Gas TTF"];

/// The values of the environment variables, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `TIDEMARK_CACHE_DIR`: the folder of the cache.
    pub(crate) cache_folder: Option<PathBuf>,
    /// `TIDEMARK_SETTINGS_DIR`: the folder of the settings.
    pub(crate) settings_folder: Option<PathBuf>,
    /// `TIDEMARK_TEST_SAVE_DIALOG`: the file that an export writes without asking. `WebDriver` controls the page, not
    /// the desktop, so a test cannot operate a native dialog; that is tested by hand. Release builds ignore the
    /// variable, which `cargo xtask build --check` verifies.
    pub(crate) save_as: Option<PathBuf>,
    /// `TIDEMARK_DEMO_…`: the source to show instead of the stored ones.
    pub(crate) demo: Option<Demo>,
    /// `TIDEMARK_SAMPLE_…`: the source that the first start offers to try.
    pub(crate) sample: Option<Demo>,
}

/// A source to show, and the path of its mapping.
#[derive(Clone)]
pub(crate) struct Demo {
    uri: String,
    database: String,
    collection: String,
    mapping: Option<PathBuf>,
}

/// The demo's connection string is supplied from outside: it may contain a password.
impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("uri", &shown(&self.uri)).finish_non_exhaustive()
    }
}

impl Environment {
    pub(crate) fn read() -> Self {
        let path = tidemark_settings::folder_in;
        Self {
            cache_folder: path(tidemark_settings::CACHE_FOLDER),
            settings_folder: path(tidemark_settings::SETTINGS_FOLDER),
            #[cfg(debug_assertions)]
            save_as: path("TIDEMARK_TEST_SAVE_DIALOG"),
            #[cfg(not(debug_assertions))]
            save_as: None,
            demo: Demo::read("TIDEMARK_DEMO"),
            sample: Demo::read("TIDEMARK_SAMPLE"),
        }
    }
}

impl Demo {
    /// Reads the environment variables that begin with `prefix`.
    fn read(prefix: &str) -> Option<Self> {
        let text =
            |name: &str| var_os(format!("{prefix}_{name}")).map(|value| value.to_string_lossy().into_owned());
        Some(Self {
            uri: text("URI").filter(|uri| !uri.trim().is_empty())?,
            database: text("DB").unwrap_or_default(),
            collection: text("COLLECTION").unwrap_or_default(),
            mapping: text("MAPPING").filter(|path| !path.is_empty()).map(PathBuf::from),
        })
    }

    /// The source as a trader would have set it up.
    ///
    /// # Errors
    /// `bad_mapping` if its mapping file cannot be read.
    pub(crate) fn profile(&self) -> Result<SourceProfile> {
        let mapping = match &self.mapping {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                let message = format!("The mapping file {} cannot be read.", path.display());
                Failure::new(Code::BadMapping, message).because(error)
            })?,
        };
        Ok(SourceProfile {
            uri: self.uri.clone(),
            database: self.database.clone(),
            collection: self.collection.clone(),
            mapping,
        })
    }
}

/// A query that is ready to fetch: the last month of the most traded products.
pub(crate) fn demo_form(mapping: &Mapping, today: Day) -> QueryInput {
    let has_products = mapping.filters.iter().any(|field| field.name == "product");
    let products = has_products.then(|| FilterInput {
        field: "product".to_owned(),
        operator: FilterOperator::AnyOf,
        values: DEMO_PRODUCTS.map(str::to_owned).to_vec(),
    });
    QueryInput {
        from: today.plus(1 - DEMO_DAYS).to_string(),
        to: today.to_string(),
        filters: products.into_iter().collect(),
        advanced: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_asks_for_31_days_of_products_that_the_desk_trades() {
        let mapping = Mapping::parse(tidemark_sample_desk::MAPPING).expect("the sample desk's own mapping");
        let form = demo_form(&mapping, Day::parse("2026-03-01").expect("a date"));
        assert_eq!((form.from.as_str(), form.to.as_str()), ("2026-01-30", "2026-03-01"));
        let end = Day::parse("2026-03-01").expect("a date").date();
        let desk = tidemark_sample_desk::Desk::new(1, end, 2_000);
        for product in &form.filters[0].values {
            let mut messages = desk.documents();
            let traded = messages.any(|message| message.get_str("product").is_ok_and(|name| name == product));
            assert!(traded, "nobody trades {product}");
        }
    }

    #[test]
    fn a_mapping_without_products_still_gives_a_query() {
        let mapping = Mapping::parse(r#"{"filters": {"product": null}}"#).expect("a mapping");
        let form = demo_form(&mapping, Day::parse("2026-03-01").expect("a date"));
        assert!(form.filters.is_empty());
    }

    #[test]
    fn a_mapping_file_that_is_not_there_is_named() {
        let demo = Demo {
            uri: "mongodb://127.0.0.1/".to_owned(),
            database: "desk".to_owned(),
            collection: "messages".to_owned(),
            mapping: Some("no/such/mapping.json".into()),
        };
        let failure = demo.profile().expect_err("there is no such file");
        assert_eq!(failure.code, Code::BadMapping);
        assert!(failure.message.contains("mapping.json"));
    }

    #[test]
    fn a_demos_password_is_not_shown() {
        let demo = Demo {
            uri: "mongodb://ann:s3cret \"x\"/y@127.0.0.1/".to_owned(),
            database: "desk".to_owned(),
            collection: "messages".to_owned(),
            mapping: None,
        };
        let environment = Environment { demo: Some(demo.clone()), ..Environment::default() };
        for text in [format!("{environment:?}"), format!("{:#?}", demo.profile())] {
            assert!(!text.contains("s3cret") && !text.contains("\"x"), "{text}");
            assert!(text.contains("mongodb://ann:***@127.0.0.1/"), "{text}");
        }
    }
}
