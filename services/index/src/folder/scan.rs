//! Compares a folder with what is known of it: what is new and complete, what is gone, what is not complete yet.
//!
//! Nothing is read here but the lists of folders and the stamps of files, so that a look at thousands of unchanged files
//! costs next to nothing.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::settle::Waiting;
use super::stamp::Stamp;
use super::walk::{Seen, Walked, list, walk};

/// What is known of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) stamp: Stamp,
    /// Why it is not served, if so.
    pub(crate) aside: Option<Box<str>>,
}

/// Which part to look at.
#[derive(Debug)]
pub(crate) enum Scope {
    /// The whole tree.
    All,
    /// Some of it.
    Parts {
        /// The files of these folders, each with those that were seen to be closed.
        folders: HashMap<Box<str>, Vec<Box<str>>>,
        /// These folders with all that is in them.
        trees: Vec<Box<str>>,
    },
}

/// What there is to do.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Files that are new or have changed, and are complete.
    pub(crate) fresh: Vec<Seen>,
    /// Known paths at which there is nothing any more.
    pub(crate) gone: Vec<Box<str>>,
    /// Folders that were listed.
    pub(crate) folders: Vec<Box<str>>,
    /// What could not be looked at.
    pub(crate) faults: Vec<String>,
}

/// One folder, and what is known of it.
#[derive(Debug)]
pub(crate) struct Scanner {
    root: Arc<PathBuf>,
    wanted: fn(&str) -> bool,
    known: BTreeMap<Box<str>, Known>,
    waiting: Waiting,
}

impl Scanner {
    /// `wanted` tells files of interest by their names; `known` is what was found before.
    pub(crate) fn new(
        root: Arc<PathBuf>,
        wanted: fn(&str) -> bool,
        known: impl IntoIterator<Item = (Box<str>, Known)>,
    ) -> Scanner {
        Scanner { root, wanted, known: known.into_iter().collect(), waiting: Waiting::default() }
    }

    /// Looks. A path stays fresh, or gone, until [`Scanner::learn`] or [`Scanner::forget`] is told.
    ///
    /// # Errors
    /// When the root cannot be listed: then nothing is known, and nothing counts as gone.
    pub(crate) fn look(&mut self, scope: &Scope) -> io::Result<Look> {
        let mut look = Look::default();
        match scope {
            Scope::All => {
                let walked = walk(&self.root, "", self.wanted)?;
                // what cannot be looked at may still be there
                let certain = walked.faults.is_empty();
                self.compare(walked, &[], if certain { Listed::Tree("") } else { Listed::Nothing }, &mut look);
            }
            Scope::Parts { folders, trees } => {
                for tree in trees {
                    let walked = or_nothing(tree, walk(&self.root, tree, self.wanted))?;
                    let certain = walked.faults.is_empty();
                    self.compare(walked, &[], if certain { Listed::Tree(tree) } else { Listed::Nothing }, &mut look);
                }
                for (folder, closed) in folders {
                    let walked = or_nothing(folder, list(&self.root, folder, self.wanted))?;
                    self.compare(walked, closed, Listed::Files(folder), &mut look);
                }
            }
        }
        Ok(look)
    }

    /// Compares what was listed with what is known; `listed` says which known paths would have been among it.
    fn compare(&mut self, walked: Walked, closed: &[Box<str>], listed: Listed<'_>, look: &mut Look) {
        let now = SystemTime::now();
        let mut there = std::collections::HashSet::with_capacity(walked.files.len());
        for seen in walked.files {
            let known = self.known.get(&seen.path).is_some_and(|known| known.stamp == seen.stamp);
            there.insert(seen.path.clone());
            if !known && self.waiting.is_complete(&seen, closed.contains(&seen.path), now) {
                look.fresh.push(seen);
            }
        }
        let missed = listed.among(&self.known).filter(|path| !there.contains(*path));
        look.gone.extend(missed.cloned());
        self.waiting.retain(|path| !listed.has(path) || there.contains(path));
        look.folders.extend(walked.folders);
        look.faults.extend(walked.faults);
    }

    /// From now on `path` is known to be like this.
    pub(crate) fn learn(&mut self, path: Box<str>, known: Known) {
        self.known.insert(path, known);
    }

    /// Nothing is known of `path` any more. What was set aside in its favour is looked at again; returns whether there
    /// is something.
    pub(crate) fn forget(&mut self, path: &str) -> bool {
        self.known.remove(path);
        let name = filename(path);
        let before = self.known.len();
        self.known.retain(|path, known| known.aside.is_none() || filename(path) != name);
        self.known.len() < before
    }

    /// Whether a file is known at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether there are files that may be complete soon.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What lies there and is not served, and why.
    pub(crate) fn aside(&self) -> impl Iterator<Item = (&str, &str)> {
        self.known.iter().filter_map(|(path, known)| Some((&**path, known.aside.as_deref()?)))
    }
}

/// What was listed.
#[derive(Debug, Clone, Copy)]
enum Listed<'a> {
    /// Not all of anything.
    Nothing,
    /// The files of a folder.
    Files(&'a str),
    /// A folder with all that is in it.
    Tree(&'a str),
}

impl<'a> Listed<'a> {
    /// Whether `path` would have been listed.
    fn has(self, path: &str) -> bool {
        match self {
            Listed::Nothing => false,
            Listed::Files(folder) => parent(path) == folder,
            Listed::Tree("") => true,
            Listed::Tree(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        }
    }

    /// The known paths that would have been listed; those of other folders are not looked at.
    fn among(self, known: &'a BTreeMap<Box<str>, Known>) -> impl Iterator<Item = &'a Box<str>> {
        let from = match self {
            Listed::Files("") | Listed::Tree("") | Listed::Nothing => String::new(),
            Listed::Files(folder) | Listed::Tree(folder) => format!("{folder}/"),
        };
        let paths = known.range::<str, _>((Bound::Included(&*from), Bound::Unbounded)).map(|(path, _)| path);
        paths.take_while(move |path| path.starts_with(&*from)).filter(move |path| self.has(path))
    }
}

/// A folder within the root that is gone has nothing in it.
fn or_nothing(folder: &str, listed: io::Result<Walked>) -> io::Result<Walked> {
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => Ok(Walked::default()),
        listed => listed,
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn filename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    struct Tree {
        dir: tempfile::TempDir,
        scanner: Scanner,
    }

    impl Tree {
        fn new() -> Tree {
            let dir = tempfile::tempdir().unwrap();
            let scanner = Scanner::new(Arc::new(dir.path().to_owned()), |name| name.ends_with(".whl"), []);
            Tree { dir, scanner }
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// What is fresh and what is gone; all of it is learned.
        fn look(&mut self, scope: &Scope) -> (Vec<String>, Vec<String>) {
            let look = self.scanner.look(scope).unwrap();
            for seen in &look.fresh {
                self.scanner.learn(seen.path.clone(), Known { stamp: seen.stamp, aside: None });
            }
            for path in &look.gone {
                self.scanner.forget(path);
            }
            let sorted = |mut paths: Vec<String>| {
                paths.sort_unstable();
                paths
            };
            let fresh = look.fresh.iter().map(|seen| seen.path.to_string()).collect();
            (sorted(fresh), sorted(look.gone.iter().map(ToString::to_string).collect()))
        }

        #[track_caller]
        fn check(&mut self, scope: &Scope, fresh: &[&str], gone: &[&str]) {
            let (seen, missed) = self.look(scope);
            assert_eq!(
                (seen, missed),
                (fresh.iter().map(ToString::to_string).collect(), gone.iter().map(ToString::to_string).collect())
            );
        }
    }

    fn closed(paths: &[&str]) -> Scope {
        let mut folders: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        for path in paths {
            folders.entry(parent(path).into()).or_default().push((*path).into());
        }
        Scope::Parts { folders, trees: Vec::new() }
    }

    #[test]
    fn only_what_changed() {
        let mut tree = Tree::new();
        for path in ["a.whl", "b/c.whl", "b/d/e.whl"] {
            tree.write(path, "x");
        }
        tree.check(&closed(&["a.whl", "b/c.whl"]), &["a.whl", "b/c.whl"], &[]);
        tree.check(&Scope::All, &[], &[]);
        assert!(tree.scanner.is_waiting(), "nobody was seen to close it");
        tree.check(&closed(&["b/d/e.whl"]), &["b/d/e.whl"], &[]);
        assert!(!tree.scanner.is_waiting());
        tree.check(&Scope::All, &[], &[]);

        tree.write("b/c.whl", "longer");
        tree.check(&closed(&["a.whl"]), &[], &[]);
        tree.check(&closed(&["b/c.whl"]), &["b/c.whl"], &[]);
        fs::remove_dir_all(tree.dir.path().join("b")).unwrap();
        tree.check(&closed(&["a.whl"]), &[], &[]);
        tree.check(&closed(&["b/c.whl"]), &[], &["b/c.whl"]);
        tree.check(&Scope::All, &[], &["b/d/e.whl"]);
    }

    #[test]
    fn a_folder_that_came_is_looked_at_with_all_that_is_in_it() {
        let mut tree = Tree::new();
        for path in ["a.whl", "b/c.whl", "b/d/e.whl", "bb/f.whl"] {
            tree.write(path, "x");
        }
        let came = Scope::Parts { folders: HashMap::new(), trees: vec!["b".into()] };
        assert_eq!(tree.scanner.look(&came).unwrap().folders, ["b".into(), "b/d".into()]);
        assert!(tree.scanner.is_waiting(), "nobody was seen to close what is in it");
        tree.check(
            &closed(&["a.whl", "b/c.whl", "b/d/e.whl", "bb/f.whl"]),
            &["a.whl", "b/c.whl", "b/d/e.whl", "bb/f.whl"],
            &[],
        );
        fs::remove_dir_all(tree.dir.path().join("b")).unwrap();
        tree.check(&came, &[], &["b/c.whl", "b/d/e.whl"]);
    }

    #[test]
    fn a_root_that_is_missing_is_an_error_and_not_an_empty_one() {
        let mut tree = Tree::new();
        tree.write("a.whl", "x");
        tree.check(&closed(&["a.whl"]), &["a.whl"], &[]);
        tree.scanner.root = Arc::new(Path::new("/nowhere").to_owned());
        assert!(tree.scanner.look(&Scope::All).is_err());
        assert!(tree.scanner.look(&closed(&["a.whl"])).is_err());
        assert!(!tree.scanner.is_empty());
    }

    #[test]
    fn what_stood_back_is_looked_at_again() {
        let mut tree = Tree::new();
        tree.write("one/a.whl", "x");
        tree.write("two/a.whl", "x");
        let both = closed(&["one/a.whl", "two/a.whl"]);
        tree.check(&both, &["one/a.whl", "two/a.whl"], &[]);
        let stamp = tree.scanner.known["two/a.whl"].stamp;
        tree.scanner.learn("two/a.whl".into(), Known { stamp, aside: Some("the same as `one/a.whl`".into()) });
        assert_eq!(tree.scanner.aside().count(), 1);
        fs::remove_file(tree.dir.path().join("one/a.whl")).unwrap();
        tree.check(&both, &[], &["one/a.whl"]);
        tree.check(&both, &["two/a.whl"], &[]);
    }
}
