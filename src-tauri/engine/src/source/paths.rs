//! Which paths some documents have.

use std::collections::BTreeSet;

use bson::{Bson, Document, RawDocumentBuf};

/// The greatest number of paths to consider.
const MAX_PATHS: usize = 2_000;

/// The dotted paths in some documents.
pub(crate) fn paths_in(documents: &[RawDocumentBuf]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for document in documents {
        // One that is not valid BSON has no paths.
        if let Ok(document) = Document::try_from(document.as_ref()) {
            add_paths("", &document, &mut paths);
        }
    }
    paths
}

/// Adds the dotted paths of a document that lies at a path, through arrays.
pub(super) fn add_paths(above: &str, document: &Document, paths: &mut BTreeSet<String>) {
    for (name, value) in document {
        if paths.len() >= MAX_PATHS {
            return;
        }
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Bson::Document(within) => add_paths(&path, within, paths),
            Bson::Array(items) => {
                items.iter().filter_map(Bson::as_document).for_each(|item| add_paths(&path, item, paths));
            }
            _ => {}
        }
        paths.insert(path);
    }
}
