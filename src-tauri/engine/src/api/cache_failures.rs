//! The cache's errors in the trader's words.

use std::error::Error as _;

use crate::cache::store::folder::MovedAside;
use crate::cache::{
    BadPath, CacheError, CacheErrorKind, ExportProblem, Holder, Missing, Purpose, SqlProblem, Work,
};
use crate::failure::{Code, Failure, FailureTarget};
use crate::words::thousands;

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        let failure = of_kind(error.kind());
        let failure = match error.source() {
            Some(cause) => failure.because(cause),
            None => failure,
        };
        failure.with_source(error)
    }
}

impl From<CacheErrorKind> for Failure {
    fn from(kind: CacheErrorKind) -> Self {
        CacheError::from(kind).into()
    }
}

impl From<MovedAside> for Failure {
    fn from(moved: MovedAside) -> Self {
        let failure = Self::from(moved.error);
        let message = match &failure.cause {
            // The evidence is that of this program's own checks.
            None => format!("{} It was moved aside as {}.", failure.message, moved.name),
            Some(_) => moved_aside(&moved.name),
        };
        Self::new(Code::CacheDamaged, message)
            .advise("No action needed: its days are fetched again.")
            .because(failure.cause.unwrap_or(failure.message))
    }
}

/// The sentence for a file that could not be read and was moved aside under a name.
pub(crate) fn moved_aside(name: &str) -> String {
    format!("The cached file of this query could not be read and was moved aside as {name}.")
}

fn of_kind(kind: &CacheErrorKind) -> Failure {
    match kind {
        CacheErrorKind::Busy(holder) => Failure::new(
            Code::CacheBusy,
            match holder {
                Holder::OtherProcess => "Another Tidemark is using this cached query.",
                Holder::ThisProcess => "This cached query is in use.",
                Holder::Closing => "This cached query is still in use.",
            },
        ),
        CacheErrorKind::NotCached(missing) => not_cached(missing),
        CacheErrorKind::DiskFull => {
            Failure::new(Code::DiskFull, "There is no space left on the disk that holds the cache.")
        }
        CacheErrorKind::OutOfMemory => {
            Failure::new(Code::OutOfMemory, "There is not enough memory to read or write the cache.")
        }
        CacheErrorKind::Cancelled(work) => Failure::new(
            Code::Cancelled,
            match work {
                Work::Statement => "The work was cancelled.",
                Work::Fetch => "The fetch was cancelled.",
                Work::Export => "The export was cancelled.",
            },
        ),
        CacheErrorKind::Corrupt(evidence) | CacheErrorKind::NotOurs(evidence) => {
            Failure::new(Code::CacheDamaged, evidence.as_ref())
        }
        CacheErrorKind::NewerFormat(how) => Failure::new(
            Code::CacheUnusable,
            format!("This cached query was written by a newer Tidemark ({how})."),
        )
        .advise("Open it with the newer Tidemark, or forget it to fetch it again with this one."),
        CacheErrorKind::OlderReadOnly => Failure::new(
            Code::CacheUnusable,
            "This cached query was written by an older Tidemark, and its file is read-only, so it cannot be converted.",
        )
        .advise("Copy the cache folder to a place that you may write to, and use it there."),
        CacheErrorKind::ReadOnly => Failure::new(
            Code::CacheUnusable,
            "The cache is read-only: what is cached can be shown, but nothing new can be stored.",
        )
        .advise("Choose a cache folder that you may write to, or ask for the right to write to this one."),
        CacheErrorKind::Link => Failure::new(
            Code::CacheUnusable,
            "The cache file is a link to another place, and Tidemark does not follow it.",
        )
        .advise("Put the file itself where the link is, or link the whole cache folder."),
        CacheErrorKind::Io => {
            Failure::new(Code::CacheUnusable, "The operating system does not let Tidemark use the cache file.")
        }
        CacheErrorKind::File(name) => {
            Failure::new(Code::CacheUnusable, format!("The cache file {name} cannot be read.")).advise(
                "Check that you may read and write this file and that its disk is there, then try again; nothing was removed.",
            )
        }
        CacheErrorKind::Folder => Failure::new(Code::CacheUnusable, "The cache folder cannot be used.")
            .advise("Check that the folder exists and that you may write to it."),
        CacheErrorKind::Path(why) => bad_path(*why),
        CacheErrorKind::Undecided => {
            Failure::new(Code::Cancelled, "A document cannot be judged locally as MongoDB would.")
        }
        CacheErrorKind::NoColumn(sentence, purpose) => {
            let failure = Failure::new(Code::BadFilter, sentence);
            match purpose {
                Purpose::Sort | Purpose::Filter | Purpose::Summary => failure,
                Purpose::Export => failure.advise("Correct the columns and export again."),
            }
        }
        CacheErrorKind::BadCondition(path, error) => {
            let at = error.place() + 1;
            let message = format!("The filter of {path} cannot be used: {error} (character {at}).");
            Failure::new(Code::BadFilter, message).at(FailureTarget::Column { path: path.as_str().into() })
        }
        CacheErrorKind::Sql(problem) => bad_sql(problem),
        CacheErrorKind::Export(problem) => not_exported(problem),
        CacheErrorKind::Internal(what) => Failure::new(Code::Internal, what.as_ref()),
    }
}

fn not_cached(missing: &Missing) -> Failure {
    let message = match missing {
        Missing::File => "There is no such cached query.".to_owned(),
        Missing::Removed => "This cached query no longer exists.".to_owned(),
        Missing::CopiedDay => "The other cached query no longer has this day.".to_owned(),
        Missing::Row => "This row is no longer cached.".to_owned(),
        Missing::Signature(signature) => {
            return Failure::new(Code::NotCached, format!("No cached query has the signature {signature}."))
                .advise("List the cached queries to see which there are.");
        }
    };
    Failure::new(Code::NotCached, message)
}

fn bad_sql(problem: &SqlProblem) -> Failure {
    let SqlProblem { what, place, is_limit } = problem;
    if *is_limit {
        return Failure::new(Code::BadFilter, format!("{what}."))
            .advise("Narrow the rows with a condition or group them, and run it again.");
    }
    let failure = match place {
        None => Failure::new(Code::BadFilter, format!("{what}.")),
        Some((line, column)) => {
            Failure::new(Code::BadFilter, format!("{what} (line {line}, column {column})."))
                .at(FailureTarget::Sql { line: *line, column: *column })
        }
    };
    failure.advise("Correct the SQL and run it again.")
}

fn bad_path(why: BadPath) -> Failure {
    let (message, next) = match why {
        BadPath::NotAFile => (
            "The path of the cache file leads to something that is not a file.",
            "Remove what is there, or choose another folder for the cache.",
        ),
        BadPath::NotUnicode => (
            "The name of the cache folder is not Unicode text.",
            "Choose a cache folder with a different name.",
        ),
        BadPath::NotEmpty => (
            "The cache cannot be moved there: the folder has other files in it, or belongs to the cache.",
            "Choose an empty folder.",
        ),
        BadPath::QuestionMark => (
            "The path of the cache folder contains a question mark, which is not supported.",
            "Choose a cache folder with a different name.",
        ),
    };
    Failure::new(Code::CacheUnusable, message).advise(next)
}

fn not_exported(problem: &ExportProblem) -> Failure {
    let because = |why: &Option<&str>| why.map_or_else(String::new, |why| format!(": {why}"));
    let message = match problem {
        ExportProblem::NoSpace => {
            return Failure::new(Code::DiskFull, "There is no space left on the disk for the file.");
        }
        ExportProblem::Busy(path) => {
            return Failure::new(
                Code::ExportFailed,
                format!("Another export to {} is already running.", path.display()),
            )
            .advise("Wait until it is done, or choose another file name.");
        }
        ExportProblem::TooManyColumns { columns, most } => {
            let message = format!(
                "A sheet has at most {} columns, and there are {}.",
                thousands(*most as u64),
                thousands(*columns as u64)
            );
            return Failure::new(Code::ExportFailed, message)
                .advise("Export fewer columns, or in another format.");
        }
        ExportProblem::NoZone(zone) => {
            return Failure::new(Code::ExportFailed, format!("There is no time zone {zone}."))
                .advise("Choose another zone for the dates.");
        }
        ExportProblem::CacheFile(path) => format!("{} is a file of Tidemark's cache.", path.display()),
        ExportProblem::NotWritten(path, why) => {
            format!("{} could not be written{}.", path.display(), because(why))
        }
        ExportProblem::Incomplete(name, why) => {
            format!("{name} could not be written completely{}.", because(why))
        }
    };
    Failure::new(Code::ExportFailed, message)
}
