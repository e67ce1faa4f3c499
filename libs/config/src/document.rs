//! The merged layers: asked for a table, for what nobody knows, and for a print.

use crate::decode;
use crate::fault::{Fault, Found};
use crate::node::{Node, Table};
use crate::schema::View;
use crate::secrets::Masks;
use crate::source::{Layer, Source};
use crate::{show, suggest};
use schemars::Schema;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A configuration as its layers have it, not yet interpreted. Cheap to clone it is not; one is enough.
#[derive(Clone)]
pub struct Document {
    pub(crate) root: Table,
    pub(crate) sources: Arc<[Source]>,
    /// Some of it could not be read, so what is missing may not be.
    pub(crate) partial: bool,
    /// Values that a type was found to call secret.
    pub(crate) secrets: Arc<Mutex<Masks>>,
}

impl Document {
    /// The table `name` as a value, checked in full. `also` names keys of it that someone else reads.
    ///
    /// Write such types as plain structs and enums: with `#[serde(flatten)]` unknown keys go unseen, and within untagged
    /// and internally tagged enums faults are found at the whole value and paths do not know their folder.
    ///
    /// # Errors
    /// All faults of the table in the order in which they stand: unknown keys, wrong types, bad values, missing keys.
    pub fn table<T: DeserializeOwned>(&self, name: &str, also: &[&str]) -> Result<T, Vec<Fault>> {
        decode::table(self, name, also)
    }

    /// Some keys of the table `name` as a value; whatever else the table has is somebody else's.
    ///
    /// # Errors
    /// All faults of those keys.
    pub fn part<T: DeserializeOwned>(&self, name: &str) -> Result<T, Vec<Fault>> {
        let table = self.root.entries.get(name).and_then(Node::as_table);
        let others: Vec<&str> = table.into_iter().flat_map(|table| table.entries.keys()).map(String::as_str).collect();
        decode::table(self, name, &others)
    }

    /// A fault for each table that is not in `known`, and each key outside of any table, in every layer that has it.
    pub fn unknown_tables(&self, known: &[&str]) -> Vec<Fault> {
        let unknown = self.root.entries.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let mut found: Vec<Found> = unknown.flat_map(|(name, node)| unknown_table(name, node, known)).collect();
        found.sort_by_key(|found| (found.source, found.span));
        let masks = self.guessed();
        found.into_iter().map(|found| found.fault(&self.sources, &masks)).collect()
    }

    /// Whether a table means the same in both, wherever its values come from. A text is the same only if relative paths
    /// in it start from the same folder too.
    pub fn same(&self, other: &Self, table: &str) -> bool {
        match (self.root.entries.get(table), other.root.entries.get(table)) {
            (Some(own), Some(node)) => own.same(&self.sources, node, &other.sources),
            (None, None) => true,
            _ => false,
        }
    }

    /// The whole of it as TOML that reads back as the same configuration, with secrets masked. `schema` is that of the
    /// document ([`document_schema`](crate::document_schema)): it says which values are secret and what the texts from
    /// the environment and the command line are. With `origin` each value's line ends with where it comes from. Relative
    /// paths are shown as written: their folder is in the origin only.
    pub fn show(&self, schema: &Schema, origin: bool) -> String {
        show::document(self, &View::of(schema), origin)
    }

    /// Whether a key (dotted: `host.listen`) is set by anything but the defaults.
    pub fn is_set(&self, key: &str) -> bool {
        let node = self.root.find(key.split('.'));
        node.and_then(|node| self.sources.get(node.at.source)).is_some_and(|source| source.layer() > Layer::Defaults)
    }

    /// A fault of a key (dotted: `host.user`) that only shows when its value is used, at the place where it was written:
    /// two services on one address, an account that does not exist.
    pub fn fault(&self, key: &str, message: impl fmt::Display) -> Fault {
        let title = format!("bad value for `{key}`");
        let found = match self.root.find(key.split('.')) {
            Some(node) => Found::at(node.at.source, node.at.value, title),
            None => Found::nowhere(title),
        };
        found.label(message.to_string()).fault(&self.sources, &self.guessed())
    }

    /// What a typed reading has found to be secret.
    pub(crate) fn masks(&self) -> Masks {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, and what sounds so.
    fn guessed(&self) -> Masks {
        self.masks().with_tree(&self.root)
    }

    pub(crate) fn learn(&self, masks: Masks) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(masks);
    }
}

fn unknown_table(name: &str, node: &Node, known: &[&str]) -> Vec<Found> {
    let (_, help) = suggest::help(name, known);
    let (title, help) = match node.as_table() {
        Some(_) => (format!("unknown table `{name}`"), help),
        None => (format!("unknown key `{name}`"), "a key stands in a table, such as `[host]`".to_owned()),
    };
    node.places().into_iter().map(|at| Found::at(at.source, at.key, title.clone()).help(help.clone())).collect()
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.root.entries.keys().collect();
        f.debug_struct("Document").field("tables", &tables).finish_non_exhaustive()
    }
}
