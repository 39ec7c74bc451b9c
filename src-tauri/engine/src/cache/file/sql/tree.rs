//! The syntax tree of a statement, as DuckDB's own parser has it.
//!
//! DuckDB writes the tree as JSON, which may be nested deeply, and takes it apart into rows. So nothing here calls
//! itself, however deep the text is nested.

use std::collections::HashMap;

use super::{Database, sql};

/// A place in the tree.
pub(super) type NodeId = usize;

/// A value of the tree: an object, a list, or a scalar with its text.
#[derive(Debug)]
struct Node {
    key: String,
    text: Option<String>,
    is_object: bool,
    /// How many values it lies in.
    depth: usize,
    children: Vec<NodeId>,
}

/// A tree of values.
#[derive(Debug)]
pub(super) struct Tree(Vec<Node>);

impl Tree {
    /// The root.
    pub(super) const ROOT: NodeId = 0;

    /// Parses a text. What cannot be parsed, or is not made of `SELECT`s, gives a tree that says so.
    pub(super) fn parse(database: &Database, text: &str) -> duckdb::Result<Self> {
        let mut select = database.prepare(sql!(
            "SELECT id, parent, key, type, CASE WHEN type NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN atom ->> '$' END
             FROM json_tree(json_serialize_sql(?::VARCHAR)) ORDER BY id"
        ))?;
        let mut rows = select.query([text])?;
        let (mut nodes, mut places) = (Vec::new(), HashMap::new());
        while let Some(row) = rows.next()? {
            let place = nodes.len();
            places.insert(row.get::<_, u64>(0)?, place);
            let mut depth = 0;
            if let Some(parent) = row.get::<_, Option<u64>>(1)?
                && let Some(parent) = places.get(&parent)
            {
                let parent: &mut Node = &mut nodes[*parent];
                parent.children.push(place);
                depth = parent.depth + 1;
            }
            nodes.push(Node {
                key: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                text: row.get(4)?,
                is_object: row.get::<_, String>(3)? == "OBJECT",
                depth,
                children: Vec::new(),
            });
        }
        Ok(Self(nodes))
    }

    /// How many values the deepest one lies in.
    pub(super) fn depth(&self) -> usize {
        self.0.iter().map(|node| node.depth).max().unwrap_or_default()
    }

    /// The children of a value.
    pub(super) fn children(&self, of: NodeId) -> &[NodeId] {
        self.0.get(of).map(|node| node.children.as_slice()).unwrap_or_default()
    }

    /// The child under a key.
    pub(super) fn child(&self, of: NodeId, key: &str) -> Option<NodeId> {
        self.children(of).iter().copied().find(|child| self.key(*child) == key)
    }

    /// The key of a value in its object.
    pub(super) fn key(&self, of: NodeId) -> &str {
        self.0.get(of).map_or("", |node| &node.key)
    }

    /// The text of the scalar under a key.
    pub(super) fn text(&self, of: NodeId, key: &str) -> Option<&str> {
        self.0.get(self.child(of, key)?)?.text.as_deref()
    }

    /// Whether the value under a key is an object.
    pub(super) fn is_object(&self, of: NodeId, key: &str) -> bool {
        self.child(of, key).and_then(|child| self.0.get(child)).is_some_and(|node| node.is_object)
    }

    /// Whether there is nothing under a key, or an empty text, or null.
    pub(super) fn is_blank(&self, of: NodeId, key: &str) -> bool {
        self.text(of, key).is_none_or(str::is_empty) && self.children_of(of, key).is_empty()
    }

    /// The children of the value under a key.
    pub(super) fn children_of(&self, of: NodeId, key: &str) -> &[NodeId] {
        self.child(of, key).map(|child| self.children(child)).unwrap_or_default()
    }
}
