//! How the source compares text, as a file remembers it.
//!
//! Adoption compares text byte by byte. A collection or a view may have a collation of its own by which
//! MongoDB compares otherwise ("gas" may equal "Gas"), so days are adopted only from files whose source is
//! known to have none.

/// The collation of a source that was never asked, or may not be asked.
pub(crate) const UNKNOWN: &str = "unknown";
/// The source has no collation of its own.
const SIMPLE: &str = "simple";

/// How a source compares text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Collation {
    /// Byte by byte, as adoption does.
    Simple,
    /// By rules of its own.
    Own(String),
    /// Not known.
    #[default]
    Unknown,
}

impl Collation {
    /// The collation of a stored text.
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

    /// The collation in the options that `listCollections` tells.
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
