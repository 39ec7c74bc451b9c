//! Texts that a spreadsheet would take for formulas.

use crate::cache::file::sql::{Sql, Text, sql};

/// How a formula begins. Tabs and line ends hide one, and some languages have full-width signs.
const BEGINS: &str = r"^[=+\-@\t\r\n＝＋－＠].";
/// A number, which is not a formula: `-1.5`, `+2e3`.
const NUMBER: &str = r"^[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?$";

/// SQL for a text, with an apostrophe in front if a spreadsheet would take it for a formula.
pub(crate) fn protected(text: &Sql) -> Sql {
    let (begins, number) = (Text(BEGINS), Text(NUMBER));
    sql!(
        "CASE WHEN regexp_matches({text}, {begins}, 's') AND NOT regexp_matches({text}, {number}) \
         THEN '''' || {text} ELSE {text} END",
        text,
        begins,
        number
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::cache::file::sql::Database;

    #[test]
    fn formulas_are_protected_and_numbers_are_left_alone() {
        let connection = Database::new(duckdb::Connection::open_in_memory().unwrap());
        let sql = sql!("SELECT {} FROM (SELECT ? AS t)", protected(&sql!("t")));
        let shown = |text: &str| connection.query_row(&sql, [text], |row| row.get::<_, String>(0)).unwrap();
        for formula in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "-2+3+cmd|' /C calc'!A0",
            "+44 20 1",
            "-1.5.2",
            "=\nx",
            "-x",
            "--1",
        ] {
            assert_eq!(shown(formula), format!("'{formula}"));
        }
        for plain in [
            "",
            "-",
            "=",
            "-1.5",
            "+2e3",
            "-.5",
            "-1,5",
            "1=1",
            "a@b",
            "'=1",
            " x",
            "{\"a\":1}",
            "-0",
            "-1E-7",
        ] {
            assert_eq!(shown(plain), plain);
        }
    }
}
