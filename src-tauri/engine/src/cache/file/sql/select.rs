//! A trader's own SQL: the one text from outside that may become a statement.
//!
//! [`ReadOnlySelect::check`] lets DuckDB parse it, and accepts exactly one `SELECT` that reads nothing but the tables it
//! is given, with functions of a list that was reviewed. What it accepts runs in a transaction that can write to
//! temporary tables only. The text that is checked is the one that runs.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use super::tree::{NodeId, Tree};
use super::{Database, SqlPart, sealed, sql};
use crate::cache::file::error::{CacheError, CacheErrorKind, Result, SqlProblem};

/// Functions that work out a value from their arguments alone, or from the clock: neither files, settings, the catalog
/// nor another connection can be reached through them. A function that is not listed is refused, and with it what a
/// later DuckDB adds.
const FUNCTIONS: &str = include_str!("functions.txt");
static ALLOWED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| FUNCTIONS.lines().collect());
/// Functions that may stand for a table.
const TABLE_FUNCTIONS: [&str; 3] = ["generate_series", "range", "unnest"];
/// Names of DuckDB's own tables begin like this. A common table expression with such a name would only mislead.
const RESERVED: [&str; 5] = ["duckdb_", "information_schema", "pg_", "pragma_", "sqlite_"];
/// The longest text, in bytes.
const LONGEST: usize = 256 << 10;
/// How deep the tree may be, and how many tables and common table expressions it may name. DuckDB calls itself for each of
/// them, and would run out of its stack; texts that are several times deeper end the program.
const DEEPEST: usize = 400;
const MOST_TABLES: usize = 150;
/// The greatest width that a text is padded to. DuckDB's memory limit does not count the text of one value.
const WIDEST: u32 = 10_000;
/// Functions whose result may be several times as long as what they are given. The memory limit does not count it either.
const GROWING: [(&str, u32); 14] = [
    ("array_to_json", 2),
    ("bin", 2),
    ("concat", 1),
    ("hex", 2),
    ("json_pretty", 2),
    ("json_quote", 2),
    ("list_concat", 1),
    ("regexp_replace", 1),
    ("replace", 1),
    ("to_base64", 2),
    ("to_binary", 2),
    ("to_hex", 2),
    ("to_json", 2),
    ("url_encode", 2),
];
/// What a lambda counts as: it runs for each element of a list.
const LAMBDA: u32 = 2;
/// How much such functions and lambdas may add up to within each other.
const MOST_GROWTH: u32 = 6;
/// Functions that compare with a pattern by trying every way to match it.
const PATTERNS: [&str; 9] =
    ["!~~", "!~~*", "ilike_escape", "like_escape", "not_ilike_escape", "not_like_escape", "~~", "~~*", "~~~"];
/// Wildcards of such a pattern that match any number of letters: with more, one value may take longer than the time
/// limit, and nothing stops it.
const MOST_WILDCARDS: usize = 6;
/// How many times tables may be read when common table expressions that are named more than once are put in their places.
const MOST_READS: u64 = 4_096;
/// What stands before the text where it runs, so that its rows can be limited.
const BEFORE: &str = "SELECT * FROM (\n";

/// SQL of a trader that has been checked.
#[derive(Debug)]
pub(crate) struct ReadOnlySelect {
    /// The statement that was checked, and that runs.
    statement: String,
    /// The trader's part of it.
    text: String,
}

impl sealed::Sealed for ReadOnlySelect {}

impl SqlPart for ReadOnlySelect {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.statement)
    }
}

/// What is wrong with a text, and where, in bytes from its beginning.
struct Refusal {
    what: String,
    at: Option<usize>,
}

impl ReadOnlySelect {
    /// Checks a text that may read these tables. No more than `rows` rows come from it.
    ///
    /// # Errors
    /// [`CacheErrorKind::Sql`] with the reason why it cannot be run; DuckDB's own.
    pub(crate) fn check(database: &Database, text: &str, tables: &[&str], rows: u64) -> Result<Self> {
        let refused = |what: &str| refusal(text, &Refusal { what: what.to_owned(), at: None });
        if text.len() > LONGEST {
            return Err(refused("The SQL is longer than 256 KiB"));
        }
        if text.contains('\0') {
            return Err(refused("The SQL contains a null character"));
        }
        // By itself it is one statement, so it cannot close the parenthesis that it is put into.
        let alone = Tree::parse(database, text)?;
        expect_one_select(&alone).map_err(|found| refusal(text, &found))?;
        let text = without_semicolon(text).to_owned();
        let statement = format!("{BEFORE}{text}\n) LIMIT {rows}");
        let tree = Tree::parse(database, &statement)?;
        let checked = expect_one_select(&tree).and_then(|select| Walk::new(&tree, tables).check(select));
        checked.map_err(|found| refusal(&text, &found.after(BEFORE.len())))?;
        Ok(Self { statement, text })
    }

    /// Runs it, and keeps its rows in the temporary table `result` of the connection, whose transaction has to be
    /// read-only. The transaction ends with it.
    ///
    /// # Errors
    /// [`CacheErrorKind::Sql`] if it cannot be run, `cancelled` if it was interrupted; DuckDB's own.
    pub(crate) fn run(&self, database: &Database) -> Result<()> {
        let before = "CREATE TEMP TABLE result AS ".len() + BEFORE.len();
        database.execute_batch(sql!("SET errors_as_json = true"))?;
        let done = database.execute_batch(sql!("CREATE TEMP TABLE result AS {select}", select = self));
        match done {
            Ok(()) => Ok(database.execute_batch(sql!("COMMIT; SET errors_as_json = false"))?),
            Err(error) => {
                // If this fails as well, the first error says why.
                let _ = database.execute_batch(sql!("ROLLBACK; SET errors_as_json = false"));
                Err(self.failed(error, before))
            }
        }
    }

    /// What an error of DuckDB says about the text.
    fn failed(&self, error: duckdb::Error, before: usize) -> CacheError {
        /// These are about the text and its rows, and not about the file or the machine.
        const OF_TEXT: [&str; 14] = [
            "Parser",
            "Syntax",
            "Binder",
            "Catalog",
            "Conversion",
            "Decimal",
            "Out of Range",
            "Divide by Zero",
            "Invalid Input",
            "Invalid type",
            "Mismatch Type",
            "Not implemented",
            "Expression",
            "Constraint",
        ];
        let text = error.to_string();
        let said = text.find('{').and_then(|at| serde_json::from_str::<serde_json::Value>(&text[at..]).ok());
        let part =
            |key: &str| said.as_ref().and_then(|said| said.get(key)).and_then(serde_json::Value::as_str);
        let (Some(kind), Some(what)) = (part("exception_type"), part("exception_message")) else {
            return error.into();
        };
        if !OF_TEXT.iter().any(|of_text| of_text.eq_ignore_ascii_case(kind)) {
            // As it would have been without the place.
            let plain = Some(format!("{kind} Error: {what}"));
            return duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), plain).into();
        }
        let at = part("position").and_then(|at| at.parse::<usize>().ok());
        refusal(&self.text, &Refusal { what: with_hint(what), at }.after(before))
    }
}

/// DuckDB's sentence with the names that it proposes, and how the name of a field within another is written.
fn with_hint(what: &str) -> String {
    let first = sentence(what);
    let is_of_table = first.starts_with("Referenced table") || first.starts_with("Values list");
    if is_of_table {
        return format!("{first}. The name of a field within a document is quoted as a whole: \"a.b\"");
    }
    match what.lines().find_map(|line| line.strip_prefix("Candidate bindings: ")) {
        Some(names) => format!("{first}. Similar names: {names}"),
        None => first,
    }
}

impl Refusal {
    fn at(what: impl Into<String>, at: Option<usize>) -> Self {
        Self { what: what.into(), at }
    }

    /// The same for a text that begins so many bytes later.
    fn after(mut self, bytes: usize) -> Self {
        self.at = self.at.and_then(|at| at.checked_sub(bytes));
        self
    }
}

/// DuckDB's first line, as a sentence without its full stop.
fn sentence(what: &str) -> String {
    let line = what.lines().next().unwrap_or_default().trim_end_matches(['.', '!', ' ']);
    let mut letters = line.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "The SQL cannot be run".to_owned(),
    }
}

fn refusal(text: &str, found: &Refusal) -> CacheError {
    let before = found.at.and_then(|at| text.get(..at.min(text.len())));
    let place = before.map(|before| {
        let count = |many: usize| u32::try_from(many + 1).unwrap_or(u32::MAX);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (count(before.matches('\n').count()), count(line.chars().count()))
    });
    let problem = SqlProblem { what: found.what.clone(), place, is_limit: false };
    CacheErrorKind::Sql(Box::new(problem)).into()
}

/// Whether a format takes a width from another argument, as in `{:{}}`.
fn has_inner_braces(format: &str) -> bool {
    let mut depth = 0_u32;
    format.replace("{{", "").chars().any(|sign| {
        depth = match sign {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        depth > 1
    })
}

/// The one statement of a tree.
fn expect_one_select(tree: &Tree) -> Result<NodeId, Refusal> {
    if tree.text(Tree::ROOT, "error") != Some("false") {
        let at = tree.text(Tree::ROOT, "position").and_then(|at| at.parse().ok());
        return Err(match tree.text(Tree::ROOT, "error_type") {
            Some("not implemented") => Refusal::at("Only a SELECT can be run: nothing is changed here", at),
            _ => Refusal::at(sentence(tree.text(Tree::ROOT, "error_message").unwrap_or_default()), at),
        });
    }
    match tree.children_of(Tree::ROOT, "statements") {
        [one] => Ok(*one),
        [] => Err(Refusal::at("There is no SELECT", None)),
        _ => Err(Refusal::at("There is more than one statement", None)),
    }
}

/// A text up to the semicolon that ends its only statement.
fn without_semicolon(text: &str) -> &str {
    let mut rest = text;
    while let Some(at) = rest.find([';', '\'', '"', '-', '/', '$']) {
        let after = &rest[at..];
        let end = match &after[..1] {
            ";" => return &text[..text.len() - after.len()],
            "\'" | "\"" => after[1..].find(&after[..1]).map(|end| end + 2),
            "-" if after.starts_with("--") => after.find('\n'),
            "/" if after.starts_with("/*") => end_of_comment(after),
            "$" => match after[1..].find('$') {
                // A dollar between letters is a part of a name; one before a text that ends alike quotes it.
                Some(tag) if after[1..=tag].chars().all(|sign| sign.is_alphanumeric() || sign == '_') => {
                    let tag = &after[..tag + 2];
                    after[tag.len()..].find(tag).map(|end| end + 2 * tag.len())
                }
                _ => Some(1),
            },
            _ => Some(1),
        };
        let Some(end) = end else { return text };
        rest = &after[end..];
    }
    text
}

/// Where a comment ends, which may contain others.
fn end_of_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let found = at + text[at..].find(['/', '*'])?;
        at = match text.get(found..found + 2) {
            Some("/*") => {
                depth += 1;
                found + 2
            }
            Some("*/") => {
                depth -= 1;
                found + 2
            }
            _ => found + 1,
        };
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The names of common table expressions that a part of the tree sees: the innermost, and the scope around it.
struct Scope {
    name: String,
    around: Option<usize>,
    /// How often it is read.
    reads: u64,
    /// What the growing functions around add up to. A scope of theirs has no name.
    growth: u32,
}

/// Visits every part of a tree.
struct Walk<'a> {
    tree: &'a Tree,
    tables: &'a [&'a str],
    scopes: Vec<Scope>,
    todo: Vec<(NodeId, Option<usize>)>,
    tables_named: usize,
}

impl<'a> Walk<'a> {
    const fn new(tree: &'a Tree, tables: &'a [&'a str]) -> Self {
        Self { tree, tables, scopes: Vec::new(), todo: Vec::new(), tables_named: 0 }
    }

    fn check(mut self, root: NodeId) -> Result<(), Refusal> {
        if self.tree.depth() > DEEPEST {
            return Err(Refusal::at("The SQL is nested too deeply", None));
        }
        self.todo.push((root, None));
        while let Some((node, scope)) = self.todo.pop() {
            if self.tree.text(node, "class").is_some() {
                self.expression(node, scope)?;
            } else if self.tree.is_object(node, "type") {
                // A value in the text: a number of rows, a part of a list.
            } else if self.tree.text(node, "type").is_some() {
                self.clause(node, scope)?;
            } else {
                self.descend(node, scope, &[]);
            }
        }
        let reads = self.scopes.iter().try_fold(1_u64, |all, scope| all.checked_mul(scope.reads.max(1)));
        if reads.is_none_or(|reads| reads > MOST_READS) {
            return Err(Refusal::at("Common table expressions are read too often by others", None));
        }
        Ok(())
    }

    /// Goes on with the children, except those under some keys.
    fn descend(&mut self, node: NodeId, scope: Option<usize>, except: &[&str]) {
        let tree = self.tree;
        let children = tree.children(node).iter().filter(|child| !except.contains(&tree.key(**child)));
        self.todo.extend(children.map(|child| (*child, scope)));
    }

    fn place(&self, node: NodeId) -> Option<usize> {
        self.tree.text(node, "query_location").and_then(|at| at.parse::<u64>().ok()).and_then(|at| {
            // The greatest number means that there is none.
            usize::try_from(at).ok().filter(|_| at != u64::MAX)
        })
    }

    fn refuse(&self, node: NodeId, what: impl Into<String>) -> Refusal {
        Refusal::at(what, self.place(node))
    }

    fn expression(&mut self, node: NodeId, scope: Option<usize>) -> Result<(), Refusal> {
        match self.tree.text(node, "class").unwrap_or_default() {
            "BETWEEN"
            | "CASE"
            | "COLLATE"
            | "COLUMN_REF"
            | "COMPARISON"
            | "CONJUNCTION"
            | "OPERATOR"
            | "POSITIONAL_REFERENCE"
            | "STAR"
            | "SUBQUERY" => {}
            "LAMBDA" => {
                let inner = self.grown(node, scope, LAMBDA)?;
                self.descend(node, inner, &[]);
                return Ok(());
            }
            "CONSTANT" => return Ok(()),
            "CAST" => {
                self.descend(node, scope, &["cast_type"]);
                return self.cast_type(node);
            }
            "FUNCTION" | "WINDOW" => {
                self.function(node, &|name| ALLOWED.contains(name))?;
                let name = self.tree.text(node, "function_name").unwrap_or_default().to_lowercase();
                if let Some((_, growth)) = GROWING.iter().find(|(growing, _)| *growing == name) {
                    let inner = self.grown(node, scope, *growth)?;
                    self.descend(node, inner, &[]);
                    return Ok(());
                }
            }
            "PARAMETER" => {
                return Err(self.refuse(node, "A parameter has no value here: write the value itself"));
            }
            other => return Err(self.refuse(node, format!("{} is not possible here", other.to_lowercase()))),
        }
        self.descend(node, scope, &[]);
        Ok(())
    }

    /// A type by name may be one of the file's.
    fn cast_type(&self, node: NodeId) -> Result<(), Refusal> {
        let info = self.tree.child(node, "cast_type").and_then(|of| self.tree.child(of, "type_info"));
        let is_own = |of| self.tree.is_blank(of, "schema") && self.tree.is_blank(of, "catalog");
        if info.is_none_or(is_own) {
            return Ok(());
        }
        Err(self.refuse(node, "A type is written without a schema"))
    }

    fn function(&self, node: NodeId, is_allowed: &dyn Fn(&str) -> bool) -> Result<(), Refusal> {
        let written = self.tree.text(node, "function_name").unwrap_or_default();
        let name = written.to_lowercase();
        // DuckDB's parser writes `main` where the text has an operator; its own functions are found there first.
        let is_plain = self.tree.is_blank(node, "schema") || self.tree.text(node, "schema") == Some("main");
        if !is_plain || !self.tree.is_blank(node, "catalog") {
            let hint = format!("Write {written}(…) without a name before it");
            return Err(self.refuse(node, hint));
        }
        if !is_allowed(&name) {
            return Err(self.refuse(node, format!("There is no function {written} here")));
        }
        if self.tree.text(node, "export_state") == Some("true") {
            return Err(self.refuse(node, "EXPORT_STATE is not possible here"));
        }
        if PATTERNS.contains(&&*name) {
            self.expect_few_wildcards(node)?;
        }
        self.expect_short(node, &name)
    }

    /// A pattern whose wildcards can be counted, and are few.
    fn expect_few_wildcards(&self, node: NodeId) -> Result<(), Refusal> {
        let pattern = self.tree.children_of(node, "children").get(1);
        let value = pattern.and_then(|pattern| self.constant(*pattern));
        let Some(value) = value else {
            let what = "The pattern of LIKE is a text in quotes; contains, starts_with and regexp_matches take any text";
            return Err(self.refuse(node, what));
        };
        if value.chars().filter(|sign| matches!(sign, '%' | '*')).count() > MOST_WILDCARDS {
            let what = format!(
                "The pattern has more than {MOST_WILDCARDS} wildcards; regexp_matches takes any number"
            );
            return Err(self.refuse(node, what));
        }
        Ok(())
    }

    /// The text of a value that stands in the statement.
    fn constant(&self, node: NodeId) -> Option<&str> {
        self.tree.child(node, "value").and_then(|value| self.tree.text(value, "value"))
    }

    /// Texts that are padded to a width: it is written as a number, and not a great one.
    fn expect_short(&self, node: NodeId, name: &str) -> Result<(), Refusal> {
        let argument = match name {
            "lpad" | "rpad" => 1,
            "format" | "printf" => 0,
            _ => return Ok(()),
        };
        let Some(argument) = self.tree.children_of(node, "children").get(argument) else { return Ok(()) };
        let value = self.constant(*argument);
        let is_short = value.is_some_and(|value| {
            let numbers =
                value.split(|sign: char| !sign.is_ascii_digit()).filter(|digits| !digits.is_empty());
            let mut numbers = numbers.map(|digits| digits.parse::<u32>().is_ok_and(|width| width <= WIDEST));
            numbers.all(|is_short| is_short) && !value.contains('*') && !has_inner_braces(value)
        });
        if is_short {
            return Ok(());
        }
        let what = match name {
            "lpad" | "rpad" => "the width is a number up to 10,000",
            _ => "the format is a text in quotes, with widths up to 10,000",
        };
        Err(self.refuse(node, format!("In {name}, {what}")))
    }

    fn clause(&mut self, node: NodeId, scope: Option<usize>) -> Result<(), Refusal> {
        self.count_table(node)?;
        match self.tree.text(node, "type").unwrap_or_default() {
            "SELECT_NODE" | "SET_OPERATION_NODE" => {
                let inner = self.with_ctes(node, scope)?;
                self.descend(node, inner, &["cte_map"]);
            }
            "RECURSIVE_CTE_NODE" => {
                let inner = self.with_ctes(node, scope)?;
                let own = self.tree.text(node, "cte_name").unwrap_or_default();
                let recursive = self.named(own, inner);
                self.descend(node, inner, &["cte_map", "right"]);
                self.todo.extend(self.tree.child(node, "right").map(|right| (right, Some(recursive))));
            }
            "BASE_TABLE" => {
                self.table(node, scope)?;
                self.descend(node, scope, &[]);
            }
            "TABLE_FUNCTION" => {
                let Some(function) = self.tree.child(node, "function") else {
                    return Err(self.refuse(node, "There is no such table"));
                };
                let written = self.tree.text(function, "function_name").unwrap_or_default();
                self.function(function, &|name| TABLE_FUNCTIONS.contains(&name)).map_err(|found| {
                    let what = format!("There is no table {written}(…): the tables are {}", self.known());
                    Refusal { what, ..found }
                })?;
                self.descend(node, scope, &["function"]);
                self.descend(function, scope, &[]);
            }
            "PIVOT" => {
                let entries = self.tree.children_of(node, "pivots").iter().copied();
                if entries.into_iter().any(|pivot| !self.tree.is_blank(pivot, "pivot_enum")) {
                    return Err(self.refuse(node, "List the values to pivot"));
                }
                self.descend(node, scope, &[]);
            }
            "SUBQUERY"
            | "JOIN"
            | "EXPRESSION_LIST"
            | "EMPTY"
            | "ORDER_MODIFIER"
            | "LIMIT_MODIFIER"
            | "LIMIT_PERCENT_MODIFIER"
            | "DISTINCT_MODIFIER"
            | "ORDER_DEFAULT"
            | "ASCENDING"
            | "DESCENDING"
            | "ORDER_ASCENDING"
            | "ORDER_DESCENDING" => self.descend(node, scope, &[]),
            "SHOW_REF" => {
                let what = "DESCRIBE, SHOW and SUMMARIZE are not possible here: read with SELECT";
                return Err(self.refuse(node, what));
            }
            other => {
                let what = format!("{} is not possible here", other.to_lowercase().replace('_', " "));
                return Err(self.refuse(node, what));
            }
        }
        Ok(())
    }

    /// Counts a table, a subquery, a join or the like.
    fn count_table(&mut self, node: NodeId) -> Result<(), Refusal> {
        let is_one =
            self.tree.text(node, "type").is_some_and(|of| !of.contains("ORDER") && !of.contains("CENDING"));
        self.tables_named += usize::from(is_one);
        if self.tables_named > MOST_TABLES {
            return Err(self.refuse(node, "The SQL names too many tables and subqueries"));
        }
        Ok(())
    }

    /// Notes the common table expressions of a query. Each sees those before it.
    fn with_ctes(&mut self, node: NodeId, scope: Option<usize>) -> Result<Option<usize>, Refusal> {
        let mut scope = scope;
        let map = self.tree.child(node, "cte_map");
        let entries = map.map(|map| self.tree.children_of(map, "map")).unwrap_or_default();
        for entry in entries {
            let name = self.tree.text(*entry, "key").unwrap_or_default();
            let lower = name.to_lowercase();
            if RESERVED.iter().any(|reserved| lower.starts_with(reserved)) {
                return Err(self.refuse(node, format!("Give {name} another name: this one is DuckDB's own")));
            }
            self.todo.extend(self.tree.child(*entry, "value").map(|value| (value, scope)));
            scope = Some(self.named(name, scope));
        }
        Ok(scope)
    }

    fn named(&mut self, name: &str, around: Option<usize>) -> usize {
        let growth = around.map_or(0, |at| self.scopes[at].growth);
        self.scopes.push(Scope { name: name.to_lowercase(), around, reads: 0, growth });
        self.scopes.len() - 1
    }

    /// A scope for what stands within a growing function.
    fn grown(&mut self, node: NodeId, around: Option<usize>, growth: u32) -> Result<Option<usize>, Refusal> {
        let at = self.named("", around);
        self.scopes[at].growth += growth;
        if self.scopes[at].growth > MOST_GROWTH {
            return Err(self.refuse(node, "Functions that make long values are nested too deeply"));
        }
        Ok(Some(at))
    }

    fn table(&mut self, node: NodeId, scope: Option<usize>) -> Result<(), Refusal> {
        let written = self.tree.text(node, "table_name").unwrap_or_default();
        let name = written.to_lowercase();
        let is_plain =
            ["schema_name", "catalog_name", "at_clause"].iter().all(|key| self.tree.is_blank(node, key));
        let mut around = scope;
        let mut is_known = self.tables.contains(&name.as_str());
        while let Some(at) = around {
            let scope = &mut self.scopes[at];
            around = scope.around;
            // The innermost of this name is the one that is read.
            if scope.name == name {
                scope.reads += 1;
                is_known = true;
                break;
            }
        }
        if is_plain && is_known {
            return Ok(());
        }
        let qualifiers =
            ["catalog_name", "schema_name"].map(|key| self.tree.text(node, key).unwrap_or_default());
        let full: Vec<&str> =
            qualifiers.into_iter().chain([written]).filter(|part| !part.is_empty()).collect();
        let what = format!("There is no table {}: the tables are {}", full.join("."), self.known());
        Err(self.refuse(node, what))
    }

    fn known(&self) -> String {
        self.tables.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cache::file::sql::Ident;

    const TABLES: [&str; 2] = ["trades", "messages"];

    /// A file from someone else, with macros and tables that take the names of ours.
    fn hostile() -> Database {
        let database = Database::new(duckdb::Connection::open_in_memory().expect("a database"));
        database
            .execute_batch(sql!(
                "ATTACH ':memory:' AS cache;
                 CREATE TABLE cache.trades AS SELECT 'theirs' AS price;
                 CREATE TABLE cache.meta AS SELECT 'secret' AS value;
                 CREATE MACRO cache.upper(x) AS 'theirs';
                 CREATE MACRO cache.list_value(x) AS 'theirs';
                 CREATE MACRO cache.len(x) AS 9;
                 CREATE MACRO cache.evil(x) AS (SELECT value FROM cache.meta);
                 CREATE MACRO cache.evil_table(x) AS TABLE SELECT value FROM cache.meta;
                 SET search_path = 'system.main,cache.main';
                 SET allowed_configs = ['errors_as_json']; SET lock_configuration = true;
                 CREATE TEMP VIEW trades AS SELECT range::DOUBLE AS price, 'x' AS product FROM range(10);
                 CREATE TEMP VIEW messages AS SELECT 1 AS id;"
            ))
            .expect("it is made");
        database
    }

    fn problem(database: &Database, text: &str) -> Option<SqlProblem> {
        match ReadOnlySelect::check(database, text, &TABLES, 100) {
            Ok(_) => None,
            Err(error) => match error.kind() {
                CacheErrorKind::Sql(problem) => Some((**problem).clone()),
                other => panic!("{text}: {other:?}"),
            },
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        let database = hostile();
        for text in [
            "",
            " -- nothing",
            "COPY trades TO 'x.csv'",
            "COPY (SELECT 1) TO 'x.csv'",
            "ATTACH 'x.duckdb' AS x",
            "DETACH cache",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET threads = 9",
            "RESET threads",
            "SET VARIABLE a = 1",
            "PRAGMA database_list",
            "PRAGMA version",
            "CALL pragma_version()",
            "EXPORT DATABASE 'x'",
            "IMPORT DATABASE 'x'",
            "VACUUM",
            "CHECKPOINT",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "USE cache",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DESCRIBE trades",
            "SUMMARIZE trades",
            "SHOW TABLES",
            "SHOW ALL TABLES",
            "SELECT * FROM (DESCRIBE trades)",
            "SELECT * FROM (SHOW DATABASES)",
            "INSERT INTO trades VALUES (1)",
            "UPDATE cache.meta SET value = 'x'",
            "DELETE FROM cache.meta",
            "TRUNCATE cache.meta",
            "MERGE INTO cache.meta USING trades ON true WHEN MATCHED THEN DELETE",
            "DROP TABLE cache.meta",
            "ALTER TABLE cache.meta ADD COLUMN x INTEGER",
            "CREATE TABLE x AS SELECT 1",
            "CREATE TEMP TABLE x AS SELECT 1",
            "CREATE MACRO x() AS 1",
            "CREATE SECRET x (TYPE s3)",
            "COMMENT ON TABLE cache.meta IS 'x'",
            "WITH x AS (DELETE FROM cache.meta RETURNING *) SELECT * FROM x",
            "WITH x AS (INSERT INTO cache.meta VALUES ('x') RETURNING *) SELECT * FROM x",
            "SELECT 1; SELECT 2",
            "SELECT 1; DROP TABLE cache.meta",
            "SELECT 1; -- x\nDROP TABLE cache.meta",
            "SELECT 1 /* ; */; DROP TABLE cache.meta",
            "SELECT 1) LIMIT 1; DROP TABLE cache.meta; SELECT * FROM (SELECT 1",
            "SELECT 1) UNION (SELECT value FROM cache.meta",
            "SELECT 1 -- x\n) FROM cache.meta, (SELECT 1",
            "SELECT 1 /*",
            "SELECT * INTO x FROM trades",
            "SELECT ?",
            "SELECT $1",
            "SELECT $name",
            "PIVOT trades ON product USING sum(price)",
            "FROM 'x.csv'",
            "FROM \"x.csv\"",
            "SELECT * FROM 'https://example.com/x.parquet'",
            "SELECT * FROM 's3://x/y.parquet'",
            "SELECT * FROM '/etc/passwd'",
            "FROM read_csv('x.csv')",
            "FROM read_csv_auto('x.csv')",
            "FROM read_text('/etc/passwd')",
            "FROM read_blob('/etc/passwd')",
            "FROM read_parquet(['x'])",
            "FROM parquet_metadata('x')",
            "FROM sniff_csv('x')",
            "FROM glob('*')",
            "FROM query('DROP TABLE cache.meta')",
            "FROM query_table('meta')",
            "FROM query_table(['meta'])",
            "FROM json_execute_serialized_sql('{}')",
            "FROM duckdb_settings()",
            "FROM duckdb_tables",
            "FROM duckdb_secrets()",
            "FROM duckdb_logs",
            "FROM pragma_database_list",
            "FROM pragma_table_info('meta')",
            "FROM checkpoint('cache')",
            "FROM enable_logging()",
            "FROM which_secret('x', 's3')",
            "FROM seq_scan('meta')",
            "FROM information_schema.tables",
            "FROM pg_catalog.pg_class",
            "FROM pg_class",
            "FROM sqlite_master",
            "FROM meta",
            "FROM cache.meta",
            "FROM cache.main.meta",
            "FROM main.trades",
            "FROM cache.trades",
            "FROM temp.trades",
            "FROM hidden",
            "FROM result",
            "FROM evil_table(1)",
            "SELECT evil(1)",
            "SELECT cache.upper('x')",
            "SELECT cache.main.upper('x')",
            "SELECT 'x'::cache.main.type",
            "SELECT getenv('HOME')",
            "SELECT current_setting('temp_directory')",
            "SELECT getvariable('x')",
            "SELECT nextval('x')",
            "SELECT currval('x')",
            "SELECT setseed(0.5)",
            "SELECT write_log('x')",
            "SELECT sleep_ms(100000)",
            "SELECT version()",
            "SELECT current_query()",
            "SELECT json_serialize_sql('SELECT 1')",
            "SELECT json_deserialize_sql('{}')",
            "SELECT stats(price) FROM trades",
            "SELECT enum_range(NULL::theirs)",
            "SELECT pg_sleep(1)",
            "SELECT repeat('x', 4000000000)",
            "SELECT lpad('x', 4000000000, 'y')",
            "SELECT rpad('x', price::INTEGER, 'y') FROM trades",
            "SELECT format('{:>4000000000}', 1)",
            "SELECT printf('%*d', 4000000000, 1)",
            "SELECT format(product, 1) FROM trades",
            // In every clause.
            "SELECT (SELECT max(value) FROM meta)",
            "SELECT 1 FROM trades WHERE EXISTS (FROM meta)",
            "SELECT 1 FROM trades WHERE price IN (SELECT value FROM meta)",
            "SELECT count(*) FROM trades GROUP BY (SELECT value FROM meta)",
            "SELECT count(*) FROM trades HAVING (SELECT true FROM meta)",
            "SELECT price FROM trades QUALIFY (SELECT true FROM meta)",
            "SELECT price FROM trades ORDER BY (SELECT value FROM meta)",
            "SELECT price FROM trades LIMIT (SELECT 1 FROM meta)",
            "SELECT price FROM trades OFFSET (SELECT 1 FROM meta)",
            "SELECT DISTINCT ON ((SELECT value FROM meta)) price FROM trades",
            "SELECT sum(price) FILTER (WHERE (SELECT true FROM meta)) FROM trades",
            "SELECT sum(price) OVER (ORDER BY (SELECT value FROM meta)) FROM trades",
            "SELECT sum(price) OVER w FROM trades WINDOW w AS (PARTITION BY (SELECT value FROM meta))",
            "SELECT list(price ORDER BY (SELECT value FROM meta)) FROM trades",
            "SELECT CASE WHEN true THEN (SELECT value FROM meta) END",
            "SELECT ARRAY(SELECT value FROM meta)",
            "SELECT CAST((SELECT value FROM meta) AS INTEGER)",
            "SELECT [x FOR x IN (SELECT list(value) FROM meta)]",
            "SELECT list_transform([1], lambda x: (SELECT value FROM meta))",
            "SELECT COLUMNS(lambda c: (SELECT true FROM meta)) FROM trades",
            "SELECT COLUMNS(lambda c: evil(c) = c) FROM trades",
            "SELECT * REPLACE (evil(1) AS price) FROM trades",
            "SELECT * FROM trades JOIN meta ON true",
            "SELECT * FROM trades JOIN messages ON (SELECT true FROM meta)",
            "SELECT * FROM trades, LATERAL (SELECT value FROM meta)",
            "SELECT * FROM range((SELECT 1 FROM meta))",
            "SELECT * FROM unnest((SELECT list(value) FROM meta))",
            "VALUES ((SELECT value FROM meta))",
            "FROM trades SELECT 1 UNION ALL FROM meta",
            "FROM trades EXCEPT FROM meta",
            "FROM trades PIVOT (sum(price) FOR product IN (SELECT value FROM meta))",
            "FROM (FROM meta) PIVOT (count(*) FOR value IN ('a'))",
            "FROM trades AT (VERSION => 1)",
            // The names of common table expressions hold where they can be seen, and nowhere else.
            "WITH duckdb_settings AS (SELECT * FROM duckdb_settings) FROM duckdb_settings",
            "WITH meta AS (SELECT * FROM meta) FROM meta",
            "WITH a AS (SELECT * FROM meta), meta AS (SELECT 1) FROM a",
            "SELECT * FROM (WITH meta AS (SELECT 1) FROM meta) x, meta",
            "SELECT (WITH meta AS (SELECT 1) SELECT 1) FROM meta",
            "WITH RECURSIVE meta AS (SELECT * FROM meta UNION ALL SELECT 1) FROM meta",
            "WITH a AS (WITH meta AS (SELECT 1) FROM meta) FROM a, meta",
            "WITH meta AS MATERIALIZED (FROM meta) FROM meta",
        ] {
            assert!(problem(&database, text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_select_of_the_tables_runs() {
        for (text, expected) in [
            ("SELECT sum(price)::BIGINT FROM trades", 45),
            ("select count(*) from TRADES;", 10),
            ("SELECT count(*) FROM trades; -- the trades", 10),
            ("SELECT count(*) FROM trades -- with ; in it", 10),
            ("/* ; */ SELECT count(*) FROM trades WHERE product <> ';' /* ; /* ; */ ' */ ; ;", 10),
            ("SELECT count(*) FROM trades WHERE product <> $$;$$;", 10),
            ("SELECT count(*) FROM trades WHERE product <> $a$;$$;$a$;\n", 10),
            ("SELECT count(*) AS \"a;b\" FROM trades t;", 10),
            ("FROM trades SELECT count(*)", 10),
            ("WITH meta AS (SELECT 7 AS x) SELECT x FROM meta", 7),
            ("WITH a AS (SELECT 7 AS x), b AS (SELECT x FROM a) SELECT x FROM B", 7),
            ("SELECT (WITH meta AS (SELECT 7 AS x) SELECT x FROM meta)", 7),
            (
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 9) SELECT max(x) FROM n",
                9,
            ),
            ("SELECT count(*) FROM trades JOIN messages ON id = price", 1),
            ("SELECT max(r) FROM range(3) t(r), generate_series(1, 2), unnest([1])", 2),
            ("SELECT length(upper(product)) FROM trades LIMIT 1", 1),
            ("SELECT count(*) FROM trades WHERE product = lower(upper(product))", 10),
            ("SELECT length(lpad('7', 3, '0'))", 3),
            ("SELECT length(format('{:.2f}', 7.0))", 4),
            ("SELECT main.len([1, 2])", 2),
            ("SELECT [x + 1 FOR x IN [6]][1]", 7),
            (
                "SELECT (CASE WHEN {'a': 1}.a = 1 AND map {1: 2}[1] = 2 THEN extract(year FROM DATE '2025-01-01') END)",
                2025,
            ),
            ("SELECT x FROM (VALUES (7)) v(x)", 7),
            ("SELECT 7 UNION SELECT 7", 7),
            ("SELECT row_number() OVER (ORDER BY price DESC) FROM trades ORDER BY 1 DESC LIMIT 1", 10),
            ("SELECT count(*) FROM trades PIVOT (sum(price) FOR product IN ('x', 'y'))", 1),
        ] {
            let database = hostile();
            let select = ReadOnlySelect::check(&database, text, &TABLES, 100);
            let select = select.unwrap_or_else(|error| panic!("{text}: {error}"));
            database.execute_batch(sql!("BEGIN TRANSACTION READ ONLY")).expect("a transaction");
            select.run(&database).unwrap_or_else(|error| panic!("{text}: {error}"));
            let found: i64 = database
                .query_row(sql!("SELECT (COLUMNS(*))::BIGINT FROM temp.result"), [], |row| row.get(0))
                .expect("a row");
            assert_eq!(found, expected, "{text}");
        }
    }

    /// The check is the first wall; the transaction is the second.
    /// One value may take longer than the time limit, or more than the memory limit, and nothing stops it.
    #[test]
    fn what_no_limit_would_stop_is_refused() {
        let database = hostile();
        let nested = |open: &str, close: &str, times: usize| {
            format!("SELECT {}'a'{}", open.repeat(times), close.repeat(times))
        };
        let doubling: Vec<String> = (1..20)
            .map(|n| format!("c{n} AS NOT MATERIALIZED (SELECT a.x FROM c{0} a, c{0} b)", n - 1))
            .collect();
        let doubling = format!("WITH c0 AS (SELECT 1 AS x), {} SELECT * FROM c19", doubling.join(", "));
        for (text, problem_of) in [
            ("SELECT 'a' LIKE '%a%a%a%a%a%a%a_b'".to_owned(), "more than 6 wildcards"),
            ("SELECT 'a' GLOB '*a*a*a*a*a*a*a?b'".to_owned(), "more than 6 wildcards"),
            ("SELECT 'a' ILIKE product FROM trades".to_owned(), "is a text in quotes"),
            ("SELECT 'a' NOT LIKE ('%' || '%')".to_owned(), "is a text in quotes"),
            (nested("hex(", ")", 4), "nested too deeply"),
            (nested("replace(", ", 'a', 'aaaaaaaaaa')", 7), "nested too deeply"),
            (nested("list_transform([1,2], lambda x : ", ")", 4), "nested too deeply"),
            ("SELECT format('{:{}}', 'a', 100000000)".to_owned(), "In format"),
            ("SELECT levenshtein('a', 'b')".to_owned(), "no function levenshtein"),
            ("SELECT bitstring('1', 2000000000)".to_owned(), "no function bitstring"),
            (doubling, "read too often"),
            ("SELECT sum(price) EXPORT_STATE FROM trades".to_owned(), "EXPORT_STATE"),
        ] {
            let found = problem(&database, &text);
            assert!(found.as_ref().is_some_and(|found| found.what.contains(problem_of)), "{text}: {found:?}");
        }
        for text in [
            "SELECT product LIKE '%a%b%', product ILIKE 'x%', product NOT LIKE '_%' ESCAPE '!' FROM trades",
            "SELECT replace(replace(replace(product, 'a', 'b'), 'c', 'd'), 'e', 'f') FROM trades",
            "SELECT format('{:.2f} {{}}', price) FROM trades",
            "WITH a AS (SELECT price FROM trades), b AS (SELECT price FROM a) SELECT * FROM a, b, b AS c",
        ] {
            assert_eq!(problem(&database, text), None, "{text}");
        }
    }

    #[test]
    fn nothing_but_temporary_tables_can_be_written() {
        let database = hostile();
        database.execute_batch(sql!("BEGIN TRANSACTION READ ONLY")).expect("a transaction");
        database.execute_batch(sql!("DELETE FROM cache.meta")).expect_err("it is read-only");
    }

    #[test]
    fn a_deep_text_is_checked() {
        let database = hostile();
        let sum = |terms: usize| vec!["1"; terms].join(" + ");
        assert_eq!(problem(&database, &format!("SELECT {}", sum(150))), None);
        assert!(problem(&database, &format!("SELECT {} + evil(1)", sum(150))).is_some());
        // What would end the program, and what DuckDB's parser refuses.
        for terms in [400, 900, 5_000] {
            assert!(problem(&database, &format!("SELECT {}", sum(terms))).is_some());
            let list = format!("SELECT {}1{}", "[".repeat(terms), "]".repeat(terms));
            assert!(problem(&database, &list).is_some());
            let within =
                format!("{}SELECT 1{}", "WITH a AS (".repeat(terms), ") SELECT * FROM a".repeat(terms));
            assert!(problem(&database, &within).is_some());
            let one = |number: usize| format!("a{number} AS (SELECT * FROM a{})", number - 1);
            let chain: Vec<String> = (1..terms).map(one).collect();
            let chain = format!("WITH a0 AS (SELECT 1), {} SELECT * FROM a{}", chain.join(", "), terms - 1);
            assert!(problem(&database, &chain).is_some());
            let joins = vec!["trades"; terms].join(" CROSS JOIN ");
            assert!(problem(&database, &format!("SELECT 1 FROM {joins}")).is_some());
        }
        assert!(problem(&database, &format!("SELECT '{}'", "x".repeat(LONGEST))).is_some());
    }

    #[test]
    fn a_problem_names_its_place() {
        let database = hostile();
        for (text, what, place) in [
            ("SELEC 1", "Syntax error at or near \"SELEC\"", (1, 1)),
            ("SELECT 'é',\n  evil(1)", "There is no function evil here", (2, 3)),
            ("SELECT 1\nFROM meta", "There is no table meta: the tables are trades and messages", (2, 6)),
            (
                "SELECT * FROM cache.meta",
                "There is no table cache.meta: the tables are trades and messages",
                (1, 15),
            ),
        ] {
            let found = problem(&database, text).expect("it is refused");
            assert_eq!((found.what.as_str(), found.place), (what, Some(place)), "{text}");
        }
        for (text, what, place) in [
            (
                "SELECT price,\n 'é', nope FROM trades",
                "Referenced column \"nope\" not found in FROM clause",
                (2, 7),
            ),
            ("SELECT product::INTEGER FROM trades", "Could not convert string 'x' to INT32", (1, 15)),
        ] {
            let select = ReadOnlySelect::check(&database, text, &TABLES, 100).expect("it is a select");
            database.execute_batch(sql!("BEGIN TRANSACTION READ ONLY")).expect("a transaction");
            let error = select.run(&database).expect_err("it fails");
            let CacheErrorKind::Sql(found) = error.kind() else { panic!("{error}") };
            assert!(found.what.starts_with(what), "{found:?}");
            assert_eq!(found.place, Some(place), "{text}");
        }
    }

    /// A function of the list exists, gives a value, and neither writes nor reads anything but its arguments. A
    /// function that a later DuckDB adds is refused until the list has it.
    #[test]
    fn the_functions_are_those_that_were_reviewed() {
        let database = hostile();
        let mut select = database
            .prepare(sql!(
                "SELECT DISTINCT lower(function_name), function_type, coalesce(stability = 'VOLATILE', false)
                 FROM duckdb_functions() WHERE database_name = 'system'"
            ))
            .expect("the catalog");
        let rows =
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("the functions");
        let known: Vec<(String, String, bool)> = rows.collect::<duckdb::Result<_>>().expect("the functions");
        let values: BTreeSet<&str> = known
            .iter()
            .filter(|(_, kind, _)| ["scalar", "aggregate", "macro"].contains(&kind.as_str()))
            .map(|(name, ..)| name.as_str())
            .collect();
        // The parser knows these by itself.
        let by_syntax = ["unnest"];
        for name in ALLOWED.iter().filter(|name| !by_syntax.contains(name)) {
            assert!(values.contains(name), "{name} is no function of a value");
        }
        let volatile: BTreeSet<&str> = known
            .iter()
            .filter(|(name, _, volatile)| *volatile && ALLOWED.contains(name.as_str()))
            .map(|(name, ..)| name.as_str())
            .collect();
        // They only make up values.
        assert_eq!(volatile, BTreeSet::from(["gen_random_uuid", "random", "uuid", "uuidv4", "uuidv7"]));
        for name in ALLOWED.iter() {
            let of_other =
                ["pg_", "duckdb_", "pragma_", "read_", "current_s", "__internal", "has_", "inet_", "json_s"];
            assert!(
                !of_other.iter().any(|begin| name.starts_with(begin)) || *name == "json_structure",
                "{name}"
            );
        }
        assert!(FUNCTIONS.lines().is_sorted(), "the list is easier to review in order");
        for (name, kind, _) in &known {
            if ["table", "table_macro", "pragma"].contains(&kind.as_str())
                && !TABLE_FUNCTIONS.contains(&name.as_str())
            {
                let text = format!("SELECT * FROM {}()", sql!("{}", Ident(name)).as_str());
                assert!(problem(&database, &text).is_some(), "{text}");
            }
        }
    }
}
