//! The merged configuration: a tree whose every node knows where it was written and what it hides in the layers below.

use crate::source::{Layer, Source, Span};
use crate::text;
use std::collections::BTreeMap;
use toml::value::Datetime;

/// How deep tables and lists may nest. Sixteen would do for people; recursion must end somewhere.
pub(crate) const MAX_DEPTH: usize = 64;

/// Where a node was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    /// Index into the document's sources.
    pub(crate) source: usize,
    /// The key, or of an element of a list the value again.
    pub(crate) key: Span,
    pub(crate) value: Span,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
    /// The value of a lower layer that this one replaced: a faulty value gives way to it, so that the rest can be checked.
    pub(crate) under: Option<Box<Node>>,
    /// Something within was faulty and is gone, so a complaint about the whole would be about our own doing.
    pub(crate) damaged: bool,
}

#[derive(Clone)]
pub(crate) enum Value {
    /// A word from outside TOML, whose meaning the target type decides.
    Text(String),
    String(String),
    Integer {
        value: i64,
        /// As it was written, so that it is shown so.
        radix: u32,
    },
    Float(f64),
    Boolean(bool),
    Datetime(Datetime),
    Array(Vec<Node>),
    Table(Table),
}

#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) entries: BTreeMap<String, Node>,
    /// It was not written as a table, but follows from a key below it (`OPSCTL_HOST__USER`).
    pub(crate) implied: bool,
    /// Everywhere else that it was written.
    pub(crate) also_at: Vec<At>,
    /// Other values that it was laid over, though there is a table below them: a fault, if a table is what is wanted.
    pub(crate) hides: Vec<At>,
}

/// One step on the way to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl Node {
    pub(crate) const fn new(at: At, value: Value) -> Self {
        Self { at, value, under: None, damaged: false }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Where this was written, in this layer and those below.
    pub(crate) fn places(&self) -> Vec<At> {
        let mut places = Vec::new();
        let mut next = Some(self);
        while let Some(node) = next {
            places.push(node.at);
            places.extend(node.as_table().into_iter().flat_map(|table| &table.also_at));
            next = node.under.as_deref();
        }
        places
    }

    /// Where the lowest layer has it: defaults stand in the order in which people read them.
    pub(crate) fn rank(&self) -> (usize, usize) {
        self.places().iter().map(|at| (at.source, at.key.start)).min().unwrap_or_default()
    }

    /// Lays `upper` over this: tables merge key by key, everything else is replaced.
    pub(crate) fn overlay(&mut self, mut upper: Self, sources: &[Source]) {
        if upper.as_table().is_some() {
            text::expand_table(self);
            self.uncover_table();
        } else if self.as_table().is_some() {
            text::expand_table(&mut upper);
        }
        match (&mut self.value, upper) {
            (Value::Table(lower), Self { value: Value::Table(table), at, .. }) => {
                let (implied, hidden) = if table.implied { (lower.implied, at) } else { (false, self.at) };
                if !table.implied {
                    self.at = at;
                }
                lower.implied = implied;
                lower.also_at.push(hidden);
                lower.also_at.extend(table.also_at);
                for (key, node) in table.entries {
                    lower.overlay(key, node, sources);
                }
            }
            (_, upper) => {
                let lower = std::mem::replace(self, upper);
                self.under = lower.below(layer(self, sources), sources).map(Box::new);
            }
        }
    }

    /// Brings a table below other values to light, if there is one.
    fn uncover_table(&mut self) {
        let (mut hidden, mut next) = (Vec::new(), Some(&*self));
        while let Some(node) = next.filter(|node| node.as_table().is_none()) {
            hidden.push(node.at);
            next = node.under.as_deref();
        }
        if next.is_none() {
            return;
        }
        while self.as_table().is_none() {
            let Some(under) = self.under.take() else { return };
            *self = *under;
        }
        if let Value::Table(table) = &mut self.value {
            table.hides.extend(hidden);
        }
    }

    /// What of this a layer hides. A second `--set` of a key replaces the first for good, so that no chain grows with
    /// the number of words.
    fn below(self, upper: Option<Layer>, sources: &[Source]) -> Option<Self> {
        let mut next = Some(self);
        while let Some(node) = next {
            if layer(&node, sources) != upper {
                return Some(node);
            }
            next = node.under.map(|node| *node);
        }
        None
    }

    /// Whether both mean the same, wherever they were written. A text also needs the same folder: a relative path in it
    /// is another path otherwise.
    pub(crate) fn same(&self, own: &[Source], other: &Self, others: &[Source]) -> bool {
        let based = || {
            let base = |node: &Self, sources: &[Source]| sources.get(node.at.source).map(|source| source.base.clone());
            base(self, own) == base(other, others)
        };
        match (&self.value, &other.value) {
            (Value::Text(a), Value::Text(b)) | (Value::String(a), Value::String(b)) => a == b && based(),
            (Value::Integer { value: a, .. }, Value::Integer { value: b, .. }) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Datetime(a), Value::Datetime(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(own, b, others))
            }
            (Value::Table(a), Value::Table(b)) => {
                a.entries.len() == b.entries.len()
                    && a.entries
                        .iter()
                        .zip(&b.entries)
                        .all(|((key_a, a), (key_b, b))| key_a == key_b && a.same(own, b, others))
            }
            _ => false,
        }
    }

    /// Takes away the node that `path` leads to; what it hid comes to light.
    pub(crate) fn discard(&mut self, path: &[Step]) {
        self.damaged = true;
        let Some((step, rest)) = path.split_first() else { return };
        match step {
            Step::Key(key) => {
                text::expand_table(self);
                if let Value::Table(table) = &mut self.value {
                    table.discard(key, rest);
                }
            }
            Step::Index(index) => {
                text::expand_list(self);
                if let Value::Array(items) = &mut self.value {
                    match items.get_mut(*index) {
                        Some(item) if !rest.is_empty() => item.discard(rest),
                        Some(_) => drop(items.remove(*index)),
                        None => {}
                    }
                }
            }
        }
    }
}

fn layer(node: &Node, sources: &[Source]) -> Option<Layer> {
    sources.get(node.at.source).map(Source::layer)
}

impl Table {
    /// Lays one more key over this table.
    pub(crate) fn overlay(&mut self, key: String, node: Node, sources: &[Source]) {
        match self.entries.get_mut(&key) {
            Some(lower) => lower.overlay(node, sources),
            None => drop(self.entries.insert(key, node)),
        }
    }

    fn discard(&mut self, key: &str, rest: &[Step]) {
        let Some(node) = self.entries.get_mut(key) else { return };
        if !rest.is_empty() {
            node.discard(rest);
        } else if let Some(under) = node.under.take() {
            *node = *under;
        } else {
            self.entries.remove(key);
        }
    }

    /// The node at a dotted path.
    pub(crate) fn find<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        let mut path = path.into_iter();
        let first = self.entries.get(path.next()?)?;
        path.try_fold(first, |node, key| node.as_table()?.entries.get(key))
    }
}
