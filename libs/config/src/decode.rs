//! A table of the document as a typed value, or every fault in it. serde stops at the first fault, so a faulty value is
//! noted and taken away (the layer below has another, at the latest the defaults), and the table is read again.

mod deserializer;
mod error;
mod reader;

use crate::Document;
use crate::fault::{Fault, Found};
use crate::node::{At, Node, Step, Table, Value};
use crate::secrets::sounds_secret;
use crate::source::Source;
use crate::{show, suggest};
use deserializer::De;
use error::{Cause, Place};
use reader::{Reader, Unknown};
use serde::de::DeserializeOwned;

/// After so many faults of one table the rest can wait.
const MAX_FAULTS: usize = 64;
/// And after so many attempts, of which some find nothing to report.
const MAX_ATTEMPTS: usize = 1024;

pub(crate) fn table<T: DeserializeOwned>(document: &Document, name: &str, also: &[&str]) -> Result<T, Vec<Fault>> {
    let empty = || Node::new(At { source: usize::MAX, ..At::default() }, Value::Table(Table::default()));
    let mut root = document.root.entries.get(name).cloned().unwrap_or_else(empty);
    let reader = Reader::new(&document.sources, also);
    let mut faults = Faults { table: name, partial: document.partial, found: Vec::new() };
    let mut value = None;
    for _ in 0..MAX_ATTEMPTS {
        let error = match T::deserialize(De::top(&root, &reader)) {
            Ok(done) => {
                value = Some(done);
                break;
            }
            Err(error) => error,
        };
        let place = error.place.unwrap_or_else(|| Box::new(Place::of(&root)));
        faults.note(error.cause, &place, &reader.unknown.borrow());
        if faults.found.len() >= MAX_FAULTS || !take_away(&mut root, &place.path) {
            break;
        }
    }
    let unknown = reader.unknown.take();
    match value {
        Some(value) if faults.found.is_empty() && unknown.is_empty() => Ok(value),
        _ => Err(faults.finish(document, unknown, &reader)),
    }
}

/// Whether there is something left to read.
fn take_away(root: &mut Node, path: &[Step]) -> bool {
    if !path.is_empty() {
        root.discard(path);
        return true;
    }
    match root.under.take() {
        Some(under) => {
            *root = *under;
            true
        }
        None => false,
    }
}

struct Faults<'a> {
    table: &'a str,
    partial: bool,
    found: Vec<(Vec<Step>, Found)>,
}

impl Faults<'_> {
    /// Notes a fault, unless it only follows from another.
    fn note(&mut self, cause: Cause, place: &Place, unknown: &[Unknown]) {
        let key = self.key(&place.path);
        let at = |title: String| match place.at {
            At { source: usize::MAX, .. } => Found::nowhere(title),
            At { source, value, .. } => Found::at(source, value, title),
        };
        let found = match cause {
            Cause::Missing(field) => {
                if self.explained(place, field, unknown) {
                    return;
                }
                let mut path = place.path.clone();
                path.push(Step::Key(field.to_owned()));
                at(format!("missing key `{}`", self.key(&path))).label(format!("`{field}` must stand here"))
            }
            _ if place.damaged => return,
            Cause::Type { expected, found } => {
                at(format!("wrong type for `{key}`")).label(format!("expected {expected}, found {found}"))
            }
            Cause::Variant { found, known } => {
                let label = match suggest::list(known) {
                    names if known.len() > 1 => format!("expected one of {names}"),
                    names => format!("expected {names}"),
                };
                let fault = at(format!("bad value for `{key}`")).label(label);
                match suggest::nearest(&found, known.iter().copied()) {
                    Some(name) => fault.help(format!("did you mean `{name}`?")),
                    None => fault,
                }
            }
            Cause::Value(message) => at(format!("bad value for `{key}`")).label(message),
        };
        self.found.push((place.path.clone(), found));
    }

    /// Whether we know why a key is missing: it is faulty, misspelt, or stands in a part that cannot be read.
    fn explained(&self, place: &Place, field: &str, unknown: &[Unknown]) -> bool {
        let faulty = self.found.iter().any(|(path, _)| {
            path.split_last().is_some_and(|(last, table)| table == place.path && *last == Step::Key(field.to_owned()))
        });
        let misspelt = |unknown: &Unknown| unknown.table == place.path && unknown.near == Some(field);
        self.partial || faulty || unknown.iter().any(misspelt)
    }

    /// The dotted name of a key.
    fn key(&self, path: &[Step]) -> String {
        let keys = path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        std::iter::once(self.table).chain(keys).map(show::key).collect::<Vec<_>>().join(".")
    }

    /// All faults in the order in which they stand, with what is secret masked.
    fn finish(self, document: &Document, unknown: Vec<Unknown>, reader: &Reader<'_>) -> Vec<Fault> {
        let sources: &[Source] = &document.sources;
        let mut masks = reader.secrets();
        if let Some(node) = document.root.entries.get(self.table) {
            masks.node(sounds_secret(self.table), node, &reader.seen());
        }
        let mut found: Vec<Found> = self.found.into_iter().map(|(_, found)| found).collect();
        for Unknown { name, near, help, places, .. } in unknown {
            for at in places {
                if near.is_some_and(sounds_secret) {
                    masks.add(at.source, at.value);
                }
                found.push(Found::at(at.source, at.key, format!("unknown key `{name}`")).help(help.clone()));
            }
        }
        found.sort_by_key(|found| (found.source, found.span));
        found.truncate(MAX_FAULTS);
        found.into_iter().map(|found| found.fault(sources, &masks)).collect()
    }
}
