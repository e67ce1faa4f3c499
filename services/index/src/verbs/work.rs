//! What verbs work on: all that the service works on, but for what it serves with.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opsctl_dist::{FileName, ProjectName, Version};
use opsctl_host::{HealthCell, Troubles, VerbContext};

use crate::changes::{By, Changes, Selection};
use crate::config::{Config, IndexName};
use crate::folder::Keeper;
use crate::open::{Opened, Opening, bucket, open};
use crate::records::MIGRATIONS;
use crate::roots;
use crate::upload::Store;

/// What is open for a verb.
pub(super) struct Work {
    pub(super) opened: Opened,
    pub(super) changes: Changes,
    /// Bytes of the largest file that is taken.
    pub(super) max_file: u64,
    who: String,
    rescan: Duration,
}

impl Work {
    pub(super) async fn open(who: String, config: Config, cx: &VerbContext) -> anyhow::Result<Work> {
        let Config { root, indexes, max_file, rescan, .. } = config;
        let database = cx.database(&MIGRATIONS).await?;
        let bucket = bucket(&cx.location()?, || cx.blobs()).await?;
        let (max_file, data_dir) = (max_file.bytes(), &cx.data_dir()?);
        let opened = open(Opening { root, indexes, max_file, data_dir, database, bucket }).await?;
        for kept in opened.stores.values().filter_map(|store| store.kept(rescan.get())) {
            roots::check(data_dir, &kept.index, &kept.root)?;
        }
        let changes =
            Changes::new(Arc::clone(&opened.catalog), Arc::clone(&opened.origins), Arc::clone(&opened.stores));
        Ok(Work { opened, changes, max_file, who, rescan: rescan.get() })
    }

    /// Who runs the verb.
    pub(super) fn by(&self) -> By {
        By::now(&self.who, "")
    }

    /// The index of that name.
    pub(super) fn store(&self, index: &str) -> anyhow::Result<&Store> {
        let store = self.opened.stores.get(index);
        store.with_context(|| format!("there is no index `{index}` with files of its own"))
    }

    /// Looks at the folders, for what no server has seen yet.
    pub(super) async fn look(&self) -> anyhow::Result<()> {
        let Opened { stores, catalog, .. } = &self.opened;
        for kept in stores.values().filter_map(|store| store.kept(self.rescan)) {
            let troubles = Troubles::new(HealthCell::default());
            Keeper::open(kept, Arc::clone(catalog), troubles).await?.look_at_all().await?;
        }
        Ok(())
    }

    /// The files that `text` means: a project, `project==version`, or a file's name.
    pub(super) fn select(&self, index: &IndexName, text: &str) -> anyhow::Result<Selection> {
        if FileName::kind_of(text).is_some() {
            let snapshot = self.opened.catalog.snapshot();
            let projects = snapshot.index(index).map_or_else(Vec::new, |index| index.projects());
            let found = projects.into_iter().find(|project| project.files.iter().any(|file| *file.filename == *text));
            let found = found.with_context(|| format!("there is no file `{text}` in the index `{index}`"))?;
            return Ok(Selection::File(found.name.clone(), text.into()));
        }
        match text.split_once("==") {
            Some((project, version)) => Ok(Selection::Version(name(project)?, number(version)?)),
            None => Ok(Selection::Project(name(text)?)),
        }
    }
}

/// A project's name.
pub(super) fn name(text: &str) -> anyhow::Result<ProjectName> {
    ProjectName::parse(text.trim()).with_context(|| format!("`{}` is no project", text.escape_debug()))
}

/// A version.
pub(super) fn number(text: &str) -> anyhow::Result<Version> {
    Version::legacy(text.trim()).with_context(|| format!("`{}` is no version", text.escape_debug()))
}

/// The account that runs the verb, for the trail.
pub(super) fn who() -> String {
    let Ok(uid) = std::fs::metadata("/proc/self").map(|process| process.uid()) else { return "shell".to_owned() };
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    account.unwrap_or_else(|| format!("uid {uid}"))
}
