//! What came last: for feeds and the first page. Found in one pass over an index when somebody first asks, and kept until
//! the index changes.

use std::collections::HashMap;
use std::sync::Arc;

use super::file::File;
use super::project::Project;

/// How many are remembered, and what a feed has.
pub(crate) const NEWEST: usize = 40;

/// What came last to one index, the last first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Releases, by their first file.
    pub(crate) releases: Vec<Release>,
    /// Projects, by their first file.
    pub(crate) projects: Vec<Release>,
    /// How many projects there are.
    pub(crate) project_count: usize,
    /// How many files there are.
    pub(crate) file_count: usize,
    /// How many bytes of what is there now had come until when (microseconds since 1970), in order; a few hundred points.
    pub(crate) growth: Vec<(i64, u64)>,
}

/// Points of the growth.
const POINTS: usize = 300;

/// A version of a project, and when it came.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) project: Arc<Project>,
    /// Its first file.
    pub(crate) file: Arc<File>,
}

impl Recent {
    /// Looks at all that is offered.
    pub(crate) fn of<'p>(projects: impl Iterator<Item = &'p Arc<Project>>) -> Recent {
        let mut recent = Recent::default();
        let mut sizes = Vec::new();
        for project in projects.filter(|project| !project.offered().is_empty()) {
            recent.project_count += 1;
            recent.file_count += project.offered().len();
            sizes.extend(project.offered().iter().map(|file| (file.first_seen, file.size)));
            let releases = releases(project);
            recent.projects.extend(releases.iter().min_by_key(|release| release.came()).cloned());
            recent.releases.extend(releases);
            // what is dropped here can be among the newest no more
            for list in [&mut recent.releases, &mut recent.projects] {
                if list.len() > 64 * NEWEST {
                    newest(list);
                }
            }
        }
        newest(&mut recent.releases);
        newest(&mut recent.projects);
        recent.growth = growth(sizes);
        recent
    }
}

/// What there was in all when each of these came, or some of them if there are many; always at the end.
fn growth(mut sizes: Vec<(i64, u64)>) -> Vec<(i64, u64)> {
    sizes.sort_unstable_by_key(|(at, _)| *at);
    let mut total = 0_u64;
    for (_, size) in &mut sizes {
        total = total.saturating_add(*size);
        *size = total;
    }
    let step = sizes.len().div_ceil(POINTS).max(1);
    let last = sizes.len().saturating_sub(1);
    sizes.into_iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last).map(|(_, point)| point).collect()
}

impl Release {
    /// Microseconds since 1970.
    pub(crate) fn came(&self) -> i64 {
        self.file.first_seen
    }
}

/// The releases of a project, each with its first file; in no order.
pub(crate) fn releases(project: &Arc<Project>) -> Vec<Release> {
    let mut first: HashMap<&str, &Arc<File>> = HashMap::new();
    for file in project.offered() {
        let known = first.entry(&file.version).or_insert(file);
        if file.first_seen < known.first_seen {
            *known = file;
        }
    }
    let release = |file: &Arc<File>| Release { project: Arc::clone(project), file: Arc::clone(file) };
    first.into_values().map(release).collect()
}

/// Sorts, and keeps the newest.
pub(crate) fn newest(releases: &mut Vec<Release>) {
    let key = |release: &Release| (std::cmp::Reverse(release.came()), release.project.name.clone());
    releases.sort_by_cached_key(|release| (key(release), release.file.version.clone()));
    releases.truncate(NEWEST);
}

#[cfg(test)]
mod tests {
    use opsctl_dist::ProjectName;

    use super::*;
    use crate::catalog::snapshot::tests::file;

    #[test]
    fn the_first_file_of_a_release_says_when_it_came() {
        let at = |version: &str, first_seen: i64| {
            let one = file(&format!("demo-{version}-{first_seen}.zip"), version, 1);
            Arc::new(File { first_seen, ..Arc::into_inner(one).unwrap() })
        };
        let project =
            |name: &str, files: Vec<Arc<File>>| Arc::new(Project::new(ProjectName::parse(name).unwrap(), None, files));
        let many = (0..100).map(|nth| at(&nth.to_string(), nth)).collect();
        let projects = [project("demo", vec![at("1", 500), at("1", 300), at("2", 400)]), project("many", many)];
        let recent = Recent::of(projects.iter());
        let told = |releases: &[Release]| {
            let told = releases.iter().take(3);
            told.map(|one| format!("{} {} {}", one.project.name.display(), one.file.version, one.came()))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&recent.releases), ["demo 2 400", "demo 1 300", "many 99 99"]);
        assert_eq!(told(&recent.projects), ["demo 1 300", "many 0 0"]);
        assert_eq!((recent.releases.len(), recent.project_count, recent.file_count), (NEWEST, 2, 103));
        assert_eq!((recent.growth[0], *recent.growth.last().unwrap()), ((0, 3), (500, 309)));
        let many = growth((0..10_000).rev().map(|nth| (nth, 1)).collect());
        assert!(many.len() <= POINTS + 1 && many.is_sorted() && many.last() == Some(&(9999, 10_000)));
    }
}
