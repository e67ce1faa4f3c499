//! What people do to what is there: withdraw files, say how a project is, copy a release to the next stage, take files
//! out, decide where names come from.
//!
//! Each is one transaction with its rows in the trail (who, from where, before, after), and what is served changes with
//! it. Forms, the API and the command line call the same functions, so they cannot differ; whether somebody may do it is
//! asked before, in `access`.

mod error;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opsctl_dist::simple::{ProjectStatus, State};
use opsctl_dist::{ProjectName, Version};

pub(crate) use self::error::Error;
use crate::catalog::{Catalog, Project};
use crate::clock::now;
use crate::config::IndexName;
use crate::origins::{Origin, Origins, Reservation};
use crate::records::Records;
use crate::upload::{self, Store};

/// Characters of a reason. It stands on every page of a project.
const REASON_MAX: usize = 500;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct By {
    /// A user, a token.
    pub(crate) actor: Box<str>,
    /// Of the client, empty for none.
    pub(crate) address: Box<str>,
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// The number of the last change that they have seen of what they change: it is not done if there was another since.
    pub(crate) seen: Option<i64>,
}

impl By {
    /// Somebody, now.
    pub(crate) fn now(actor: &str, address: &str) -> By {
        By::at(actor, address, now())
    }

    /// Somebody, at that time.
    pub(crate) fn at(actor: &str, address: &str, at: i64) -> By {
        By { actor: actor.into(), address: address.into(), at, seen: None }
    }

    #[cfg(test)]
    pub(crate) fn test(at: i64) -> By {
        By::at("admin", "192.0.2.1", at)
    }
}

/// Some files of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All.
    Project(ProjectName),
    /// Those of a version.
    Version(ProjectName, Version),
    /// One, by its name.
    File(ProjectName, Box<str>),
}

impl Selection {
    /// The project's name.
    pub(crate) fn project(&self) -> &ProjectName {
        let (Selection::Project(name) | Selection::Version(name, _) | Selection::File(name, _)) = self;
        name
    }

    fn of(&self, project: &Project) -> Vec<Box<str>> {
        let chosen = project.files.iter().filter(|file| match self {
            Selection::Project(_) => true,
            Selection::Version(_, version) => Version::legacy(&file.version).ok().as_ref() == Some(version),
            Selection::File(_, filename) => file.filename == *filename,
        });
        chosen.map(|file| file.filename.clone()).collect()
    }
}

/// An index, a project's normalised name, and names of files.
type Selected<'a> = (&'a IndexName, Box<str>, Vec<Box<str>>);

/// Makes changes. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    catalog: Arc<Catalog>,
    origins: Arc<Origins>,
    stores: Arc<BTreeMap<IndexName, Store>>,
}

impl Changes {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        origins: Arc<Origins>,
        stores: Arc<BTreeMap<IndexName, Store>>,
    ) -> Changes {
        Changes { catalog, origins, stores }
    }

    /// Withdraws files, so that installers take them only where exactly their version is asked for (PEP 592), or takes
    /// that back if there is no `reason`; an empty one is none that was given. Returns the names of the files that are
    /// not as they were.
    ///
    /// # Errors
    /// There are no such files, the reason is no line of text, or the database's.
    pub(crate) async fn yank(
        &self,
        index: &str,
        files: &Selection,
        reason: Option<&str>,
        by: &By,
    ) -> Result<Vec<Box<str>>, Error> {
        let reason = reason.map(line).transpose()?;
        let (index, project, filenames) = self.look(index, files).await?;
        let changed = self.records().yank(index, &project, &filenames, reason, by).await?;
        self.refresh(index, project).await?;
        Ok(changed)
    }

    /// Says how a project is (PEP 792); a project that is active without a reason is like any other. Returns what was
    /// said before.
    ///
    /// # Errors
    /// There is no such index, the reason is no line of text, or the database's.
    pub(crate) async fn set_status(
        &self,
        index: &str,
        project: &ProjectName,
        status: ProjectStatus,
        by: &By,
    ) -> Result<Option<ProjectStatus>, Error> {
        let index = &self.store(index)?.index;
        let ProjectStatus { state, reason } = status;
        let reason = reason.as_deref().map(line).transpose()?.filter(|reason| !reason.is_empty());
        let status = ProjectStatus { state, reason: reason.map(ToOwned::to_owned) };
        let status = Some(status).filter(|status| *status != ProjectStatus { state: State::Active, reason: None });
        let before = self.records().set_status(index, project.normalized(), status.as_ref(), by).await?;
        self.refresh(index, project.normalized().into()).await?;
        Ok(before)
    }

    /// Copies the files of a release from one index to another, where they become visible together. Returns the names
    /// of those that are new there.
    ///
    /// # Errors
    /// There is no such index or release, the name does not come from here, or one of the files is refused as an upload
    /// would be: nothing was copied then.
    pub(crate) async fn promote(
        &self,
        from: &str,
        to: &str,
        project: &ProjectName,
        version: &Version,
        by: &By,
    ) -> Result<Vec<Box<str>>, Error> {
        let release = Selection::Version(project.clone(), version.clone());
        self.look(from, &release).await?;
        let name = project.normalized();
        if !self.origins.takes_uploads(name) {
            return Err(upload::Error::Elsewhere(name.to_owned()).into());
        }
        let copied = upload::promote(self.store(from)?, self.store(to)?, name, version, by).await?;
        Ok(copied)
    }

    /// Takes files out for good, from what is served and from folder or bucket, wherever the same lies there; their names
    /// stay bound to their bytes. Returns their names.
    ///
    /// # Errors
    /// There are no such files, or the database's; or the folder's or the bucket's: then the file is not served any more, and
    /// its removal is tried again later.
    pub(crate) async fn remove(&self, index: &str, files: &Selection, by: &By) -> Result<Vec<Box<str>>, Error> {
        let (index, project, filenames) = self.look(index, files).await?;
        let store = self.store(index)?;
        let mut removed = Vec::new();
        let mut by = by.clone();
        for filename in filenames {
            let Some(removals) = self.records().remove(index, &project, &filename, &by).await? else { continue };
            // what comes now follows on a change of theirs
            by.seen = None;
            self.refresh(index, project.clone()).await?;
            for removal in removals {
                let gone = store.shelf.remove(&removal).await;
                gone.map_err(|source| Error::Remove { path: removal.path.clone(), source: Box::new(source) })?;
                self.records().removed(index, &removal.path).await?;
            }
            removed.push(filename);
        }
        Ok(removed)
    }

    /// Decides where a name comes from, or takes the decision back. Returns what was decided before.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn set_origin(
        &self,
        project: &ProjectName,
        origin: Option<Origin>,
        by: &By,
    ) -> Result<Option<Origin>, Error> {
        let before = self.records().decide(project.normalized(), origin, by).await?;
        self.origins.reload().await?;
        Ok(before.and_then(|word| word.parse().ok()))
    }

    /// Reserves names; false if they were.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn reserve(&self, names: &Reservation, by: &By) -> Result<bool, Error> {
        let new = self.records().reserve(names, by).await?;
        self.origins.reload().await?;
        Ok(new)
    }

    /// Takes a reservation back; false if there is none.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn unreserve(&self, names: &Reservation, by: &By) -> Result<bool, Error> {
        let there = self.records().unreserve(names, by).await?;
        self.origins.reload().await?;
        Ok(there)
    }

    /// The names of the files that are meant: one at least.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn files(&self, index: &str, files: &Selection) -> Result<Vec<Box<str>>, Error> {
        Ok(self.select(index, files)?.2)
    }

    fn records(&self) -> &Records {
        self.catalog.records()
    }

    fn store(&self, index: &str) -> Result<&Store, Error> {
        self.stores.get(index).ok_or_else(|| Error::NoIndex(index.to_owned()))
    }

    /// What is meant, also by who has seen it on another machine a moment ago.
    async fn look(&self, index: &str, files: &Selection) -> Result<Selected<'_>, Error> {
        if self.records().is_shared() {
            self.refresh(&self.store(index)?.index, files.project().normalized().into()).await?;
        }
        self.select(index, files)
    }

    /// What is meant: one file at least.
    fn select(&self, index: &str, files: &Selection) -> Result<Selected<'_>, Error> {
        let store = self.store(index)?;
        let snapshot = self.catalog.snapshot();
        let project = files.project();
        let found = snapshot.index(index).and_then(|index| index.project(project.normalized()));
        let found = found.ok_or_else(|| Error::NoProject(project.display().to_owned(), index.to_owned()))?;
        let filenames = files.of(found);
        match files {
            _ if !filenames.is_empty() => Ok((&store.index, project.normalized().into(), filenames)),
            Selection::Version(name, version) => {
                Err(Error::NoVersion(name.display().to_owned(), version.to_string(), index.to_owned()))
            }
            Selection::File(_, filename) => Err(Error::NoFile(filename.to_string(), index.to_owned())),
            Selection::Project(name) => Err(Error::NoProject(name.display().to_owned(), index.to_owned())),
        }
    }

    async fn refresh(&self, index: &IndexName, project: Box<str>) -> Result<(), Error> {
        Ok(self.catalog.refresh(index, &BTreeSet::from([project])).await?)
    }
}

/// A reason: one line, without what a terminal or a page would do something about.
fn line(reason: &str) -> Result<&str, Error> {
    let reason = reason.trim();
    if reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control) {
        return Err(Error::Reason);
    }
    Ok(reason)
}
