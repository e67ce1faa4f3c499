//! The task that looks at a folder: when it looks, and what it does about what it sees.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opsctl_host::{Context, Troubles};
use tokio::task::JoinHandle;
use tracing::{debug, error, info, warn};

use super::read::read;
use super::scan::{Known, Look, Scanner, Scope};
use super::walk::Seen;
use super::watch::{Events, Watch};
use super::{Found, Refused};
use crate::catalog::Catalog;
use crate::clock::now;
use crate::config::IndexName;
use crate::records::Noted;
use crate::upload::Landed;

/// Between looks while the kernel does not tell what happens, or a file is waited for.
const SOON: Duration = Duration::from_millis(500);
/// Files that are read and noted at a time: so many appear together, and so many are read again after a crash.
const BATCH: usize = 256;
/// Faults of one look that are logged one by one.
const LOGGED_MAX: usize = 20;

/// Keeps one index in step with its folder.
#[derive(Debug)]
pub(crate) struct Keeper {
    index: IndexName,
    root: Arc<PathBuf>,
    /// Whether a name may get other bytes.
    volatile: bool,
    /// Between looks at the whole tree.
    rescan: Duration,
    /// Files that were uploaded.
    landed: Landed,
    /// A file was passed over because it is being uploaded.
    skipped: bool,
    /// Nothing was ever seen: files are as old as they say, and not as new as their being seen.
    first: bool,
    catalog: Arc<Catalog>,
    scanner: Option<Scanner>,
    /// A look that was given up half-way, and has the scanner.
    scanning: Option<JoinHandle<(Scanner, io::Result<Look>)>>,
    watch: Option<Watch>,
    troubles: Troubles,
}

/// What one folder is to be kept with.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) index: IndexName,
    pub(crate) root: Arc<PathBuf>,
    /// Whether a name may get other bytes.
    pub(crate) volatile: bool,
    /// Between looks at the whole tree.
    pub(crate) rescan: Duration,
    /// Files that were uploaded.
    pub(crate) landed: Landed,
}

impl Keeper {
    /// Loads what is known of the folder, and watches it if that works.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn open(kept: Kept, catalog: Arc<Catalog>, troubles: Troubles) -> anyhow::Result<Keeper> {
        let Kept { index, root, volatile, rescan, landed } = kept;
        let served = catalog.snapshot().index(&index).map_or_else(Vec::new, |index| index.places());
        let aside = catalog.records().aside(&index).await?;
        let known = served.into_iter().map(|(path, stamp)| (path, Known { stamp, aside: None }));
        let aside = aside.into_iter().map(|at| (at.path, Known { stamp: at.stamp, aside: Some(at.reason) }));
        let wanted = |name: &str| opsctl_dist::FileName::kind_of(name).is_some();
        let scanner = Scanner::new(Arc::clone(&root), wanted, known.chain(aside));
        let watch = Watch::new(&root).inspect_err(|error| no_watch(&root, error)).ok();
        let first = scanner.is_empty();
        let (scanner, scanning) = (Some(scanner), None);
        let skipped = false;
        Ok(Keeper {
            index,
            root,
            volatile,
            rescan,
            landed,
            first,
            skipped,
            catalog,
            scanner,
            scanning,
            watch,
            troubles,
        })
    }

    /// Looks at everything until all that is there is known. May be given up half-way: what was read until then is
    /// served, the rest later.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn look_at_all(&mut self) -> anyhow::Result<()> {
        self.look(Scope::All).await?;
        while self.scanner.as_ref().is_some_and(Scanner::is_waiting) {
            tokio::time::sleep(SOON).await;
            self.look(Scope::All).await?;
        }
        self.first = false;
        Ok(())
    }

    /// Keeps looking until the service stops.
    ///
    /// # Errors
    /// None that is passing: those are troubles, and the next look tries again.
    pub(crate) async fn run(mut self, cx: Context) -> anyhow::Result<()> {
        self.first = false;
        loop {
            let scope = tokio::select! {
                scope = self.next() => scope,
                () = cx.stopping() => return Ok(()),
            };
            if let Err(error) = self.look(scope).await {
                error!(error = format!("{error:#}"), root = %self.root.display(), "failed to look at the folder");
                self.troubles.set("folder", format!("failed to look at `{}`: {error:#}", self.root.display()));
                tokio::select! {
                    () = tokio::time::sleep(SOON) => {}
                    () = cx.stopping() => return Ok(()),
                }
            }
        }
    }

    /// Waits until there is a reason to look.
    async fn next(&mut self) -> Scope {
        let waiting = self.skipped || self.scanner.as_ref().is_none_or(Scanner::is_waiting);
        let pause = if waiting || self.watch.is_none() { SOON.min(self.rescan) } else { self.rescan };
        let Some(watch) = &mut self.watch else {
            tokio::time::sleep(pause).await;
            return Scope::All;
        };
        match tokio::time::timeout(pause, watch.next()).await {
            Err(_) => Scope::All,
            Ok(Ok(Events { all: false, folders, trees })) => Scope::Parts { folders, trees },
            Ok(Ok(Events { all: true, .. })) => Scope::All,
            Ok(Err(error)) => {
                no_watch(&self.root, &error);
                self.watch = None;
                Scope::All
            }
        }
    }

    async fn look(&mut self, scope: Scope) -> anyhow::Result<()> {
        let whole = matches!(scope, Scope::All);
        let mut scope = scope;
        while let Some(next) = self.look_once(scope).await? {
            scope = next;
        }
        let scanner = self.scanner.as_ref().context("the scanner is at work")?;
        let aside: Vec<_> = scanner.aside().filter(|(_, why)| !why.starts_with(TWIN)).collect();
        match aside.as_slice() {
            [] => self.troubles.clear("aside"),
            [(path, why)] => self.troubles.set("aside", format!("`{path}` is not served: {why}")),
            [(path, why), more @ ..] => {
                self.troubles.set("aside", format!("`{path}` is not served: {why}; and {} more", more.len()));
            }
        }
        self.troubles.clear("folder");
        if whole {
            debug!(index = %self.index, "looked at the whole folder");
        }
        Ok(())
    }

    /// Returns what is to be looked at again.
    async fn look_once(&mut self, scope: Scope) -> anyhow::Result<Option<Scope>> {
        let Look { fresh, gone, folders, faults } = self.scan(scope).await?;
        for fault in faults.iter().take(LOGGED_MAX) {
            warn!(fault, "cannot look at a part of the folder");
        }
        let unwatched = self.watch(&folders);
        let again = self.gone(&gone).await?;
        let fresh = self.without_uploads(fresh).await?;
        let total = fresh.len();
        let mut done = 0;
        let mut fresh = fresh.into_iter().peekable();
        while fresh.peek().is_some() {
            let batch: Vec<Seen> = fresh.by_ref().take(BATCH).collect();
            done += batch.len();
            self.batch(batch).await?;
            if total > BATCH {
                info!(index = %self.index, done, total, "indexing the folder");
            }
        }
        // what stood back behind a file that is gone takes its place at once
        Ok(if again { Some(Scope::All) } else { unwatched })
    }

    /// Watches these folders as well. Returns those that were not watched while they were listed.
    fn watch(&mut self, folders: &[Box<str>]) -> Option<Scope> {
        match self.watch.as_mut()?.add(folders.iter().map(AsRef::as_ref)) {
            Ok(new) if new.is_empty() => None,
            Ok(new) => {
                let folders = new.into_iter().map(|folder| (folder.into(), Vec::new())).collect();
                Some(Scope::Parts { folders, trees: Vec::new() })
            }
            Err(error) => {
                no_watch(&self.root, &error);
                self.watch = None;
                None
            }
        }
    }

    async fn scan(&mut self, scope: Scope) -> anyhow::Result<Look> {
        if let Some(scanning) = &mut self.scanning {
            // what that one saw is seen again
            let looked = scanning.await;
            self.scanning = None;
            self.scanner = Some(looked?.0);
        }
        let mut scanner = self.scanner.take().context("the scanner is at work")?;
        let look = move || {
            let look = scanner.look(&scope);
            (scanner, look)
        };
        let looked = self.scanning.insert(tokio::task::spawn_blocking(look)).await;
        self.scanning = None;
        let (scanner, look) = looked?;
        self.scanner = Some(scanner);
        look.with_context(|| format!("failed to list `{}`", self.root.display()))
    }

    /// Leaves out what is being uploaded, and what was uploaded and is known.
    async fn without_uploads(&mut self, mut fresh: Vec<Seen>) -> anyhow::Result<Vec<Seen>> {
        self.skipped = false;
        self.leave_landed(&mut fresh)?;
        if !fresh.is_empty() {
            let pending = self.catalog.records().pending(&self.index).await?;
            let before = fresh.len();
            fresh.retain(|seen| pending.iter().all(|pending| pending.path != seen.path));
            self.skipped = fresh.len() < before;
        }
        // asked for again after the journal: what is in neither was not uploaded
        self.leave_landed(&mut fresh)?;
        Ok(fresh)
    }

    fn leave_landed(&mut self, fresh: &mut Vec<Seen>) -> anyhow::Result<()> {
        let scanner = self.scanner.as_mut().context("the scanner is at work")?;
        for (path, stamp) in self.landed.take() {
            fresh.retain(|seen| seen.path != path || seen.stamp != stamp);
            scanner.learn(path, Known { stamp, aside: None });
        }
        Ok(())
    }

    async fn gone(&mut self, gone: &[Box<str>]) -> anyhow::Result<bool> {
        if gone.is_empty() {
            return Ok(false);
        }
        let touched = self.catalog.records().gone(&self.index, gone, now()).await?;
        self.catalog.refresh(&self.index, &touched).await?;
        let scanner = self.scanner.as_mut().context("the scanner is at work")?;
        let mut again = false;
        for path in gone {
            info!(index = %self.index, path, "a file is gone");
            again |= scanner.forget(path);
        }
        Ok(again)
    }

    /// Reads files, notes what became of them, and serves them.
    async fn batch(&mut self, batch: Vec<Seen>) -> anyhow::Result<()> {
        let root = Arc::clone(&self.root);
        let read = tokio::task::spawn_blocking(move || read(&root, batch)).await?;
        let (mut found, mut refused) = (Vec::new(), Vec::new());
        for file in read {
            match file {
                Ok(file) => found.push(file),
                Err(file) => refused.push(file),
            }
        }
        let now = now();
        for file in &mut found {
            file.first_seen = if self.first { (file.stamp.modified / 1000).min(now) } else { now };
        }
        let noted = self.catalog.records().note(&self.index, self.volatile, &found, now).await?;
        let mut touched = BTreeSet::new();
        let mut served = Vec::new();
        for (file, noted) in found.into_iter().zip(noted) {
            match why_not(&noted) {
                None => {
                    touched.insert(file.facts.name.normalized().into());
                    served.push(file);
                }
                Some(reason) => refused.push(Refused { path: file.path, stamp: file.stamp, reason }),
            }
        }
        touched.extend(self.catalog.records().set_aside(&self.index, &refused, now).await?);
        self.catalog.refresh(&self.index, &touched).await?;
        self.learn(served, refused)
    }

    fn learn(&mut self, served: Vec<Found>, refused: Vec<Refused>) -> anyhow::Result<()> {
        let scanner = self.scanner.as_mut().context("the scanner is at work")?;
        for Found { path, stamp, facts, .. } in served {
            let (project, version) = (facts.name.normalized(), &facts.version);
            tracing::debug!(index = %self.index, path, project, version, "a file is there");
            scanner.learn(path, Known { stamp, aside: None });
        }
        for Refused { path, stamp, reason } in refused {
            if !reason.starts_with(TWIN) {
                warn!(index = %self.index, path, reason, "a file is not served");
            }
            scanner.learn(path, Known { stamp, aside: Some(reason) });
        }
        Ok(())
    }
}

/// How the reason begins that is no trouble.
pub(crate) const TWIN: &str = "the same as ";

/// Why a file that can be read is not served.
fn why_not(noted: &Noted) -> Option<Box<str>> {
    match noted {
        Noted::Served => None,
        Noted::Twin(path) => Some(format!("{TWIN}`{path}`").into()),
        Noted::Bound(digest) => Some(
            format!(
                "this file name belongs to other bytes (sha256 {digest}); give the new ones a version of their own"
            )
            .into(),
        ),
    }
}

fn no_watch(root: &std::path::Path, error: &io::Error) {
    let root = root.display();
    warn!(%root, %error, "the folder is not watched, but looked at twice a second");
}
