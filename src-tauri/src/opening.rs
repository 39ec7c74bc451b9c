//! What the command line of the app asks to be shown.

use std::ffi::OsString;

use clap::Parser;

/// Tidemark: trades from MongoDB at the speed of a local cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Parser)]
#[command(name = "tidemark", version)]
pub(crate) struct Opening {
    /// Use this source.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Open this cached query.
    #[arg(long, value_name = "SIGNATURE")]
    pub(crate) query: Option<String>,
}

impl Opening {
    /// Reads the arguments of a start of the program, its own name first.
    ///
    /// # Errors
    /// A text about what is wrong with them, or the help that was asked for.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_may_name_a_source_and_a_query() {
        let opening =
            Opening::parse(["tidemark", "--source", "Production", "--query", "00ff"]).expect("arguments");
        assert_eq!(opening.source.as_deref(), Some("Production"));
        assert_eq!(opening.query.as_deref(), Some("00ff"));
        assert!(Opening::parse(["tidemark"]).expect("nothing").is_empty());
        assert!(Opening::parse(["tidemark", "--colour"]).is_err());
    }
}
