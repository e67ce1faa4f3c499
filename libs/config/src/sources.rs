//! The layers: defaults, file, environment, `--set`, options. Reading them gives one document and every fault there is in
//! their text; what the values mean is decided later, table by table.

mod file;
mod words;

use crate::fault::{Fault, Found};
use crate::node::Table;
use crate::secrets::Masks;
use crate::source::{Kind, Source};
use crate::{Document, MAX_TEXT};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Names of environment variables that begin with `OPSCTL_` and are no key: what the command line reads itself.
pub const RESERVED: &[&str] = &["OPSCTL_CONFIG"];

/// What a configuration is made of. Each layer wins over those before it: defaults, file, environment, `--set`, options,
/// in whatever order they are handed over.
#[must_use]
pub struct Sources {
    defaults: &'static str,
    cwd: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
    env: Vec<(OsString, OsString)>,
    set: Vec<String>,
    options: Vec<Opted>,
    secrets: BTreeSet<String>,
}

/// An option of a service that stands for a key.
pub(crate) struct Opted {
    key: String,
    flag: String,
    values: Vec<OsString>,
}

impl Sources {
    /// Starts with the text of the defaults. `cwd` is where relative paths in the environment and on the command line
    /// start from.
    pub fn new(defaults: &'static str, cwd: &Path) -> Self {
        let (files, env, set, options) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { defaults, cwd: cwd.to_path_buf(), files, env, set, options, secrets: BTreeSet::new() }
    }

    /// A file's path and its content, of which more than [`MAX_TEXT`] bytes are a fault (the caller need not read on).
    /// Relative paths in it, and in the defaults, start from its folder. A second file lies over the first.
    pub fn file(mut self, path: &Path, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_path_buf(), content.into()));
        self
    }

    /// The environment; of it `OPSCTL_TABLE__KEY` and, for nested tables, `OPSCTL_TABLE__KEY__KEY`, in lower case the
    /// names of the keys. Any other name with this prefix that is not in [`RESERVED`] is an unknown key.
    pub fn env(mut self, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.env.extend(vars);
        self
    }

    /// What `--set` was given: `table.key=value`. The value is a text, which the type of the key interprets; it may also
    /// be a TOML string in quotes, a list in `[]` or a table in `{}`.
    pub fn set(mut self, items: impl IntoIterator<Item = String>) -> Self {
        self.set.extend(items);
        self
    }

    /// An option of a service that overrides the key with the dotted path `key`. `flag` is as typed (`--file`, `-f`),
    /// for the fault; no value at all is a switch and means true, several are a list.
    pub fn option(mut self, key: &str, flag: &str, values: Vec<OsString>) -> Self {
        self.options.push(Opted { key: key.to_owned(), flag: flag.to_owned(), values });
        self
    }

    /// The keys that are secret, as [`secret_paths`](crate::secret_paths) gives them. Where a text is broken no type can
    /// be asked, so then these decide, and those whose name sounds like it (`password`, `token`, …).
    pub fn secrets(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        self.secrets.extend(paths);
        self
    }

    /// Reads all of it and never stops at a fault: what is faulty is left out of the document, so that the rest can be
    /// checked too. The document is for use only if there is no fault.
    pub fn read(self) -> (Document, Vec<Fault>) {
        let mut reading = Reading { masks: Masks::of_keys(&self.secrets), ..Reading::default() };
        let folder = |path: &Path| self.cwd.join(path.parent().unwrap_or(path));
        let base = self.files.last().map_or_else(|| self.cwd.clone(), |(path, _)| folder(path));
        reading.file(Kind::Defaults, self.defaults.as_bytes(), base);
        for (path, content) in &self.files {
            reading.file(Kind::File(path.clone()), content, folder(path));
        }
        reading.environment(self.env, &self.cwd);
        for item in self.set {
            reading.set(&item, &self.cwd);
        }
        for option in self.options {
            reading.option(option, &self.cwd);
        }
        reading.finish()
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

/// The document as far as it has been read.
#[derive(Default)]
pub(crate) struct Reading {
    root: Table,
    sources: Vec<Source>,
    found: Vec<Found>,
    /// Parts of a file are unreadable, so a key that is missing may well stand there.
    partial: bool,
    masks: Masks,
}

impl Reading {
    fn finish(self) -> (Document, Vec<Fault>) {
        let Self { root, sources, mut found, partial, masks } = self;
        found.sort_by_key(|found| (found.source, found.span));
        let known = masks.clone();
        let masks = masks.with_tree(&root).with_statements(&sources, &found);
        let faults = found.into_iter().map(|found| found.fault(&sources, &masks)).collect();
        (Document { root, sources: sources.into(), partial, secrets: Arc::new(Mutex::new(known)) }, faults)
    }

    /// The index of a new source.
    fn source(&mut self, source: Source) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }
}

fn too_long(length: usize) -> Option<&'static str> {
    (length > MAX_TEXT).then_some("longer than 1 MiB")
}
