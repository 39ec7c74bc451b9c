//! Mapping files.

use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::{Signature, family};

use super::{names_server_code, query, refused};

/// One input: the text of a mapping file; what came of it.
pub fn run(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let parsed = Mapping::parse(&text);
    if serde_json::from_str(&text).is_ok_and(|json| names_server_code(&json)) {
        assert!(parsed.is_err(), "server-side code is refused: {text}");
    }
    let mapping = match parsed {
        Ok(mapping) => mapping,
        Err(failure) => return refused(&failure),
    };
    let stored = mapping.to_stored();
    let again = Mapping::from_stored(&stored).expect("what was stored is read");
    assert_eq!(again.to_stored(), stored);
    let (one, other) = (query(&mapping, Filters::default()), query(&again, Filters::default()));
    assert_eq!(Signature::of(&one), Signature::of(&other));
    assert_eq!(family(&one), family(&other));
    // Every path can be asked for: none is an operator, and a part of one is never empty.
    let _ = mapping.dates();
    for path in mapping.paths() {
        assert!(!path.contains('\0'), "{path:?}");
        assert!(path.split('.').all(|part| !part.is_empty() && !part.starts_with('$')), "{path:?}");
    }
    format!("taken: {stored}")
}
