//! What a dotted path finds in a document. One resolver for all paths, with the semantics of MongoDB's `$match`.

use bson::raw::{RawArray, RawBsonRef, RawDocument};

/// Calls `each` with every value that a match on a dotted path looks at: through arrays of sub-documents, and, if
/// a part of the path is a number, also at the element of that number. A path that ends at an array finds each
/// element and then the array itself; an array that a number names is found as it is.
///
/// `None` if the bytes are not BSON; `each` may have been called before that shows.
pub(crate) fn values<'a>(
    document: &'a RawDocument,
    path: &str,
    each: &mut dyn FnMut(RawBsonRef<'a>),
) -> Option<()> {
    let (head, rest) = cut(path);
    match (document.get(head).ok()?, rest) {
        (None, _) => {}
        (Some(RawBsonRef::Array(array)), rest) => in_array(array, rest, each)?,
        (Some(value), None) => each(value),
        (Some(RawBsonRef::Document(inner)), Some(rest)) => values(inner, rest, each)?,
        (Some(_), Some(_)) => {}
    }
    Some(())
}

/// The values themselves: of an array, its elements.
pub(crate) fn scalars<'a>(document: &'a RawDocument, path: &str, each: &mut dyn FnMut(RawBsonRef<'a>)) {
    // Bytes that are not BSON hold no value that could be told.
    let _ = values(document, path, &mut |value| {
        if !matches!(value, RawBsonRef::Array(_)) {
            each(value);
        }
    });
}

fn in_array<'a>(array: &'a RawArray, path: Option<&str>, each: &mut dyn FnMut(RawBsonRef<'a>)) -> Option<()> {
    let Some(path) = path else {
        for item in array {
            each(item.ok()?);
        }
        each(RawBsonRef::Array(array));
        return Some(());
    };
    let (head, rest) = cut(path);
    let position = position(head);
    for (at, item) in array.into_iter().enumerate() {
        let item = item.ok()?;
        if let RawBsonRef::Document(inner) = item {
            values(inner, path, each)?;
        }
        if position == Some(at) {
            match (item, rest) {
                // An array that a number names is not looked into.
                (value, None) => each(value),
                (RawBsonRef::Document(inner), Some(rest)) => values(inner, rest, each)?,
                (RawBsonRef::Array(inner), rest) => in_array(inner, rest, each)?,
                _ => {}
            }
        }
    }
    Some(())
}

/// Whether a dotted path is another one, or lies below it.
pub(crate) fn is_within(lower: &str, upper: &str) -> bool {
    lower.strip_prefix(upper).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn cut(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)))
}

/// The position that a part of a path names: a number without a sign and without zeros before it.
fn position(part: &str) -> Option<usize> {
    let is_plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    part.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::{Document, RawDocumentBuf, doc};

    use super::*;

    fn found(path: &str, document: &Document) -> Vec<String> {
        let raw = RawDocumentBuf::try_from(document).unwrap();
        let mut found = Vec::new();
        scalars(&raw, path, &mut |value| found.push(crate::bson::diff::plain_text(value)));
        found
    }

    #[test]
    fn a_path_with_array_positions_finds_what_the_server_finds() {
        let legs = doc! {"legs": [{"id": "a"}, {"id": "b"}]};
        assert_eq!(found("legs.id", &legs), ["a", "b"]);
        assert_eq!(found("legs.0.id", &legs), ["a"]);
        assert_eq!(found("legs.1.id", &legs), ["b"]);
        assert_eq!(found("legs.2.id", &legs), [""; 0]);
        assert_eq!(found("legs.00.id", &legs), [""; 0]);
        // A number is the name of a field, too.
        assert_eq!(found("legs.0.id", &doc! {"legs": {"0": {"id": "c"}}}), ["c"]);
        assert_eq!(found("legs.0", &doc! {"legs": ["x", {"0": "y"}]}), ["x", "y"]);
        assert_eq!(found("a", &doc! {"a": [1, [2], 3]}), ["1", "3"]);
    }
}
