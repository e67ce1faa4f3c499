//! Everything that is served, at one moment: a lookup is two hash lookups, and no lock is held while a client reads.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::Digest;
use super::file::{File, Place};
use super::pages::Pages;
use super::project::Project;
use super::recent::Recent;
use super::shards::Shards;
use crate::config::IndexName;
use crate::folder::Stamp;

/// All indexes. Never changed, only replaced.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    indexes: BTreeMap<IndexName, Arc<Index>>,
}

/// What one index holds by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// By normalised name.
    projects: Shards<Box<str>, Arc<Project>>,
    /// By digest; two of one content differ in their names.
    files: Shards<Digest, Vec<Arc<File>>>,
    /// The list of projects; changes when one comes or goes.
    pub(crate) list: Arc<Pages>,
    /// The list of files; changes with each of them.
    pub(crate) links: Arc<Pages>,
    /// What came last; changes with each file.
    recent: Arc<OnceLock<Recent>>,
}

impl Snapshot {
    /// The index of this name.
    pub(crate) fn index(&self, name: &str) -> Option<&Arc<Index>> {
        self.indexes.get(name)
    }

    /// This snapshot with some projects of an index replaced, or taken out.
    pub(crate) fn with(&self, index: &IndexName, projects: Vec<(Box<str>, Option<Arc<Project>>)>) -> Snapshot {
        let mut indexes = self.indexes.clone();
        let next = indexes.get(index).map_or_else(Index::default, |index| Index::clone(index)).with(projects);
        indexes.insert(index.clone(), Arc::new(next));
        Snapshot { indexes }
    }
}

impl Index {
    /// The project of this normalised name.
    pub(crate) fn project(&self, name: &str) -> Option<&Arc<Project>> {
        self.projects.get(name)
    }

    /// All projects, by normalised name.
    pub(crate) fn projects(&self) -> Vec<&Arc<Project>> {
        let mut projects: Vec<_> = self.projects.iter().map(|(_, project)| project).collect();
        projects.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        projects
    }

    /// All files, by project and version.
    pub(crate) fn files(&self) -> Vec<&Arc<File>> {
        self.projects().into_iter().flat_map(|project| &project.files).collect()
    }

    /// What came last.
    pub(crate) fn recent(&self) -> &Recent {
        self.recent.get_or_init(|| Recent::of(self.projects.iter().map(|(_, project)| project)))
    }

    /// Where the files are that lie in a folder, and what they were like when they were read.
    pub(crate) fn places(&self) -> Vec<(Box<str>, Stamp)> {
        let files = self.projects.iter().flat_map(|(_, project)| &project.files);
        files
            .filter_map(|file| match &file.place {
                Place::Folder { path, stamp, .. } => Some((path.clone(), *stamp)),
                Place::Bucket { .. } => None,
            })
            .collect()
    }

    /// The file of this digest and name, if it may be had.
    pub(crate) fn file(&self, digest: &Digest, filename: &str) -> Option<&Arc<File>> {
        self.files.get(digest)?.iter().find(|file| &*file.filename == filename)
    }

    /// The file of this digest and name, whether it may be had or not.
    pub(crate) fn served(&self, digest: &Digest, filename: &str) -> Option<&Arc<File>> {
        let mut files = self.projects.iter().flat_map(|(_, project)| &project.files);
        files.find(|file| file.sha256 == *digest && &*file.filename == filename)
    }

    fn with(self, projects: Vec<(Box<str>, Option<Arc<Project>>)>) -> Index {
        let files = self.files.with(self.changed_files(&projects));
        let listed = |project: &Arc<Project>| !project.is_quarantined();
        let list_stays = projects
            .iter()
            .all(|(name, project)| project.as_ref().is_some_and(listed) == self.project(name).is_some_and(listed));
        Index {
            projects: self.projects.with(projects),
            files,
            list: if list_stays { self.list } else { Arc::default() },
            links: Arc::default(),
            recent: Arc::default(),
        }
    }

    /// What becomes of the digests that `projects` had or have.
    fn changed_files(&self, projects: &[(Box<str>, Option<Arc<Project>>)]) -> Vec<(Digest, Option<Vec<Arc<File>>>)> {
        let mut changed: BTreeMap<Digest, Vec<Arc<File>>> = BTreeMap::new();
        let entry = |changed: &mut BTreeMap<_, _>, digest: Digest| {
            changed.entry(digest).or_insert_with(|| self.files.get(&digest).cloned().unwrap_or_default());
        };
        let before = projects.iter().filter_map(|(name, _)| self.project(name)).flat_map(|project| project.offered());
        for file in before {
            entry(&mut changed, file.sha256);
            if let Some(files) = changed.get_mut(&file.sha256) {
                files.retain(|other| other.filename != file.filename);
            }
        }
        let after = projects.iter().filter_map(|(_, project)| project.as_ref()).flat_map(|project| project.offered());
        for file in after {
            entry(&mut changed, file.sha256);
            if let Some(files) = changed.get_mut(&file.sha256) {
                files.push(Arc::clone(file));
            }
        }
        changed.into_iter().map(|(digest, files)| (digest, (!files.is_empty()).then_some(files))).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use opsctl_dist::ProjectName;

    use super::*;

    pub(crate) fn file(filename: &str, version: &str, digest: u8) -> Arc<File> {
        let stamp = Stamp { modified: 0, size: 3, inode: 0 };
        Arc::new(File {
            filename: filename.into(),
            version: version.into(),
            sha256: opsctl_dist::Digest([digest; 32]),
            size: 3,
            first_seen: 0,
            requires_python: None,
            metadata: None,
            yanked: None,
            summary: None,
            attested: false,
            place: Place::Folder { root: Arc::default(), path: filename.into(), stamp },
        })
    }

    fn project(name: &str, files: &[Arc<File>]) -> (Box<str>, Option<Arc<Project>>) {
        let project = Project::new(ProjectName::parse(name).unwrap(), None, files.iter().cloned());
        (name.into(), (!files.is_empty()).then(|| Arc::new(project)))
    }

    #[test]
    fn a_new_snapshot_leaves_the_old_one_as_it_was() {
        let main: IndexName = "main".parse().unwrap();
        let (a1, a2, b1) = (file("a-1.zip", "1", 1), file("a-2.zip", "2", 2), file("b-1.zip", "1", 1));
        let one = Snapshot::default().with(&main, vec![project("a", &[a1.clone(), a2]), project("b", &[b1])]);
        let two = one.with(&main, vec![project("a", &[a1])]);
        let three = two.with(&main, vec![project("a", &[])]);
        let there = |snapshot: &Snapshot, digest: u8, name: &str| {
            snapshot.indexes.values().any(|index| index.file(&opsctl_dist::Digest([digest; 32]), name).is_some())
        };
        let check = |snapshot: &Snapshot, a1: bool, a2: bool, projects: usize| {
            assert_eq!(there(snapshot, 1, "a-1.zip"), a1);
            assert_eq!(there(snapshot, 2, "a-2.zip"), a2);
            assert!(there(snapshot, 1, "b-1.zip") && !there(snapshot, 2, "a-1.zip"));
            assert_eq!(snapshot.index("main").unwrap().projects().len(), projects);
        };
        check(&three, false, false, 1);
        check(&two, true, false, 2);
        check(&one, true, true, 2);
        let list = |snapshot: &Snapshot| Arc::as_ptr(&snapshot.index("main").unwrap().list);
        assert_eq!(list(&one), list(&two), "no project came or went");
        assert_ne!(list(&two), list(&three));
    }
}
