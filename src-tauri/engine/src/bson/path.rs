//! Resolves dotted paths in documents. There is one resolver for all paths, with the semantics of MongoDB's `$match`.

use bson::raw::{RawArray, RawBsonRef, RawDocument};

use super::elements::{Elements, Name};

/// Calls `each` with every value that a match on a dotted path considers: through arrays of sub-documents and, if a
/// part of the path is a number, also at the array element with that position. A path that ends at an array yields
/// each element and then the array itself; an array that is itself addressed by its position is yielded as a whole.
///
/// Returns `None` if the bytes are not valid BSON; `each` may have been called before that is found.
pub(crate) fn values<'a>(
    document: &'a RawDocument,
    path: &str,
    each: &mut dyn FnMut(RawBsonRef<'a>),
) -> Option<()> {
    let (head, rest) = cut(path);
    match (field(document, head)?, rest) {
        (None, _) => {}
        (Some(RawBsonRef::Array(array)), rest) => in_array(array, rest, each)?,
        (Some(value), None) => each(value),
        (Some(RawBsonRef::Document(inner)), Some(rest)) => values(inner, rest, each)?,
        (Some(_), Some(_)) => {}
    }
    Some(())
}

/// The value of a document's first field of this name; `None` within if there is none. Other fields are skipped, not
/// read as by `RawDocument::get`.
///
/// Returns `None` if the bytes up to there are not valid BSON.
#[allow(clippy::option_option, reason = "as with `values`, the outer one is about the bytes")]
pub(crate) fn field<'a>(document: &'a RawDocument, name: &str) -> Option<Option<RawBsonRef<'a>>> {
    if name.contains('\0') {
        return Some(None);
    }
    let mut elements = Elements::of(document);
    let mut before = 0;
    while let Some(element) = elements.next(Some(name)).ok()? {
        if element.name == Name::Expected {
            let rare = || document.iter_elements().nth(before)?.ok()?.value().ok();
            return element.value().or_else(rare).map(Some);
        }
        before += 1;
    }
    Some(None)
}

/// Whether a match on a path finds a value in a document.
pub(crate) fn is_in(document: &RawDocument, path: &str) -> bool {
    let mut found = false;
    // Values before bytes that are not valid count.
    let _ = values(document, path, &mut |_| found = true);
    found
}

/// Calls `each` with every value at a path that is not an array. Of an array, these are its elements.
pub(crate) fn scalars<'a>(document: &'a RawDocument, path: &str, each: &mut dyn FnMut(RawBsonRef<'a>)) {
    // Invalid BSON has no more values to report.
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
                // An array addressed by its position is not expanded.
                (value, None) => each(value),
                (RawBsonRef::Document(inner), Some(rest)) => values(inner, rest, each)?,
                (RawBsonRef::Array(inner), rest) => in_array(inner, rest, each)?,
                _ => {}
            }
        }
    }
    Some(())
}

/// Whether the path `lower` equals `upper` or lies below it.
pub(crate) fn is_within(lower: &str, upper: &str) -> bool {
    lower.strip_prefix(upper).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn cut(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)))
}

/// The array position that a part of a path stands for: digits without a sign or leading zeros.
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
        // A number can also be the name of a field.
        assert_eq!(found("legs.0.id", &doc! {"legs": {"0": {"id": "c"}}}), ["c"]);
        assert_eq!(found("legs.0", &doc! {"legs": ["x", {"0": "y"}]}), ["x", "y"]);
        assert_eq!(found("a", &doc! {"a": [1, [2], 3]}), ["1", "3"]);
    }
}
