//! A strict CSV reader, of the engine's tests as well.

/// Reads CSV by the letter of RFC 4180. An empty cell is `None`, a quoted empty text is `Some("")`.
pub fn read_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let cell = if rest.next_if_eq(&'"').is_some() {
            let mut cell = String::new();
            loop {
                match rest.next().expect("a quoted cell ends") {
                    '"' if rest.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    other => cell.push(other),
                }
            }
            Some(cell)
        } else {
            let mut cell = String::new();
            while let Some(next) = rest.next_if(|next| !matches!(next, ',' | '\r' | '\n')) {
                assert_ne!(next, '"', "a quote in a cell that is not quoted: {cell}");
                cell.push(next);
            }
            (!cell.is_empty()).then_some(cell)
        };
        row.push(cell);
        match rest.next() {
            Some(',') => {
                if rest.peek().is_none() {
                    row.push(None);
                }
            }
            Some('\r') => {
                assert_eq!(rest.next(), Some('\n'), "a record ends with CR LF");
                rows.push(std::mem::take(&mut row));
            }
            other => panic!("{other:?} after the cell {:?}", row.last()),
        }
    }
    assert!(row.is_empty(), "the last record ends too");
    rows
}
