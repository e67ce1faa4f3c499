//! A document as TOML: one line a value, so that its origin can stand behind it.

use crate::MASK;
use crate::document::Document;
use crate::node::{Node, Table, Value};
use crate::schema::View;
use crate::secrets::sounds_secret;
use crate::text;
use crate::urls::mask_url;
use std::fmt::Write as _;
use toml::de::DeValue;

pub(crate) fn document(document: &Document, schema: &View<'_>, origin: bool) -> String {
    let mut printer = Printer { document, origin, text: String::new() };
    printer.table("", &document.root, schema);
    printer.text
}

struct Printer<'a> {
    document: &'a Document,
    origin: bool,
    text: String,
}

impl Printer<'_> {
    /// Values first: after the header of an inner table they would be that one's.
    fn table(&mut self, path: &str, table: &Table, schema: &View<'_>) {
        let mut entries: Vec<_> = table
            .entries
            .iter()
            .map(|(name, node)| {
                let schema = schema.key(name);
                let node = typed(node, &schema);
                (node.rank(), name, node, schema)
            })
            .collect();
        entries.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let (tables, values): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, _, node, _)| node.as_table().is_some());
        if !path.is_empty() && (!values.is_empty() || tables.is_empty()) {
            let gap = if self.text.is_empty() { "" } else { "\n" };
            let _ = writeln!(self.text, "{gap}[{path}]");
        }
        for (_, name, node, schema) in values {
            self.value(name, node, schema);
        }
        let dot = if path.is_empty() { "" } else { "." };
        for (_, name, node, schema) in tables {
            if let Some(inner) = node.as_table() {
                self.table(&format!("{path}{dot}{}", key(name)), inner, schema);
            }
        }
    }

    fn value(&mut self, name: &str, node: &Node, schema: &View<'_>) {
        // a text that takes a value away: TOML has no word for it, and a key without a default is left out
        if matches!(&node.value, Value::Text(text) if text.is_empty()) && schema.allows("null") {
            return;
        }
        let _ = write!(self.text, "{} = ", key(name));
        inline(&mut self.text, node, schema, sounds_secret(name));
        if let Some(source) = self.document.sources.get(node.at.source).filter(|_| self.origin) {
            let _ = write!(self.text, "  # {}", source.origin(node.at.value.start).escape_debug());
        }
        self.text.push('\n');
    }
}

/// A value in one line. `secret` decides where there is no schema.
fn inline(out: &mut String, node: &Node, schema: &View<'_>, secret: bool) {
    match &node.value {
        Value::Text(text) | Value::String(text) if schema.is_url() => return string(out, &mask_url(text)),
        _ if schema.is_secret() || (secret && schema.is_unknown()) => return string(out, MASK),
        _ => {}
    }
    let _ = match &node.value {
        Value::Text(text) | Value::String(text) => return string(out, text),
        Value::Integer { value, radix: 16 } => write!(out, "0x{value:x}"),
        Value::Integer { value, radix: 8 } => write!(out, "0o{value:o}"),
        Value::Integer { value, radix: 2 } => write!(out, "0b{value:b}"),
        Value::Integer { value, .. } => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{}", toml::Value::Float(*value)),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Datetime(value) => write!(out, "{value}"),
        Value::Array(items) => return array(out, items, schema, secret),
        Value::Table(table) => return inline_table(out, table, schema, secret),
    };
}

fn array(out: &mut String, items: &[Node], schema: &View<'_>, secret: bool) {
    let schema = schema.item();
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        inline(out, &typed(item, &schema), &schema, secret);
    }
    out.push(']');
}

fn inline_table(out: &mut String, table: &Table, schema: &View<'_>, secret: bool) {
    out.push('{');
    for (index, (name, node)) in table.entries.iter().enumerate() {
        let schema = schema.key(name);
        let _ = write!(out, "{} {} = ", if index == 0 { "" } else { "," }, key(name));
        inline(out, &typed(node, &schema), &schema, secret || sounds_secret(name));
    }
    out.push_str(if table.entries.is_empty() { "}" } else { " }" });
}

/// A text from outside TOML as the value that its key's type makes of it, as far as the schema tells.
fn typed(node: &Node, schema: &View<'_>) -> Node {
    let Value::Text(text) = &node.value else { return node.clone() };
    let parsed = || text::parse(text.trim());
    let value = if let Some(items) = text::list(node).filter(|_| schema.allows("array")) {
        Value::Array(items)
    } else if let Some(table) = text::table(node).filter(|_| schema.allows("object")) {
        Value::Table(table)
    } else if schema.allows("string") {
        return node.clone();
    } else if schema.allows("array") {
        let single = if text.is_empty() { Vec::new() } else { vec![typed(node, &schema.item())] };
        Value::Array(single)
    } else {
        match parsed() {
            Some(DeValue::Boolean(value)) if schema.allows("boolean") => Value::Boolean(value),
            Some(DeValue::Integer(number)) if schema.allows("integer") || schema.allows("number") => {
                match text::integer(&number) {
                    Some(value) => Value::Integer { value, radix: number.radix() },
                    None => return node.clone(),
                }
            }
            Some(DeValue::Float(number)) if schema.allows("number") => match number.as_str().parse() {
                Ok(value) => Value::Float(value),
                Err(_) => return node.clone(),
            },
            _ => return node.clone(),
        }
    };
    Node { value, ..node.clone() }
}

/// A key as TOML has it: bare if it can be.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    let mut quoted = String::new();
    string(&mut quoted, name);
    quoted
}

/// A TOML string in one line, in which nothing is invisible.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        let _ = match character {
            '"' | '\\' => write!(out, "\\{character}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            '\r' => write!(out, "\\r"),
            _ if character.is_control() || !character.escape_debug().eq(std::iter::once(character)) => {
                escape(out, character)
            }
            _ => write!(out, "{character}"),
        };
    }
    out.push('"');
}

/// `'` is the one visible character that Rust escapes and TOML need not.
fn escape(out: &mut String, character: char) -> std::fmt::Result {
    match (character, u32::from(character)) {
        ('\'', _) => write!(out, "'"),
        (_, code @ ..=0xffff) => write!(out, "\\u{code:04x}"),
        (_, code) => write!(out, "\\U{code:08x}"),
    }
}
