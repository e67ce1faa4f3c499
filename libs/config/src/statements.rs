//! A rough cut of a TOML text into statements, also where it is broken: which lines belong to one value. The parser gives
//! no place to what it could not read, but a fault must know what to leave out, and which secret not to show.

use crate::source::Span;

/// A header `[table]` or a `key = value`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) header: bool,
    pub(crate) whole: Span,
    pub(crate) key: Span,
    pub(crate) value: Span,
}

/// The statement that a position belongs to: the last that begins before it.
pub(crate) fn statement_at(statements: &[Statement], offset: usize) -> Option<&Statement> {
    let after = statements.partition_point(|statement| statement.whole.start <= offset);
    statements.get(after.checked_sub(1)?)
}

/// All statements of a text, in order.
pub(crate) fn statements(text: &str) -> Vec<Statement> {
    let mut scanner = Scanner { text, at: 0 };
    let mut found = Vec::new();
    while scanner.skip_blank() {
        found.push(if scanner.peek() == Some(b'[') { scanner.header() } else { scanner.pair() });
    }
    found
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// Goes to the next statement; false at the end of the text.
    fn skip_blank(&mut self) -> bool {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => self.skip_line(),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => return true,
            }
        }
        false
    }

    /// Ends after the last `]` in a row: what follows in the line is a statement of its own, if a wrong one.
    fn header(&mut self) -> Statement {
        let start = self.at;
        while let Some(byte) = self.peek().filter(|byte| *byte != b'\n') {
            match byte {
                b'"' | b'\'' => self.string(byte),
                b']' => {
                    self.at += if self.rest().starts_with("]]") { 2 } else { 1 };
                    break;
                }
                _ => self.at += 1,
            }
        }
        let whole = Span::new(start, self.at);
        Statement { header: true, whole, key: whole, value: Span::new(self.at, self.at) }
    }

    fn pair(&mut self) -> Statement {
        let start = self.at;
        while let Some(byte) = self.peek().filter(|byte| !b"\n=".contains(byte)) {
            match byte {
                b'"' | b'\'' => self.string(byte),
                _ => self.at += 1,
            }
        }
        let key = if self.peek() == Some(b'=') {
            Span::new(start, self.at)
        } else {
            // no `=`: the first word is the key
            let line = self.text.get(start..self.at).unwrap_or_default();
            let word = line.find([' ', '\t', ':']).unwrap_or(line.len());
            self.at = start + word;
            Span::new(start, self.at)
        };
        self.at += usize::from(matches!(self.peek(), Some(b'=' | b':')));
        self.at += self.rest().find(|c| c != ' ' && c != '\t').unwrap_or_default();
        let value = self.value();
        Statement { header: false, whole: Span::new(start, self.at), key, value }
    }

    /// To the end of the line, or of the brackets that are open there.
    fn value(&mut self) -> Span {
        let (start, mut depth) = (self.at, 0usize);
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' if depth == 0 => break,
                b'"' | b'\'' => {
                    self.string(byte);
                    continue;
                }
                b'#' => {
                    self.skip_line();
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        Span::new(start, self.at)
    }

    /// A string of any of the four kinds; one that is not closed ends with its line, or of those with three quotes with
    /// the text.
    fn string(&mut self, quote: u8) {
        let long = if quote == b'"' { "\"\"\"" } else { "'''" };
        if self.rest().starts_with(long) {
            self.at += 3;
            while !self.rest().is_empty() && !self.rest().starts_with(long) {
                self.step(quote);
            }
            self.at = (self.at + 3).min(self.text.len());
            // the closing quotes may have one or two more before them
            while self.peek() == Some(quote) {
                self.at += 1;
            }
            return;
        }
        self.at += 1;
        while let Some(byte) = self.peek().filter(|byte| *byte != b'\n') {
            if byte == quote {
                self.at += 1;
                return;
            }
            self.step(quote);
        }
    }

    /// One character of a string, or two where the first escapes the second.
    fn step(&mut self, quote: u8) {
        let escaped = quote == b'"' && self.peek() == Some(b'\\');
        let mut characters = self.rest().chars();
        let first = characters.next().map_or(0, char::len_utf8);
        let second = characters.next().filter(|c| escaped && *c != '\n').map_or(0, char::len_utf8);
        self.at += first + second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = statements(text);
        let slice = |span: Span| text.get(span.start..span.end).unwrap().trim();
        let found: Vec<_> = found.iter().map(|statement| (slice(statement.key), slice(statement.value))).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn whole_texts() {
        check("", &[]);
        check("# a = 1\n\n", &[]);
        check("[a]\nb = 1 # c\nd = 2", &[("[a]", ""), ("b", "1 # c"), ("d", "2")]);
        check("[[a.\"]\"]]\nb=1", &[("[[a.\"]\"]]", ""), ("b", "1")]);
        check("a = [\n 1, # ]\n 2\n]\nb = 1", &[("a", "[\n 1, # ]\n 2\n]"), ("b", "1")]);
        check("a = '''\nx = 1\n'''\nb = 1", &[("a", "'''\nx = 1\n'''"), ("b", "1")]);
        check("a = \"\\\"=\"\nb = 1", &[("a", "\"\\\"=\""), ("b", "1")]);
        check("a = \"\"\"x\"\"\"\"\nb = 1", &[("a", "\"\"\"x\"\"\"\""), ("b", "1")]);
        check("\"a=b\".c = 1\r\nd = 2", &[("\"a=b\".c", "1"), ("d", "2")]);
    }

    #[test]
    fn broken_texts() {
        check("a b\nc = 1", &[("a", "b"), ("c", "1")]);
        check("a: b", &[("a", "b")]);
        check("a = it's\nb = 1", &[("a", "it's"), ("b", "1")]);
        check("a = \"x\nb = 1", &[("a", "\"x"), ("b", "1")]);
        check("a = \"\"\"x\nb = 1", &[("a", "\"\"\"x\nb = 1")]);
        check("[a] b = 1\nc = 2", &[("[a]", ""), ("b", "1"), ("c", "2")]);
        check("a = {\nb = 1", &[("a", "{\nb = 1")]);
        check("= 1", &[("", "1")]);
    }

    proptest! {
        #[test]
        fn any_text(text in "[a\\[\\]{}=\"'#\\\\ \n\u{e4}]{0,60}") {
            let found = statements(&text);
            prop_assert!(found.windows(2).all(|pair| pair[0].whole.end <= pair[1].whole.start));
        }
    }
}
