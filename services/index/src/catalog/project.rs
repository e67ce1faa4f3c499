//! One project: its files in order, and its page in all forms.

use std::sync::Arc;

use opsctl_dist::{ProjectName, Version};

use super::file::File;
use super::pages::Pages;

/// A project of one index at one moment; never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) name: ProjectName,
    /// By version, then by name.
    pub(crate) files: Box<[Arc<File>]>,
    pub(crate) pages: Pages,
}

impl Project {
    /// Puts the files into their order.
    pub(crate) fn new(name: ProjectName, files: impl IntoIterator<Item = Arc<File>>) -> Project {
        let mut files: Vec<Arc<File>> = files.into_iter().collect();
        files.sort_by_cached_key(|file| (Version::parse(&file.version).ok(), file.filename.clone()));
        Project { name, files: files.into(), pages: Pages::default() }
    }
}
