//! A file's text: TOML, of which every fault is reported and all that is not faulty is kept.

use super::{Reading, too_long};
use crate::fault::Found;
use crate::node::{At, Node, Table, Value};
use crate::source::{Kind, Source, Span};
use crate::statements::{Statement, statement_at, statements};
use crate::text::{Converter, Refused};
use std::path::PathBuf;
use toml::de::{DeTable, Error};

impl Reading {
    pub(super) fn file(&mut self, kind: Kind, content: &[u8], base: PathBuf) {
        if let Some(why) = too_long(content.len()) {
            self.partial = true;
            let source = self.source(Source::new(kind, String::new(), base));
            self.found.push(Found::whole(source, format!("the file is {why}")));
            return;
        }
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        match std::str::from_utf8(content) {
            Ok(text) => self.text(Source::new(kind, text.to_owned(), base)),
            Err(error) => {
                self.partial = true;
                let text = String::from_utf8_lossy(content).into_owned();
                let start = error.valid_up_to();
                let source = self.source(Source::new(kind, text, base));
                let span = Span::new(start, start + '\u{fffd}'.len_utf8());
                self.found.push(Found::at(source, span, "the file is not UTF-8").label("not a character"));
            }
        }
    }

    fn text(&mut self, source: Source) {
        let id = self.sources.len();
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut refused = Vec::new();
        let mut table = Converter { source: id, offset: 0 }.table(table.into_inner(), 0, &mut refused);
        let statements = statements(&source.text);
        let mut faulty = Vec::new();
        for error in &errors {
            let (span, found) = syntax(id, &source, error, &statements);
            let zone = zone(&statements, span);
            let again = error.message().starts_with("duplicate key");
            if again || !faulty.contains(&zone) {
                self.found.push(found);
            }
            if !again {
                faulty.push(zone);
            }
        }
        prune(&mut table, &faulty);
        self.found.extend(refused.into_iter().filter_map(|refused| number(id, refused, &faulty)));
        self.partial |= !errors.is_empty();
        self.sources.push(source);
        for (key, node) in table.entries {
            self.root.overlay(key, node, &self.sources);
        }
    }
}

fn number(source: usize, refused: Refused, faulty: &[Span]) -> Option<Found> {
    let Refused { span, title, expected } = refused;
    let known = faulty.iter().any(|zone| zone.touches(span));
    (!known).then(|| Found::at(source, span, title).label(expected))
}

/// What the parser says, in our words.
fn syntax(id: usize, source: &Source, error: &Error, statements: &[Statement]) -> (Span, Found) {
    let span = error.span().map_or_else(|| deepest(&source.text), Span::from);
    let (title, expected) = match error.message().split_once(", expected ") {
        Some((title, "nothing")) => (title, String::new()),
        Some((title, expected)) => (title, format!("expected {}", listed(expected))),
        None => (error.message(), String::new()),
    };
    let bare = statement_at(statements, span.start).is_some_and(|statement| is_bare(source.slice(statement.value)));
    let found = match title {
        "duplicate key" => Found::at(id, span, "duplicate key").label("stands here a second time"),
        "recursion limit" => Found::at(id, span, "nested too deep"),
        _ if bare && title != "key with no value" => {
            Found::at(id, span, "a text stands in quotes").help("write it as `key = \"text\"`")
        }
        _ => Found::at(id, span, title).label(expected),
    };
    (span, found)
}

/// "`a`, `b`, `c`" as "one of `a`, `b`, `c`".
fn listed(expected: &str) -> String {
    if expected.contains("`, `") { format!("one of {expected}") } else { expected.to_owned() }
}

/// Whether a value is a text without its quotes.
fn is_bare(value: &str) -> bool {
    let word = value.split_ascii_whitespace().next().unwrap_or_default();
    let starts = word.starts_with(|c: char| c.is_alphabetic() || "/.~*:".contains(c));
    let address = word.contains(['.', ':', '/']) && word.starts_with(|c: char| c.is_ascii_digit());
    let truth = ["true", "false"].iter().any(|truth| truth.eq_ignore_ascii_case(word));
    (starts || address || word.starts_with("[::")) && !truth
}

/// The parser says of too many dots not where they are.
fn deepest(text: &str) -> Span {
    let dots = |line: &str| line.bytes().filter(|byte| *byte == b'.').count();
    let line = text.split('\n').max_by_key(|line| dots(line)).unwrap_or_default();
    let start = text.find(line).unwrap_or_default();
    Span::new(start, start + line.len())
}

/// What a fault makes unusable: its statement, or of a table's header all that stands below it.
fn zone(statements: &[Statement], fault: Span) -> Span {
    let Some(statement) = statement_at(statements, fault.start) else { return fault };
    let end = if statement.header {
        let next = statements.iter().find(|next| next.header && next.whole.start > statement.whole.start);
        next.map_or(usize::MAX, |next| next.whole.start.saturating_sub(1))
    } else {
        statement.whole.end
    };
    Span::new(statement.whole.start, end)
}

/// Takes out what stands in a faulty zone.
fn prune(table: &mut Table, faulty: &[Span]) {
    let gone = |span: Span| faulty.iter().any(|zone| zone.contains(span.start));
    table.entries.retain(|_, node| {
        let Node { at: At { key, value, .. }, value: content, .. } = node;
        if let Value::Table(inner) = content {
            let was_empty = inner.entries.is_empty();
            prune(inner, faulty);
            return !inner.entries.is_empty() || (was_empty && !gone(*key));
        }
        !gone(*key) && !gone(*value)
    });
}
