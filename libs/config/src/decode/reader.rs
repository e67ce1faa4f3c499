//! What is learnt about a table while its nodes are read.

use crate::node::{At, Node, Step};
use crate::secrets::Masks;
use crate::source::Source;
use crate::suggest;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

/// After so many unknown keys no more are noted.
const MAX_UNKNOWN: usize = 64;

/// A key that its table does not have.
#[derive(Debug)]
pub(crate) struct Unknown {
    /// The table it stands in.
    pub(crate) table: Vec<Step>,
    pub(crate) name: String,
    /// The key that was likely meant.
    pub(crate) near: Option<&'static str>,
    pub(crate) help: String,
    /// In every layer that has it.
    pub(crate) places: Vec<At>,
}

/// Shared by all nodes of one reading.
pub(crate) struct Reader<'a> {
    sources: &'a [Source],
    /// Keys of the table that someone else reads.
    pub(crate) also: &'a [&'a str],
    pub(crate) unknown: RefCell<Vec<Unknown>>,
    /// The way to the node being read.
    path: RefCell<Vec<Step>>,
    /// Values whose type is known, by source and start, and whether it is a secret one.
    values: RefCell<BTreeMap<(usize, usize), (At, bool)>>,
    secret: Cell<bool>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a [Source], also: &'a [&'a str]) -> Self {
        Self {
            sources,
            also,
            unknown: RefCell::default(),
            path: RefCell::default(),
            values: RefCell::default(),
            secret: Cell::default(),
        }
    }

    /// The folder that relative paths in a node start from.
    pub(crate) fn base(&self, node: &Node) -> &'a [u8] {
        let base = self.sources.get(node.at.source).map(|source| source.base.as_os_str().as_bytes());
        base.unwrap_or_default()
    }

    pub(crate) fn path(&self) -> Vec<Step> {
        self.path.borrow().clone()
    }

    /// Reads what lies one step further.
    pub(crate) fn within<T>(&self, step: Step, read: impl FnOnce() -> T) -> T {
        self.path.borrow_mut().push(step);
        let done = read();
        self.path.borrow_mut().pop();
        done
    }

    /// Reads a secret: what is met on the way is noted as such.
    pub(crate) fn secretly<T>(&self, node: &Node, read: impl FnOnce() -> T) -> T {
        let before = self.secret.replace(true);
        self.saw(node);
        let done = read();
        self.secret.set(before);
        done
    }

    /// Notes that a type has been asked about a value.
    pub(crate) fn saw(&self, node: &Node) {
        let mut values = self.values.borrow_mut();
        let (_, secret) = values.entry((node.at.source, node.at.value.start)).or_insert((node.at, false));
        *secret |= self.secret.get();
    }

    /// Notes a key that its table does not have.
    pub(crate) fn unknown(&self, name: &str, node: &Node, fields: &'static [&'static str], also: &[&str]) {
        let mut unknown = self.unknown.borrow_mut();
        let places = node.places();
        let again = |known: &Unknown| known.places.first() == places.first();
        if unknown.len() >= MAX_UNKNOWN || unknown.iter().any(again) {
            return;
        }
        let known: Vec<&str> = fields.iter().chain(also).copied().collect();
        let (near, help) = suggest::help(name, &known);
        let near = near.and_then(|near| fields.iter().copied().find(|field| *field == near));
        unknown.push(Unknown { table: self.path(), name: name.to_owned(), near, help, places });
    }

    /// What must not be shown, because its type says so.
    pub(crate) fn secrets(&self) -> Masks {
        let mut masks = Masks::default();
        for (at, _) in self.values.borrow().values().filter(|(_, secret)| *secret) {
            masks.add(at.source, at.value);
        }
        masks
    }

    /// The values, by source and start, whose type is known.
    pub(crate) fn seen(&self) -> BTreeSet<(usize, usize)> {
        self.values.borrow().keys().copied().collect()
    }
}
