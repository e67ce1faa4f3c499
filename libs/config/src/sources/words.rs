//! Words from outside the file: an environment variable, a `--set`, an option. Each is one key with a text, whose meaning
//! the key's type decides.

use super::{Opted, RESERVED, Reading, too_long};
use crate::fault::Found;
use crate::node::{At, MAX_DEPTH, Node, Table, Value};
use crate::source::{Kind, Source, Span};
use crate::text;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use toml::de::DeValue;

const PREFIX: &str = "OPSCTL_";

/// A key on the way to a value, and where it stands in the source's text.
type Named = (String, Span);

impl Reading {
    pub(super) fn environment(&mut self, vars: Vec<(OsString, OsString)>, cwd: &Path) {
        let ours = |name: &OsStr| name.as_bytes().starts_with(PREFIX.as_bytes());
        let mut vars: Vec<_> = vars.into_iter().filter(|(name, _)| ours(name)).collect();
        vars.sort();
        for (name, value) in vars {
            if !RESERVED.iter().any(|reserved| name == *reserved) {
                self.variable(&name.to_string_lossy(), &value, cwd);
            }
        }
    }

    fn variable(&mut self, name: &str, value: &OsStr, cwd: &Path) {
        let shown = format!("{name}={}", value.to_string_lossy());
        let span = Span::new(name.len() + 1, shown.len());
        let source = self.source(Source::new(Kind::Environment(name.to_owned()), shown, cwd.to_path_buf()));
        match variable_path(source, name) {
            Ok(path) => self.word(source, &path, span, value),
            Err(found) => self.found.push(found),
        }
    }

    pub(super) fn set(&mut self, item: &str, cwd: &Path) {
        const FLAG: &str = "--set ";
        let source = self.source(Source::new(Kind::Set, format!("{FLAG}{item}"), cwd.to_path_buf()));
        let (mut path, equals) = match set_path(item) {
            Ok(parsed) => parsed,
            Err((span, expected)) => {
                let found = Found::at(source, span.moved(FLAG.len()), "bad `--set`").label(expected);
                return self.found.push(found.help("write it as `--set table.key=value`"));
            }
        };
        path.iter_mut().for_each(|(_, span)| *span = span.moved(FLAG.len()));
        let value = item.get(equals + 1..).unwrap_or_default();
        let span = Span::new(equals + 1, item.len()).moved(FLAG.len());
        match quoted(value) {
            Some(text) => self.put(source, &path, span, Value::String(text)),
            None => self.word(source, &path, span, OsStr::new(value)),
        }
    }

    pub(super) fn option(&mut self, option: Opted, cwd: &Path) {
        let Opted { key, flag, values } = option;
        let joint = if flag.starts_with("--") { '=' } else { ' ' };
        let (mut shown, mut spans) = (if values.is_empty() { flag.clone() } else { String::new() }, Vec::new());
        for value in &values {
            let (gap, text) = (if shown.is_empty() { "" } else { " " }, value.to_string_lossy());
            shown.extend([gap, &flag, joint.encode_utf8(&mut [0; 4])]);
            spans.push(Span::new(shown.len(), shown.len() + text.len()));
            shown += &text;
        }
        let typed = Span::new(0, flag.len());
        let source = self.source(Source::new(Kind::Option(flag), shown, cwd.to_path_buf()));
        let path: Vec<Named> = key.split('.').map(|key| (key.to_owned(), typed)).collect();
        match (values.as_slice(), spans.as_slice()) {
            ([], _) => self.put(source, &path, typed, Value::Boolean(true)),
            ([value], [span]) => self.word(source, &path, *span, value),
            (_, spans) => {
                let texts = values.iter().zip(spans).filter_map(|(value, span)| {
                    let at = At { source, key: *span, value: *span };
                    self.checked(source, &path, *span, value).map(|text| Node::new(at, Value::Text(text)))
                });
                let items = texts.collect();
                let whole = Span::new(0, spans.last().map_or(0, |span| span.end));
                self.put(source, &path, whole, Value::Array(items));
            }
        }
    }

    fn word(&mut self, source: usize, path: &[Named], span: Span, value: &OsStr) {
        if let Some(text) = self.checked(source, path, span, value) {
            self.put(source, path, span, Value::Text(text));
        }
    }

    /// The text of a value, if it is one that a file could hold too.
    fn checked(&mut self, source: usize, path: &[Named], span: Span, value: &OsStr) -> Option<String> {
        let text = value.to_str().filter(|text| !text.contains('\0'));
        let why = match text {
            None if value.to_str().is_none() => Some("not UTF-8"),
            None => Some("a text with a NUL in it"),
            Some(text) => too_long(text.len()),
        };
        if let Some(why) = why {
            if path.iter().any(|(key, _)| self.masks.sounds(key)) {
                self.masks.add(source, span);
            }
            self.found.push(Found::at(source, span, format!("the value is {why}")));
            return None;
        }
        text.map(str::to_owned)
    }

    /// Lays a value at the end of a path over what there is.
    fn put(&mut self, source: usize, path: &[Named], span: Span, value: Value) {
        let Some(((last, key), tables)) = path.split_last() else { return };
        if path.len() > MAX_DEPTH {
            let found = Found::at(source, *key, "nested too deep");
            return self.found.push(found.label(format!("expected at most {MAX_DEPTH} levels")));
        }
        let leaf = (last.clone(), Node::new(At { source, key: *key, value: span }, value));
        let (key, node) = tables.iter().rev().fold(leaf, |(key, node), (name, at)| {
            let table = Table { entries: [(key, node)].into(), implied: true, ..Table::default() };
            (name.clone(), Node::new(At { source, key: *at, value: *at }, Value::Table(table)))
        });
        self.root.overlay(key, node, &self.sources);
    }
}

/// `OPSCTL_INDEX__INDEXES__MAIN__URL` as `index.indexes.main.url`.
fn variable_path(source: usize, name: &str) -> Result<Vec<Named>, Found> {
    let mut start = PREFIX.len();
    let mut path = Vec::new();
    for word in name.get(start..).unwrap_or_default().split("__") {
        path.push((word.to_ascii_lowercase(), Span::new(start, start + word.len())));
        start += word.len() + 2;
    }
    if path.len() > 1 && path.iter().all(|(word, _)| !word.is_empty()) {
        return Ok(path);
    }
    let found = Found::at(source, Span::new(0, name.len()), format!("unknown key `{name}`"));
    Err(found.help("a key's environment variable is written `OPSCTL_TABLE__KEY`"))
}

/// The keys before the `=` of `table.key=value` and where that stands, or what is wrong and where.
fn set_path(item: &str) -> Result<(Vec<Named>, usize), (Span, &'static str)> {
    let mut path = Vec::new();
    let mut start = 0;
    loop {
        let rest = item.get(start..).unwrap_or_default();
        let (key, span) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let length = rest.get(1..).and_then(|rest| rest.find(quote));
                let length = length.ok_or((Span::new(start, item.len()), "expected a closing quote"))?;
                (rest.get(1..=length).unwrap_or_default(), Span::new(start, start + length + 2))
            }
            _ => {
                let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
                (rest.get(..length).unwrap_or_default(), Span::new(start, start + length))
            }
        };
        if span.start == span.end {
            return Err((span, "expected a key"));
        }
        path.push((key.to_owned(), span));
        match item.get(span.end..).unwrap_or_default().chars().next() {
            Some('.') => start = span.end + 1,
            Some('=') if path.len() > 1 => return Ok((path, span.end)),
            Some('=') => return Err((span, "expected a table and a key")),
            _ if path.len() > 1 => return Err((Span::new(span.end, span.end), "expected `=` and a value")),
            _ => return Err((Span::new(span.end, span.end), "expected `.` and a key")),
        }
    }
}

/// The text of a TOML string in its quotes.
fn quoted(value: &str) -> Option<String> {
    let value = value.trim();
    match value.starts_with(['"', '\'']).then(|| text::parse(value))? {
        Some(DeValue::String(text)) => Some(text.into_owned()),
        _ => None,
    }
}
