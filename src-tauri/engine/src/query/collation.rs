//! How the source compares text, as recorded in a cache file.
//!
//! Adoption compares text byte by byte. A collection or a view may have its own collation, by which MongoDB compares
//! differently ("gas" may equal "Gas"), so days are adopted only from files whose source is known to have none.

/// Stored for a source whose collation was never queried, or may not be queried.
pub(crate) const UNKNOWN: &str = "unknown";
/// Stored for a source without its own collation.
const SIMPLE: &str = "simple";

/// How a source compares text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Collation {
    /// Byte by byte, as adoption does.
    Simple,
    /// By its own rules.
    Own(String),
    /// Not known.
    #[default]
    Unknown,
}

impl Collation {
    /// The collation that a stored text stands for.
    pub(crate) fn from_stored(text: &str) -> Self {
        match text {
            SIMPLE => Self::Simple,
            UNKNOWN => Self::Unknown,
            rules => Self::Own(rules.to_owned()),
        }
    }

    /// The text to store.
    pub(crate) fn to_stored(&self) -> &str {
        match self {
            Self::Simple => SIMPLE,
            Self::Own(rules) => rules,
            Self::Unknown => UNKNOWN,
        }
    }

    /// The collation in the options that `listCollections` returns.
    #[must_use]
    pub fn of_options(collation: Option<&bson::Document>) -> Self {
        match collation {
            None => Self::Simple,
            Some(rules) if rules.get_str("locale").is_ok_and(|locale| locale == "simple") => Self::Simple,
            Some(rules) => Self::Own(rules.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn a_collation_survives_the_file() {
        let french = doc! {"locale": "fr", "strength": 2};
        for collation in [
            Collation::Unknown,
            Collation::of_options(None),
            Collation::of_options(Some(&doc! {"locale": "simple"})),
            Collation::of_options(Some(&french)),
        ] {
            assert_eq!(Collation::from_stored(collation.to_stored()), collation);
        }
        assert_eq!(Collation::of_options(Some(&doc! {"locale": "simple"})), Collation::Simple);
        assert!(matches!(Collation::of_options(Some(&french)), Collation::Own(_)));
    }
}
