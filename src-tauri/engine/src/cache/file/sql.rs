//! Quotes text for SQL.

/// Quotes a text as an SQL string, for paths and for the column names of a CSV. Everything else is bound. The only
/// escape that DuckDB knows in such a string is the doubled quote.
#[must_use]
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use crate::cache::file::sql::literal;

    #[test]
    fn a_text_comes_out_of_sql_as_it_went_in() -> Result<(), duckdb::Error> {
        let connection = duckdb::Connection::open_in_memory()?;
        for text in [
            "",
            "'",
            "''",
            "\\'",
            "\\",
            "a\nb\r\n",
            "\"",
            "--",
            "/*",
            "'; DROP TABLE x; --",
            "\u{1F600}",
            "é\u{202e}",
            "%s{}$1?",
        ] {
            let back: String =
                connection.query_row(&format!("SELECT {}", literal(text)), [], |row| row.get(0))?;
            assert_eq!(back, text);
        }
        Ok(())
    }
}
