//! What is written: the level that `TIDEMARK_LOG` sets.
//!
//! The variable is a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), which holds for Tidemark's own events;
//! those of libraries are written from `warn` on. Or it is a list of directives of
//! [`EnvFilter`], such as `info,tidemark_engine::cache=debug`.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "TIDEMARK_LOG";
/// A target matches by its beginning, so `tidemark` stands for all of our crates.
const DEFAULT: &str = "warn,tidemark=info";

/// The filter without a variable.
pub(crate) fn default() -> EnvFilter {
    EnvFilter::new(DEFAULT)
}

/// The filter that the variable asks for.
///
/// # Errors
/// A sentence about what is wrong with the variable.
pub(crate) fn from_environment() -> Result<EnvFilter, String> {
    let value = std::env::var_os(VARIABLE).unwrap_or_default();
    parse(&value.to_string_lossy())
}

fn parse(value: &str) -> Result<EnvFilter, String> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(default());
    }
    if let Ok(level) = value.parse::<LevelFilter>() {
        return Ok(EnvFilter::new(format!("{},tidemark={level}", level.min(LevelFilter::WARN))));
    }
    // `EnvFilter` would take a mistyped level for the name of a crate.
    let is_directive = |part: &str| match part.split_once('=') {
        Some((target, _)) => !target.is_empty() && !target.contains(char::is_whitespace),
        None => part.parse::<LevelFilter>().is_ok(),
    };
    let parsed = EnvFilter::builder().parse(format!("{DEFAULT},{value}"));
    parsed.ok().filter(|_| value.split(',').all(is_directive)).ok_or_else(|| {
        format!(
            "{VARIABLE} is to be off, error, warn, info, debug, trace, or a list such as \
             info,tidemark_engine::cache=debug. \"{value}\" is ignored."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        parse(value).map_or_else(|problem| problem, |filter| filter.to_string())
    }

    #[test]
    fn a_level_is_that_of_our_own_events() {
        assert_eq!(shown(" "), shown(DEFAULT));
        assert_eq!(shown("info"), shown(DEFAULT));
        assert_eq!(shown("DEBUG"), shown("warn,tidemark=debug"));
        assert_eq!(shown("error"), shown("error,tidemark=error"));
        assert_eq!(parse("off").expect("a level").max_level_hint(), Some(LevelFilter::OFF));
    }

    #[test]
    fn directives_add_to_the_default() {
        assert_eq!(
            shown("tidemark_engine::cache=debug"),
            shown("warn,tidemark=info,tidemark_engine::cache=debug")
        );
        assert_eq!(shown("trace,tidemark=warn"), shown("tidemark=warn,trace"));
    }

    #[test]
    fn a_mistyped_level_is_named() {
        for value in ["verbose", "info,verbose", "tidemark=loud", "debug tidemark=info", "=,=["] {
            let problem = shown(value);
            assert!(problem.starts_with("TIDEMARK_LOG") && problem.contains(value), "{problem}");
        }
    }
}
