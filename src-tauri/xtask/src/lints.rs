//! Our own rules, which no compiler checks.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::run::{cargo, output};
use crate::workspace::Workspace;

/// The engine knows no Tauri and no window.
pub(crate) fn engine_knows_no_window(workspace: &Workspace) -> Outcome {
    let tree = ["tree", "-p", "tidemark-engine", "--edges", "normal,build", "--prefix", "none"];
    let tree = output(&mut cargo(workspace, &tree))?;
    let mut strangers: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            ["tauri", "wry", "tao", "gtk", "webkit2gtk"]
                .iter()
                .any(|window| name == window || name.starts_with(&format!("{window}-")))
        })
        .collect();
    strangers.sort_unstable();
    strangers.dedup();
    if strangers.is_empty() {
        return Ok(());
    }
    Err(format!("The engine must not depend on: {}.", strangers.join(", ")))
}

/// What is released is the page that is compiled in, with no inspector: tauri's `custom-protocol` is on and its
/// `devtools` off, whoever of its plugins may ask for them.
pub(crate) fn release_is_closed(workspace: &Workspace) -> Outcome {
    let tree = [
        "tree",
        "-p",
        "tidemark",
        "--edges",
        "normal",
        "--target",
        "all",
        "--prefix",
        "none",
        "-f",
        "{p} [{f}]",
    ];
    not_closed(&output(&mut cargo(workspace, &tree))?).map_or(Ok(()), Err)
}

/// What is wrong with the features in a `cargo tree` whose lines are `package version [features]`.
fn not_closed(tree: &str) -> Option<String> {
    let mut has_page = false;
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let features =
            line.rsplit_once('[').map_or("", |(_, features)| features).trim_end_matches("(*)").trim();
        let mut features = features.trim_end_matches(']').split(',');
        if !["tauri", "tauri-runtime", "tauri-runtime-wry", "wry"].contains(&name) {
            continue;
        }
        has_page |= name == "tauri" && features.clone().any(|feature| feature == "custom-protocol");
        if features.any(|feature| feature == "devtools") {
            return Some(format!("A release must have no inspector: `devtools` of {name} is on."));
        }
    }
    (!has_page)
        .then(|| "A release must show the page compiled in: `custom-protocol` of tauri is off.".to_owned())
}

/// No file names a registry's host or a folder of the machine that it was written on.
pub(crate) fn files_name_no_machine(workspace: &Workspace) -> Outcome {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let files = output(Command::new("git").args(list).current_dir(&workspace.root))?;
    let mut found = Vec::new();
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        // Deleted in the checkout, or not a text: nothing to read in it.
        let Ok(text) = fs::read_to_string(workspace.root.join(file)) else {
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(what) = named_in(Path::new(file), line) {
                found.push(format!("{file}:{number} names {what}"));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n  ")) }
}

/// What a line names that it should not.
fn named_in(file: &Path, line: &str) -> Option<String> {
    // Put together here, so that this file does not break its own rule.
    let folders = ["root", "home", "work", "Users"].map(|name| format!("/{name}/"));
    let hosts = [
        ["registry.", "npmjs.org"],
        ["registry.", "yarnpkg.com"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["files.", "pythonhosted.org"],
        ["pypi", ".org/simple"],
        ["deb.", "debian.org"],
    ]
    .map(|parts| parts.concat());

    let starts_a_path = |at: usize| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~}/*".contains(before))
    };
    let folder = folders
        .into_iter()
        .find(|folder| line.match_indices(folder.as_str()).any(|(at, _)| starts_a_path(at)));
    let host = || hosts.into_iter().find(|host| line.contains(host.as_str()));
    // npm notes where it took a package from; then a lock file holds good for one registry alone.
    let resolved = || {
        let is_lock = file.file_name().is_some_and(|name| name == "package-lock.json");
        (is_lock && line.contains("\"resolved\": \"http")).then(|| "a registry".to_owned())
    };
    folder.or_else(host).or_else(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Option<String> {
        named_in(Path::new("notes.md"), line)
    }

    #[test]
    fn folders_of_a_machine_are_found() {
        assert_eq!(named(&["see /ro", "ot/file"].concat()), Some(["/ro", "ot/"].concat()));
        assert!(named(&["\"/ho", "me/me/x\""].concat()).is_some());
        assert_eq!(named("pages/home/index.html and a/work/b and ~/.cache"), None);
    }

    fn read(file: &str) -> String {
        // Tests run in the folder of their package.
        fs::read_to_string(Path::new("../..").join(file)).expect("the file is there")
    }

    /// The packaged page runs its own scripts alone and reaches nothing but the app.
    #[test]
    fn the_page_is_confined() {
        let config = read("tauri.conf.json");
        let strict = |directive: &str, sources: &str| {
            let line = format!("\"{directive}\": \"{sources}\"");
            assert!(config.contains(&line), "{line} is missing in tauri.conf.json");
        };
        strict("default-src", "'self'");
        strict("script-src", "'self'");
        // The shell adds the number of the page's own styles, unless it is told to leave the policy alone.
        strict("style-src", "'self'");
        strict("img-src", "'self'");
        strict("font-src", "'self'");
        strict("connect-src", "ipc: http://ipc.localhost");
        strict("object-src", "'none'");
        strict("base-uri", "'none'");
        strict("form-action", "'none'");
        strict("frame-ancestors", "'none'");
        for loose in [
            "unsafe-inline",
            "dangerous",
            "data:",
            "unsafe-eval",
            "wasm-unsafe",
            "https:",
            "ws:",
            "devtools",
            "\"remote\"",
            "devUrl",
        ] {
            // The schema's own address is no source of the page.
            let found =
                config.lines().filter(|line| !line.contains("$schema")).any(|line| line.contains(loose));
            assert!(!found, "{loose} in tauri.conf.json");
        }
        assert!(config.contains("\"withGlobalTauri\": false"));
    }

    #[test]
    fn an_open_release_is_found() {
        let closed = "tidemark v0.1.0 (here) []\ntauri v2.12.0 [custom-protocol,wry]\nwry v0.5.0 [os-webview]\n\
                      wry v0.5.0 [os-webview] (*)\n";
        assert_eq!(not_closed(closed), None);
        assert!(not_closed(&closed.replace("custom-protocol,", "")).is_some());
        for open in ["custom-protocol,devtools,wry", "devtools,custom-protocol"] {
            assert!(not_closed(&closed.replace("custom-protocol,wry", open)).is_some());
        }
        assert!(not_closed(&closed.replace("os-webview] (*)", "os-webview,devtools] (*)")).is_some());
    }

    /// The window may call the app's own commands and hear its events; each permission is used.
    #[test]
    fn the_window_may_do_what_it_does() {
        let capability = read("src-tauri/capabilities/main.json");
        let commands = read("src-tauri/build.rs");
        let (_, list) = commands.split_once("COMMANDS: [").expect("the list of commands");
        let (list, _) = list.split_once("];").expect("its end");
        let mut expected: Vec<String> = list
            .split('"')
            .skip(1)
            .step_by(2)
            .map(|command| format!("allow-{}", command.replace('_', "-")))
            .chain(["core:event:allow-listen".to_owned(), "core:event:allow-unlisten".to_owned()])
            .collect();
        let (_, list) = capability.split_once("\"permissions\": [").expect("the permissions");
        let (list, _) = list.split_once(']').expect("their end");
        let mut given: Vec<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        expected.sort();
        given.sort();
        assert_eq!(given, expected);
        assert!(capability.contains("\"windows\": [\"main\"]") && !capability.contains("\"remote\""));
    }

    /// Files of DuckDB's are opened in one place, with every limit and every setting of safety. No other code names the
    /// type that opens one, under this or another name.
    #[test]
    fn files_are_opened_in_one_place() {
        const MAY: [&str; 2] = ["cache/file/opener.rs", "cache/file/sql.rs"];
        let mut seen = 0;
        for (file, text) in engine_files("") {
            // Tests make files of their own.
            let code = match text.split_once("#[cfg(test)]") {
                _ if file.ends_with("tests.rs") => "",
                Some((code, _)) => code,
                None => &text,
            };
            let words = || code.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
            let names = words().any(|word| word == "duckdb") && words().any(|word| word == "Connection");
            let opens = names || code.contains("InnerConnection") || code.contains("ATTACH ");
            let may = MAY.contains(&file.as_str());
            assert!(may || !opens, "{file} opens a database: cache/file/opener.rs does that");
            seen += usize::from(may && opens);
        }
        assert_eq!(seen, MAY.len(), "the check finds the places that there are");
    }

    /// What SQL may be made of, the macro `sql!` decides: nothing else calls what it calls.
    #[test]
    fn sql_is_made_by_its_macro_alone() {
        let mut seen = 0;
        for (file, text) in engine_files("") {
            let calls = ["Sql::of(", "Sql::formatted(", "SqlPart for "].iter();
            let found = calls.filter(|call| text.contains(**call)).count();
            // A trader's own SQL is a part of a statement once it has been checked.
            let is_home = ["cache/file/sql.rs", "cache/file/sql/select.rs"].contains(&file.as_str());
            assert!(is_home || found == 0, "{file} makes SQL without the macro sql!");
            seen += usize::from(is_home) * found;
        }
        assert_eq!(seen, 4, "the check finds the calls that there are");
    }

    /// Only the cache speaks SQL. What it may be made of, the type `Sql` says (cache/file/sql.rs).
    #[test]
    fn only_the_cache_runs_sql() {
        for (file, text) in engine_files("") {
            let runs = ["execute_batch(", ".prepare(", "query_row("].iter().any(|call| text.contains(call));
            assert!(!runs || file.starts_with("cache/"), "{file} runs SQL: that belongs in the cache");
        }
    }

    /// DuckDB 1.5.6 crashes where a statement reads the table that it writes to
    /// (docs/upstream/duckdb-insert-select-same-table.sql).
    #[test]
    fn no_statement_reads_the_table_that_it_writes() {
        let mut seen = 0;
        for (file, text) in engine_files("cache") {
            let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            for literal in literals(code) {
                for statement in literal.split(';') {
                    seen += usize::from(statement.contains("INSERT INTO "));
                    if let Some(table) = read_and_written(statement) {
                        panic!("{file}: a statement reads {table} and writes to it:\n{statement}");
                    }
                }
            }
        }
        assert!(seen > 10, "the check finds what there is: {seen}");
    }

    #[test]
    fn a_table_on_both_sides_is_found() {
        let both = read_and_written;
        assert_eq!(
            both("INSERT INTO {links} SELECT day FROM cache.{links} AS l"),
            Some("{links}".to_owned())
        );
        assert_eq!(both("DELETE FROM t WHERE x IN (SELECT x FROM t)"), Some("t".to_owned()));
        assert_eq!(both("UPDATE t SET x = 1 FROM u JOIN t USING (x)"), Some("t".to_owned()));
        assert_eq!(both("INSERT INTO t BY NAME SELECT * FROM {part}"), None);
        assert_eq!(both("DELETE FROM t WHERE x IN (SELECT x FROM temp.u)"), None);
    }

    /// The table that a statement both reads and writes, if it names one.
    fn read_and_written(statement: &str) -> Option<String> {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let name = |word: &str| {
            let name = word.trim_matches(|sign| "(),;\\".contains(sign));
            name.rsplit('.').next().unwrap_or(name).to_owned()
        };
        let (written, read_from) = match words[..] {
            ["INSERT", "INTO", table, ..] | ["DELETE", "FROM", table, ..] => (name(table), 3),
            ["UPDATE", table, ..] => (name(table), 2),
            // A common table expression may stand before.
            _ => {
                let at = words.windows(2).position(|pair| pair == ["INSERT", "INTO"])?;
                (name(words.get(at + 2)?), 0)
            }
        };
        let read = words[read_from..].windows(2).filter(|pair| ["FROM", "JOIN", "(FROM"].contains(&pair[0]));
        read.map(|pair| name(pair[1])).find(|table| *table == written)
    }

    /// The engine's source files of a folder and all below it, by path in that folder.
    fn engine_files(folder: &str) -> Vec<(String, String)> {
        let top = Path::new("../engine/src").join(folder);
        let (mut files, mut folders) = (Vec::new(), vec![top.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path.strip_prefix(&top).expect("it lies in the folder");
                    let name = name.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
                    files.push((name, fs::read_to_string(&path).expect("a source file")));
                }
            }
        }
        files
    }

    /// The texts that stand between quotes in a program. Comments are left out.
    fn literals(code: &str) -> Vec<String> {
        let (mut found, mut rest) = (Vec::new(), code);
        while let Some(at) = rest.find(['"', '/', '\'']) {
            let (kind, after) = (&rest[at..=at], &rest[at + 1..]);
            rest = match kind {
                "/" if after.starts_with('/') => after.split_once('\n').map_or("", |(_, next)| next),
                // A quote as a character, not as the beginning of a text.
                "'" if after.starts_with("\"'") => &after[2..],
                "'" if after.starts_with("\\") => after[2..].split_once('\'').map_or("", |(_, next)| next),
                "\"" => {
                    let mut escaped = false;
                    let end = after.find(|sign| {
                        let ends = sign == '"' && !escaped;
                        escaped = sign == '\\' && !escaped;
                        ends
                    });
                    let end = end.expect("a text ends");
                    found.push(after[..end].to_owned());
                    &after[end + 1..]
                }
                _ => after,
            };
        }
        found
    }

    #[test]
    fn texts_of_a_program_are_found() {
        let code = r#"let a = '"'; // "SELECT {comment}"
            sql!("SELECT \"x\" FROM t", b); say("a {name} of it"); let c = '\''; "DROP t""#;
        assert_eq!(literals(code), [r#"SELECT \"x\" FROM t"#, "a {name} of it", "DROP t"]);
    }

    #[test]
    fn registries_are_found() {
        assert!(named(&["https://registry.npm", "js.org/x"].concat()).is_some());
        assert_eq!(named("source = \"registry+https://github.com/rust-lang/crates.io-index\""), None);
        let line = "      \"resolved\": \"https://somewhere/x.tgz\",";
        assert!(named_in(Path::new("ui/package-lock.json"), line).is_some());
        assert_eq!(named(line), None);
    }
}
