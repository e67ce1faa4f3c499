//! Lists the files of a folder and of those in it, with their stamps: one system call per folder, one per file.
//!
//! What is hidden, or named like a download that is not finished, is passed over. Links are followed to files and to
//! folders, each folder once, so that a link upwards is no loop. Nothing is opened here.

use std::collections::HashSet;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::stamp::{Stamp, touched};

/// Folders within folders; deeper ones are reported and left out.
const DEPTH_MAX: usize = 16;
/// Endings of files that something is still writing to.
const UNFINISHED: [&str; 6] = [".part", ".tmp", ".temp", ".crdownload", ".filepart", "~"];

/// A file, by its path within the root.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) path: Box<str>,
    pub(crate) stamp: Stamp,
    /// When it was last touched, in nanoseconds since 1970.
    pub(crate) touched: i64,
}

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) files: Vec<Seen>,
    /// Paths within the root, `""` for the root itself.
    pub(crate) folders: Vec<Box<str>>,
    /// What could not be looked at, each with its path.
    pub(crate) faults: Vec<String>,
}

/// Lists `folder`, a path within `root`, and everything below it. `wanted` tells by its name whether a file matters.
///
/// # Errors
/// When the folder itself cannot be listed; what lies deeper is a fault of its own.
pub(crate) fn walk(root: &Path, folder: &str, wanted: fn(&str) -> bool) -> io::Result<Walked> {
    let mut walker = Walker { root, wanted, walked: Walked::default(), folders: HashSet::new() };
    walker.folder(folder, 0)?;
    Ok(walker.walked)
}

/// Lists the files of one folder alone.
///
/// # Errors
/// When it cannot be listed.
pub(crate) fn list(root: &Path, folder: &str, wanted: fn(&str) -> bool) -> io::Result<Walked> {
    let mut walker = Walker { root, wanted, walked: Walked::default(), folders: HashSet::new() };
    walker.folder(folder, DEPTH_MAX)?;
    walker.walked.faults.clear();
    Ok(walker.walked)
}

/// Whether a file or folder of this name is passed over.
pub(crate) fn is_passed_over(name: &str) -> bool {
    name.starts_with('.') || UNFINISHED.iter().any(|ending| name.ends_with(ending))
}

/// The path of `name` in `folder`, a path within the root.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

struct Walker<'a> {
    root: &'a Path,
    wanted: fn(&str) -> bool,
    walked: Walked,
    /// Device and inode of those listed so far.
    folders: HashSet<(u64, u64)>,
}

impl Walker<'_> {
    fn folder(&mut self, folder: &str, depth: usize) -> io::Result<()> {
        let path = self.root.join(folder);
        let metadata = fs::metadata(&path)?;
        if !self.folders.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        let entries = fs::read_dir(&path)?;
        self.walked.folders.push(folder.into());
        for entry in entries {
            let entry = entry?;
            match entry.file_name().to_str() {
                Some(name) if is_passed_over(name) => {}
                Some(name) => self.entry(&entry, folder, name, depth),
                None => self.fault(&entry.path(), "has a name that is no UTF-8"),
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, folder: &str, name: &str, depth: usize) {
        let is_wanted = (self.wanted)(name);
        // the kind comes with the name: what is neither wanted nor a folder costs no call of its own
        let kind = entry.file_type();
        if !is_wanted && kind.as_ref().is_ok_and(fs::FileType::is_file) {
            return;
        }
        let metadata = match kind {
            Ok(kind) if kind.is_symlink() => fs::metadata(entry.path()),
            _ => entry.metadata(),
        };
        match metadata {
            Ok(metadata) if metadata.is_dir() => self.deeper(entry, &join(folder, name), depth),
            Ok(metadata) if metadata.is_file() && is_wanted => self.file(&metadata, join(folder, name)),
            Ok(_) => {}
            // it went away since it was listed, or is a link to nowhere
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.fault(&entry.path(), &error.to_string()),
        }
    }

    fn file(&mut self, metadata: &Metadata, path: String) {
        self.walked.files.push(Seen { path: path.into(), stamp: Stamp::from(metadata), touched: touched(metadata) });
    }

    fn deeper(&mut self, entry: &DirEntry, folder: &str, depth: usize) {
        if depth >= DEPTH_MAX {
            return self.fault(&entry.path(), "lies too deep");
        }
        match self.folder(folder, depth + 1) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.fault(&entry.path(), &error.to_string()),
            _ => {}
        }
    }

    fn fault(&mut self, path: &Path, why: &str) {
        self.walked.faults.push(format!("`{}`: {why}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        root
    }

    fn paths(walked: &Walked) -> Vec<&str> {
        let mut paths: Vec<_> = walked.files.iter().map(|seen| &*seen.path).collect();
        paths.sort_unstable();
        paths
    }

    fn is_wheel(name: &str) -> bool {
        name.ends_with(".whl")
    }

    #[test]
    fn files_of_all_folders() {
        let root = folder(&["a.whl", "b/c.whl", "b/d/e.whl", "b/readme", ".hidden.whl", ".opsctl/f.whl", "g.whl.part"]);
        fs::create_dir(root.path().join("h.whl")).unwrap();
        let walked = walk(root.path(), "", is_wheel).unwrap();
        assert_eq!(paths(&walked), ["a.whl", "b/c.whl", "b/d/e.whl"]);
        assert_eq!(walked.folders.len(), 4, "{:?}", walked.folders);
        assert_eq!(walked.faults, [""; 0]);
        assert_eq!(paths(&walk(root.path(), "b", is_wheel).unwrap()), ["b/c.whl", "b/d/e.whl"]);
        assert_eq!(paths(&list(root.path(), "b", is_wheel).unwrap()), ["b/c.whl"]);
        assert!(walk(root.path(), "nowhere", is_wheel).is_err());
    }

    #[test]
    fn links_are_followed_once() {
        let root = folder(&["real/a.whl"]);
        let elsewhere = folder(&["b.whl", "c/d.whl"]);
        symlink(elsewhere.path().join("b.whl"), root.path().join("link.whl")).unwrap();
        symlink(elsewhere.path().join("c"), root.path().join("c")).unwrap();
        symlink(root.path(), root.path().join("real/up")).unwrap();
        symlink("/nowhere", root.path().join("dead.whl")).unwrap();
        let walked = walk(root.path(), "", is_wheel).unwrap();
        assert_eq!(paths(&walked), ["c/d.whl", "link.whl", "real/a.whl"]);
        assert_eq!(walked.faults, [""; 0]);
    }

    #[test]
    fn too_deep_is_a_fault() {
        let root =
            folder(&[&format!("{}a.whl", "d/".repeat(DEPTH_MAX + 1)), &format!("{}b.whl", "d/".repeat(DEPTH_MAX))]);
        let walked = walk(root.path(), "", is_wheel).unwrap();
        assert!(paths(&walked)[0].ends_with("/b.whl") && walked.faults[0].ends_with("lies too deep"), "{walked:?}");
    }
}
