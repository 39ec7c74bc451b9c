//! Match documents as people copy them from MongoDB's shell: names without quotes, single quotes, regular
//! expressions, comments, and values such as `ISODate("2025-01-31")`. Nothing is run: the text becomes Extended JSON,
//! which is checked as if it had been typed.

mod values;

use serde_json::{Map, Value, json};

use super::strict_json::{DEEPEST, Unreadable, number};
use values::{Argument, Call};

/// The character that is wrong, by its position, and the reason.
type Wrong = (usize, String);

/// Reads one object.
///
/// # Errors
/// If the text is not an object in JSON or in the shell's syntax.
pub(crate) fn parse_object(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let mut parser = Parser { characters: text.chars().collect(), at: 0 };
    parser.whole().map_err(|(at, what)| {
        let before = &parser.characters[..at.min(parser.characters.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        Unreadable { place: (line, column), what }
    })
}

struct Parser {
    characters: Vec<char>,
    at: usize,
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

impl Parser {
    fn whole(&mut self) -> Result<Map<String, Value>, Wrong> {
        self.skip()?;
        if self.peek() != Some('{') {
            return Err(self.wrong("expected an object in braces"));
        }
        let map = self.object(0)?;
        self.skip()?;
        match self.peek() {
            None => Ok(map),
            Some(c) => Err(self.wrong(format!("unexpected {c} after the object"))),
        }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn has(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, c)| self.characters.get(self.at + index) == Some(&c))
    }

    fn wrong(&self, what: impl Into<String>) -> Wrong {
        (self.at, what.into())
    }

    /// Skips blanks and comments.
    fn skip(&mut self) -> Result<(), Wrong> {
        loop {
            if self.has("//") {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if self.has("/*") {
                let start = self.at;
                self.at += 2;
                while !self.has("*/") {
                    self.next().ok_or((start, "this comment is never closed".to_owned()))?;
                }
                self.at += 2;
            } else if self.peek().is_some_and(char::is_whitespace) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips blanks and comments, and then the given character, which must come next.
    fn expect(&mut self, wanted: char) -> Result<(), Wrong> {
        self.skip()?;
        match self.peek() {
            Some(c) if c == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(c) => Err(self.wrong(format!("expected {wanted}, found {c}"))),
            None => Err(self.wrong(format!("expected {wanted}, but the text ends"))),
        }
    }

    /// Whether a list ends here; otherwise its next item follows. If `is_first`, no comma is due.
    fn ends_with(&mut self, end: char, is_first: bool) -> Result<bool, Wrong> {
        self.skip()?;
        if !is_first && self.peek() == Some(',') {
            self.at += 1;
            self.skip()?;
        } else if !is_first && self.peek() != Some(end) {
            let found = self.peek().map_or("but the text ends".to_owned(), |c| format!("found {c}"));
            return Err(self.wrong(format!("expected a comma or {end}, {found}")));
        }
        let ends = self.peek() == Some(end);
        self.at += usize::from(ends);
        Ok(ends)
    }

    fn deeper(&self, depth: usize) -> Result<usize, Wrong> {
        if depth == DEEPEST {
            return Err(self.wrong(format!("nested more than {DEEPEST} levels deep")));
        }
        Ok(depth + 1)
    }

    fn object(&mut self, depth: usize) -> Result<Map<String, Value>, Wrong> {
        let inner = self.deeper(depth)?;
        self.expect('{')?;
        let mut map = Map::new();
        while !self.ends_with('}', map.is_empty())? {
            let start = self.at;
            let key = self.key()?;
            if key.contains('\0') {
                return Err((start, "a key holds a NUL character".to_owned()));
            }
            if map.contains_key(&key) {
                return Err((start, format!("the key \"{key}\" appears twice in one object")));
            }
            self.skip()?;
            if self.peek() == Some('.') {
                return Err(self.wrong("a name with a dot in it must be in quotes"));
            }
            self.expect(':')?;
            let value = self.value(inner)?;
            map.insert(key, value);
        }
        Ok(map)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Wrong> {
        let inner = self.deeper(depth)?;
        self.expect('[')?;
        let mut list = Vec::new();
        while !self.ends_with(']', list.is_empty())? {
            list.push(self.value(inner)?);
        }
        Ok(list)
    }

    fn key(&mut self) -> Result<String, Wrong> {
        match self.peek() {
            Some('"' | '\'') => self.text(),
            Some(c) if starts_name(c) => Ok(self.name()),
            Some(c) if c.is_ascii_digit() => Ok(self.name()),
            Some(c) => Err(self.wrong(format!("expected the name of a field, found {c}"))),
            None => Err(self.wrong("expected the name of a field, but the text ends")),
        }
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| starts_name(c) || c.is_numeric()) {
            self.at += 1;
        }
        self.characters[start..self.at].iter().collect()
    }

    fn value(&mut self, depth: usize) -> Result<Value, Wrong> {
        self.skip()?;
        match self.peek() {
            Some('{') => self.object(depth).map(Value::Object),
            Some('[') => self.array(depth).map(Value::Array),
            Some('"' | '\'') => self.text().map(Value::String),
            Some('/') => self.regular_expression(),
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => self.number(),
            Some(c) if starts_name(c) => self.word(depth),
            Some('`') => Err(self.wrong("text must be in single or double quotes")),
            Some(c) => Err(self.wrong(format!("expected a value, found {c}"))),
            None => Err(self.wrong("expected a value, but the text ends")),
        }
    }

    /// Reads a number and returns it in JSON notation, or as `NaN` or `Infinity`.
    fn digits(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
        while self.peek().is_some_and(|c| {
            let follows_exponent = matches!(self.characters.get(self.at.wrapping_sub(1)), Some('e' | 'E'));
            is_part(c) || ("+-".contains(c) && (self.at == start || follows_exponent))
        }) {
            self.at += 1;
        }
        let typed: String = self.characters[start..self.at].iter().collect();
        let (sign, digits) = match typed.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", typed.strip_prefix('+').unwrap_or(&typed)),
        };
        if digits == "Infinity" || digits == "NaN" {
            return Ok(format!("{sign}{digits}"));
        }
        let (whole, rest) = digits.split_at(digits.find(['.', 'e', 'E']).unwrap_or(digits.len()));
        let whole = if whole.is_empty() { "0" } else { whole };
        let rest = match rest.strip_prefix('.') {
            Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => format!(".0{rest}"),
            _ => rest.to_owned(),
        };
        let spelled = format!("{sign}{whole}{rest}");
        match digits.chars().any(|c| c.is_ascii_digit()).then(|| number(&spelled)) {
            Some(Ok(_)) => Ok(spelled),
            Some(Err(what)) => Err((start, what)),
            None => Err((start, format!("{typed} is not a number"))),
        }
    }

    fn number(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        let digits = self.digits()?;
        if digits.ends_with("Infinity") || digits.ends_with("NaN") {
            return Ok(json!({"$numberDouble": digits}));
        }
        number(&digits).map_err(|what| (start, what))
    }

    fn text(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        let unended = || (start, "this text has no closing quote".to_owned());
        let quote = self.next().ok_or_else(unended)?;
        let mut text = String::new();
        loop {
            match self.next().ok_or_else(unended)? {
                c if c == quote => return Ok(text),
                '\n' => return Err(unended()),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Wrong> {
        let start = self.at - 1;
        let c = self.next().ok_or((start, "this text has no closing quote".to_owned()))?;
        Ok(match c {
            '"' | '\'' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0' => '\0',
            'x' => self.by_number(start, 2)?,
            'u' => self.by_number(start, 4)?,
            c => {
                return Err((
                    start,
                    format!("\\{c} is not a valid escape; write \\\\{c} for a backslash and {c}"),
                ));
            }
        })
    }

    /// Reads a character by its code, or by a surrogate pair.
    fn by_number(&mut self, start: usize, digits: usize) -> Result<char, Wrong> {
        let unknown = || (start, "this escape is not valid".to_owned());
        let first = if digits == 4 && self.peek() == Some('{') {
            self.at += 1;
            let count = self.characters[self.at..].iter().take_while(|c| c.is_ascii_hexdigit()).count();
            let code = self.hexadecimal(count.min(6)).ok_or_else(unknown)?;
            self.expect('}')?;
            code
        } else {
            self.hexadecimal(digits).ok_or_else(unknown)?
        };
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(unknown);
        }
        if !self.has("\\u") {
            return Err(unknown());
        }
        self.at += 2;
        let second =
            self.hexadecimal(4).filter(|code| (0xdc00..0xe000).contains(code)).ok_or_else(unknown)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(unknown)
    }

    fn hexadecimal(&mut self, count: usize) -> Option<u32> {
        let digits: String = self.characters.get(self.at..self.at + count)?.iter().collect();
        self.at += count;
        digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| u32::from_str_radix(&digits, 16).ok())?
    }

    fn regular_expression(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        self.at += 1;
        let (mut pattern, mut in_class) = (String::new(), false);
        loop {
            match self.next().filter(|c| *c != '\n' && *c != '\0') {
                None => return Err((start, "this regular expression has no closing /".to_owned())),
                Some('/') if !in_class => break,
                Some('\\') if self.peek() == Some('/') => {
                    self.at += 1;
                    pattern.push('/');
                }
                Some('\\') => {
                    pattern.push('\\');
                    pattern.extend(self.next().filter(|c| *c != '\n'));
                }
                Some(c) => {
                    in_class = (in_class || c == '[') && c != ']';
                    pattern.push(c);
                }
            }
        }
        let at = self.at;
        let flags = self.name();
        values::regular_expression(&pattern, &flags).map_err(|what| (at, what))
    }

    /// Reads a word that stands for a value, or a call that does.
    fn word(&mut self, depth: usize) -> Result<Value, Wrong> {
        let start = self.at;
        let mut name = self.name();
        let is_new = name == "new";
        if is_new {
            self.skip()?;
            name = self.name();
        }
        self.skip()?;
        if self.peek() == Some('(') {
            let arguments = self.arguments(depth)?;
            return values::call(&Call { name: &name, is_new, at: start, arguments: &arguments });
        }
        match name.as_str() {
            _ if is_new => {
                Err((start, "new has to be followed by a value such as Date(\"2025-01-31\")".to_owned()))
            }
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            "NaN" | "Infinity" => Ok(json!({"$numberDouble": name})),
            "MinKey" => Ok(json!({"$minKey": 1})),
            "MaxKey" => Ok(json!({"$maxKey": 1})),
            "function" => Err((start, "code is not run; use operators instead".to_owned())),
            _ => Err((start, format!("{name} is not a value; text must be in quotes"))),
        }
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<(usize, Argument)>, Wrong> {
        let inner = self.deeper(depth)?;
        self.expect('(')?;
        let mut list = Vec::new();
        while !self.ends_with(')', list.is_empty())? {
            let at = self.at;
            let argument = match self.peek() {
                Some(c) if c.is_ascii_digit() || "+-.".contains(c) => Argument::Number(self.digits()?),
                Some('"' | '\'') => Argument::Text(self.text()?),
                _ => Argument::Other(self.value(inner)?),
            };
            list.push((at, argument));
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests;
