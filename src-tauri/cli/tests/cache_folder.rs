//! Which folder is the cache, and that looking into one does not create it.

use std::path::Path;

use crate::support::fixture::Fixture;
use crate::support::{cli, cli_with};

const VARIABLE: &str = "TIDEMARK_CACHE_DIR";
const SIGNATURE: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn the_environment_names_the_cache_unless_the_command_does() {
    let fixture = Fixture::new("cache_folder", 2, 3, 10).await;
    let [named, other] = ["named", "other"].map(|name| fixture.path(name).to_string_lossy().into_owned());
    let mut arguments = fixture.arguments(Path::new(&other), &[]);
    let at = arguments.iter().position(|argument| argument == "--cache").unwrap();
    arguments.drain(at..at + 2);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = cli_with(&arguments, &[(VARIABLE, &named)]);
    assert_eq!((run.code, run.count("/days/fetched")), (0, 2), "{run:?}");
    let queries = |arguments: &[&str], environment: &[(&str, &str)]| {
        let run = cli_with(&[&["cached"], arguments].concat(), environment);
        assert_eq!(run.code, 0, "{run:?}");
        run.last["cached"].as_array().unwrap().len()
    };
    assert_eq!(queries(&[], &[(VARIABLE, &named)]), 1);
    assert_eq!(queries(&["--cache", &named], &[]), 1);
    assert_eq!(queries(&["--cache", &other], &[(VARIABLE, &named)]), 0, "the option wins");
    assert!(cli(&["cached", "--help"]).stdout.contains(VARIABLE));
}

#[test]
fn a_folder_that_is_not_there_is_not_created_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("none");
    let name = cache.to_string_lossy();
    let listed = cli(&["cached", "--cache", &name]);
    assert_eq!((listed.code, listed.last["cached"].as_array().map(Vec::len)), (0, Some(0)), "{listed:?}");
    assert!(listed.stderr.contains("There is no cache folder"), "{listed:?}");
    for command in ["forget", "pin"] {
        let run = cli(&[command, SIGNATURE, "--cache", &name]);
        assert_eq!((run.code, run.text("/error/code")), (1, "not_cached"), "{run:?}");
    }
    let usage = cli(&["budget", "--cache", &name]);
    assert_eq!((usage.code, usage.count("/queries"), usage.count("/bytes")), (0, 0, 0), "{usage:?}");
    assert!(!cache.exists());
}
