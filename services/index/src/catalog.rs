//! What the index holds and serves: an immutable [`Snapshot`] that requests read, and the one place that replaces it.
//!
//! A snapshot is made of what the database says, project by project, and of nothing else: whoever changes something
//! writes it to the database first and then names the projects that have changed. So a second node, or a verb of the
//! command line, changes what is served in the same way.

mod file;
mod pages;
mod project;
pub(crate) mod recent;
pub(crate) mod render;
mod shards;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use opsctl_dist::ProjectName;
use opsctl_dist::simple::ProjectStatus;
use tokio::sync::Mutex;

pub(crate) use self::file::{File, Place, folder};
use self::pages::Budget;
pub(crate) use self::pages::Pages;
pub(crate) use self::project::Project;
pub(crate) use self::snapshot::{Index, Snapshot};

use crate::config::IndexName;
use crate::origins::Origins;
use crate::records::{self, Loaded, Records};
use crate::upload::Shelf;

/// A SHA-256 digest: what names bytes in this index.
pub(crate) type Digest = opsctl_dist::Digest<32>;

/// Bytes of projects' rendered pages that are kept, more or less: some thousand large ones.
const PAGES_MAX: usize = 64 << 20;

/// The catalogue. Shared by all that serve and all that change.
#[derive(Debug)]
pub(crate) struct Catalog {
    records: Records,
    /// Where each index has its files.
    shelves: BTreeMap<IndexName, Shelf>,
    current: ArcSwap<Snapshot>,
    origins: Arc<Origins>,
    /// How many bytes of projects' pages are kept.
    budget: Arc<Budget>,
    /// Held while a snapshot is made of the last one.
    replacing: Mutex<()>,
}

impl Catalog {
    /// Loads all that the database knows.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn open(
        records: Records,
        shelves: BTreeMap<IndexName, Shelf>,
        origins: Arc<Origins>,
    ) -> records::Result<Catalog> {
        let catalog = Catalog {
            records,
            shelves,
            current: ArcSwap::default(),
            origins,
            budget: Budget::new(PAGES_MAX),
            replacing: Mutex::new(()),
        };
        let mut projects: BTreeMap<(Box<str>, Box<str>), Vec<Loaded>> = BTreeMap::new();
        for file in catalog.records.files().await? {
            projects.entry((file.index.clone(), file.project.clone())).or_default().push(file);
        }
        let mut statuses = catalog.records.statuses().await?;
        let mut snapshot = Snapshot::default();
        for (index, shelf) in &catalog.shelves {
            let of_index = projects.extract_if(.., |(name, _), _| **name == **index);
            let made = of_index.map(|(key, files)| {
                let status = statuses.remove(&key);
                (key.1, project(shelf, status, files, &catalog.budget))
            });
            let made = made.collect();
            snapshot = snapshot.with(index, made);
        }
        catalog.current.store(Arc::new(snapshot));
        Ok(catalog)
    }

    /// What is served now. Kept for as long as one request needs it.
    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// The database.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// Makes sure that a file is served that another machine may have made visible a moment ago: its page may be older than
    /// this process's knowledge. Whether that has changed.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn catch_up(&self, index: &IndexName, filename: &str, sha256: &Digest) -> records::Result<bool> {
        if !self.records.is_shared() {
            return Ok(false);
        }
        let Some(project) = self.records.project_of(index, filename, sha256).await? else { return Ok(false) };
        self.refresh(index, &BTreeSet::from([project])).await?;
        Ok(true)
    }

    /// Serves these projects as the database has them now.
    ///
    /// # Errors
    /// The database's; what was served stays then.
    pub(crate) async fn refresh(&self, index: &IndexName, projects: &BTreeSet<Box<str>>) -> records::Result<()> {
        let Some(shelf) = self.shelves.get(index) else { return Ok(()) };
        let _one_at_a_time = self.replacing.lock().await;
        let current = self.snapshot();
        let now = |name: &str| current.index(index).and_then(|index| index.project(name));
        let mut made = Vec::with_capacity(projects.len());
        for name in projects {
            let files = self.records.files_of(index, name).await?;
            let status = self.records.status(index, name).await?;
            let next = project(shelf, status, files, &self.budget);
            // pages that are good stay
            let stays = match (now(name), &next) {
                (Some(now), Some(next)) => now.serves_what(next),
                (now, next) => now.is_none() && next.is_none(),
            };
            if !stays {
                made.push((name.clone(), next));
            }
        }
        if !made.is_empty() {
            self.current.store(Arc::new(current.with(index, made)));
        }
        self.origins.appeared(projects);
        Ok(())
    }
}

/// The project of these files; none without files.
fn project(
    shelf: &Shelf,
    status: Option<ProjectStatus>,
    files: Vec<Loaded>,
    budget: &Arc<Budget>,
) -> Option<Arc<Project>> {
    // the author may have changed the spelling: the newest file says how it is written now
    let newest = files.iter().max_by_key(|file| file.first_seen)?;
    let name = ProjectName::parse(&newest.name).or_else(|_| ProjectName::parse(&newest.project)).ok()?;
    let mut last: Option<Arc<str>> = None;
    let files = files.into_iter().map(|mut loaded| {
        // most files of a project say the same
        let said = loaded.summary.take().filter(|summary| !summary.is_empty());
        if said.as_deref() != last.as_deref() {
            last = said.map(Arc::from);
        }
        Arc::new(File { summary: last.clone(), ..file(shelf, loaded) })
    });
    Some(Arc::new(Project::new(name, status, files).within(budget)))
}

fn file(shelf: &Shelf, loaded: Loaded) -> File {
    let Loaded { index: _, project: _, name: _, filename, version, sha256, first_seen, .. } = loaded;
    File {
        filename,
        version,
        sha256,
        size: loaded.stamp.size,
        first_seen,
        requires_python: loaded.requires_python,
        metadata: loaded.metadata,
        yanked: loaded.yanked,
        summary: None,
        attested: loaded.attested,
        place: shelf.place(loaded.path, loaded.stamp),
    }
}
