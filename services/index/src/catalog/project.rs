//! One project: its files in order, and its page in all forms.

use std::sync::Arc;

use opsctl_dist::simple::{ProjectStatus, State};
use opsctl_dist::{ProjectName, Version};

use super::file::File;
use super::pages::{Budget, Pages};

/// A project of one index at one moment; never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) name: ProjectName,
    /// By version, then by name.
    pub(crate) files: Box<[Arc<File>]>,
    /// Whether it is still looked after, where somebody has said so.
    pub(crate) status: Option<ProjectStatus>,
    pub(crate) pages: Arc<Pages>,
}

impl Project {
    /// Puts the files into their order.
    pub(crate) fn new(
        name: ProjectName,
        status: Option<ProjectStatus>,
        files: impl IntoIterator<Item = Arc<File>>,
    ) -> Project {
        let mut files: Vec<Arc<File>> = files.into_iter().collect();
        files.sort_by_cached_key(|file| (Version::parse(&file.version).ok(), file.filename.clone()));
        Project { name, files: files.into(), status, pages: Arc::default() }
    }

    /// The same, whose page's bytes count.
    pub(crate) fn within(self, budget: &Arc<Budget>) -> Project {
        Project { pages: Pages::within(budget), ..self }
    }

    /// The files that may be had: none of a project that is quarantined.
    pub(crate) fn offered(&self) -> &[Arc<File>] {
        if self.is_quarantined() { &[] } else { &self.files }
    }

    /// Whether it is suspected of harm.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.state == State::Quarantined)
    }

    /// Whether all that is served of it is what `other` serves.
    pub(crate) fn serves_what(&self, other: &Project) -> bool {
        let same_name = self.name.display() == other.name.display();
        same_name && self.status == other.status && self.files == other.files
    }
}
