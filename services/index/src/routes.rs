//! From where a page is made: an index, its bases in their order, and what may be asked for a name.
//!
//! A page that comes from one folder is that project's own, rendered once. What is put together of several, or comes from
//! an upstream, is kept here for as long as its parts stay what they are.

mod blend;
mod chain;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opsctl_dist::simple::File;

pub(crate) use self::blend::{Blend, projects_of};
use self::blend::{Blends, Source};
pub(crate) use self::chain::{Chain, Part, chains, order};
use crate::catalog::{Catalog, Digest, Project};
use crate::clock::now;
use crate::config::IndexName;
use crate::mirror::{Mirror, Trouble, Upstream};
use crate::origins::{Origins, Verdict};

/// A project's page.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    /// Of one folder.
    Own(Arc<Project>),
    /// Of several places.
    Blend(Arc<Blend>),
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The name is blocked.
    #[error("this name is blocked here")]
    Blocked,
    /// The upstream has no answer.
    #[error(transparent)]
    Upstream(#[from] Trouble),
    /// The database has none.
    #[error("failed to write down where a name comes from")]
    Store(#[from] opsctl_store::Error),
}

/// All indexes, and how they stand upon each other.
#[derive(Debug)]
pub(crate) struct Routes {
    catalog: Arc<Catalog>,
    origins: Arc<Origins>,
    chains: BTreeMap<IndexName, Chain>,
    blends: Mutex<Blends>,
}

impl Routes {
    pub(crate) fn new(catalog: Arc<Catalog>, origins: Arc<Origins>, chains: BTreeMap<IndexName, Chain>) -> Routes {
        Routes { catalog, origins, chains, blends: Mutex::default() }
    }

    /// What the index `name` is made of.
    pub(crate) fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.get(name)
    }

    /// The page of a project, by its normalised name, in an index; None if there is no such project.
    ///
    /// # Errors
    /// It is not for everybody, or the upstream has no answer.
    pub(crate) async fn page(&self, index: &str, project: &str) -> Result<Option<Page>, Refusal> {
        let Some(chain) = self.chains.get(index) else { return Ok(None) };
        let here = self.here(chain, project);
        let mirrors = chain.mirrors().next().is_some();
        match self.origins.verdict(project, !here.is_empty()) {
            Verdict::Blocked => Err(Refusal::Blocked),
            Verdict::Here => Ok(Some(self.own(index, project, here))),
            // without another place to look at there is nothing to hide; with one, a 404 would send clients there
            Verdict::Nothing if !mirrors => Ok(None),
            Verdict::Nothing => Ok(Some(self.blend(index, project, Vec::new()))),
            Verdict::Upstream => self.outside(index, chain, project, Vec::new()).await,
            Verdict::Both => self.outside(index, chain, project, here).await,
            Verdict::Open => {
                let page = self.outside(index, chain, project, Vec::new()).await?;
                if page.is_some() {
                    self.origins.found_upstream(project, now()).await?;
                }
                Ok(page)
            }
        }
    }

    /// Whether files of a name may be brought here: not if it comes from elsewhere, or is blocked.
    pub(crate) fn takes_uploads(&self, project: &str) -> bool {
        self.origins.takes_uploads(project)
    }

    /// The file of that name and digest at an upstream of `index`, or the file whose metadata is asked for; only of
    /// projects that `may` lets through.
    ///
    /// # Errors
    /// Those of [`Self::page`].
    pub(crate) async fn file_outside(
        &self,
        index: &str,
        filename: &str,
        digest: &Digest,
        may: impl Fn(&str) -> bool,
    ) -> Result<Option<(Arc<Mirror>, File)>, Refusal> {
        let Some(chain) = self.chains.get(index) else { return Ok(None) };
        for project in projects_of(filename).into_iter().filter(|project| may(project)) {
            let found = self.file_of(chain, &project, filename, Some(digest)).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The file of that name at an upstream whose page tells no digest.
    ///
    /// # Errors
    /// Those of [`Self::page`].
    pub(crate) async fn file_by_name(
        &self,
        index: &str,
        project: &str,
        filename: &str,
    ) -> Result<Option<(Arc<Mirror>, File)>, Refusal> {
        let Some(chain) = self.chains.get(index) else { return Ok(None) };
        self.file_of(chain, project, filename, None).await
    }

    async fn file_of(
        &self,
        chain: &Chain,
        project: &str,
        filename: &str,
        digest: Option<&Digest>,
    ) -> Result<Option<(Arc<Mirror>, File)>, Refusal> {
        match self.origins.verdict(project, !self.here(chain, project).is_empty()) {
            Verdict::Blocked => return Err(Refusal::Blocked),
            Verdict::Here | Verdict::Nothing => return Ok(None),
            Verdict::Upstream | Verdict::Both | Verdict::Open => {}
        }
        for mirror in chain.mirrors() {
            let Some(upstream) = mirror.project(project).await? else { continue };
            if let Some(file) = upstream.file(filename, digest, now()) {
                return Ok(Some((Arc::clone(mirror), file.clone())));
            }
        }
        Ok(None)
    }

    /// What there is of a project in the folders of `chain`.
    fn here(&self, chain: &Chain, project: &str) -> Vec<Arc<Project>> {
        let snapshot = self.catalog.snapshot();
        let indexes = chain.folders().filter_map(|name| snapshot.index(name));
        indexes.filter_map(|index| index.project(project).map(Arc::clone)).collect()
    }

    fn own(&self, index: &str, project: &str, mut here: Vec<Arc<Project>>) -> Page {
        match here.pop() {
            Some(only) if here.is_empty() => Page::Own(only),
            last => self.blend(index, project, here.into_iter().chain(last).map(Source::Folder).collect()),
        }
    }

    /// What the upstreams have, and what is `here`, each in its place; None if there is nothing of it.
    async fn outside(
        &self,
        index: &str,
        chain: &Chain,
        project: &str,
        here: Vec<Arc<Project>>,
    ) -> Result<Option<Page>, Refusal> {
        let mut sources = Vec::new();
        let snapshot = self.catalog.snapshot().clone();
        for part in chain.parts() {
            match part {
                Part::Folder(name) => {
                    let found = snapshot.index(name).and_then(|index| index.project(project));
                    let found = found.filter(|found| here.iter().any(|here| Arc::ptr_eq(here, found)));
                    sources.extend(found.map(|found| Source::Folder(Arc::clone(found))));
                }
                Part::Mirror(mirror) => {
                    let found: Option<Arc<Upstream>> = mirror.project(project).await?;
                    sources.extend(found.map(|page| Source::Upstream(Arc::clone(mirror), page)));
                }
            }
        }
        Ok((!sources.is_empty()).then(|| self.blend(index, project, sources)))
    }

    fn blend(&self, index: &str, project: &str, sources: Vec<Source>) -> Page {
        let mut blends = self.blends.lock().unwrap_or_else(PoisonError::into_inner);
        Page::Blend(blends.get(index, project, sources, now()))
    }
}
