//! `sql`: a trader's own SQL on a cached query.

use serde_json::json;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::export::writing::Destination;
use tidemark_engine::day::DayRange;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::{ExportFormat, ExportOptions};

use super::{Interrupts, Outcome, engine_with};
use crate::arguments::{SqlOptions, format_of};
use crate::output::{Output, say};

pub(super) async fn sql(options: &SqlOptions, output: &Output) -> Result<Outcome> {
    let interrupts = Interrupts::heed();
    let signature = Signature::parse(&options.signature)?;
    let range = DayRange::parse(&options.from, &options.to)?;
    let key = ViewKey { signature: signature.to_string(), from: range.from(), to: range.to() };
    let text = text_of(options)?;
    let (destination, format) = target(options).map_err(|what| Failure::new(Code::Internal, what))?;
    let engine = engine_with(&options.cache, &signature)?;
    let result = engine.run_sql(&key, &[], &text, &interrupts.first).await?;
    let how = ExportOptions {
        format,
        spreadsheet_safe: options.spreadsheet_safe,
        manifest: options.manifest,
        ..ExportOptions::default()
    };
    let cancel = interrupts.first.clone();
    let written = engine.export_sql(&key, (result.id, &[]), &destination, &how, |_| {}, cancel).await?;
    let mut last = json!({
        "rows": result.rows,
        "columns": result.columns,
        "elapsed_ms": result.elapsed_ms,
        "complete": written.complete,
    });
    if !written.complete {
        let file = if destination.is_file() {
            format!(" The file is named {}.", written.path)
        } else {
            String::new()
        };
        say(format_args!("Days of this range are missing, so the result is partial.{file}"));
    }
    if destination != Destination::StandardOutput {
        last["out"] = json!(written.path);
    }
    if let Some(manifest) = &written.manifest {
        last["out_manifest"] = json!(manifest);
    }
    if let Some(note) = &written.note {
        say(note);
        last["notes"] = json!([note]);
    }
    output.print_line(&last);
    Ok(if written.complete { Outcome::Complete } else { Outcome::Partial })
}

/// The SQL of the command line or of standard input.
fn text_of(options: &SqlOptions) -> Result<String> {
    if options.text != "-" {
        return Ok(options.text.clone());
    }
    std::io::read_to_string(std::io::stdin()).map_err(|error| {
        Failure::new(Code::BadFilter, "The SQL cannot be read from standard input.").because(error)
    })
}

/// Where the result goes, and in which format.
///
/// # Errors
/// A sentence about what is wrong with the command line.
fn target(options: &SqlOptions) -> Result<(Destination, ExportFormat), String> {
    let Some(path) = &options.out else {
        return Ok((Destination::StandardOutput, options.format.unwrap_or_default()));
    };
    let destination = Destination::parse(path);
    let format = match options.format {
        Some(format) => format,
        None if destination == Destination::StandardOutput => ExportFormat::default(),
        None => format_of("out", path)?,
    };
    if options.manifest && !destination.is_file() {
        return Err(format!("{destination} is not a file, so --manifest cannot write one beside it"));
    }
    Ok((destination, format))
}

/// The destination of the JSON line.
///
/// # Errors
/// A sentence about what is wrong with the command line.
pub(super) fn output_of(options: &SqlOptions) -> Result<Output, String> {
    target(options).map(|(destination, _)| Output::new(destination == Destination::StandardOutput))
}
