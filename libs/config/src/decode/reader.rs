//! What is learnt about a table while its nodes are read.

use crate::fault::Found;
use crate::node::{At, Node, Step, Table};
use crate::secrets::Masks;
use crate::source::Source;
use crate::{show, suggest};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

/// After so many of these faults no more are noted.
const MAX_NOTED: usize = 64;

/// A fault that does not stop the reading: a key that its table does not have.
#[derive(Debug)]
pub(crate) struct Noted {
    /// The table it stands in.
    pub(crate) table: Vec<Step>,
    /// The key that was likely meant.
    pub(crate) near: Option<&'static str>,
    pub(crate) found: Found,
    pub(crate) at: At,
}

/// Shared by all nodes of one reading.
pub(crate) struct Reader<'a> {
    name: &'a str,
    sources: &'a [Source],
    /// Keys of the table that someone else reads.
    pub(crate) also: &'a [&'a str],
    pub(crate) noted: RefCell<Vec<Noted>>,
    /// The way to the node being read.
    path: RefCell<Vec<Step>>,
    /// Values whose type is known, by source and start, and whether it is a secret one.
    values: RefCell<BTreeMap<(usize, usize), (At, bool)>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(name: &'a str, sources: &'a [Source], also: &'a [&'a str]) -> Self {
        Self { name, sources, also, noted: RefCell::default(), path: RefCell::default(), values: RefCell::default() }
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

    /// Notes that a value is a secret, or all values in it if it is a table.
    pub(crate) fn secret(&self, node: &Node) {
        match node.as_table() {
            Some(table) => table.entries.values().for_each(|node| self.secret(node)),
            None => drop(self.values.borrow_mut().insert(place(node), (node.at, true))),
        }
    }

    /// Notes that a type has been asked about a value.
    pub(crate) fn saw(&self, node: &Node) {
        self.values.borrow_mut().entry(place(node)).or_insert((node.at, false));
    }

    /// Notes a key that its table does not have.
    pub(crate) fn unknown(&self, name: &str, node: &Node, fields: &'static [&'static str], also: &[&str]) {
        if self.noted.borrow().len() >= MAX_NOTED {
            return;
        }
        let known: Vec<&str> = fields.iter().chain(also).copied().collect();
        let (near, help) = suggest::help(name, &known);
        let near = near.and_then(|near| fields.iter().copied().find(|field| *field == near));
        for at in node.places() {
            let found = Found::at(at.source, at.key, format!("unknown key `{name}`")).help(help.clone());
            self.note(Noted { table: self.path(), near, found, at });
        }
    }

    /// Notes what stands where a table belongs, and is hidden by keys of the table that are written elsewhere.
    pub(crate) fn overlaid(&self, table: &Table) {
        for at in &table.hides {
            let key = key(self.name, &self.path.borrow());
            let found = Found::at(at.source, at.value, format!("wrong type for `{key}`")).label("expected a table");
            self.note(Noted { table: self.path(), near: None, found, at: *at });
        }
    }

    /// Reading a table anew finds the same again.
    fn note(&self, fault: Noted) {
        let mut noted = self.noted.borrow_mut();
        if noted.len() < MAX_NOTED && noted.iter().all(|known| known.at != fault.at) {
            noted.push(fault);
        }
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

fn place(node: &Node) -> (usize, usize) {
    (node.at.source, node.at.value.start)
}

/// The dotted name of a key.
pub(crate) fn key(table: &str, path: &[Step]) -> String {
    let keys = path.iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    std::iter::once(table).chain(keys).map(show::key).collect::<Vec<_>>().join(".")
}
