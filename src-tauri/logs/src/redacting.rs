//! Takes the secrets out of each record before it leaves the thread that writes it.
//!
//! Whatever an event says, wherever it comes from: the formatted text is redacted, with the fields of the event and of
//! its spans in it. A writer further down, on a thread of its own, might come too late: a source's secrets are known
//! as long as the source is in use.

use std::io::{self, Write};

use tidemark_engine::failure::redact;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Makes writers that redact.
#[derive(Debug)]
pub(crate) struct Redacting<W>(pub(crate) W);

impl<'writer, W: MakeWriter<'writer>> MakeWriter<'writer> for Redacting<W> {
    type Writer = RedactingWriter<W::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        RedactingWriter(self.0.make_writer())
    }

    fn make_writer_for(&'writer self, metadata: &Metadata<'_>) -> Self::Writer {
        RedactingWriter(self.0.make_writer_for(metadata))
    }
}

/// Writes whole records without their secrets.
#[derive(Debug)]
pub(crate) struct RedactingWriter<W>(W);

impl<W: Write> Write for RedactingWriter<W> {
    /// The formatter writes each record with a single call.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let redacted = indented(&redact(&String::from_utf8_lossy(record)));
        // A closed standard error is no failure, and there is no other place to report one.
        let _ = self.0.write_all(redacted.as_bytes());
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Indents the further lines of a record, so that no text in it can pass for a record of its own.
fn indented(record: &str) -> String {
    let mut lines = record.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let mut out = lines.fold(first, |out, line| out + "\n    " + line);
    out.push('\n');
    // `lines` parts at line feeds alone; a terminal also goes back at a carriage return.
    out.replace('\r', " ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidemark_engine::failure::{Code, Failure};
    use tidemark_engine::source::{Source, SourceSettings};
    use tracing::{error_span, info, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    const PASSWORD: &str = "PLANTED s3cr3t/@:%?\"é";
    const ESCAPED: &str = "PLANTED%20s3cr3t%2f%40%3a%25%3f%22%c3%a9";

    /// The records of some events, written while a source with the password is in use.
    fn written(events: impl FnOnce()) -> String {
        let settings = SourceSettings {
            uri: "mongodb://ann@db1/".to_owned(),
            password: Some(PASSWORD.into()),
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
        };
        let _in_use = Source::new(&settings).expect("a source");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let writer = crate::layer(Arc::new(file.reopen().expect("the file")));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(writer), events);
        std::fs::read_to_string(file.path()).expect("UTF-8")
    }

    #[test]
    fn a_planted_password_is_in_no_record() {
        let failure = Failure::new(Code::SourceUnreachable, "No server answers.");
        let error = std::io::Error::other(format!("refused {PASSWORD:?}"));
        let records = written(|| {
            let span = error_span!("fetch", run = "1", note = PASSWORD);
            let _within = span.enter();
            info!(password = PASSWORD, "in a field");
            info!(password = ?PASSWORD, also = %PASSWORD.to_ascii_uppercase(), "in a field");
            warn!(error = &error as &dyn std::error::Error, %failure, "in an error");
            warn!("in a connection string: mongodb://ann:{ESCAPED}@db1/?appName=x");
            warn!("in one that nobody knows: mongodb://bob:0ther-PLANTED@db2/");
        });
        assert_eq!(records.lines().count(), 5, "{records}");
        for trace in ["planted", "s3cr3t"] {
            assert!(!records.to_lowercase().contains(trace), "{records}");
        }
        for kept in ["run=\"1\"", "refused", "mongodb://ann:***@db1/", "mongodb://bob:***@db2/"] {
            assert!(records.contains(kept), "{kept}: {records}");
        }
    }

    #[test]
    fn a_text_cannot_pass_for_a_record() {
        let records =
            written(|| info!("one\n2026-01-01T00:00:00Z  WARN two\r2026-01-01T00:00:00Z  WARN three"));
        let lines: Vec<&str> = records.lines().collect();
        assert_eq!(lines.len(), 2, "{records}");
        assert!(lines[0].ends_with("one") && lines[1].starts_with("    2026-01-01"), "{records}");
        assert!(!records.contains('\r'), "{records}");
    }
}
