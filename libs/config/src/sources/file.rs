//! A file's text: TOML, of which every fault is reported and all that is not faulty is kept.

use super::{Reading, too_long};
use crate::fault::Found;
use crate::node::Table;
use crate::source::{Kind, Source, Span};
use crate::statements::{Statement, statement_at, statements};
use crate::text::{Converter, Refused};
use std::collections::BTreeSet;
use std::path::PathBuf;
use toml::de::{DeTable, Error};

/// How often a text is parsed at most: each time without what was faulty before.
const MAX_ATTEMPTS: usize = 16;
/// After so many faults of one file the rest can wait.
const MAX_FAULTS: usize = 64;
const DUPLICATE: &str = "duplicate key";

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
        let statements = statements(&source.text);
        let mut text = source.text.clone();
        let mut parsed = parse(id, &text);
        let before = self.found.len();
        for _ in 0..MAX_ATTEMPTS {
            let errors: Vec<_> = parsed.errors.iter().filter(|error| error.message() != DUPLICATE).collect();
            if errors.is_empty() {
                break;
            }
            self.partial = true;
            let zones = self.syntax(id, &source, &statements, &errors);
            text = blank(&text, zones);
            parsed = parse(id, &text);
        }
        self.syntax(id, &source, &statements, &parsed.errors.iter().collect::<Vec<_>>());
        let numbers = parsed.refused.into_iter();
        self.found.extend(numbers.map(|Refused { span, title, expected }| Found::at(id, span, title).label(expected)));
        self.found.truncate(before + MAX_FAULTS);
        self.sources.push(source);
        for (key, node) in parsed.table.entries {
            self.root.overlay(key, node, &self.sources);
        }
    }

    /// Notes one fault for each statement, as the first mostly leads to others; gives what to leave out for them.
    fn syntax(&mut self, id: usize, source: &Source, statements: &[Statement], errors: &[&Error]) -> BTreeSet<Span> {
        let mut zones = BTreeSet::new();
        for error in errors {
            let span = error.span().map_or_else(|| deepest(&source.text), Span::from);
            let statement = statement_at(statements, span.start);
            let new = zones.insert(zone(source, statements, statement, span));
            if (new || error.message() == DUPLICATE) && zones.len() <= MAX_FAULTS {
                self.found.push(fault(id, source, statement, span, error.message()));
            }
        }
        zones
    }
}

struct Parsed {
    table: Table,
    errors: Vec<Error>,
    refused: Vec<Refused>,
}

fn parse(source: usize, text: &str) -> Parsed {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut refused = Vec::new();
    let table = Converter { source, offset: 0 }.table(table.into_inner(), 0, &mut refused);
    Parsed { table, errors, refused }
}

/// The text without its faulty parts, all else in its place: the parser gives up at some of them.
fn blank(text: &str, zones: BTreeSet<Span>) -> String {
    let mut zones = zones.into_iter().peekable();
    let mut end = 0;
    let mut blanked = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        while let Some(zone) = zones.next_if(|zone| zone.start <= at) {
            end = end.max(zone.end);
        }
        match character {
            _ if at >= end => blanked.push(character),
            '\n' => blanked.push(character),
            _ => blanked.extend(std::iter::repeat_n(' ', character.len_utf8())),
        }
    }
    blanked
}

/// What the parser says, in our words.
fn fault(id: usize, source: &Source, statement: Option<&Statement>, span: Span, message: &str) -> Found {
    let (title, expected) = match message.split_once(", expected ") {
        Some((title, "nothing")) => (title, String::new()),
        Some((title, expected)) => (title, format!("expected {}", listed(expected))),
        None => (message, String::new()),
    };
    let value = statement.filter(|statement| !statement.header).map(|statement| statement.value).unwrap_or_default();
    let text = source.slice(value);
    let assigned = title != "key with no value";
    let unquoted = assigned && (title == "string values must be quoted" || is_bare(text));
    if title == DUPLICATE {
        Found::at(id, span, title).label("stands here a second time")
    } else if title.contains("recur") {
        Found::at(id, span, "nested too deep")
    } else if unquoted && text.is_empty() {
        Found::at(id, span, "key with no value").label("expected a value")
    } else if unquoted && value.start <= span.start && !text.starts_with(['[', '{']) {
        let end = text.find(['#', '\n']).unwrap_or(text.len());
        let length = text.get(..end).unwrap_or_default().trim_end().len();
        let whole = Span::new(value.start, value.start + length);
        Found::at(id, whole, "text without quotes").label("expected a text in quotes")
    } else if span.start >= source.text.trim_end().len() && text.contains('\n') {
        // the end of the text is not where people look for what was not closed
        let line = text.find('\n').unwrap_or(text.len());
        Found::at(id, Span::new(value.start, value.start + line), title).label(format!("{expected} at its end"))
    } else {
        Found::at(id, span, title).label(expected)
    }
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
fn zone(source: &Source, statements: &[Statement], statement: Option<&Statement>, fault: Span) -> Span {
    match statement {
        Some(statement) if statement.header => {
            let after = statements.partition_point(|next| next.whole.start <= statement.whole.start);
            let next = statements.iter().skip(after).find(|next| next.header);
            Span::new(statement.whole.start, next.map_or(usize::MAX, |next| next.whole.start))
        }
        Some(statement) if fault.start <= statement.whole.end => statement.whole,
        // a comment
        _ => source.position(fault.start).span,
    }
}
