//! A table of the document as a typed value, or every fault in it. serde stops at the first fault, so a faulty value is
//! noted and taken away (the layer below has another, at the latest the defaults), and the table is read again.

mod access;
mod deserializer;
mod error;
mod reader;

use crate::Document;
use crate::fault::{Fault, Found};
use crate::node::{At, Node, Step, Table, Value};
use crate::source::Source;
use crate::suggest;
use deserializer::De;
use error::{Cause, Place};
use reader::{Noted, Reader, key};
use serde::de::DeserializeOwned;

/// After so many faults of one table the rest can wait.
const MAX_FAULTS: usize = 64;
/// And after so many attempts, of which some find nothing to report.
const MAX_ATTEMPTS: usize = 256;

pub(crate) fn table<T: DeserializeOwned>(document: &Document, name: &str, also: &[&str]) -> Result<T, Vec<Fault>> {
    let empty = || Node::new(At { source: usize::MAX, ..At::default() }, Value::Table(Table::default()));
    let mut root = document.root.entries.get(name).cloned().unwrap_or_else(empty);
    let reader = Reader::new(name, &document.sources, also);
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
        faults.note(error.cause, &place, &reader.noted.borrow());
        if faults.found.len() >= MAX_FAULTS || !take_away(&mut root, &place.path) {
            break;
        }
    }
    let noted = reader.noted.take();
    document.learn(reader.secrets());
    match value {
        Some(value) if faults.found.is_empty() && noted.is_empty() => Ok(value),
        _ => Err(faults.finish(document, noted, &reader)),
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
    fn note(&mut self, cause: Cause, place: &Place, noted: &[Noted]) {
        let name = key(self.table, &place.path);
        let at = |title: String| match place.at {
            At { source: usize::MAX, .. } => Found::nowhere(title),
            At { source, value, .. } => Found::at(source, value, title),
        };
        let found = match cause {
            Cause::Missing(field) => {
                if self.explained(place, field, noted) {
                    return;
                }
                let mut path = place.path.clone();
                path.push(Step::Key(field.to_owned()));
                at(format!("missing key `{}`", key(self.table, &path))).label(format!("`{field}` must stand here"))
            }
            _ if place.damaged => return,
            Cause::Type { expected, found } => {
                at(format!("wrong type for `{name}`")).label(format!("expected {expected}, found {found}"))
            }
            Cause::Variant { found, known } => {
                let label = format!("expected {}", suggest::list(known, "or"));
                let fault = at(format!("bad value for `{name}`")).label(label);
                match suggest::nearest(&found, known.iter().copied()) {
                    Some(name) => fault.help(format!("did you mean `{name}`?")),
                    None => fault,
                }
            }
            Cause::Value(message) => at(format!("bad value for `{name}`")).label(message),
        };
        self.found.push((place.path.clone(), found));
    }

    /// Whether we know why a key is missing: it is faulty, misspelt, or stands in a part that cannot be read.
    fn explained(&self, place: &Place, field: &str, noted: &[Noted]) -> bool {
        let faulty = self.found.iter().any(|(path, _)| {
            path.split_last().is_some_and(|(last, table)| table == place.path && *last == Step::Key(field.to_owned()))
        });
        let misspelt = |noted: &Noted| noted.table == place.path && noted.near == Some(field);
        self.partial || faulty || noted.iter().any(misspelt)
    }

    /// All faults in the order in which they stand, with what is secret masked.
    fn finish(self, document: &Document, noted: Vec<Noted>, reader: &Reader<'_>) -> Vec<Fault> {
        let sources: &[Source] = &document.sources;
        let mut masks = document.masks();
        if let Some(node) = document.root.entries.get(self.table) {
            masks.node(masks.sounds(self.table), node, &reader.seen());
        }
        let mut found: Vec<Found> = self.found.into_iter().map(|(_, found)| found).collect();
        for Noted { near, found: fault, at, .. } in noted {
            if near.is_some_and(|near| masks.sounds(near)) {
                masks.add(at.source, at.value);
            }
            found.push(fault);
        }
        found.sort_by_key(|found| (found.source, found.span));
        found.truncate(MAX_FAULTS);
        found.into_iter().map(|found| found.fault(sources, &masks)).collect()
    }
}
