//! Words from outside TOML (environment, `--set`, options) read as the lists and tables that a target may want, and TOML
//! values as nodes.

use crate::node::{At, MAX_DEPTH, Node, Table, Value};
use crate::source::Span;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

/// Why a parsed value is no node.
pub(crate) struct Refused {
    pub(crate) span: Span,
    pub(crate) title: &'static str,
    pub(crate) expected: String,
}

/// The TOML value that a text is, if it is one.
pub(crate) fn parse(text: &str) -> Option<DeValue<'_>> {
    DeValue::parse(text).ok().map(Spanned::into_inner)
}

/// The whole number that a text is.
pub(crate) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The whole number that a text is, where it is one of the upper half of 64 bits.
pub(crate) fn large(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Makes a list of a text that is written as one.
pub(crate) fn expand_list(node: &mut Node) {
    if let Some(list) = list(node) {
        node.value = Value::Array(list);
    }
}

/// Makes a table of a text that is written as one.
pub(crate) fn expand_table(node: &mut Node) {
    if let Some(table) = table(node) {
        node.value = Value::Table(table);
    }
}

/// The list that a text such as `["a", "b"]` is. `[::]:79` is none.
pub(crate) fn list(node: &Node) -> Option<Vec<Node>> {
    match compound(node, '[')? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// The table that a text such as `{ a = 1 }` is.
pub(crate) fn table(node: &Node) -> Option<Table> {
    match compound(node, '{')? {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

fn compound(node: &Node, open: char) -> Option<Value> {
    let Value::Text(text) = &node.value else { return None };
    let start = text.trim_start();
    if !start.starts_with(open) {
        return None;
    }
    let skipped = text.len() - start.len();
    let parsed = parse(start.trim_end())?;
    let converter = Converter { source: node.at.source, offset: node.at.value.start + skipped };
    converter.value(parsed, 0, &mut Vec::new())
}

/// Turns what `toml` parsed into nodes of one source.
pub(crate) struct Converter {
    pub(crate) source: usize,
    /// Where the parsed text begins in the source's.
    pub(crate) offset: usize,
}

impl Converter {
    pub(crate) fn table(&self, table: DeTable<'_>, depth: usize, refused: &mut Vec<Refused>) -> Table {
        let mut entries = std::collections::BTreeMap::new();
        for (key, value) in table {
            let span = Span::from(key.span()).moved(self.offset);
            if let Some(node) = self.node(Some(span), value, depth, refused) {
                entries.insert(key.into_inner().into_owned(), node);
            }
        }
        Table { entries, ..Table::default() }
    }

    fn array(&self, items: DeArray<'_>, depth: usize, refused: &mut Vec<Refused>) -> Vec<Node> {
        items.into_iter().filter_map(|item| self.node(None, item, depth, refused)).collect()
    }

    fn node(
        &self,
        key: Option<Span>,
        value: Spanned<DeValue<'_>>,
        depth: usize,
        refused: &mut Vec<Refused>,
    ) -> Option<Node> {
        let span = Span::from(value.span()).moved(self.offset);
        let at = At { source: self.source, key: key.unwrap_or(span), value: span };
        if depth >= MAX_DEPTH {
            let expected = format!("expected at most {MAX_DEPTH} levels");
            refused.push(Refused { span, title: "nested too deep", expected });
            return None;
        }
        let before = refused.len();
        let node = self.value(value.into_inner(), depth + 1, refused).map(|value| Node::new(at, value));
        if node.is_none() && refused.len() == before {
            let (title, expected) = ("bad number", "expected a number of at most 64 bits".to_owned());
            refused.push(Refused { span, title, expected });
        }
        node
    }

    fn value(&self, value: DeValue<'_>, depth: usize, refused: &mut Vec<Refused>) -> Option<Value> {
        Some(match value {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Integer(number) => Value::Integer { value: integer(&number)?, radix: number.radix() },
            DeValue::Float(number) => Value::Float(number.as_str().parse().ok()?),
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Datetime(value) => Value::Datetime(value),
            DeValue::Array(items) => Value::Array(self.array(items, depth, refused)),
            DeValue::Table(table) => Value::Table(self.table(table, depth, refused)),
        })
    }
}
